"""How well one column alone tells two kinds of moments apart: a rate for each of its bins, judged where it was not learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.dataset import Rows

BINS = 40
"""Bins of a numeric column beside the missing one; ends are finer, for a rate of a percent shows there alone."""
PRIOR = 5.0
"""A bin's rate is drawn towards the mean as if so many moments of it stood in the bin."""
_SHARES = np.unique(np.concatenate([[0.002, 0.005, 0.01, 0.99, 0.995, 0.998], np.linspace(0, 1, BINS - 5)[1:-1]]))


@dataclass(frozen=True, eq=False)
class Coded:
    """Columns as bins: 0 missing, then quantile bins or categories.

    Attributes
    ----------
    fit, tested : int32[d, n] and int32[d, m].
    sizes : number of bins of each column.
    """

    fit: NDArray[np.int32]
    tested: NDArray[np.int32]
    sizes: NDArray[np.int64]

    @classmethod
    def of(cls, fit: NDArray[np.float64], tested: NDArray[np.float64], categorical: NDArray[np.bool_]) -> Coded:
        """Borders are those of `fit`, without a look at labels."""
        n, d = fit.shape
        coded, others = np.zeros((d, n), np.int32), np.zeros((d, len(tested)), np.int32)
        sizes = np.ones(d, np.int64)
        for place in range(d):
            ours, theirs = np.ascontiguousarray(fit[:, place]), np.ascontiguousarray(tested[:, place])
            known, known_there = ~np.isnan(ours), ~np.isnan(theirs)
            if categorical[place]:
                coded[place, known] = ours[known].astype(np.int32) + 1
                others[place, known_there] = theirs[known_there].astype(np.int32) + 1
                sizes[place] = 1 + max(coded[place].max(initial=0), others[place].max(initial=0))
                continue
            borders = _borders(ours[known])
            coded[place, known] = np.searchsorted(borders, ours[known], side="left") + 1
            others[place, known_there] = np.searchsorted(borders, theirs[known_there], side="left") + 1
            sizes[place] = len(borders) + 2
        return cls(coded, others, sizes)

    def strengths(self, label: NDArray[np.int8], folds: Sequence[tuple[Rows, Rows]]) -> NDArray[np.float64]:
        """ROC-AUC of each column alone on the predicted rows of the folds; NaN where these hold one label only."""
        return np.array(
            [strength(codes, label, folds, int(size)) for codes, size in zip(self.fit, self.sizes, strict=True)]
        )


def _borders(known: NDArray[np.float64]) -> NDArray[np.float64]:
    """Upper ends of all bins but the last: each value where there are few, else quantiles."""
    if not len(known):
        return np.empty(0)
    ordered = np.sort(known)
    picked = ordered[(_SHARES * (len(ordered) - 1)).astype(np.int64)]
    return np.unique(np.append(picked, ordered[0]))


def strength(codes: NDArray[np.int32], label: NDArray[np.int8], folds: Sequence[tuple[Rows, Rows]], size: int) -> float:
    """ROC-AUC of one binned column: rates learned on the first rows of each fold rank its second ones."""
    said, seen = [], []
    for learn, predict in folds:
        rates = _rates(codes[learn], label[learn], size)
        said.append(rates[codes[predict]])
        seen.append(label[predict])
    return auc(np.concatenate(said), np.concatenate(seen))


def _rates(codes: NDArray[np.int32], label: NDArray[np.int8], size: int) -> NDArray[np.float64]:
    counts = np.bincount(codes, minlength=size)
    hits = np.bincount(codes, weights=label, minlength=size)
    mean = float(label.mean()) if len(label) else 0.0
    rates: NDArray[np.float64] = (hits + PRIOR * mean) / (counts + PRIOR)
    return rates


def auc(said: NDArray[np.float64], label: NDArray[np.int8]) -> float:
    """ROC-AUC with ties as half; NaN where only one label is there."""
    _, place = np.unique(said, return_inverse=True)
    ones = np.bincount(place, weights=label)
    zeros = np.bincount(place, weights=1 - label)
    total = ones.sum() * zeros.sum()
    if total == 0:
        return float("nan")
    return float((ones * (np.cumsum(zeros) - zeros / 2)).sum() / total)


def auc_error(value: float, positive: int, negative: int) -> float:
    """Standard error of a ROC-AUC (Hanley and McNeil, Radiology 143, 1982, equation 1)."""
    if min(positive, negative) < 2:
        return float("inf")
    q1, q2 = value / (2 - value), 2 * value**2 / (1 + value)
    spread = value * (1 - value) + (positive - 1) * (q1 - value**2) + (negative - 1) * (q2 - value**2)
    return float(np.sqrt(max(spread, 0.0) / (positive * negative)))
