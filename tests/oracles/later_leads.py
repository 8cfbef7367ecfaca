"""What comes to the made company after its model was trained: more leads of the same kind, and ways in which that breaks."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from journeys.made_workspace import CREATED_OVER, QUICK, START, Row, Tables, made_tables, stamp, write_csv

LATER = CREATED_OVER
UNTIL = START + CREATED_OVER + LATER
"""Leads go on coming until the tables end."""
TIMES = ("created_at", "occurred_at")


def later_tables(leads: int = 600, *, seed: int = 2) -> Tables:
    """Leads that come in the ten months after the first ones, and behave alike."""
    made = made_tables(leads, seed=seed)
    return Tables(*(_later(rows) for rows in (made.leads, made.events, made.outcomes)))


def _later(rows: Sequence[Row]) -> list[Row]:
    def moved(name: str, cell: str) -> str:
        if name == "lead_id":
            return f"M{cell[1:]}"
        return stamp(datetime.fromisoformat(cell) + LATER) if name in TIMES else cell

    found = [{name: moved(name, cell) for name, cell in row.items()} for row in rows]
    return [row for row in found if row.get("occurred_at", "") < stamp(UNTIL)]


def let_come(folder: Path, came: Tables, *, until: datetime = UNTIL) -> Path:
    """Append rows to the tables of a workspace, which then are told to be complete until an instant."""
    for name, rows in (("leads", came.leads), ("events", came.events), ("outcomes", came.outcomes)):
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            before = list(csv.DictReader(file))
        write_csv(folder / f"{name}.csv", [*before, *rows], columns=list(before[0]))
    end = f'horizon = "30d"\ndata_end = {until.isoformat()}Z'
    (folder / "propensity.toml").write_text(QUICK.replace('horizon = "30d"', end), encoding="utf-8")
    return folder


def with_events(came: Tables, change: Callable[[Row], Row | None]) -> Tables:
    """The tables with other events; None takes one out."""
    return came.with_rows(events=[row for each in came.events if (row := change(each)) is not None])


def more_convert(came: Tables, *, every: int = 2) -> Tables:
    """Half of the leads that were lost convert instead."""
    lost = 0
    rows = []
    for row in came.outcomes:
        lost += row["outcome"] == "lost"
        rows.append({**row, "outcome": "converted"} if row["outcome"] == "lost" and lost % every == 0 else row)
    return came.with_rows(outcomes=rows)


def before(days: int) -> str:
    """The time so many days before the tables end."""
    return stamp(UNTIL - timedelta(days=days))
