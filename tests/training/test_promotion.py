"""The gates of a promotion: what refuses, what only warns, and which of a champion's scorers is compared."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from oracles.made_scorers import made_bundle
from training.bootstrap import Estimate
from training.bundle import Bundle
from training.dataset import TrainingSet
from training.gates import Gate, gates
from training.promotion import Comparison, unseen_scorer
from training.recipe import Recipe
from training.train_page import warnings_of_a_first

DAY = 86_400_000_000


@pytest.fixture(scope="module")
def made() -> tuple[Bundle, TrainingSet]:
    return made_bundle(leads=300)


def challenger(made: tuple[Bundle, TrainingSet], *, converted_leads: int = 500, **about: Any) -> Bundle:
    bundle, _ = made
    manifest = {
        "horizon": 90 * DAY,
        "converted": "won",
        "data_end": 900 * DAY,
        "converted_leads": converted_leads,
        "split": {"kind": "time", "overlap": 0, "test_begin": 700 * DAY, "last_test": 800 * DAY},
        "recipe": Recipe().to_json(),
        "choices": {"rounds": 64, "fitted_rows": 100.0, "c": 0.1, "weight": 0.75},
        **about,
    }
    return replace(bundle, manifest=manifest)


def judged(bundle: Bundle, *, base: Estimate | None = None, slope: Estimate | None = None) -> Bundle:
    """The bundle with these figures."""
    evaluation = bundle.evaluation
    metrics = {**evaluation.models["model"].metrics, "calibration_slope": slope or Estimate(1.0, 0.8, 1.2)}
    models = {**evaluation.models, "model": replace(evaluation.models["model"], metrics=metrics)}
    differences = {**evaluation.differences, "base rate": {"log_loss": base or Estimate(-0.1, -0.2, -0.05)}}
    return replace(bundle, evaluation=replace(evaluation, models=models, differences=differences))


def named(found: list[Gate], name: str) -> Gate:
    return next(gate for gate in found if gate.name == name)


@pytest.mark.parametrize(
    ("base", "passes"),
    [
        (Estimate(-0.1, -0.2, -0.01), True),
        (Estimate(0.05, -0.01, 0.1), True),
        (Estimate(0.05, 0.001, 0.1), False),
        (Estimate(None, None, None), True),
    ],
)
def test_a_loss_above_the_base_rates_refuses_only_with_its_whole_interval(
    made: tuple[Bundle, TrainingSet], base: Estimate, passes: bool
) -> None:
    found = gates(judged(challenger(made), base=base), None, None)
    assert named(found, "better than the base rate").passed is passes


@pytest.mark.parametrize(
    ("slope", "passes"),
    [
        (Estimate(1.0, 0.8, 1.2), True),
        (Estimate(0.4, 0.3, 0.5), True),
        (Estimate(0.4, 0.3, 0.49), False),
        (Estimate(2.5, 2.01, 3.0), False),
        (Estimate(2.5, 1.9, 3.0), True),
    ],
)
def test_a_calibration_slope_outside_a_half_to_two_refuses(
    made: tuple[Bundle, TrainingSet], slope: Estimate, passes: bool
) -> None:
    assert named(gates(judged(challenger(made), slope=slope), None, None), "calibration slope").passed is passes


def test_a_challenger_clearly_worse_than_the_champion_is_refused(made: tuple[Bundle, TrainingSet]) -> None:
    ours = judged(challenger(made))
    worse = Comparison(Estimate(0.02, 0.01, 0.03), "as it serves")
    unclear = Comparison(Estimate(0.02, -0.01, 0.03), "as it serves")
    assert not named(gates(ours, ours, worse), "not worse than the champion").passed
    assert named(gates(ours, ours, unclear), "not worse than the champion").passed


def test_a_champion_that_reads_a_leak_does_not_keep_an_honest_challenger_away(made: tuple[Bundle, TrainingSet]) -> None:
    finding = {"severity": "certain", "subject": "size", "left_out": True, "trusted": None}
    ours, worse = judged(challenger(made, guard=[finding])), Comparison(Estimate(0.02, 0.01, 0.03), "as it serves")
    gate = named(gates(ours, ours, worse), "not worse than the champion")
    assert gate.passed
    assert gate.warning
    assert "left out as a suspected leak: size" in gate.words
    elsewhere = judged(challenger(made, guard=[{**finding, "subject": "owner"}]))
    assert not named(gates(elsewhere, ours, worse), "not worse than the champion").passed


def test_a_first_model_serves_with_a_warning_for_each_gate_that_it_would_not_pass(
    made: tuple[Bundle, TrainingSet],
) -> None:
    assert warnings_of_a_first(judged(challenger(made))) == []
    said = warnings_of_a_first(judged(challenger(made), slope=Estimate(-2.0, -3.0, -1.0)))
    assert len(said) == 1
    assert said[0].startswith("Warning: a later model like this would not be promoted. Calibration slope: -2.0000")


def test_with_few_conversions_gates_warn_and_do_not_refuse(made: tuple[Bundle, TrainingSet]) -> None:
    ours = judged(challenger(made, converted_leads=119), base=Estimate(0.05, 0.001, 0.1))
    gate = named(gates(ours, None, None), "better than the base rate")
    assert gate.passed
    assert gate.warning


def test_tested_moments_past_the_end_of_the_data_are_refused(made: tuple[Bundle, TrainingSet]) -> None:
    assert named(gates(judged(challenger(made)), None, None), "test data settled").passed
    late = judged(challenger(made, data_end=889 * DAY))
    assert not named(gates(late, None, None), "test data settled").passed


@pytest.mark.parametrize("other", [{"horizon": 30 * DAY}, {"converted": "signed"}])
def test_another_horizon_or_outcome_is_not_comparable(made: tuple[Bundle, TrainingSet], other: dict[str, Any]) -> None:
    ours = judged(challenger(made))
    gate = named(gates(ours, challenger(made, **other), None), "comparable with the champion")
    assert not gate.passed


def test_the_champion_is_compared_by_a_scorer_that_did_not_see_the_tested_moments(
    made: tuple[Bundle, TrainingSet],
) -> None:
    train_set = made[1]
    fit = np.arange(len(train_set) // 2, dtype=np.int64)
    before = challenger(made, data_end=650 * DAY)
    assert unseen_scorer(before, train_set, fit, 700 * DAY) == (before.scorer, "as it serves")
    evaluated_before = challenger(made)
    assert unseen_scorer(evaluated_before, train_set, fit, 700 * DAY)[0] is evaluated_before.evaluated_scorer
    overlapping = challenger(made, split={"kind": "time and lead", "overlap": 5, "test_begin": 600 * DAY})
    refit, how = unseen_scorer(overlapping, train_set, fit, 700 * DAY)
    assert refit not in (overlapping.scorer, overlapping.evaluated_scorer)
    assert "fitted before" in how
    again, _ = unseen_scorer(overlapping, train_set, fit, 700 * DAY)
    assert (again.score(train_set.values)[1] == refit.score(train_set.values)[1]).all()
