"""The outcomes table: how and when each lead first ended."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.history import NEVER, Outcomes
from features.tables.cell_values import text
from features.tables.raw_tables import RawTable
from features.tables.sql_text import Connection, literal


@dataclass(frozen=True)
class OutcomeFacts:
    """`first`: leads by their first outcome. `later`: rows beside it."""

    first: dict[str, int]
    later: int


def fetch_outcomes(
    connection: Connection, raw: RawTable, converted: str, *, n_leads: int, n_rows: int, data_end: int
) -> tuple[Outcomes, OutcomeFacts]:
    """Of each lead's usable rows of ``checked_outcomes`` the first; at one instant, `converted` wins.

    Parameters
    ----------
    data_end : how long outcomes take to be recorded is told by those known before.
    """
    outcome = text(raw.columns["outcome"])
    connection.run(
        f"create table ends as select lead, own, greatest(own, known) as known, {outcome} as outcome, told,"
        " known - own as delay from checked_outcomes where reason is null"
    )
    first = connection.arrow(
        "select lead, min(own) as at, min(known) as known,"
        f" bool_or(outcome = {literal(converted)}) filter (own = earliest) as converted"
        " from (select *, min(own) over (partition by lead) as earliest from ends) group by lead"
    )
    at, known_at = np.full(n_leads, NEVER, np.int64), np.full(n_leads, NEVER, np.int64)
    won = np.zeros(n_leads, np.bool_)
    lead = first.column(0).to_numpy()
    at[lead], known_at[lead] = first.column(1).to_numpy(), first.column(2).to_numpy()
    won[lead] = first.column(3).to_numpy(zero_copy_only=False)
    delay = connection.one(
        f"select quantile_disc(greatest(delay, 0), 0.99) from ends where told and known < {data_end}"
    )
    named = connection.rows(
        f"select outcome, count(*) from (select lead, arg_min(outcome, (own, outcome <> {literal(converted)}, outcome))"
        " as outcome from ends group by lead) group by outcome order by count(*) desc, outcome limit 20"
    )
    outcomes = Outcomes(at, known_at, won, int(delay[0] or 0))
    return outcomes, OutcomeFacts({row[0]: row[1] for row in named}, n_rows - first.num_rows)
