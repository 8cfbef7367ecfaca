"""Recipes tried on folds: the same predictions as a training makes, at the price of the trees alone."""

from dataclasses import replace

import numpy as np
import pytest

from oracles.made_training_sets import simulated
from training.dataset import TrainingSet
from training.forward import choose
from training.recipe import Recipe
from training.trial_folds import CS, WEIGHTS, TrialFolds
from training.tuned import halves

QUICK = Recipe(rounds=(8, 16, 32))
PLAIN = simulated(500, 2, seed=1, categories=(6, 12))
ROWS = np.arange(len(PLAIN))


def weighed() -> TrainingSet:
    """The same moments, the later ones counting more, and the first number held upwards."""
    monotone = np.zeros(len(PLAIN.definitions), dtype=np.int8)
    monotone[0] = 1
    return replace(PLAIN, weight=np.linspace(0.5, 2.0, len(PLAIN)), monotone=monotone)


@pytest.mark.parametrize("train_set", [PLAIN, weighed()], ids=["plain", "with weights and a constraint"])
def test_a_tried_recipe_has_the_loss_that_choosing_by_it_finds(train_set: TrainingSet) -> None:
    parted = halves(train_set, ROWS)
    assert parted is not None
    with TrialFolds(train_set, parted[0], QUICK) as folds:
        tried = folds.forward(QUICK, QUICK)
    assert tried.c in CS
    assert tried.weight in WEIGHTS
    told = replace(QUICK, cs=(tried.c,), weight=tried.weight, weights=(tried.weight,))
    choices = choose(told, train_set, ROWS, parted[0])
    assert choices.rounds == tried.rounds
    assert choices.losses["weight"][str(tried.weight)] == pytest.approx(
        tried.loss, abs=1e-6
    )  # the line, from another start


def test_one_recipe_leaves_nothing_behind_for_the_next() -> None:
    parted = halves(PLAIN, ROWS)
    assert parted is not None
    deep = replace(QUICK, num_leaves=12, max_depth=5, min_data_in_leaf=10, learning_rate=0.1, lambda_l2=1.0)
    narrow = replace(QUICK, without=("n2", "c1"))
    with TrialFolds(PLAIN, parted[0], QUICK) as folds:
        first = [folds.forward(each, QUICK) for each in (QUICK, deep, narrow)]
        again = [folds.forward(each, QUICK) for each in (narrow, deep, QUICK)]
    assert first == again[::-1]
    assert len({each.loss for each in first}) == 3


def test_trees_stop_growing_where_more_of_them_are_worse() -> None:
    parted = halves(PLAIN, ROWS)
    assert parted is not None
    wild = replace(
        QUICK, num_leaves=16, learning_rate=0.9, min_data_in_leaf=2, lambda_l2=0.0, rounds=(4, 8, 16, 32, 64, 128)
    )
    told: list[tuple[int, float]] = []
    with TrialFolds(PLAIN, parted[0], QUICK) as folds:
        tried = folds.forward(wild, QUICK, lambda step, loss: told.append((step, loss)))
    assert [step for step, _ in told] == [0, 1, 2]
    assert tried.rounds == 4
    assert [loss for _, loss in told] == [tried.loss] * 3


def test_a_gain_is_what_is_left_when_luck_and_level_are_taken_off() -> None:
    """Worth nothing: the default itself, and what only foretells more conversions; a worse recipe is worth less."""
    parted = halves(PLAIN, ROWS)
    assert parted is not None
    with TrialFolds(PLAIN, parted[0], QUICK) as folds:
        usual = folds.forward(QUICK, QUICK)
        wild = folds.forward(replace(QUICK, num_leaves=16, learning_rate=0.9, min_data_in_leaf=2, lambda_l2=0.0), QUICK)
        raw = np.random.default_rng(0).normal(size=len(folds.predicted))
        assert folds._levelled(raw + 2.0) == pytest.approx(folds._levelled(raw), abs=1e-6)
        told = 1 / (1 + np.exp(-folds._levelled(raw)))
    assert told.mean() == pytest.approx(PLAIN.label[folds.predicted].mean(), abs=1e-6)
    assert usual.gain == 0.0
    assert wild.gain < usual.loss - wild.loss < 0


def test_the_two_halves_share_their_fits_and_no_lead() -> None:
    parted = halves(PLAIN, ROWS)
    assert parted is not None
    searched, kept = parted
    for (fit, predict), (other_fit, other) in zip(searched, kept, strict=True):
        assert np.array_equal(fit, other_fit)
        assert not np.isin(PLAIN.lead_hash[predict], PLAIN.lead_hash[other]).any()
        assert not np.isin(PLAIN.lead_hash[np.append(predict, other)], PLAIN.lead_hash[fit]).any()
    sizes = [sum(len(predict) for _, predict in half) for half in parted]
    assert min(sizes) > 0.8 * max(sizes)
    assert halves(simulated(60, 1, seed=2), np.arange(60)) is None
