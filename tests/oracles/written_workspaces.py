"""Workspaces on disk for tests: tables drawn as text, in whatever encoding a person might bring."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from features.calendar_days import microseconds
from features.history import History
from features.tables import ReadTables, read_history
from features.workspace import Workspace, load_workspace

NOW = microseconds(datetime(2026, 11, 20, tzinfo=UTC))
"""The clock of these tests."""
TARGET = '[target]\nconverted = "converted"\nhorizon = "30d"\n'
LEADS = "lead_id,created_at\nL1,2026-01-01T00:00:00Z\nL2,2026-01-02T00:00:00Z\n"
EVENTS = "lead_id,occurred_at,event_type\n"
OUTCOMES = "lead_id,occurred_at,outcome\n"


def at(text: str) -> int:
    """Microseconds of an ISO time; UTC where it has no offset."""
    when = datetime.fromisoformat(text)
    return microseconds(when if when.tzinfo else when.replace(tzinfo=UTC))


def write_workspace(
    folder: Path, *, toml: str = TARGET, encoding: str = "utf-8", **tables: str | bytes | pa.Table
) -> Workspace:
    """Write tables (CSV text, bytes or Arrow) and a toml that names them; leads, events and outcomes are made if absent."""
    named: dict[str, Any] = {"leads": LEADS, "events": EVENTS, "outcomes": OUTCOMES} | tables
    lines = ["[tables]"]
    for table, content in named.items():
        if content is None:
            continue
        if isinstance(content, pa.Table):
            pq.write_table(content, folder / f"{table}.parquet")
        else:
            raw = content if isinstance(content, bytes) else content.encode(encoding)
            (folder / f"{table}.csv").write_bytes(raw)
        lines.append(f'{table} = "{table}.{"parquet" if isinstance(content, pa.Table) else "csv"}"')
    (folder / "propensity.toml").write_text("\n".join(lines) + "\n" + toml, encoding="utf-8")
    return load_workspace(folder)


def read(folder: Path, *, schema: Any = None, data_end: int | None = None, **written: Any) -> ReadTables:
    """Write a workspace and read it at `NOW`."""
    return read_history(write_workspace(folder, **written), schema=schema, data_end=data_end, clock=lambda: NOW)


def events_of(history: History, lead_id: str) -> list[tuple[int, str]]:
    """(occurred_at, event_type) of one lead, in order."""
    i = list(history.lead_ids).index(lead_id)
    part = slice(history.events.offsets[i], history.events.offsets[i + 1])
    words = history.events.vocabularies[0]
    return [
        (int(t), words[c]) for t, c in zip(history.events.occurred_at[part], history.events.codes[0, part], strict=True)
    ]


def rejected(folder: Path, table: str) -> list[dict[str, Any]]:
    """Rows set aside, by line."""
    path = folder / "rejected" / f"{table}.parquet"
    return sorted(pq.read_table(path).to_pylist(), key=lambda row: row["line"]) if path.exists() else []
