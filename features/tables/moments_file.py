"""Moments as somebody asks for them: a table of lead_id and as_of, read as all tables are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from features.errors import DataError
from features.history import History
from features.instants import LATEST
from features.moments import Moments
from features.tables.database import open_database, scratch_folder
from features.tables.raw_tables import bring_table
from features.tables.rejected_rows import write_rejected
from features.tables.row_checks import Clock, check_rows
from features.tables.sql_text import literal
from features.workspace import Workspace

NOT_CREATED = "lead not created yet"


@dataclass(frozen=True, eq=False)
class GivenMoments:
    """The pairs that can be scored, in the order of the file, and how many can't, by reason."""

    moments: Moments
    rejected: Mapping[str, int]


def read_moments(path: Path, history: History, workspace: Workspace) -> GivenMoments:
    """Read pairs of lead and instant from a CSV or Parquet file.

    A pair that can't be scored (an unknown lead, one that was not created yet, a time that can't be read) is set aside
    in ``rejected/moments.parquet`` with its reason and line.

    Raises
    ------
    DataError
        The file is missing or can't be read, or has no column lead_id or as_of.
    """
    if not path.is_file():
        raise DataError(
            f"no file {path}",
            expected="a CSV or Parquet file with the columns lead_id and as_of",
            next_step="correct what --moments names",
        )
    with scratch_folder(workspace) as scratch, open_database(scratch) as connection:
        raw = bring_table(
            connection,
            folder=path.absolute().parent,
            table="moments",
            told=path.name,
            required=("lead_id", "as_of"),
            scratch=scratch,
        )
        leads = pa.table(
            {
                "lead": np.arange(len(history), dtype=np.int64),
                "lead_id": pa.array(history.lead_ids, pa.string()),
                "created": history.created_at,
            }
        )
        connection.bring("leads", leads)
        clock = Clock(zone=history.schema.zone, now=LATEST + 1, data_end=None)
        check_rows(connection, raw, "read_moments", own_time="as_of", needed=(), clock=clock)
        connection.run(
            "create table checked_moments as select read_moments.* replace (case when reason is null and own <= created"
            f" then {literal(NOT_CREATED)} else reason end as reason) from read_moments left join leads using (lead)"
        )
        good = connection.arrow("select lead, own from checked_moments where reason is null order by f, r")
        rejected = dict(
            connection.rows(
                "select reason, count(*) from checked_moments where reason is not null group by 1 order by 1"
            )
        )
        write_rejected(connection, raw, workspace.rejected_folder, scratch, any_rows=bool(rejected))
    columns = (good.column(i).to_numpy().astype(np.int64) for i in range(2))
    return GivenMoments(Moments(*columns), rejected)
