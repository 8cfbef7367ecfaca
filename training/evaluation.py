"""What a scorer is worth on moments that it never saw: ranking, calibration, lift, each with an interval.

All figures are of weighted moments (a bootstrap draw weighs leads), computed on rows sorted once. Definitions: ROC-AUC
and average precision with ties as one step; ECE over 15 bins of equal mass, bins being fixed by the ranks of the
predictions; calibration slope and intercept of a logistic regression of the label on the predicted log-odds; the best
q of the moments with those that tie at its border taken in equal parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.bootstrap import DRAWS, Estimate, LeadDraws
from training.compiled import compiled

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
COMPARED = ("roc_auc", "average_precision", "log_loss", "brier")
"""Metrics whose paired differences are given."""


_PARTS = np.array(GAINS)
_TOPS = np.searchsorted(_PARTS, TOPS)


@compiled
def fit_logit(x, y, weight, start_intercept, start_slope):  # type: ignore[no-untyped-def]
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
def _ranking(order, group_end, y, weight, parts, caught):  # type: ignore[no-untyped-def]
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
        ascending = np.sort(p)
        rank = (np.searchsorted(ascending, p, "left") + np.searchsorted(ascending, p, "right") + 1) / 2
        place = np.minimum((BINS * (rank - 0.5) / max(len(p), 1)).astype(np.int64), BINS - 1)
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


@dataclass(frozen=True)
class Bin:
    """Moments of about one predicted probability: what was said, and what came true.

    Where none or all of them converted, draws of leads say nothing about the rate; the interval then is Wilson's, for
    as many cases as there are leads.
    """

    moments: int
    predicted: float
    rate: Estimate


@dataclass(frozen=True)
class ModelFigures:
    """Figures of one model on the test block.

    Attributes
    ----------
    metrics : `METRICS` to their estimates. Lift and precision are those of the best 1, 5, 10 and 20% of the moments.
    reliability : up to 15 bins of equal mass, ascending.
    gains : at each of `GAINS`, the share of all conversions that lies in the best part of this size.
    """

    metrics: Mapping[str, Estimate]
    reliability: tuple[Bin, ...]
    gains: tuple[Estimate, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "metrics": {name: each.to_json() for name, each in self.metrics.items()},
            "reliability": [
                {"moments": each.moments, "predicted": each.predicted, "rate": each.rate.to_json()}
                for each in self.reliability
            ],
            "gains": [{"part": part, **each.to_json()} for part, each in zip(GAINS, self.gains, strict=True)],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ModelFigures:
        return cls(
            metrics={name: Estimate.from_json(each) for name, each in data["metrics"].items()},
            reliability=tuple(
                Bin(each["moments"], each["predicted"], Estimate.from_json(each["rate"])) for each in data["reliability"]
            ),
            gains=tuple(Estimate.from_json(each) for each in data["gains"]),
        )


@dataclass(frozen=True)
class Evaluation:
    """Figures of several models on the same moments.

    Attributes
    ----------
    moments, leads, converted : size of the test block; `converted` counts moments.
    converted_leads : leads with at least one moment followed by a conversion.
    base_rate : conversion rate of what came before the test block: what the skill compares with.
    models : name to figures; the first is the scorer.
    differences : of every other model, the scorer's `COMPARED` metrics less the other's, paired on the same draws.
    """

    moments: int
    leads: int
    converted: int
    converted_leads: int
    base_rate: float
    models: Mapping[str, ModelFigures]
    differences: Mapping[str, Mapping[str, Estimate]]

    def to_json(self) -> dict[str, Any]:
        return {
            "moments": self.moments,
            "leads": self.leads,
            "converted": self.converted,
            "converted_leads": self.converted_leads,
            "base_rate": self.base_rate,
            "models": {name: each.to_json() for name, each in self.models.items()},
            "differences": {
                name: {metric: each.to_json() for metric, each in row.items()} for name, row in self.differences.items()
            },
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Evaluation:
        sizes = ("moments", "leads", "converted", "converted_leads", "base_rate")
        return cls(
            **{name: data[name] for name in sizes},
            models={name: ModelFigures.from_json(each) for name, each in data["models"].items()},
            differences={
                name: {metric: Estimate.from_json(each) for metric, each in row.items()}
                for name, row in data["differences"].items()
            },
        )


def evaluate(
    label: NDArray[Any],
    lead: NDArray[Any],
    predictions: Mapping[str, NDArray[np.float64]],
    *,
    base_rate: float,
    draws: int = DRAWS,
    seed: int = 0,
) -> Evaluation:
    """Judge models on the same n labelled moments, all by the same draws of leads.

    Parameters
    ----------
    label : 0 or 1.
    lead : anything that tells leads apart.
    predictions : name to probabilities of models that did not see these labels; the first is the scorer, with which
        the others are compared.
    base_rate : conversion rate of what came before.
    """
    if len(label) == 0 or not predictions:
        raise ValueError("there is nothing to evaluate")
    sample = LeadDraws.of(lead, draws=draws, seed=seed)
    drawn = {name: _all_figures(Judged.of(label, p, base_rate), sample) for name, p in predictions.items()}
    models = {name: _model_figures(judged, sample, figures, totals) for name, (judged, figures, totals) in drawn.items()}
    first = next(iter(predictions))
    differences = {
        name: {
            metric: Estimate.of(d[0], d[1:])
            for metric in COMPARED
            for d in [(drawn[first][1] - figures)[:, METRICS.index(metric)]]
        }
        for name, (_, figures, _) in drawn.items()
        if name != first
    }
    return Evaluation(
        moments=len(label),
        leads=sample.leads,
        converted=int(label.sum()),
        converted_leads=len(np.unique(sample.lead[label == 1])),
        base_rate=float(base_rate),
        models=models,
        differences=differences,
    )


def paired_difference(
    label: NDArray[Any],
    lead: NDArray[Any],
    ours: NDArray[np.float64],
    theirs: NDArray[np.float64],
    *,
    metric: str = "log_loss",
    draws: int = 2 * DRAWS,
    seed: int = 0,
) -> Estimate:
    """A metric of `ours` less that of `theirs` on the same moments, with its interval by lead.

    Parameters
    ----------
    ours, theirs : probabilities, each of a model that did not see these labels.
    metric : one of `METRICS`; "log_loss", which gates ask for, is a mean over moments and costs least.
    """
    sample = LeadDraws.of(lead, draws=draws, seed=seed)
    if metric == "log_loss":
        each = log_losses(label, ours) - log_losses(label, theirs)
        totals = sample.totals(np.column_stack([each, np.ones(len(each))]))
        return Estimate.of(float(each.mean()), totals[:, 0] / totals[:, 1])
    column = METRICS.index(metric)
    rate = float(np.mean(label))
    d = [_all_figures(Judged.of(label, p, rate), sample)[1][:, column] for p in (ours, theirs)]
    return Estimate.of(float((d[0] - d[1])[0]), (d[0] - d[1])[1:])


def log_losses(label: NDArray[Any], probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log loss of each moment, probabilities clamped as everywhere here."""
    p = np.clip(probability.astype(np.float64), CLAMP, 1 - CLAMP)
    return -np.log(np.where(label == 1, p, 1 - p))


