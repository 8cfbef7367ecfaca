"""Figures of one model's predictions on weighted moments: ranking, calibration, lift.

A bootstrap draw weighs leads, so each figure is asked for hundreds of times: rows are sorted once. Definitions: ROC-AUC
and average precision with ties as one step; ECE over 15 bins of equal mass, bins being fixed by the ranks of the
predictions; calibration slope and intercept of a logistic regression of the label on the predicted log-odds; the best
q of the moments with those that tie at its border taken in equal parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.compiling import compiled

CLAMP = 1e-6
"""Probabilities are judged within [CLAMP, 1 - CLAMP]."""
BINS = 15
TOPS = (0.01, 0.05, 0.10, 0.20)
GAINS = (0.0, 0.01, 0.02, 0.05, *(round(0.05 * k, 2) for k in range(2, 21)))
"""Parts of the moments at which the gains curve is given."""
METRICS = (
    "roc_auc", "average_precision", "log_loss", "brier", "brier_skill", "calibration_slope", "calibration_intercept", "ece",
    *(f"lift_{top:.0%}".rstrip("%") for top in TOPS), *(f"precision_{top:.0%}".rstrip("%") for top in TOPS),
)  # fmt: skip
_PARTS = np.array(GAINS)
_TOPS = np.searchsorted(_PARTS, TOPS)


@compiled
def fit_logit(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    start_intercept: float,
    start_slope: float,
) -> tuple[float, float]:
    """Intercept and slope of a weighted logistic regression on one column, by Newton's method; NaN for a constant column."""
    low, high = np.inf, -np.inf
    for row in range(len(x)):
        if weight[row] > 0:
            low, high = min(low, x[row]), max(high, x[row])
    if not high - low >= 1e-9:
        return np.nan, np.nan
    a, b = start_intercept, start_slope
    for _ in range(60):
        ga, gb, haa, hab, hbb = 0.0, 0.0, 1e-9, 0.0, 1e-9
        for row in range(len(x)):
            w = weight[row]
            if w > 0:
                z = min(max(a + b * x[row], -35.0), 35.0)
                p = 1.0 / (1.0 + np.exp(-z))
                error, h = w * (y[row] - p), w * p * (1.0 - p) + 1e-12
                ga += error
                gb += error * x[row]
                haa += h
                hab += h * x[row]
                hbb += h * x[row] * x[row]
        determinant = haa * hbb - hab * hab
        if not determinant > 0:
            return np.nan, np.nan
        da = min(max((hbb * ga - hab * gb) / determinant, -2.0), 2.0)
        db = min(max((haa * gb - hab * ga) / determinant, -2.0), 2.0)
        a, b = a + da, b + db
        if max(abs(da), abs(db)) < 1e-8:
            break
    return a, b


