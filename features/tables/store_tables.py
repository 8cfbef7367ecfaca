"""The tables of a store as `RawTable`s: of the same form as those of files, so that all behind them is one path."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from features.schema import Schema
from features.tables import attribute_rows, event_rows
from features.tables.json_columns import MOST_NAMES, spread
from features.tables.raw_tables import FILE, RECORD, RawTable
from features.tables.sql_text import Column, Connection, literal
from features.tables.store_snapshot import Snapshot, open_snapshot

THE_STORE = "the store"


@dataclass(frozen=True)
class _Source:
    """A table of the store.

    Attributes
    ----------
    name : there.
    columns : of its own, by what they are: "text", "number" or "time".
    told : its column for whether the recorded time was told.
    optional : columns that are left out where no row has them, as a file would lack them.
    json : the column of what else rows have; None without.
    taken : names that may not come from `json`.
    by_lead : rows have no number of their own.
    """

    name: str
    columns: Mapping[str, str]
    optional: tuple[str, ...] = ()
    json: str | None = None
    told: str | None = None
    taken: tuple[str, ...] = ()
    by_lead: bool = False


_SOURCES = {
    "leads": _Source(
        "leads", {"lead_id": "text", "created_at": "time"},
        json="attributes", taken=attribute_rows.LEADS_CONTRACT, by_lead=True,
    ),
    "events": _Source(
        "events", {
            "lead_id": "text", "occurred_at": "time", "event_type": "text", "recorded_at": "time",
            "event_id": "text", "value": "number", "channel": "text",
        },
        optional=("event_id", "value", "channel"), json="properties", taken=event_rows.CONTRACT,
    ),
    "attributes": _Source(
        "attribute_changes", {"lead_id": "text", "valid_from": "time", "recorded_at": "time"},
        json="attributes", taken=attribute_rows.CONTRACT,
    ),
    "outcomes": _Source(
        "outcomes", {"lead_id": "text", "occurred_at": "time", "outcome": "text", "recorded_at": "time"},
        told="told",
    ),
}  # fmt: skip
_TYPES = {"text": "VARCHAR", "number": "DOUBLE", "time": "TIMESTAMP WITH TIME ZONE"}
_STORED_AS = {"text": "text", "number": "number", "time": "integer"}
_OBJECTED = "select lead_id from leads where objected_at is not null"


@dataclass(frozen=True)
class StoreTables:
    """`raws`: by table; "attributes" only where the store holds any. `objected`: leads that are in none of them."""

    raws: dict[str, RawTable]
    objected: int


def bring_store(
    connection: Connection, *, address: str, folder: Path, schema: Schema | None, rule_columns: Collection[str] = ()
) -> StoreTables:
    """Make the relations of a store's tables, all of one state of it.

    Leads that objected to being profiled are left out with all their rows.

    Parameters
    ----------
    schema, rule_columns : their columns come first where the rows of a table have very many names.

    Raises
    ------
    DataError
        The store can't be read.
    """
    with open_snapshot(address, folder) as snapshot:
        for table, source in _SOURCES.items():
            _bring(connection, snapshot, table, source)
        connection.bring("objected", snapshot.batches({"count(*)": "integer"}, f"({_OBJECTED}) as objected"))
        objected = int(connection.one("select * from objected")[0])
    raws = {}
    for table, source in _SOURCES.items():
        if table == "attributes" and connection.one("select count(*) from stored_attributes")[0] == 0:
            continue
        raws[table] = _raw(connection, table, source, _wanted(schema, table, rule_columns))
    return StoreTables(raws, objected)


def _bring(connection: Connection, snapshot: Snapshot, table: str, source: _Source) -> None:
    """Make ``stored_TABLE`` of the rows as they stand in the store."""
    columns = {name: _STORED_AS[kind] for name, kind in source.columns.items()}
    if source.json:
        columns[f"cast({source.json} as text)"] = "text"
    if source.told:
        columns[f"cast({source.told} as integer)"] = "integer"
    if not source.by_lead:
        columns["number"] = "integer"
    connection.bring(f"brought_{table}", snapshot.batches(columns, f"{source.name} where lead_id not in ({_OBJECTED})"))
    names = [*source.columns, *filter(None, (source.json, source.told)), *([] if source.by_lead else ["number"])]
    cells = ", ".join(f"column{i} as {name}" for i, name in enumerate(names))
    connection.run(f"create view stored_{table} as select {cells} from brought_{table}")


def _raw(connection: Connection, table: str, source: _Source, wanted: Collection[str]) -> RawTable:
    stored = f"stored_{table}"
    columns: dict[str, Column] = {}
    cells = []
    for name, kind in source.columns.items():
        if name in source.optional and connection.one(f"select count({name}) from {stored}")[0] == 0:
            continue
        columns[name] = Column(name, f"c{len(columns)}", _TYPES[kind])
        cells.append(f"{f'make_timestamptz({name})' if kind == 'time' else name} as {columns[name].sql}")
    notes: tuple[str, ...] = ()
    lists = "null as s, null as t"
    if source.json:
        found = spread(
            connection, stored, source.json,
            taken=source.taken, wanted=wanted, numbers=table == "events",
        )  # fmt: skip
        for name, type_, cell in zip(found.names, found.types, found.cells, strict=True):
            columns[name] = Column(name, f"c{len(columns)}", type_)
            cells.append(f"{cell} as {columns[name].sql}")
        lists = found.lists
        if found.passed_over:
            notes = (f"{found.passed_over} names beyond the {MOST_NAMES} most common are passed over",)
    record = "row_number() over (order by lead_id)" if source.by_lead else "number::bigint"
    digest = _digest(connection, stored, [*source.columns, *filter(None, (source.json, source.told))])
    if source.told:
        cells.append(f"{source.told} = 1 as was_told")
    connection.run(
        f"create table raw_{table} as select {', '.join(cells)}, {literal(THE_STORE)} as {FILE}, {record} as {RECORD}"
        f" from (select *, {lists} from {stored})"
    )
    connection.run(f"drop view {stored}")
    connection.run(f"drop table brought_{table}")
    where = Path(THE_STORE)
    return RawTable(
        table=table, relation=f"raw_{table}", columns=columns, files=(where,),
        digests={f"{THE_STORE}: {source.name}": digest}, links={THE_STORE: where}, notes=notes,
        told="was_told" if source.told else None,
    )  # fmt: skip


def _wanted(schema: Schema | None, table: str, rule_columns: Collection[str]) -> set[str]:
    if table == "events":
        return set() if schema is None else {*schema.event_numbers, *schema.event_categories}
    return {*rule_columns, *(() if schema is None else schema.attributes)}


def _digest(connection: Connection, stored: str, columns: list[str]) -> str:
    """SHA-256 that the same rows give in whatever order and under whatever numbers they stand."""
    row = f"concat_ws(chr(31), {', '.join(f'coalesce({column}::varchar, chr(30))' for column in columns)})"
    told = connection.one(
        f"select count(*), sum(md5_number_lower({row})::hugeint), sum(md5_number_upper({row})::hugeint) from {stored}"
    )
    return hashlib.sha256(":".join(str(each) for each in told).encode()).hexdigest()
