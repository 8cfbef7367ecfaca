"""Stores filled with the rows of tables, one by one and in plain Python: what a loader has to bring about."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from features.told_cells import category_text, cell_number, raw_text
from features.told_times import cell_time
from serving.store import Store
from serving.store.tables import attribute_changes, events, leads, outcomes

Row = Mapping[str, Any]
_OWN = {"leads": "created_at", "events": "occurred_at", "attributes": "valid_from", "outcomes": "occurred_at"}
_PLAIN = {
    "leads": {"lead_id", "created_at"},
    "events": {"lead_id", "occurred_at", "event_type", "recorded_at", "event_id", "value", "channel"},
    "attributes": {"lead_id", "valid_from", "recorded_at"},
    "outcomes": {"lead_id", "occurred_at", "outcome", "recorded_at"},
}


def rows_of(text: str) -> list[dict[str, str]]:
    """The rows of a table written as CSV."""
    return list(csv.DictReader(io.StringIO(text)))


def fill_store(store: Store, tables: Mapping[str, Iterable[Row]], zone: str) -> None:
    """Put the rows of tables into a store as they are: cells as they were written, those without a time not at all."""
    for table, told in tables.items():
        rows = [row for each in told if (row := _stored(table, each, zone)) is not None]
        put(store, table, rows)


def put(store: Store, table: str, rows: list[dict[str, Any]]) -> None:
    """Insert rows of a store's table, by the name that the table has in a workspace."""
    target = {"leads": leads, "events": events, "attributes": attribute_changes, "outcomes": outcomes}[table]
    if rows:
        with store.writing() as c:
            c.execute(sa.insert(target), rows)


def _stored(table: str, row: Row, zone: str) -> dict[str, Any] | None:
    own = _time(row[_OWN[table]], zone)
    recorded = _time(row.get("recorded_at"), zone) if table != "leads" else None
    lead_id = raw_text(row["lead_id"])
    told = raw_text(_cell(row.get("recorded_at"))) is not None and table != "leads"
    if own is None or lead_id is None or (told and recorded is None):
        return None
    rest = {
        name: cell for name, value in row.items() if name not in _PLAIN[table] and (cell := _cell(value)) is not None
    }
    stored = {"lead_id": lead_id, _OWN[table]: own[0], "recorded_at": recorded[1] if recorded else own[1]}
    if table in ("leads", "attributes"):
        return stored | {"attributes": rest}
    if table == "outcomes":
        outcome = raw_text(row["outcome"])
        return None if outcome is None else stored | {"outcome": outcome, "told": told}
    event_type = raw_text(row["event_type"])
    if event_type is None:
        return None
    channel = raw_text(_cell(row.get("channel")))
    return stored | {
        "event_type": event_type, "event_id": raw_text(_cell(row.get("event_id"))), "value": cell_number(_cell(row.get("value"))),
        "channel": None if channel is None else category_text(channel), "properties": rest,
    }  # fmt: skip


def _time(told: Any, zone: str) -> tuple[int, int] | None:
    """Of a cell the instant, and when it is over: of a day without a time its last microsecond."""
    if told is None or told != told:
        return None
    if not isinstance(told, str):
        instant = int(told.value // 1000)
        return instant, instant
    found = cell_time(told, zone)
    if found is None or not re.fullmatch(r"[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}", told):
        return None if found is None else (found, found)
    day = date(*map(int, re.findall("[0-9]+", told)))
    following = cell_time((day + timedelta(days=1)).isoformat(), zone)
    assert following is not None
    return found, following - 1


def _cell(value: Any) -> Any:
    """As JSON holds it; a missing one is None."""
    if value is None or value != value:
        return None
    return value.item() if hasattr(value, "item") else value
