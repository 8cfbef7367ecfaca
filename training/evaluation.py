"""What a scorer is worth on moments that it never saw, each figure with an interval by lead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.bootstrap import DRAWS, Estimate, LeadDraws
from training.figures import BINS, GAINS, METRICS, Judged, log_losses

COMPARED = ("roc_auc", "average_precision", "log_loss", "brier")
"""Metrics whose paired differences are given."""


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
                Bin(each["moments"], each["predicted"], Estimate.from_json(each["rate"]))
                for each in data["reliability"]
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
    models = {
        name: _model_figures(judged, sample, figures, totals) for name, (judged, figures, totals) in drawn.items()
    }
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


def _all_figures(judged: Judged, sample: LeadDraws) -> tuple[Judged, NDArray[np.float64], NDArray[np.float64]]:
    """Figures and totals of the moments as they are (row 0) and of each draw."""
    sums = sample.sums_by_lead(judged.sums)
    whole = np.ones(sample.leads)
    figures, totals = [judged.figures(whole @ sums, whole[sample.lead])], [whole @ sums]
    for weights in sample.weights():
        totals.extend(weights @ sums)
        figures.extend(
            judged.figures(total, weight[sample.lead]) for total, weight in zip(weights @ sums, weights, strict=True)
        )
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
        metrics=dict(zip(METRICS, estimates, strict=False)),
        reliability=tuple(bins),
        gains=tuple(estimates[len(METRICS) :]),
    )
