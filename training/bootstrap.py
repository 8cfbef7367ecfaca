"""How sure a figure is: percentile bootstrap intervals over leads.

Moments of one lead share its fate, so leads are drawn, not moments: each draw gives every lead a weight, how often it
was drawn, and a figure is computed again with these weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

DRAWS = 500
LEVEL = 0.95
CHUNK = 64
"""Draws whose weights are held at once."""


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95% interval; None where it has no value (the AUC of one label, the slope of a constant)."""

    point: float | None
    low: float | None
    high: float | None

    def to_json(self) -> dict[str, float | None]:
        return {"point": self.point, "low": self.low, "high": self.high}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Estimate:
        return cls(data["point"], data["low"], data["high"])

    def negated(self) -> Estimate:
        """The same difference, taken the other way round."""
        low, high = (None if each is None else -each for each in (self.high, self.low))
        return Estimate(None if self.point is None else -self.point, low, high)

    @classmethod
    def of(cls, point: float, draws: NDArray[np.float64]) -> Estimate:
        """Percentile interval of the draws that have a value."""
        known = draws[np.isfinite(draws)]
        if not np.isfinite(point) or len(known) == 0:
            return cls(_plain(point), None, None)
        low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return cls(float(point), float(low), float(high))


def _plain(number: float) -> float | None:
    return float(number) if np.isfinite(number) else None


@dataclass(frozen=True, eq=False)
class LeadDraws:
    """Leads drawn with replacement, again and again; the same leads and seed give the same draws.

    Attributes
    ----------
    lead : int64[n], lead of each moment as 0, 1, ... without gaps.
    draws : how often.
    """

    lead: NDArray[np.int64]
    draws: int = DRAWS
    seed: int = 0

    @classmethod
    def of(cls, lead: NDArray[Any], *, draws: int = DRAWS, seed: int = 0) -> LeadDraws:
        """Of any column that tells leads apart."""
        _, codes = np.unique(lead, return_inverse=True)
        return cls(codes.astype(np.int64), draws, seed)

    @cached_property
    def leads(self) -> int:
        return int(self.lead.max(initial=-1)) + 1

    def weights(self) -> Iterator[NDArray[np.float64]]:
        """How often each lead was drawn, float64[up to CHUNK, leads] at a time."""
        generator = np.random.default_rng(self.seed)
        for start in range(0, self.draws, CHUNK):
            size = min(CHUNK, self.draws - start)
            drawn = (
                generator.integers(0, self.leads, (size, self.leads)) if self.leads else np.empty((size, 0), np.int64)
            )
            drawn += np.arange(size)[:, None] * self.leads
            yield np.bincount(drawn.ravel(), minlength=size * self.leads).reshape(size, self.leads).astype(np.float64)

    def sums_by_lead(self, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sums over each lead's moments of columns [n, k]: [leads, k]."""
        return (
            np.stack([np.bincount(self.lead, column, minlength=self.leads) for column in columns.T], axis=1)
            if columns.shape[1]
            else np.empty((self.leads, 0))
        )

    def totals(self, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """Weighted sums of columns [n, k] in each draw: [draws, k]."""
        sums = self.sums_by_lead(columns)
        return (
            np.concatenate([weights @ sums for weights in self.weights()])
            if self.draws
            else np.empty((0, columns.shape[1]))
        )