@compiled
def _ranking(
    order: NDArray[np.int64],
    group_end: NDArray[np.int64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    parts: NDArray[np.float64],
    caught: NDArray[np.float64],
) -> tuple[float, float]:
    """ROC-AUC and average precision; fills `caught` with the converted weight in the best parts of all weight.

    `parts` ascend. `order` is best first; `group_end` are the ends (exclusive) in it of the groups of equal predictions.
    """
    total, positive = 0.0, 0.0
    for row in range(len(y)):
        total += weight[row]
        positive += weight[row] * y[row]
    caught[:] = 0.0
    tp, fp, auc, precision_sum = 0.0, 0.0, 0.0, 0.0
    place, part = 0, 0
    for end in group_end:
        dtp, dfp = 0.0, 0.0
        while place < end:
            row = order[place]
            dtp += weight[row] * y[row]
            dfp += weight[row] * (1.0 - y[row])
            place += 1
        if dtp + dfp == 0.0:
            continue
        while part < len(parts) and parts[part] * total <= tp + fp + dtp + dfp:
            caught[part] = tp + max(parts[part] * total - tp - fp, 0.0) / (dtp + dfp) * dtp
            part += 1
        auc += dfp * (tp + dtp / 2.0)
        tp += dtp
        fp += dfp
        precision_sum += dtp * tp / (tp + fp)
    while part < len(parts):
        caught[part] = tp
        part += 1
    if positive == 0.0:
        return np.nan, np.nan
    if positive == total:
        return np.nan, precision_sum / positive
    return auc / (positive * (total - positive)), precision_sum / positive


@dataclass(frozen=True, eq=False)
class Judged:
    """One model's predictions of n labelled moments, sorted once, so that weighted figures are cheap."""

    label: NDArray[np.float64]
    probability: NDArray[np.float64]
    base_rate: float
    log_odds: NDArray[np.float64]
    order: NDArray[np.int64]
    group_end: NDArray[np.int64]
    bin: NDArray[np.int64]
    sums: NDArray[np.float64]
    start: tuple[float, float]

    @classmethod
    def of(cls, label: NDArray[Any], probability: NDArray[np.float64], base_rate: float) -> Judged:
        y, p = label.astype(np.float64), np.clip(probability.astype(np.float64), CLAMP, 1 - CLAMP)
        order = np.argsort(-p, kind="stable")
        ends = np.append(np.flatnonzero(np.diff(p[order])) + 1, len(p)).astype(np.int64)
        place = rank_bins(p, BINS)
        log_odds = np.log(p / (1 - p))
        loss = log_losses(y, p)
        in_bin = place[:, None] == np.arange(BINS)
        columns = [np.ones(len(y)), y, p, loss, (y - p) ** 2, (y - base_rate) ** 2]
        sums = np.column_stack([*columns, *(in_bin * y[:, None]).T, *(in_bin * p[:, None]).T, *in_bin.T])
        start = fit_logit(log_odds, y, np.ones(len(y)), 0.0, 1.0)
        return cls(y, p, base_rate, log_odds, order, ends, place, sums, start)

    def figures(self, totals: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
        """`METRICS`, then the gains curve at `GAINS`, under weights; `totals` are the weighted `sums`."""
        n, positive, _, loss, brier, base_brier = totals[:6]
        caught = np.empty(len(_PARTS))
        auc, precision = _ranking(self.order, self.group_end, self.label, weight, _PARTS, caught)
        near = self.start if np.isfinite(self.start).all() else (0.0, 1.0)
        intercept, slope = fit_logit(self.log_odds, self.label, weight, *near)
        converted, predicted = totals[6 : 6 + BINS], totals[6 + BINS : 6 + 2 * BINS]
        tops = caught[_TOPS]
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.array(
                [
                    auc, precision, loss / n, brier / n, 1 - brier / base_brier, slope, intercept,
                    np.abs(converted - predicted).sum() / n,
                    *(tops / (np.array(TOPS) * positive)), *(tops / (np.array(TOPS) * n)), *(caught / positive),
                ]
            )  # fmt: skip


def rank_bins(probability: NDArray[np.float64], bins: int) -> NDArray[np.int64]:
    """Bin 0 to bins - 1 of each prediction, of equal mass by rank; equal predictions share the bin of their middle."""
    ascending = np.sort(probability)
    rank = (np.searchsorted(ascending, probability, "left") + np.searchsorted(ascending, probability, "right") + 1) / 2
    return np.minimum((bins * (rank - 0.5) / max(len(ascending), 1)).astype(np.int64), bins - 1)


def plain_figures(label: NDArray[Any], probability: NDArray[np.float64]) -> dict[str, float]:
    """`METRICS` of one model's predictions, without intervals; NaN where one has no value."""
    judged = Judged.of(label, probability, float(np.mean(label)))
    return dict(zip(METRICS, judged.figures(judged.sums.sum(axis=0), np.ones(len(label))).tolist(), strict=False))


def log_losses(label: NDArray[Any], probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log loss of each moment, probabilities clamped as everywhere here."""
    p = np.clip(probability.astype(np.float64), CLAMP, 1 - CLAMP)
    return -np.log(np.where(label == 1, p, 1 - p))
