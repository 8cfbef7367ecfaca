"""Are the probabilities true enough to serve: their slope, their average error, and their Brier score?

What lies outside the limits is excused where the champion is no nearer the truth on the same moments: after a shift of
the base rate both are off, and to keep the older one would help nobody.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from training.bootstrap import Estimate
from training.cutoffs_table import Backtest
from training.evaluation import Evaluation
from training.figures import BINS, rank_bins
from training.gates.gate import Gate, judged, said

if TYPE_CHECKING:
    from training.promotion import Comparison

SLOPE = (0.5, 2.0)
"""Between these a calibration slope may lie: outside, probabilities are twice too bold or too shy."""
ERROR = 0.1
"""ECE allowed at most, in probability: a lead told 30% may on average stand for 20% or 40%."""
RELATIVE_ERROR = 0.5
"""ECE allowed at most, as part of the base rate: where 2 in a hundred convert, to be off by 1 is much."""
CHANCE_DRAWS = 200


def calibration_gates(
    evaluation: Evaluation, backtest: Backtest, comparison: Comparison | None, *, few: bool
) -> list[Gate]:
    """The three gates, on the challenger's test block."""
    metrics = evaluation.models["model"].metrics
    return [
        _slope(metrics["calibration_slope"], None if comparison is None else comparison.slope, few),
        _error(metrics["ece"], evaluation.base_rate, backtest, None if comparison is None else comparison.ece, few),
        _brier(metrics["brier_skill"], few),
    ]


def error_by_chance(backtest: Backtest, *, draws: int = CHANCE_DRAWS, seed: int = 0) -> float:
    """The ECE (`training.figures.BINS` bins of equal mass) that true probabilities would stay under, 39 times in 40.

    Even they have one: few moments in a bin convert as often as was said. Outcomes are drawn by the probabilities
    themselves, one lot a lead, so that the moments of a lead share its fate as they do in truth.
    """
    n = len(backtest)
    if n == 0:
        return math.inf
    bins, leads = rank_bins(backtest.probability, BINS), int(backtest.lead.max()) + 1
    generator, found = np.random.default_rng(seed), np.empty(draws)
    for draw in range(draws):
        label = generator.random(leads)[backtest.lead] < backtest.probability
        found[draw] = np.abs(np.bincount(bins, label - backtest.probability, minlength=BINS)).sum() / n
    return float(np.quantile(found, 0.975))


def _slope(slope: Estimate, champion: float | None, few: bool) -> Gate:
    low, high = SLOPE
    bad = slope.low is not None and slope.high is not None and (slope.high < low or slope.low > high)
    words = f"Calibration slope: {said(slope)}; 1 is true, {low} to {high} is allowed."
    excused = bad and champion is not None and _distance(champion) >= _distance(slope.point)
    excuse = f"The champion's is no better on the same moments: {champion:.4f}." if excused else ""
    return judged("calibration slope", words, bad=bad, few=few, excuse=excuse)


def _distance(slope: float | None) -> float:
    """How far a slope is from 1, twice as far as half."""
    return abs(math.log(slope)) if slope is not None and slope > 0 else math.inf


def _error(error: Estimate, base_rate: float, backtest: Backtest, champion: float | None, few: bool) -> Gate:
    allowed, chance = min(ERROR, RELATIVE_ERROR * base_rate), error_by_chance(backtest)
    bad = (
        error.low is not None and error.point is not None and error.low > allowed and error.point > chance
    )  # draws of leads add noise to an error that is never negative, so that `low` alone would be too harsh
    words = f"ECE: {said(error)}; up to {allowed:.4f} is allowed, and up to {chance:.4f} would be chance."
    excused = bad and champion is not None and error.point is not None and champion >= error.point
    excuse = f"The champion's is no better on the same moments: {champion:.4f}." if excused else ""
    return judged("calibration error", words, bad=bad, few=few, excuse=excuse)


def _brier(skill: Estimate, few: bool) -> Gate:
    bad = skill.high is not None and skill.high < 0
    words = f"Brier skill: {said(skill)}; below 0 it would be better to tell everyone the base rate."
    return judged("Brier score", words, bad=bad, few=few)
