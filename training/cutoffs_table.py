"""What cutoffs would have given: how many leads they would have handed on, and how many of those converted.

Computed on the test block by the evaluated scorer, so that marketing and sales sign figures of leads that it never saw.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.bootstrap import DRAWS, Estimate
from training.cutoff_counts import CONVERSIONS, CONVERTED_LEADS, LEADS, MOMENTS, CutoffCounts

WEEK = 7 * 86_400_000_000
ROWS = 20


@dataclass(frozen=True)
class AboveCutoff:
    """The moments at or above one cutoff.

    Attributes
    ----------
    cutoff : calibrated probability, inclusive.
    share : of all tested moments.
    leads_a_week : leads that reach it, each counted once; None where the tested moments span no time.
    precision : share of the moments at or above it that a conversion followed.
    caught : share of all conversions that it sees coming: of the leads that converted after a tested moment, those with
        such a moment at or above it.
    """

    cutoff: float
    share: Estimate
    leads_a_week: Estimate
    precision: Estimate
    caught: Estimate

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class PairOfCutoffs:
    """What two cutoffs would give.

    Attributes
    ----------
    mql, sql : at or above each cutoff; so `mql` holds the SQL too.
    precision_mql_band, precision_nurture_band : conversion rate of the moments between the cutoffs, and below both
        (that of the SQL band is ``sql.precision``).
    """

    mql: AboveCutoff
    sql: AboveCutoff
    precision_mql_band: Estimate
    precision_nurture_band: Estimate

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Backtest:
    """Predictions of the evaluated scorer for the n moments of the test block; without ids or instants.

    Attributes
    ----------
    probability : float64[n].
    label : int8[n].
    lead : int32[n], leads as 0, 1, ... in an order that says nothing.
    weeks : how long the tested moments span; 0 where they are one instant.
    part : which part of the leads of that time was tested: 1, or about 1/3 where a third was drawn.
    lead_time : int64[n], microseconds from the moment to the conversion that followed it, -1 where none did; None in
        bundles of before it was kept.
    points : float64[n], the score in points of the same moments; None likewise.
    """

    probability: NDArray[np.float64]
    label: NDArray[np.int8]
    lead: NDArray[np.int32]
    weeks: float
    part: float
    lead_time: NDArray[np.int64] | None = None
    points: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        columns = (self.probability, self.label, self.lead, self.lead_time, self.points)
        if len({len(each) for each in columns if each is not None}) != 1:
            raise ValueError("the columns of a backtest have one length")
        if self.lead_time is not None and ((self.lead_time >= 0) != (self.label == 1)).any():
            raise ValueError("a lead time belongs to each moment that a conversion followed, and to no other")
        if self.weeks < 0 or not 0 < self.part <= 1:
            raise ValueError(f"weeks are not negative and a part lies in (0, 1], found {self.weeks} and {self.part}")

    def __len__(self) -> int:
        return len(self.probability)

    @classmethod
    def of(
        cls,
        probability: NDArray[np.float64],
        label: NDArray[np.int8],
        lead: NDArray[Any],
        as_of: NDArray[np.int64],
        *,
        part: float = 1.0,
        lead_time: NDArray[np.int64] | None = None,
        points: NDArray[np.float64] | None = None,
    ) -> Backtest:
        """Sort by probability, so that neither time nor the order of leads is kept.

        Parameters
        ----------
        lead : anything that tells leads apart, as `TrainingSet.lead_hash`.
        as_of : instants of the moments.
        """
        ties = [each for each in (points, lead_time) if each is not None]
        order = np.lexsort((*ties, lead, label, probability))
        _, first, back = np.unique(lead[order], return_index=True, return_inverse=True)
        number = np.empty(len(first), dtype=np.int32)
        number[np.argsort(first)] = np.arange(len(first), dtype=np.int32)
        span = int(as_of.max() - as_of.min()) / WEEK if len(as_of) else 0.0
        return cls(
            probability=probability[order],
            label=label[order].astype(np.int8),
            lead=number[back],
            weeks=span,
            part=part,
            lead_time=None if lead_time is None else lead_time[order].astype(np.int64),
            points=None if points is None else points[order].astype(np.float64),
        )

    def above(self, cutoff: float, *, draws: int = DRAWS) -> AboveCutoff:
        """What one cutoff would give."""
        return self._above(self.counts(np.array([cutoff]), draws=draws), 0)

    def table(self, *, rows: int = ROWS, draws: int = DRAWS) -> list[AboveCutoff]:
        """What cutoffs from low to high would give: at round probabilities that part the moments evenly."""
        counts = self.counts(np.array(self._grid(rows)), draws=draws)
        return [self._above(counts, row) for row in range(len(counts.cutoffs))]

    def pair(self, mql: float, sql: float, *, draws: int = DRAWS) -> PairOfCutoffs:
        """What exactly these two cutoffs would give."""
        if not mql <= sql:
            raise ValueError(f"the cutoff of MQL must not lie above that of SQL, found {mql} and {sql}")
        counts = self.counts(np.array([mql, sql]), draws=draws)
        between, below = counts.counts[:, 0] - counts.counts[:, 1], counts.whole - counts.counts[:, 0]
        return PairOfCutoffs(
            mql=self._above(counts, 0),
            sql=self._above(counts, 1),
            precision_mql_band=ratio(between[:, CONVERSIONS], between[:, MOMENTS]),
            precision_nurture_band=ratio(below[:, CONVERSIONS], below[:, MOMENTS]),
        )

    def counts(self, cutoffs: NDArray[np.float64], *, draws: int = DRAWS) -> CutoffCounts:
        """Moments and leads at or above ascending cutoffs."""
        return CutoffCounts.of(self.probability, self.label, self.lead, cutoffs, draws=draws)

    @property
    def lead_weeks(self) -> float:
        """Counts of leads divided by this are leads a week, of all leads; 0 where the tested moments span no time."""
        return self.weeks * self.part

    def _above(self, counts: CutoffCounts, row: int) -> AboveCutoff:
        inside, whole = counts.counts[:, row], counts.whole
        return AboveCutoff(
            cutoff=float(counts.cutoffs[row]),
            share=ratio(inside[:, MOMENTS], whole[:, MOMENTS]),
            leads_a_week=ratio(inside[:, LEADS], self.lead_weeks),
            precision=ratio(inside[:, CONVERSIONS], inside[:, MOMENTS]),
            caught=ratio(inside[:, CONVERTED_LEADS], whole[:, CONVERTED_LEADS]),
        )

    def _grid(self, rows: int) -> list[float]:
        if len(self) == 0:
            return []
        # denser at the top, where cutoffs are looked for: the best 50%, 39%, 30%, ... of the moments
        tops = 0.5 * 0.78 ** np.arange(rows)
        cutoffs = np.quantile(self.probability, 1 - tops, method="inverted_cdf")
        digits = [2 if cutoff >= 0.1 else 3 if cutoff >= 0.01 else 4 for cutoff in cutoffs]
        return sorted({round(float(cutoff), each) for cutoff, each in zip(cutoffs, digits, strict=True)})

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is kept in the bundle; `Backtest.from_arrays` gives an equal one."""
        kept = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: np.asarray(value) for name, value in kept.items() if value is not None}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> Backtest:
        return cls(**{**arrays, "weeks": float(arrays["weeks"]), "part": float(arrays["part"])})  # type: ignore[arg-type]


def ratio(part: NDArray[np.floating[Any]], whole: NDArray[np.floating[Any]] | float) -> Estimate:
    """Of counts, row 0 without drawing, an estimate of part / whole; without a value where the whole is 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = part.astype(np.float64) / whole
    return Estimate.of(ratios[0], ratios[1:])
