"""The leads table: one row a lead, the earliest; their order gives every lead its position."""

from __future__ import annotations

from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from features.tables.cell_values import text
from features.tables.raw_tables import FILE, RECORD, RawTable
from features.tables.row_checks import REPEATED_LEAD, Clock, RowCounts, check_rows, count_rows
from features.tables.sql_text import Connection, literal


def place_leads(connection: Connection, raw: RawTable, clock: Clock) -> RowCounts:
    """Make the table ``leads`` (lead, lead_id, created and the raw cells) and the view ``checked_leads``.

    Of rows with one id the earliest created_at stays; of rows alike in that too, the one whose cells come first as
    text, so that the order of rows never matters. Positions follow the ids by code point.
    """
    check_rows(connection, raw, "read_leads", own_time="created_at", needed=(), clock=clock)
    cells = [column.sql for column in raw.columns.values()]
    content = "".join(f", {text(column)} nulls first" for column in raw.columns.values())
    connection.run(
        f"create table placed_leads as select {', '.join(cells)}, lead_id, own as created, {FILE}, {RECORD},"
        f" row_number() over (partition by lead_id order by own{content}, {FILE}, {RECORD}) as nth"
        " from read_leads where reason is null"
    )
    connection.run(
        "create table leads as select (row_number() over (order by lead_id) - 1)::integer as lead,"
        " * exclude (nth) from placed_leads where nth = 1"
    )
    connection.run(
        f"create view checked_leads as select * from read_leads where reason is not null union all by name"
        f" select * exclude (nth, created), {literal(REPEATED_LEAD)} as reason from placed_leads where nth > 1"
    )
    counts = count_rows(connection, "read_leads", "created_at")
    kept = connection.one("select count(*) from leads")
    repeated = counts.accepted - int(kept[0])
    rejected = counts.rejected | ({REPEATED_LEAD: repeated} if repeated else {})
    return RowCounts(counts.rows, int(kept[0]), rejected, counts.times, counts.first, counts.last, counts.last_known)


def fetch_leads(connection: Connection) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Ids, sorted, and created_at."""
    found = connection.arrow("select lead_id, created from leads order by lead")
    ids = np.empty(found.num_rows, dtype=object)
    ids[:] = found.column(0).to_pylist()
    return ids, found.column(1).to_numpy().astype(np.int64)


def fetch_labels(
    connection: Connection, raw: RawTable, changes: RawTable | None, page: dict[str, str], lead_ids: NDArray[np.object_]
) -> dict[str, NDArray[np.object_]]:
    """What is shown to people, by key of ``[page]``: of a column the newest text, in the order of attribute rows."""
    labels: dict[str, NDArray[np.object_]] = {}
    for key, told in page.items():
        shown = np.full(len(lead_ids), "", dtype=object)
        parts = []
        if told in raw.columns:
            parts.append(
                f"select lead, created as own, 0 as src, created as known, {text(raw.columns[told])} as v from leads"
            )
        if changes is not None and told in changes.columns:
            cell = text(changes.columns[told])
            parts.append(f"select lead, own, 1 as src, known, {cell} as v from checked_attributes where reason is null")
        if key == "link":
            shown[:] = [told.replace("{lead_id}", quote(str(each), safe="")) for each in lead_ids]
        elif parts:
            found = connection.arrow(
                f"select lead, arg_max(v, (own, src, known, v)) from ({' union all '.join(parts)})"
                " where v is not null group by lead"
            )
            shown[found.column(0).to_numpy()] = found.column(1).to_pylist()
        labels[key] = shown
    return labels
