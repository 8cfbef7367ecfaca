"""What cutoffs would have given: how many leads they would have handed on, and how many of those converted.

Computed on the test block by the evaluated scorer, so that marketing and sales sign figures of leads that it never saw.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.bootstrap import DRAWS, Estimate, LeadDraws

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
    caught : share of all conversions (moments followed by one) that lie at or above it.
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
    """

    probability: NDArray[np.float64]
    label: NDArray[np.int8]
    lead: NDArray[np.int32]
    weeks: float
    part: float

    def __post_init__(self) -> None:
        if not len(self.probability) == len(self.label) == len(self.lead):
            raise ValueError("the columns of a backtest have one length")
        if self.weeks < 0 or not 0 < self.part <= 1:
            raise ValueError(f"weeks are not negative and a part lies in (0, 1], found {self.weeks} and {self.part}")

    def __len__(self) -> int:
        return len(self.probability)

    @classmethod
    def of(
        cls, probability: NDArray[np.float64], label: NDArray[np.int8], lead: NDArray[Any], as_of: NDArray[np.int64],
        *, part: float = 1.0,
    ) -> Backtest:  # fmt: skip
        """Sort by probability, so that neither time nor the order of leads is kept.

        Parameters
        ----------
        lead : anything that tells leads apart, as `TrainingSet.lead_hash`.
        as_of : instants of the moments.
        """
        order = np.lexsort((lead, label, probability))
        _, first, back = np.unique(lead[order], return_index=True, return_inverse=True)
        number = np.empty(len(first), dtype=np.int32)
        number[np.argsort(first)] = np.arange(len(first), dtype=np.int32)
        span = int(as_of.max() - as_of.min()) / WEEK if len(as_of) else 0.0
        return cls(probability[order], label[order].astype(np.int8), number[back], span, part)

    def above(self, cutoff: float, *, draws: int = DRAWS) -> AboveCutoff:
        """What one cutoff would give."""
        return self._above(cutoff, self._totals([cutoff], draws)[:, 0], self._totals([0.0], draws)[:, 0])

    def table(self, *, rows: int = ROWS, draws: int = DRAWS) -> list[AboveCutoff]:
        """What cutoffs from low to high would give: at round probabilities that part the moments evenly."""
        grid = self._grid(rows)
        totals, whole = self._totals(grid, draws), self._totals([0.0], draws)[:, 0]
        return [self._above(cutoff, totals[:, i], whole) for i, cutoff in enumerate(grid)]

    def pair(self, mql: float, sql: float, *, draws: int = DRAWS) -> PairOfCutoffs:
        """What exactly these two cutoffs would give."""
        if not mql <= sql:
            raise ValueError(f"the cutoff of MQL must not lie above that of SQL, found {mql} and {sql}")
        totals = self._totals([mql, sql, 0.0], draws)
        at_mql, at_sql, whole = totals[:, 0], totals[:, 1], totals[:, 2]
        between, below = at_mql - at_sql, whole - at_mql
        return PairOfCutoffs(
            mql=self._above(mql, at_mql, whole),
            sql=self._above(sql, at_sql, whole),
            precision_mql_band=_ratio(between[:, 1], between[:, 0]),
            precision_nurture_band=_ratio(below[:, 1], below[:, 0]),
        )

    def _totals(self, cutoffs: list[float], draws: int) -> NDArray[np.float64]:
        """Moments, conversions and leads at or above each cutoff: [1 + draws, cutoffs, 3], row 0 without drawing."""
        sample = LeadDraws.of(self.lead, draws=draws)
        parts = []
        for cutoff in cutoffs:
            inside = self.probability >= cutoff
            sums = sample.sums_by_lead(np.column_stack([inside, inside & (self.label == 1)]).astype(np.float64))
            parts.append(np.column_stack([sums, sums[:, 0] > 0]))
        by_lead = np.concatenate(parts, axis=1)
        totals = [by_lead.sum(axis=0)[None, :], *(weights @ by_lead for weights in sample.weights())]
        return np.concatenate(totals).reshape(-1, len(cutoffs), 3)

    def _above(self, cutoff: float, totals: NDArray[np.float64], whole: NDArray[np.float64]) -> AboveCutoff:
        weeks = np.full(len(totals), self.weeks * self.part)
        return AboveCutoff(
            cutoff=cutoff,
            share=_ratio(totals[:, 0], whole[:, 0]),
            leads_a_week=_ratio(totals[:, 2], weeks),
            precision=_ratio(totals[:, 1], totals[:, 0]),
            caught=_ratio(totals[:, 1], whole[:, 1]),
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
        return {each.name: np.asarray(getattr(self, each.name)) for each in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> Backtest:
        return cls(
            arrays["probability"], arrays["label"], arrays["lead"], float(arrays["weeks"]), float(arrays["part"])
        )


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> Estimate:
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = part / whole
    return Estimate.of(ratios[0], ratios[1:])
