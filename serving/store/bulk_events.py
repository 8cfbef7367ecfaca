"""Many events at once, as fast as either database takes them; those that are there already are passed over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

COLUMNS = ("event_id", "lead_id", "occurred_at", "recorded_at", "event_type", "value", "channel", "properties")


def add_many_events(c: sa.Connection, rows: Sequence[tuple[Any, ...]]) -> int:
    """Add rows of `COLUMNS`, each with an event_id and with its properties as JSON text; how many were new.

    The rows come in the order of their leads and ids. The driver is used as it is: what SQLAlchemy does for every row
    takes longer than the databases do.
    """
    if not rows:
        return 0
    names = ", ".join(COLUMNS)
    driver: Any = c.connection.driver_connection
    if c.dialect.name == "sqlite":
        marks = ", ".join("?" for _ in COLUMNS)
        statement = f"insert into events ({names}) values ({marks}) on conflict (lead_id, event_id) do nothing"
        return int(driver.executemany(statement, rows).rowcount)
    with driver.cursor() as cursor:
        cursor.execute(
            f"create temporary table if not exists incoming_events on commit delete rows as select {names} from events"
            " with no data"
        )
        with cursor.copy(f"copy incoming_events ({names}) from stdin") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(
            f"insert into events ({names}) select {names} from incoming_events order by lead_id, event_id"
            " on conflict (lead_id, event_id) do nothing"
        )
        return int(cursor.rowcount)