def _all_figures(judged: Judged, sample: LeadDraws) -> tuple[Judged, NDArray[np.float64], NDArray[np.float64]]:
    """Figures and totals of the moments as they are (row 0) and of each draw."""
    sums = sample.sums_by_lead(judged.sums)
    whole = np.ones(sample.leads)
    figures, totals = [judged.figures(whole @ sums, whole[sample.lead])], [whole @ sums]
    for weights in sample.weights():
        totals.extend(weights @ sums)
        figures.extend(judged.figures(total, weight[sample.lead]) for total, weight in zip(weights @ sums, weights, strict=True))
    return judged, np.array(figures), np.array(totals)


def _model_figures(
    judged: Judged, sample: LeadDraws, figures: NDArray[np.float64], totals: NDArray[np.float64]
) -> ModelFigures:
    estimates = [Estimate.of(column[0], column[1:]) for column in figures.T]
    converted, predicted, moments = (totals[:, 6 + k * BINS : 6 + (k + 1) * BINS] for k in range(3))
    bins = []
    for each in range(BINS):
        n = moments[0, each]
        if n == 0:
            continue
        with np.errstate(invalid="ignore"):
            rates = converted[:, each] / moments[:, each]
        rate = Estimate.of(rates[0], rates[1:])
        if rates[0] in (0.0, 1.0):
            leads = len(np.unique(sample.lead[judged.bin == each]))
            edge = 1.96**2 / (leads + 1.96**2)
            rate = Estimate(float(rates[0]), 0.0 if rates[0] == 0 else 1 - edge, edge if rates[0] == 0 else 1.0)
        bins.append(Bin(int(n), float(predicted[0, each] / n), rate))
    return ModelFigures(
        metrics=dict(zip(METRICS, estimates, strict=False)), reliability=tuple(bins), gains=tuple(estimates[len(METRICS) :])
    )
