"""Attributes that number the leads, or tell the time: they know when a lead came, and nothing of who it is."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from training.leakage.finding import Finding, ignore_setting, trust_setting
from training.leakage.names import an_id
from training.leakage.sight import Sight

FEWEST = 100
"""Leads with a value from which on values that all differ say something."""
DISTINCT = 0.95
FOLLOWS, FOLLOWS_CLOSELY = 0.9, 0.98
"""Rank correlation with creation: of numbers that all differ, and of others."""
_TIMES = (
    ("seconds since 1970", 3e8, 4e9),
    ("milliseconds since 1970", 3e11, 4e12),
    ("a date written as a number", 19_500_101, 21_001_231),
    ("a time written as a number", 195_001_010_000, 210_012_312_359),
    ("a time written as a number", 19_500_101_000_000, 21_001_231_235_959),
)


def ids_and_times(sight: Sight) -> Iterator[Finding]:
    """Look at the numbers of the leads table: whole and all different, or rising with creation, or of the size of a time."""
    spread = len(np.unique(sight.created_at)) > 1
    for column in [name for name, kind in sight.history.schema.attributes.items() if kind == "number"]:
        told = sight.untimed_cells(column)
        known = ~np.isnan(told)
        n = int(known.sum())
        if n < FEWEST:
            continue
        values = told[known]
        distinct = len(np.unique(values))
        whole = bool((values == np.floor(values)).all())
        follows = _rank_correlation(values, sight.created_at[known]) if spread and distinct > 1 else 0.0
        figures = {"distinct": distinct / n, "rank_correlation": follows}
        if whole and distinct >= DISTINCT * n and (an_id(column) or abs(follows) >= FOLLOWS):
            yield Finding(
                code="id_like",
                severity="likely",
                about="attribute",
                subject=column,
                sentence=f"{distinct:,} different whole numbers for {n:,} leads"
                + (f", rising with creation (rank correlation {follows:.2f})" if abs(follows) >= FOLLOWS else "")
                + ": it numbers the leads",
                figures=figures,
                setting=trust_setting(column),
            )
            continue
        time = _a_time(values) if whole else None
        if time is not None and distinct > 20:
            yield Finding(
                code="time_like",
                severity="likely" if abs(follows) >= FOLLOWS else "possible",
                about="attribute",
                subject=column,
                sentence=f"its numbers are {time}"
                + (f" and rise with creation (rank correlation {follows:.2f})" if abs(follows) >= FOLLOWS else "")
                + ": write them as dates, and their age at the moment is used",
                figures=figures,
                setting=trust_setting(column) if abs(follows) >= FOLLOWS else ignore_setting(column),
            )
        elif abs(follows) >= FOLLOWS_CLOSELY and distinct >= 10:
            yield Finding(
                code="time_like",
                severity="possible",
                about="attribute",
                subject=column,
                sentence=f"it {'rises' if follows > 0 else 'falls'} with creation (rank correlation {follows:.2f}): it tells "
                "when a lead came, and values to come were never seen",
                figures=figures,
                setting=ignore_setting(column),
            )
        elif whole and an_id(column) and distinct > 50:
            yield Finding(
                code="id_like",
                severity="possible",
                about="attribute",
                subject=column,
                sentence=f"its name is that of an identifier, and its {distinct:,} values are read as amounts",
                figures=figures,
                setting=ignore_setting(column),
            )


def _a_time(values: NDArray[np.float64]) -> str | None:
    low, high = float(values.min()), float(values.max())
    for what, least, most in _TIMES:
        if least <= low and high <= most:
            if "date written" in what and not _days_of_a_calendar(values):
                continue
            return what
    return None


def _days_of_a_calendar(values: NDArray[np.float64]) -> bool:
    """Whether numbers like 20260314 all hold a month and a day."""
    month, day = values // 100 % 100, values % 100
    return bool(((month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)).all())


def _rank_correlation(values: NDArray[np.float64], other: NDArray[np.int64]) -> float:
    """Spearman's, ties at their mean rank; 0 where one of both is constant."""
    a, b = _ranks(values), _ranks(other.astype(np.float64))
    spread = float(a.std() * b.std())
    return float(((a - a.mean()) * (b - b.mean())).mean() / spread) if spread > 0 else 0.0


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks: NDArray[np.float64] = (ends - (counts - 1) / 2)[place]
    return ranks
