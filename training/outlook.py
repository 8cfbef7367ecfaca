"""What a pair of cutoffs would have given each week, by the model's probability and by points, answered at once.

All cutoffs of a fine grid are counted once, in every draw of leads; a pair is then two rows of these counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.calendar_days import DAY
from training.bootstrap import DRAWS, Estimate
from training.cutoff_counts import CONVERSIONS, CONVERTED_LEADS, LEADS, MOMENTS, CutoffCounts, LeadTimes
from training.cutoffs_table import Backtest, ratio

GRID = np.round(np.concatenate([np.arange(1, 100) * 0.0001, np.arange(10, 1000) * 0.001]), 4)
"""Cutoffs that are counted beforehand: tenths of a percent, below 1% hundredths. Others are counted when asked for."""
ROUND = np.array(sorted({float(f"{cutoff:.2g}") for cutoff in GRID.tolist()} - {1.0}))
"""Cutoffs that people would agree on: two digits. All of them are of the grid."""


@dataclass(frozen=True)
class Outlook:
    """What two cutoffs would have given. Leads count once, in the highest band that they reached.

    A conversion counts where a tested moment lies at most the horizon before it; it is caught by a cutoff that one of
    these moments reached.

    Attributes
    ----------
    mql, sql : the cutoffs, inclusive: probabilities, or points.
    sqls_a_week, mqls_a_week : without a value where the tested moments span no time.
    precision_sql, precision_mql, precision_nurture : share of a band's moments that a conversion followed.
    caught_sql, caught : share of all conversions that reached SQL, and that reached MQL or SQL.
    missed_a_week : conversions that reached neither.
    days_ahead_sql, days_ahead : days that were left to the conversion when a lead first reached SQL, and MQL or SQL:
        the median over the caught ones; None where a bundle of before does not say.
    """

    mql: float
    sql: float
    sqls_a_week: Estimate
    mqls_a_week: Estimate
    precision_sql: Estimate
    precision_mql: Estimate
    precision_nurture: Estimate
    caught_sql: Estimate
    caught: Estimate
    missed_a_week: Estimate
    days_ahead_sql: Estimate | None
    days_ahead: Estimate | None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class CurvePoint:
    """One cutoff of the chart: tested leads at or above it, how many a week, and how many of their moments led to more.

    Attributes
    ----------
    precision : share of the moments at or above it that a conversion followed.
    """

    cutoff: float
    leads: int
    leads_a_week: Estimate
    precision: Estimate


@dataclass(frozen=True, eq=False)
class Outlooks:
    """Answers for any pair of cutoffs of one backtest.

    Attributes
    ----------
    backtest : of the evaluated scorer.
    counts : at `GRID`, by probability.
    points_counts : at the cutoffs in points that as many leads reach as reach each of `GRID`; None without points.
    draws : of leads, behind every interval.
    """

    backtest: Backtest
    counts: CutoffCounts
    points_counts: CutoffCounts | None
    draws: int = DRAWS

    @classmethod
    def of(cls, backtest: Backtest, *, draws: int = DRAWS) -> Outlooks:
        counts = backtest.counts(GRID, draws=draws)
        points = None
        if backtest.points is not None:
            cutoffs = points_like(backtest, counts.counts[0, :, LEADS])
            points = CutoffCounts.of(backtest.points, backtest.label, backtest.lead, cutoffs, draws=draws)
        return cls(backtest, counts, points, draws)

    def outlook(self, mql: float, sql: float) -> Outlook:
        """What this pair would have given by the model's probability.

        Raises
        ------
        ValueError
            Unless 0 < mql <= sql < 1.
        """
        _require_pair(mql, sql)
        rows = self._rows(mql), self._rows(sql)
        return self._outlook((mql, sql), rows, self.counts.whole, self._lead_times)

    def by_points(self, mql: float, sql: float) -> Outlook | None:
        """What points would have given with as many leads a week in each band; None where none were kept.

        The cutoffs in points are those that come nearest to as many leads. Of intervals they are fixed.
        """
        _require_pair(mql, sql)
        if self.points_counts is None:
            return None
        cutoffs, rows = zip(*(self._points_rows(each) for each in (mql, sql)), strict=True)
        return self._outlook(cutoffs, rows, self.points_counts.whole, self._points_times)

    def cutoff_for(self, leads_a_week: float, cutoffs: Sequence[float] | None = None) -> float | None:
        """The lowest cutoff that at most so many leads a week reach, of those given or of the grid.

        None where the tested moments span no time, and where even at the highest of them it would be more.
        """
        if self.backtest.lead_weeks == 0:
            return None
        grid = self.grid_rows(GRID if cutoffs is None else np.asarray(cutoffs))
        fits = self.counts.counts[0, grid, LEADS] / self.backtest.lead_weeks <= leads_a_week
        return float(self.counts.cutoffs[grid[int(fits.argmax())]]) if fits.any() else None

    def grid_rows(self, cutoffs: NDArray[np.float64]) -> NDArray[np.int64]:
        """Rows of the counts for cutoffs of the grid."""
        return np.searchsorted(self.counts.cutoffs, cutoffs - 1e-9)

    @property
    def average(self) -> float | None:
        """Share of all tested moments that a conversion followed."""
        moments, conversions = self.counts.whole[0, MOMENTS], self.counts.whole[0, CONVERSIONS]
        return float(conversions / moments) if moments else None

    @cached_property
    def curve(self) -> tuple[CurvePoint, ...]:
        """The chart's points, from low to high: round cutoffs that fewer leads reach than the one before."""
        found: list[CurvePoint] = []
        last = np.inf
        for row in self.grid_rows(ROUND).tolist():
            inside = self.counts.counts[:, row]
            if not 0 < inside[0, LEADS] < last:
                continue
            last = inside[0, LEADS]
            found.append(self._point(float(self.counts.cutoffs[row]), inside))
        return tuple(found)

    def at(self, cutoff: float) -> CurvePoint:
        """What lies at or above one cutoff."""
        return self._point(cutoff, self._rows(cutoff))

    def _point(self, cutoff: float, inside: NDArray[np.float32]) -> CurvePoint:
        return CurvePoint(
            cutoff,
            leads=int(inside[0, LEADS]),
            leads_a_week=ratio(inside[:, LEADS], self.backtest.lead_weeks),
            precision=ratio(inside[:, CONVERSIONS], inside[:, MOMENTS]),
        )

    def _outlook(
        self,
        cutoffs: Sequence[float],
        rows: Sequence[NDArray[np.float32]],
        whole: NDArray[np.float32],
        times: LeadTimes | None,
    ) -> Outlook:
        at_mql, at_sql = rows
        between, below = at_mql - at_sql, whole - at_mql
        weeks = self.backtest.lead_weeks
        return Outlook(
            mql=cutoffs[0],
            sql=cutoffs[1],
            sqls_a_week=ratio(at_sql[:, LEADS], weeks),
            mqls_a_week=ratio(between[:, LEADS], weeks),
            precision_sql=ratio(at_sql[:, CONVERSIONS], at_sql[:, MOMENTS]),
            precision_mql=ratio(between[:, CONVERSIONS], between[:, MOMENTS]),
            precision_nurture=ratio(below[:, CONVERSIONS], below[:, MOMENTS]),
            caught_sql=ratio(at_sql[:, CONVERTED_LEADS], whole[:, CONVERTED_LEADS]),
            caught=ratio(at_mql[:, CONVERTED_LEADS], whole[:, CONVERTED_LEADS]),
            missed_a_week=ratio(below[:, CONVERTED_LEADS], weeks),
            days_ahead_sql=None if times is None else _days(times.medians(cutoffs[1])),
            days_ahead=None if times is None else _days(times.medians(cutoffs[0])),
        )

    def _rows(self, cutoff: float) -> NDArray[np.float32]:
        """Counts at one cutoff, [1 + draws, 4]; of the grid at once, else counted now and remembered."""
        row = int(self.grid_rows(np.array([cutoff]))[0])
        if row < len(self.counts.cutoffs) and self.counts.cutoffs[row] == cutoff:
            return self.counts.counts[:, row]
        counted: NDArray[np.float32] = self._counted(cutoff)
        return counted

    def _points_rows(self, cutoff: float) -> tuple[float, NDArray[np.float32]]:
        assert self.points_counts is not None
        row = int(self.grid_rows(np.array([cutoff]))[0])
        if row < len(self.counts.cutoffs) and self.counts.cutoffs[row] == cutoff:
            return float(self.points_counts.cutoffs[row]), self.points_counts.counts[:, row]
        counted: tuple[float, NDArray[np.float32]] = self._counted_points(cutoff)
        return counted

    @cached_property
    def _counted(self) -> Any:
        return lru_cache(maxsize=32)(
            lambda cutoff: self.backtest.counts(np.array([cutoff]), draws=self.draws).counts[:, 0]
        )

    @cached_property
    def _counted_points(self) -> Any:
        @lru_cache(maxsize=32)
        def counted(cutoff: float) -> tuple[float, NDArray[np.float32]]:
            backtest = self.backtest
            assert backtest.points is not None
            points = points_like(backtest, self._counted(cutoff)[:1, LEADS])
            counts = CutoffCounts.of(backtest.points, backtest.label, backtest.lead, points, draws=self.draws)
            return float(points[0]), counts.counts[:, 0]

        return counted

    @cached_property
    def _lead_times(self) -> LeadTimes | None:
        return self._times_by(self.backtest.probability)

    @cached_property
    def _points_times(self) -> LeadTimes | None:
        return None if self.backtest.points is None else self._times_by(self.backtest.points)

    def _times_by(self, value: NDArray[np.float64]) -> LeadTimes | None:
        each = self.backtest
        if each.lead_time is None:
            return None
        return LeadTimes.of(value, each.label, each.lead, each.lead_time, draws=self.draws)


