"""The events table as the sorted columns of `features.history.Events`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.calendar_days import local_days
from features.cell_values import category, number, text
from features.history import Events
from features.raw_tables import FILE, RECORD, RawTable
from features.schema import Schema
from features.sql_text import Column, Connection

CONTRACT = ("lead_id", "occurred_at", "event_type", "recorded_at", "event_id", "value", "channel")
_A_BATCH = 122_880


@dataclass(frozen=True)
class EventFacts:
    """What was noticed while events were sorted."""

    repeated_ids: int = 0
    alike: int = 0


def no_events(schema: Schema, n_leads: int) -> Events:
    return Events(
        offsets=np.zeros(n_leads + 1, np.int64),
        occurred_at=np.zeros(0, np.int64),
        known_at=np.zeros(0, np.int64),
        day=np.zeros(0, np.int32),
        codes=np.zeros((len(schema.event_code_columns), 0), np.int32),
        vocabularies=tuple(() for _ in schema.event_code_columns),
        numbers=np.zeros((len(schema.event_numbers), 0), np.float64),
    )


def fetch_events(
    connection: Connection, raw: RawTable, schema: Schema, *, n_leads: int, n_rows: int
) -> tuple[Events, EventFacts]:
    """Sort the usable rows of ``checked_events`` and bring them into arrays.

    The database sorts by small integers, spilling to disk where memory is short, and hands the rows over in batches:
    beside the arrays themselves nothing grows with their number.
    """
    repeated = _drop_repeated(connection, raw)
    n_rows -= repeated
    columns = schema.event_code_columns
    vocabularies = tuple(_vocabulary(connection, raw.column(column), i) for i, column in enumerate(columns))
    codes = {column: f"k{i}" for i, column in enumerate(columns)}
    numbers = {column: f"x{i}" for i, column in enumerate(schema.event_numbers)}
    further = [codes.get(each) or numbers[each] for each in sorted({*columns[2:], *schema.event_numbers[1:]})]
    selected, joins = [], ""
    for i, column in enumerate(columns):
        cell = raw.column(column)
        selected.append(f"coalesce(v{i}.code, -1)::integer as k{i}" if cell else f"-1 as k{i}")
        if cell:
            joins += f" left join vocabulary_{i} v{i} on v{i}.v = {_cell(cell, i)}"
    for i, column in enumerate(schema.event_numbers):
        cell = raw.column(column)
        selected.append(f"{number(cell) if cell else 'null::double'} as x{i}")
    order = ", ".join(["lead", "own", "known", "k0", "k1", "x0 nulls first", *(f"{each} nulls first" for each in further)])
    query = (
        f"select lead, own, known, {', '.join(selected)} from kept_events{joins} order by {order}"
    )
    arrays = _Arrays(n_rows, len(columns), len(schema.event_numbers))
    alike = arrays.fill(connection.sql(query).to_arrow_reader(_A_BATCH))
    offsets = np.zeros(n_leads + 1, np.int64)
    counts = connection.sql("select lead, count(*) as n from kept_events group by lead").to_arrow_table()
    offsets[counts.column(0).to_numpy() + 1] = counts.column(1).to_numpy()
    np.cumsum(offsets, out=offsets)
    events = Events(
        offsets=offsets,
        occurred_at=arrays.own,
        known_at=arrays.known,
        day=_days(arrays.own, schema.zone),
        codes=arrays.codes,
        vocabularies=vocabularies,
        numbers=arrays.numbers,
    )
    return events, EventFacts(repeated, 0 if raw.column("event_id") else alike)


def _cell(column: Column, i: int) -> str:
    """Event types stand as they are written; of other texts the missing words are no value."""
    return text(column) if i == 0 else category(column)


def _vocabulary(connection: Connection, column: Column | None, i: int) -> tuple[str, ...]:
    """All texts of a column of usable rows, by code point; makes the table that gives each its code."""
    if column is None:
        return ()
    connection.execute(
        f"create or replace table vocabulary_{i} as select v, (row_number() over (order by v) - 1)::integer as code"
        f" from (select distinct {_cell(column, i)} as v from kept_events) where v is not null"
    )
    return tuple(row[0] for row in connection.execute(f"select v from vocabulary_{i} order by code").fetchall())


def _drop_repeated(connection: Connection, raw: RawTable) -> int:
    """Make the view ``kept_events``: of a lead's rows with the same event_id the first recorded one.

    An id counts within its lead: one basket may be an event of several leads, and sources number from 1.
    """
    id_column = raw.column("event_id")
    usable = "select * from checked_events where reason is null"
    if id_column is None:
        connection.execute(f"create view kept_events as {usable}")
        return 0
    event_id = text(id_column)
    # By hash first: an exact look at all ids would hold them all in memory, and few repeat.
    connection.execute(
        f"create table suspected as select lead, hash({event_id}) as h from ({usable}) where {event_id} is not null"
        " group by all having count(*) > 1"
    )
    content = "".join(f", {text(column)} nulls first" for column in raw.columns.values())
    connection.execute(
        f"create table repeated as select {FILE}, {RECORD} from (select {FILE}, {RECORD}, row_number() over"
        f" (partition by e.lead, {event_id} order by known, own{content}, {FILE}, {RECORD}) as nth"
        f" from ({usable}) e join suspected s on s.lead = e.lead and s.h = hash({event_id})) where nth > 1"
    )
    found = connection.execute("select count(*) from repeated").fetchone()
    assert found is not None
    anti = f" anti join repeated using ({FILE}, {RECORD})" if found[0] else ""
    connection.execute(f"create view kept_events as select * from ({usable}){anti}")
    return int(found[0])


def _days(instants: NDArray[np.int64], zone: str) -> NDArray[np.int32]:
    """`local_days` in pieces, which needs less memory for what lies between."""
    days = np.empty(len(instants), np.int32)
    for start in range(0, len(instants), 1 << 20):
        days[start : start + (1 << 20)] = local_days(instants[start : start + (1 << 20)], zone)
    return days


class _Arrays:
    """The columns of n rows, filled batch by batch."""

    def __init__(self, n: int, n_codes: int, n_numbers: int) -> None:
        self.own, self.known = np.empty(n, np.int64), np.empty(n, np.int64)
        self.codes, self.numbers = np.empty((n_codes, n), np.int32), np.empty((n_numbers, n), np.float64)

    def fill(self, batches: Any) -> int:
        """Rows come as lead, own, known, codes, numbers. Returns how many are alike the row before in all of that."""
        at = alike = 0
        before: Sequence[NDArray[Any]] = ()
        for batch in batches:
            n = batch.num_rows
            if not n:
                continue
            columns = [column.to_numpy(zero_copy_only=False) for column in batch.columns]
            stop = at + n
            self.own[at:stop] = columns[1]
            np.maximum(columns[1], columns[2], out=self.known[at:stop])
            for target, column in zip((*self.codes, *self.numbers), columns[3:], strict=True):
                target[at:stop] = column
            alike += _alike(columns, before)
            before = [column[-1:] for column in columns]
            at = stop
        if at != len(self.own):
            raise RuntimeError(f"counted {len(self.own)} events and read {at}: a file changed meanwhile")
        return alike


def _alike(columns: Sequence[NDArray[Any]], before: Sequence[NDArray[Any]]) -> int:
    same = np.ones(len(columns[0]) - 1 + bool(before), np.bool_)
    for i, column in enumerate(columns):
        whole = np.concatenate([before[i], column]) if before else column
        equal = whole[1:] == whole[:-1]
        if whole.dtype.kind == "f":
            equal |= np.isnan(whole[1:]) & np.isnan(whole[:-1])
        same &= equal
        if not same.any():
            return 0
    return int(same.sum())
