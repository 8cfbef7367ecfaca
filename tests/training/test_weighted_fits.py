"""Weights of moments: they count in fits and choices as rows would that stand there so often."""

import math
from dataclasses import replace

import numpy as np
import pytest

from oracles.made_training_sets import DAY, made, simulated
from training.calibration import Calibrator, choose_calibrator, fit_calibrator
from training.forward import choose
from training.linear_fit import fit_lines
from training.losses import mean_loss, paired_difference
from training.ranker import fit_ranker, grow_trees
from training.recipe import Recipe
from training.split import choice_folds

QUICK = Recipe(rounds=(16, 32, 64))
PLAIN = simulated(700, 2, seed=11, categories=(6,))
ROWS = np.arange(len(PLAIN))
TIMES = np.random.default_rng(3).integers(1, 4, len(PLAIN))
WEIGHED = replace(PLAIN, weight=TIMES.astype(np.float64))


def test_the_line_is_that_of_rows_which_stand_there_so_often() -> None:
    """On one matrix, and with the ridge made as strong for more rows."""
    from training.linear_fit import _Design, _ridge

    design = _Design.of(PLAIN.values, PLAIN.definitions.categorical, knots=2)
    mean = float(TIMES.mean())
    weighed = _ridge(design.z, PLAIN.label, (0.1,), TIMES / mean, None)[0]
    often = _ridge(np.repeat(design.z, TIMES, axis=0), np.repeat(PLAIN.label, TIMES), (0.1 / mean,), None, None)[0]
    assert weighed == pytest.approx(often, abs=2e-4)


def test_equal_weights_are_no_weights() -> None:
    sevens = replace(PLAIN, weight=np.full(len(PLAIN), 7.0))
    plain, same = (
        fit_lines(e.values, e.label, e.definitions.categorical, cs=(0.1,), weight=e.fit_weight)[0].raw(PLAIN.values)
        for e in (PLAIN, sevens)
    )
    assert same == pytest.approx(plain, abs=1e-4)
    choices = choose(QUICK, sevens, ROWS, choice_folds(sevens, ROWS))
    expected = choose(QUICK, PLAIN, ROWS, choice_folds(PLAIN, ROWS))
    assert (choices.rounds, choices.c, choices.weight) == (expected.rounds, expected.c, expected.weight)
    raw, other = (fit_ranker(QUICK, choices, each, ROWS).raw(PLAIN.values) for each in (sevens, PLAIN))
    assert raw == pytest.approx(other, abs=1e-3)


def test_trees_and_line_follow_the_heavy_rows() -> None:
    """Two halves that say the opposite: whichever weighs more is believed."""
    rng = np.random.default_rng(0)
    x, half = rng.normal(size=3000), np.arange(3000) % 2 == 0
    label = (rng.random(3000) < 1 / (1 + np.exp(-np.where(half, 1.5, -1.5) * x))).astype(np.int8)
    opposed = made(np.arange(3000), np.arange(3000) * DAY, label, x[:, None])
    at = np.array([[-1.0], [1.0]])
    for heavy in (half, ~half):
        leaning = replace(opposed, weight=np.where(heavy, 20.0, 1.0))
        choices = choose(QUICK, leaning, np.arange(3000), choice_folds(leaning, np.arange(3000)))
        ranker = fit_ranker(QUICK, choices, leaning, np.arange(3000))
        sign = 1.0 if heavy is half else -1.0
        for raw in (ranker.raw(at), ranker.line.raw(at), ranker.booster.predict(at, raw_score=True)):
            assert sign * (raw[1] - raw[0]) > 0.5


def test_losses_are_those_of_rows_which_stand_there_so_often() -> None:
    rng = np.random.default_rng(1)
    loss, other = rng.random(len(TIMES)), rng.random(len(TIMES))
    lead = np.arange(len(TIMES)) // 2
    assert mean_loss(loss, TIMES.astype(float)) == pytest.approx(np.repeat(loss, TIMES).mean())
    found = paired_difference(loss, other, lead, TIMES.astype(float))
    often = paired_difference(np.repeat(loss, TIMES), np.repeat(other, TIMES), np.repeat(lead, TIMES))
    assert found == pytest.approx(often)
    assert paired_difference(loss, other, lead, np.full(len(TIMES), 0.3)) == pytest.approx(
        paired_difference(loss, other, lead)
    )


def test_the_calibrator_is_that_of_rows_which_stand_there_so_often() -> None:
    rng = np.random.default_rng(2)
    raw = rng.normal(size=4000) * 2
    label = (rng.random(4000) < Calibrator("beta", 0.5, 1.4, 0.4).probability(raw)).astype(np.int8)
    times = rng.integers(1, 4, 4000)
    for kind in ("platt", "beta"):
        found = fit_calibrator(kind, raw, label, times.astype(float))
        often = fit_calibrator(kind, np.repeat(raw, times), np.repeat(label, times))
        assert found is not None
        assert often is not None
        assert found.probability(raw) == pytest.approx(often.probability(raw), abs=2e-3)


def test_a_calibrator_is_chosen_by_the_rows_that_weigh() -> None:
    rng = np.random.default_rng(4)
    raw, off = rng.normal(size=6000), np.arange(6000) % 2 == 0
    label = (rng.random(6000) < 1 / (1 + np.exp(-raw - np.where(off, 2.0, 0.0)))).astype(np.int8)
    lead, as_of = np.arange(6000), np.arange(6000) * DAY
    assert choose_calibrator(raw, label, lead, as_of, np.where(off, 1e-3, 1.0))[0].kind == "identity"
    chosen, _ = choose_calibrator(raw, label, lead, as_of, np.where(off, 1.0, 1e-3))
    assert chosen.log_odds(np.zeros(1))[0] == pytest.approx(2.0, abs=0.2)


def test_trees_are_the_same_bits_whatever_weights_are_multiplied_by() -> None:
    """By a power of two, which rounds nothing."""
    texts = [grow_trees(QUICK, replace(WEIGHED, weight=by * TIMES), 32) for by in (1.0, 4.0)]
    assert texts[0] == texts[1]


def test_weights_go_with_their_rows() -> None:
    part = WEIGHED.take(ROWS[::7])
    assert part.weight is not None
    assert part.weight.tolist() == TIMES[::7].tolist()
    assert part.fit_weight is not None
    assert part.fit_weight.mean() == pytest.approx(1.0)
    assert WEIGHED.take_columns(np.array([0])).weight is WEIGHED.weight
    assert PLAIN.fit_weight is None


@pytest.mark.parametrize("wrong", [0.0, -1.0, math.nan, math.inf])
def test_a_weight_that_is_no_amount_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        replace(PLAIN, weight=np.where(ROWS == 3, wrong, 1.0))
    with pytest.raises(ValueError, match="shape"):
        replace(PLAIN, weight=np.ones(3))