def points_like(backtest: Backtest, leads: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """For each count of leads the cutoff in points that most nearly as many reach, the higher one where two are as near.

    Leads with equal points reach a cutoff together, so that it can't always be as many.
    """
    assert backtest.points is not None
    best = np.full(int(backtest.lead.max(initial=-1)) + 1, -np.inf)
    np.maximum.at(best, backtest.lead, backtest.points)
    values, counts = np.unique(best, return_counts=True)
    beyond = np.nextafter(values[-1], np.inf) if len(values) else 0.0  # nobody reaches it
    cutoffs = np.append(values, beyond)
    reaching = np.append(counts[::-1].cumsum()[::-1], 0)  # falls as the cutoff rises
    upper = np.searchsorted(-reaching, -np.asarray(leads), side="left")  # the first cutoff that at most so many reach
    lower = np.maximum(upper - 1, 0)
    nearer = np.abs(reaching[lower] - leads) < np.abs(reaching[upper] - leads)
    return np.where(nearer, cutoffs[lower], cutoffs[upper])


def _days(medians: NDArray[np.float64]) -> Estimate:
    return Estimate.of(medians[0] / DAY, medians[1:] / DAY)


def _require_pair(mql: float, sql: float) -> None:
    if not 0 < mql <= sql < 1:
        raise ValueError(f"cutoffs must be 0 < mql <= sql < 1, found {mql} and {sql}")
