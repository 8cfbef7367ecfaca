"""How many moments and leads lie at or above each of many cutoffs, in the data as they are and in each draw of leads."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.bootstrap import DRAWS, LeadDraws

MOMENTS, CONVERSIONS, LEADS, CONVERTED_LEADS = range(4)
"""Columns of the counts: moments, moments that a conversion followed, leads, leads with such a moment."""


@dataclass(frozen=True, eq=False)
class CutoffCounts:
    """Counts at ascending cutoffs, inclusive.

    Attributes
    ----------
    cutoffs : float64[c], ascending.
    counts : float32[1 + draws, c, 4], row 0 without drawing; whole numbers below 2^24 are exact.
    whole : float32[1 + draws, 4], of all moments.
    """

    cutoffs: NDArray[np.float64]
    counts: NDArray[np.float32]
    whole: NDArray[np.float32]

    @classmethod
    def of(
        cls,
        value: NDArray[np.float64],
        label: NDArray[Any],
        lead: NDArray[Any],
        cutoffs: NDArray[np.float64],
        *,
        draws: int = DRAWS,
    ) -> CutoffCounts:
        """Count the moments of each draw once, by the last cutoff that they reach, and sum from the top.

        A lead counts by the highest of its moments. That costs draws x moments whatever the number of cutoffs, where
        asking one cutoff after another would cost draws x moments x cutoffs.
        """
        sample = LeadDraws.of(lead, draws=draws)
        edges = len(cutoffs) + 1
        reached = np.searchsorted(cutoffs, value, side="right")
        positive = label == 1
        best, best_positive = np.full(sample.leads, -1), np.full(sample.leads, -1)
        np.maximum.at(best, sample.lead, reached)
        np.maximum.at(best_positive, sample.lead[positive], reached[positive])
        converted = np.flatnonzero(best_positive >= 0)
        of_positive = sample.lead[positive]
        reached_positive, reached_converted = reached[positive], best_positive[converted]

        def counted(weights: NDArray[np.float64]) -> NDArray[np.float32]:
            columns = (
                np.bincount(reached, weights[sample.lead], edges),
                np.bincount(reached_positive, weights[of_positive], edges),
                np.bincount(best, weights, edges),
                np.bincount(reached_converted, weights[converted], edges),
            )
            return np.stack([each[::-1].cumsum()[::-1] for each in columns], axis=1).astype(np.float32)

        rows = np.empty((1 + draws, edges, 4), dtype=np.float32)
        rows[0] = counted(np.ones(sample.leads))
        for at, weights in enumerate((each for chunk in sample.weights() for each in chunk), 1):
            rows[at] = counted(weights)
        return cls(cutoffs, rows[:, 1:], rows[:, 0])


@dataclass(frozen=True, eq=False)
class LeadTimes:
    """How long before its conversion a lead first reached a cutoff.

    Attributes
    ----------
    lead : int64[m], converted lead of each moment that its conversion followed, as 0, 1, ... without gaps.
    value : float64[m], what is compared with the cutoff.
    before : int64[m], microseconds from the moment to the conversion.
    weights : uint8[1 + draws, leads], how often each converted lead was drawn; row 0 once each.
    """

    lead: NDArray[np.int64]
    value: NDArray[np.float64]
    before: NDArray[np.int64]
    weights: NDArray[np.uint8]

    @classmethod
    def of(
        cls,
        value: NDArray[np.float64],
        label: NDArray[Any],
        lead: NDArray[Any],
        before: NDArray[np.int64],
        *,
        draws: int = DRAWS,
    ) -> LeadTimes:
        sample = LeadDraws.of(lead, draws=draws)
        positive = label == 1
        converted, own = np.unique(sample.lead[positive], return_inverse=True)
        weights = np.ones((1 + draws, len(converted)), dtype=np.uint8)
        at = 1
        for chunk in sample.weights():
            weights[at : at + len(chunk)] = np.minimum(chunk[:, converted], 255)
            at += len(chunk)
        return cls(own.astype(np.int64), value[positive], before[positive], weights)

    @cached_property
    def _leads(self) -> int:
        return int(self.weights.shape[1])

    def medians(self, cutoff: float) -> NDArray[np.float64]:
        """Median over the converted leads that reached the cutoff of the time that was left when they first did.

        float64[1 + draws], microseconds, the lower of the two middle ones; NaN where a draw holds no such lead.
        """
        inside = self.value >= cutoff
        longest = np.full(self._leads, -1, dtype=np.int64)
        np.maximum.at(longest, self.lead[inside], self.before[inside])
        order = np.argsort(longest, kind="stable")
        order = order[longest[order] >= 0]
        if len(order) == 0:
            return np.full(len(self.weights), np.nan)
        sums = self.weights[:, order].cumsum(axis=1, dtype=np.int32)
        place = (2 * sums >= sums[:, -1:]).argmax(axis=1)
        return np.where(sums[:, -1] > 0, longest[order][place], np.nan)
