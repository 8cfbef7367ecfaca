"""Log loss from log-odds, and when one loss is clearly below another."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def log_losses(raw: NDArray[np.float64], label: NDArray[np.int8]) -> NDArray[np.float64]:
    """Log loss of each row, from log-odds and labels 0 / 1."""
    return np.logaddexp(0.0, np.where(label == 1, -raw, raw))


def mean_loss(loss: NDArray[np.float64], weight: NDArray[np.float64] | None = None) -> float:
    """Mean of the rows' losses, each counting as much as its weight."""
    return float(loss.mean()) if weight is None else float((weight @ loss) / weight.sum())


def paired_difference(
    loss: NDArray[np.float64],
    other: NDArray[np.float64],
    lead: NDArray[Any],
    weight: NDArray[np.float64] | None = None,
) -> tuple[float, float]:
    """Mean of ``loss - other`` and its standard error, all rows of one lead being one draw.

    The error is that of a mean over clusters (linearised, with the small-sample factor G / (G - 1)); infinite with
    fewer than two leads, so that nothing wins on it.
    """
    difference = loss - other
    mean = mean_loss(difference, weight)
    _, back = np.unique(lead, return_inverse=True)
    apart = difference - mean if weight is None else (weight / weight.mean()) * (difference - mean)
    totals = np.bincount(back, weights=apart)
    groups = len(totals)
    if groups < 2:
        return mean, float("inf")
    return mean, float(np.sqrt(groups / (groups - 1) * (totals @ totals)) / len(difference))
