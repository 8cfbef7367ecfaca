"""The usable rows of a workspace's files as a store keeps them: times read, all other cells as the text they had.

What can't be used is set aside as always, with one difference: rows of leads that no table has are kept. A store lives
on, and their lead may come with the next load.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import pyarrow as pa

from features.tables import attribute_rows, event_rows
from features.tables.cell_times import wall_and_form
from features.tables.cell_values import category, number, text
from features.tables.database import allow_memory, open_database, scratch_folder
from features.tables.lead_rows import place_leads
from features.tables.raw_tables import RawTable, bring_table
from features.tables.reading import REQUIRED, Progress
from features.tables.rejected_rows import write_rejected
from features.tables.row_checks import Clock, check_rows, count_rows
from features.tables.sql_text import Column, Connection
from features.workspace import Workspace

_OWN_TIME = {"events": "occurred_at", "attributes": "valid_from", "outcomes": "occurred_at"}
_NEEDED = {"events": ("event_type",), "outcomes": ("outcome",)}
_NO_ID = "~"
"""First character of the ids of events that were given none."""


@dataclass(frozen=True)
class AcceptedRows:
    """Of one table.

    Attributes
    ----------
    digests : SHA-256 of its files by name.
    usable : rows to be kept; what is told twice within the files once only.
    repeated : usable rows beside those.
    rejected : rows set aside, by reason.
    erased : rows of leads that were erased; they are not even set aside.
    notes : on encodings and columns.
    batches : the rows in the order of their leads, to be read before the next table's. Columns by table: leads: lead_id,
        created_at, attributes; events: event_id, lead_id, occurred_at, recorded_at, event_type, value, channel,
        properties; attributes: lead_id, valid_from, recorded_at, attributes; outcomes: lead_id, occurred_at,
        recorded_at, told, outcome. Instants are UTC microseconds; attributes and properties are JSON objects of texts.
    """

    table: str
    digests: Mapping[str, str]
    usable: int
    repeated: int
    rejected: Mapping[str, int]
    erased: int
    notes: tuple[str, ...]
    batches: Callable[[], pa.RecordBatchReader]


@contextmanager
def accepted_rows(
    workspace: Workspace,
    *,
    now: int,
    erased_among: Callable[[Collection[str]], frozenset[str]],
    progress: Progress,
) -> Iterator[list[AcceptedRows]]:
    """Read the files of a workspace's tables: leads first, then those of the others that it names.

    Parameters
    ----------
    now : the clock, UTC microseconds: no row may lie later.
    erased_among : those of some leads of whom nothing may be kept, in ``rejected/`` neither.

    Raises
    ------
    DataError
        A file is missing or can't be read, a required column is missing, or no lead is usable.
    """
    clock = Clock(workspace.zone, now, None)
    with scratch_folder(workspace) as scratch, open_database(scratch) as connection:
        raws: dict[str, RawTable] = {}
        for table in [each for each in REQUIRED if each in workspace.tables]:
            progress(f"reading {table}")
            raws[table] = bring_table(
                connection, folder=workspace.folder, table=table, told=workspace.tables[table],
                required=REQUIRED[table], scratch=scratch,
            )  # fmt: skip
        progress("checking rows")
        refused = _keep_out(connection, raws, erased_among)
        found = []
        for table, raw in raws.items():
            rejected = _check(connection, raw, raws, clock)
            write_rejected(connection, raw, workspace.rejected_folder, scratch, any_rows=bool(rejected))
            for csv_file in raw.csv_files.values():
                for record in csv_file.broken:
                    rejected[record.reason] = rejected.get(record.reason, 0) + 1
            usable, repeated = _MAKE[table](connection, raw)
            notes = (*raw.notes, *(f"column {each.name} holds no plain values" for each in _passed_over(raw)))
            found.append(
                AcceptedRows(
                    table=table,
                    digests=raw.digests,
                    usable=usable,
                    repeated=repeated,
                    rejected=dict(sorted(rejected.items())),
                    erased=refused.get(table, 0),
                    notes=notes,
                    batches=partial(connection.batches, f"select * from accepted_{table} order by {_ORDER[table]}"),
                )
            )
        allow_memory(connection, max((each.usable for each in found), default=0))
        yield found


_ORDER = {
    "leads": "lead_id",
    "events": "lead_id, occurred_at, event_id",
    "attributes": "lead_id, valid_from, recorded_at, attributes",
    "outcomes": "lead_id, occurred_at, outcome",
}


def _keep_out(
    connection: Connection, raws: dict[str, RawTable], erased_among: Callable[[Collection[str]], frozenset[str]]
) -> dict[str, int]:
    """Take rows of erased leads out of the relations; how many by table."""
    ids = {
        table: f"select {text(raw.columns['lead_id'])} as lead_id from {raw.relation}" for table, raw in raws.items()
    }
    everybody = f"select distinct lead_id from ({' union all '.join(ids.values())}) where lead_id is not null"
    erased = erased_among(connection.arrow(everybody).column(0).to_pylist())
    if not erased:
        return {}
    connection.bring("erased_leads", pa.table({"erased_id": sorted(erased)}))
    refused = {}
    for table, raw in raws.items():
        lead_id, gone = text(raw.columns["lead_id"]), "(select erased_id from erased_leads)"
        refused[table] = int(connection.one(f"select count(*) from {raw.relation} where {lead_id} in {gone}")[0])
        connection.run(
            f"create view kept_{table} as select * from {raw.relation} where coalesce({lead_id} not in {gone}, true)"
        )
        broken = {
            source: replace(csv_file, broken=tuple(each for each in csv_file.broken if not _names(each.cells, erased)))
            for source, csv_file in raw.csv_files.items()
        }
        raws[table] = replace(raw, relation=f"kept_{table}", csv_files=broken)
    return refused


def _names(cells: Collection[str], erased: frozenset[str]) -> bool:
    return any(cell.strip(" \t\"'") in erased for cell in cells)


def _check(connection: Connection, raw: RawTable, raws: Mapping[str, RawTable], clock: Clock) -> dict[str, int]:
    """Make ``checked_TABLE`` and, of leads, ``kept_leads``; rows set aside by reason."""
    if raw.table == "leads":
        counts = place_leads(connection, raw, clock)
        connection.run("alter table leads rename to usable_leads")
        return dict(counts.rejected)
    if not connection.rows("select 1 from duckdb_tables() where table_name = 'leads'"):
        ids = [
            f"select {text(each.columns['lead_id'])} as lead_id from {each.relation}"
            for name, each in raws.items()
            if name != "leads"
        ]
        connection.run(  # all leads that rows name, so that none of them is unknown to the checks
            f"create table leads as select (row_number() over (order by lead_id) - 1)::integer as lead, lead_id"
            f" from (select distinct lead_id from ({' union all '.join(ids)}) where lead_id is not null)"
        )
    view, own = f"checked_{raw.table}", _OWN_TIME[raw.table]
    check_rows(connection, raw, view, own_time=own, needed=_NEEDED.get(raw.table, ()), clock=clock)
    return dict(count_rows(connection, view, own).rejected)


def _make_leads(connection: Connection, raw: RawTable) -> tuple[int, int]:
    cells = _as_object(raw, attribute_rows.LEADS_CONTRACT)
    connection.run(
        f"create table accepted_leads as select {_plain('lead_id')}, created as created_at, {cells} as attributes"
        " from usable_leads"
    )
    return _count(connection, "accepted_leads"), 0


def _make_attributes(connection: Connection, raw: RawTable) -> tuple[int, int]:
    cells = _as_object(raw, attribute_rows.CONTRACT)
    connection.run(
        f"create table accepted_attributes as select {_plain('lead_id')}, own as valid_from, known as recorded_at,"
        f" {cells} as attributes from checked_attributes where reason is null"
    )
    return _count(connection, "accepted_attributes"), 0


def _make_outcomes(connection: Connection, raw: RawTable) -> tuple[int, int]:
    """The same outcome of a lead at the same instant is one: the first recorded."""
    outcome = text(raw.columns["outcome"])
    connection.run(
        f"create table accepted_outcomes as select {_plain('lead_id')}, own as occurred_at, known as recorded_at, told,"
        f" {_plain(outcome, 'outcome')} from checked_outcomes where reason is null qualify row_number()"
        f" over (partition by lead_id, own, {outcome} order by known, told desc) = 1"
    )
    usable = _count(connection, "accepted_outcomes")
    return usable, _count(connection, "checked_outcomes where reason is null") - usable


def _make_events(connection: Connection, raw: RawTable) -> tuple[int, int]:
    """Of a lead's rows with one event_id the first recorded one, told apart by content as the table reader does.

    A row without an id gets one made of its content and of its ordinal among equal rows: the same files loaded again
    then repeat the same ids, and equal rows still count as often as they come.
    """
    columns = raw.columns
    channel, value, event_id = columns.get("channel"), columns.get("value"), columns.get("event_id")
    told = text(event_id) if event_id else "null::varchar"
    further = [each for name, each in columns.items() if name not in event_rows.CONTRACT]
    connection.run(
        f"create table read_events as select lead_id, own, known, {text(columns['event_type'])} as event_type,"
        f" {category(channel) if channel else 'null::varchar'} as channel,"
        f" {number(value) if value else 'null::double'} as value, {told} as told_id,"
        f" {_as_object(raw, event_rows.CONTRACT)} as properties{''.join(f', {each.sql}' for each in further)}"
        " from checked_events where reason is null"
    )
    repeated = _drop_repeated(connection, raw) if event_id else 0
    content = (
        "md5(concat_ws(chr(31), lead_id, own, known, event_type, coalesce(channel, ''), coalesce(value::varchar, ''),"
        " properties))"
    )
    cells = f"own as occurred_at, known as recorded_at, {_plain('event_type')}, value, {_plain('channel')}, properties"
    connection.run(
        f"create table accepted_events as select {_plain('told_id', 'event_id')}, {_plain('lead_id')}, {cells}"
        " from read_events where told_id is not null union all select"
        f" '{_NO_ID}' || left(content, 24) || '.' || row_number() over (partition by content), {_plain('lead_id')}, {cells}"
        f" from (select *, {content} as content from read_events where told_id is null)"
    )
    connection.run("drop table read_events")
    return _count(connection, "accepted_events"), repeated


def _drop_repeated(connection: Connection, raw: RawTable) -> int:
    """The rule of `features.tables.event_rows`, on ``read_events``."""
    own = {"event_type": "event_type", "channel": "channel", "value": "value"}
    read = {name: own.get(name, column.sql) for name, column in raw.columns.items()}
    content = "".join(
        f", {sql} nulls first" for name, sql in sorted(read.items()) if name in own or name not in event_rows.CONTRACT
    )
    connection.run(
        "create table repeated_rows as select row from (select e.rowid as row, row_number() over"
        f" (partition by lead_id, told_id order by known, own{content}) as nth from read_events e semi join"
        " (select lead_id, told_id from read_events where told_id is not null group by all having count(*) > 1)"
        " using (lead_id, told_id)) where nth > 1"
    )
    repeated = _count(connection, "repeated_rows")
    if repeated:
        connection.run("delete from read_events where rowid in (select row from repeated_rows)")
    return repeated


_MAKE: Mapping[str, Callable[[Connection, RawTable], tuple[int, int]]] = {
    "leads": _make_leads,
    "events": _make_events,
    "attributes": _make_attributes,
    "outcomes": _make_outcomes,
}


def _count(connection: Connection, rows: str) -> int:
    return int(connection.one(f"select count(*) from {rows}")[0])


def _plain(sql: str, name: str = "") -> str:
    """A text without NUL characters, which not every database takes."""
    return f"replace({sql}, chr(0), '') as {name or sql}"


def _passed_over(raw: RawTable) -> list[Column]:
    return [each for each in raw.columns.values() if not each.is_plain]


def _as_object(raw: RawTable, contract: Collection[str]) -> str:
    """A JSON object of the cells beside the contract's columns; empty ones are absent."""
    cells = [
        f"'{_quoted(json.dumps(each.name, ensure_ascii=False))}:' || to_json({_as_text(each)})::varchar"
        for each in raw.columns.values()
        if each.name not in contract and each.is_plain
    ]
    return f"'{{' || concat_ws(',', {', '.join(cells)}) || '}}'" if cells else "'{}'"


def _quoted(told: str) -> str:
    return told.replace("'", "''")


def _as_text(column: Column) -> str:
    """The cell as a text that reads as the cell itself would: floats as the shortest that gives them back."""
    if column.is_number and not column.is_integer:
        return f"({text(Column(column.name, f'({number(column)})', 'DOUBLE'))})"
    if column.type.endswith("_NS"):
        make = "make_timestamptz" if "TZ" in column.type else "make_timestamp"
        return f"{make}({wall_and_form(column, column.sql)[0]})::varchar"  # cut off, as the table reader does
    return f"({text(column)})"
