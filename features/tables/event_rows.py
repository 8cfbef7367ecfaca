"""The events table as the sorted columns of `features.history.Events`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.calendar_days import local_days
from features.history import Events
from features.schema import Schema
from features.tables.cell_values import category, number, text
from features.tables.raw_tables import RawTable
from features.tables.sql_text import Column, Connection

CONTRACT = ("lead_id", "occurred_at", "event_type", "recorded_at", "event_id", "value", "channel")


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


def stage_events(connection: Connection, raw: RawTable, schema: Schema | None) -> dict[str, Column]:
    """Make the table ``staged_events`` of the view ``checked_events``: times read and leads found once for all passes.

    Returns
    -------
    Its columns by name: event_type, channel and value, read; further ones, those of the schema where one is given, as
    they were brought.
    """
    staged: dict[str, Column] = {}
    cells = []
    for name, column in raw.columns.items():
        if name == "event_type":
            staged[name], cell = Column(name, "event_type", "VARCHAR", clean=True), text(column)
        elif name == "channel":
            staged[name], cell = Column(name, "channel", "VARCHAR", clean=True), category(column)
        elif name == "value":
            # What can't be read is counted where the report is made; here a text would only take room.
            staged[name], cell = Column(name, "value", "DOUBLE", clean=True), number(column)
        elif name in CONTRACT or (schema is not None and name not in {*schema.event_numbers, *schema.event_categories}):
            continue
        else:
            staged[name], cell = column, column.sql
        cells.append(f"{cell} as {staged[name].sql}")
    event_id = raw.column("event_id")
    if event_id is not None:
        cells.append(f"md5_number({text(event_id)}) as event_key")
    connection.run(
        f"create table staged_events as select lead, own, known, own_form, recorded_form, reason, {', '.join(cells)}"
        " from checked_events"
    )
    return staged


def fetch_events(
    connection: Connection, staged: Mapping[str, Column], schema: Schema, *, n_leads: int, n_rows: int, with_ids: bool
) -> tuple[Events, EventFacts]:
    """Sort the usable rows of ``staged_events`` and bring them into arrays.

    The database sorts by small integers, spilling to disk where memory is short, and hands the rows over in batches:
    beside the arrays themselves nothing grows with their number.
    """
    repeated = _drop_repeated(connection, staged) if with_ids else 0
    n_rows -= repeated
    columns = schema.event_code_columns
    vocabularies = tuple(_vocabulary(connection, staged.get(column), i) for i, column in enumerate(columns))
    codes = {column: f"k{i}" for i, column in enumerate(columns)}
    numbers = {column: f"x{i}" for i, column in enumerate(schema.event_numbers)}
    further = [codes.get(each) or numbers[each] for each in sorted({*columns[2:], *schema.event_numbers[1:]})]
    selected, joins = [], ""
    for i, column in enumerate(columns):
        cell = staged.get(column)
        selected.append(f"coalesce(v{i}.code, -1)::integer as k{i}" if cell else f"-1 as k{i}")
        if cell:
            joins += f" left join vocabulary_{i} v{i} on v{i}.v = {category(cell)}"
    for i, column in enumerate(schema.event_numbers):
        cell = staged.get(column)
        selected.append(f"{number(cell) if cell else 'null::double'} as x{i}")
    order = ", ".join(
        ["lead", "own", "known", "k0", "k1", "x0 nulls first", *(f"{each} nulls first" for each in further)]
    )
    query = f"select lead, own, known, {', '.join(selected)} from staged_events{joins} where reason is null order by {order}"
    arrays = _Arrays(n_rows, len(columns), len(schema.event_numbers))
    alike = arrays.fill(connection.batches(query))
    offsets = np.zeros(n_leads + 1, np.int64)
    counts = connection.arrow("select lead, count(*) as n from staged_events where reason is null group by lead")
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
    return events, EventFacts(repeated, 0 if with_ids else alike)


def _vocabulary(connection: Connection, column: Column | None, i: int) -> tuple[str, ...]:
    """All texts of a column of usable rows, by code point; makes the table that gives each its code."""
    if column is None:
        return ()
    connection.run(
        f"create or replace table vocabulary_{i} as select v, (row_number() over (order by v) - 1)::integer as code"
        f" from (select distinct {category(column)} as v from staged_events where reason is null) where v is not null"
    )
    return tuple(row[0] for row in connection.rows(f"select v from vocabulary_{i} order by code"))


def _drop_repeated(connection: Connection, staged: Mapping[str, Column]) -> int:
    """Of a lead's usable rows with the same event_id leave the first recorded one.

    An id counts within its lead: one basket may be an event of several leads, and sources number from 1. Rows recorded
    at one instant are told apart by their content, so that their order in the file doesn't matter.
    """
    connection.run(
        "create table repeated_keys as select lead, event_key from staged_events"
        " where reason is null and event_key is not null group by all having count(*) > 1"
    )
    content = "".join(f", {column.sql} nulls first" for _, column in sorted(staged.items()))
    connection.run(
        "create table repeated_rows as select row from (select e.rowid as row, row_number() over"
        f" (partition by lead, event_key order by known, own{content}) as nth"
        " from staged_events e semi join repeated_keys using (lead, event_key) where reason is null) where nth > 1"
    )
    found = connection.one("select count(*) from repeated_rows")
    if found[0]:
        connection.run("delete from staged_events where rowid in (select row from repeated_rows)")
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
