"""The probabilities' truth as a condition: slope, average error beyond chance, and Brier score."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from training.bootstrap import Estimate
from training.cutoffs_table import Backtest
from training.evaluation import Evaluation, evaluate
from training.figures import BINS, plain_figures, rank_bins
from training.gates.calibration import calibration_gates, error_by_chance
from training.gates.gate import Gate
from training.promotion import Comparison


def told_block(moments: int, told_for_true: float = 1.0, *, a_lead: int = 1, seed: int = 0) -> Backtest:
    """A test block whose leads convert by known probabilities; told are these times a factor."""
    random = np.random.default_rng(seed)
    true = random.beta(2, 8, moments)
    lead = np.arange(moments) // a_lead
    label = (random.random(lead[-1] + 1)[lead] < true).astype(np.int8)
    told = np.clip(told_for_true * true, 0.001, 0.999)
    return Backtest.of(told, label, lead, np.arange(moments))


@cache
def block(moments: int, told_for_true: float = 1.0) -> tuple[Evaluation, Backtest]:
    """The same with its figures."""
    told = told_block(moments, told_for_true)
    predictions = {"model": told.probability, "base rate": np.full(moments, 0.2)}
    return evaluate(told.label, told.lead, predictions, base_rate=0.2, draws=100), told


def gate(
    name: str, found: tuple[Evaluation, Backtest], comparison: Comparison | None = None, few: bool = False
) -> Gate:
    return next(each for each in calibration_gates(*found, comparison, few=few) if each.name == name)


def champion(*, slope: float | None = 1.0, ece: float | None = 0.01) -> Comparison:
    return Comparison(Estimate(0.0, -0.1, 0.1), "as it serves", slope=slope, ece=ece)


@pytest.mark.parametrize("moments", [90, 400, 2000])
def test_true_probabilities_pass_however_few_they_are(moments: int) -> None:
    assert all(each.passed and not each.warning for each in calibration_gates(*block(moments), None, few=False))


def test_probabilities_twice_too_high_are_refused_with_the_figures() -> None:
    refused = gate("calibration error", block(2000, 2.0))
    assert not refused.passed
    assert "up to 0.1000 is allowed" in refused.words
    assert "would be chance" in refused.words
    assert gate("calibration error", block(2000, 1.3)).passed, "7 points too high are within a tenth"


def test_worse_than_the_base_rate_by_brier_is_refused() -> None:
    assert not gate("Brier score", block(2000, 2.5)).passed
    assert gate("Brier score", block(2000, 1.2)).passed


def test_a_champion_that_is_no_truer_on_the_same_moments_excuses() -> None:
    found = block(2000, 2.0)
    as_bad = gate("calibration error", found, champion(ece=0.4))
    assert as_bad.passed
    assert as_bad.warning
    assert "no better on the same moments: 0.4000" in as_bad.words
    assert not gate("calibration error", found, champion(ece=0.02)).passed
    assert not gate("calibration error", found, champion(ece=None)).passed


@pytest.mark.parametrize(
    ("of_champion", "passes"), [(1.1, False), (0.3, True), (5.0, True), (-0.2, True), (None, False)]
)
def test_a_slope_is_excused_by_one_that_is_farther_from_one(of_champion: float | None, passes: bool) -> None:
    evaluation, backtest = block(90)
    metrics = {**evaluation.models["model"].metrics, "calibration_slope": Estimate(0.4, 0.3, 0.45)}
    models = {**evaluation.models, "model": replace(evaluation.models["model"], metrics=metrics)}
    off = replace(evaluation, models=models), backtest
    assert gate("calibration slope", off, champion(slope=of_champion)).passed is passes


def test_with_few_conversions_it_warns() -> None:
    warned = gate("calibration error", block(2000, 2.0), few=True)
    assert warned.passed
    assert warned.warning


def test_chance_is_what_true_probabilities_show_and_more_where_leads_have_several_moments() -> None:
    seen = [plain_figures(b.label, b.probability)["ece"] for b in (told_block(600, seed=s) for s in range(30))]
    chance = error_by_chance(told_block(600))
    assert np.mean(np.array(seen) <= chance) >= 0.9
    assert chance < 2.0 * np.median(seen)
    assert error_by_chance(told_block(600, a_lead=10)) > 1.2 * chance


def test_bins_by_rank_keep_equal_predictions_together() -> None:
    assert rank_bins(np.array([0.1, 0.4, 0.4, 0.9]), 4).tolist() == [0, 2, 2, 3]
    assert rank_bins(np.full(5, 0.3), BINS).tolist() == [7] * 5
    assert rank_bins(np.empty(0), 10).tolist() == []
