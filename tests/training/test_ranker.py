"""The ranker: the same bits however it is asked, exact shares, choices that only leave their defaults for a reason."""

import json
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from oracles.made_training_sets import DAY, definitions_of, made, simulated
from training.dataset import TrainingSet
from training.forward import choose
from training.losses import log_losses
from training.ranker import FEWEST_COLUMNS, Ranker, fit_ranker, grow_trees
from training.recipe import Choices, Recipe
from training.split import choice_folds

QUICK = Recipe(rounds=(16, 32, 64))
TRAIN_SET = simulated(900, 2, seed=1, categories=(6, 12))
ROWS = np.arange(len(TRAIN_SET))
CHOICES = choose(QUICK, TRAIN_SET, ROWS, choice_folds(TRAIN_SET, ROWS))
RANKER = fit_ranker(QUICK, CHOICES, TRAIN_SET, ROWS)
VALUES = simulated(300, 2, seed=2, categories=(6, 12)).values


def test_a_row_alone_has_the_bits_it_has_among_others() -> None:
    together = RANKER.raw(VALUES)
    assert np.array_equal(together, np.concatenate([RANKER.raw(VALUES[i : i + 1]) for i in range(len(VALUES))]))
    many = np.tile(VALUES, (10, 1))
    assert np.array_equal(RANKER.raw(many), np.tile(together, 10))


def test_base_and_shares_add_up_to_the_score() -> None:
    base, shares = RANKER.contributions(VALUES)
    assert shares.shape == VALUES.shape
    assert base + shares.sum(axis=1) == pytest.approx(RANKER.raw(VALUES), abs=1e-9)
    line_base, line = RANKER.line.contributions(VALUES)
    trees = RANKER.booster.predict(VALUES, pred_contrib=True)
    w = RANKER.weight
    assert np.array_equal(shares, w * trees[:, :-1] + (1 - w) * line)
    assert base == pytest.approx(w * trees[0, -1] + (1 - w) * line_base, abs=1e-12)


def test_no_rows_are_no_scores() -> None:
    assert RANKER.raw(VALUES[:0]).shape == (0,)
    base, shares = RANKER.contributions(VALUES[:0])
    assert base == RANKER.contributions(VALUES)[0]
    assert shares.shape == (0, 6)


def test_saved_and_loaded_it_is_the_same_to_the_bit(tmp_path: Path) -> None:
    RANKER.save(tmp_path)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["ranker.json", "trees.txt"]
    again = Ranker.load(tmp_path)
    assert np.array_equal(again.raw(VALUES), RANKER.raw(VALUES))
    assert np.array_equal(again.contributions(VALUES)[1], RANKER.contributions(VALUES)[1])


def test_the_number_of_threads_changes_no_bit() -> None:
    big = simulated(6000, 2, seed=4, categories=(6, 50))
    texts = {grow_trees(Recipe(), big, 48, threads=threads).split("parameters:")[0] for threads in (1, 2, 3)}
    assert len(texts) == 1


def test_training_again_gives_the_same_scorer() -> None:
    again = choose(QUICK, TRAIN_SET, ROWS, choice_folds(TRAIN_SET, ROWS))
    assert again.to_json() == CHOICES.to_json()
    assert np.array_equal(again.forward_raw, CHOICES.forward_raw)
    refit = fit_ranker(QUICK, again, TRAIN_SET, ROWS)
    assert refit.trees == RANKER.trees
    assert refit.line.to_json() == RANKER.line.to_json()


def test_many_threads_may_read_at_once() -> None:
    fresh = Ranker(RANKER.trees, RANKER.line, RANKER.weight)
    expected = RANKER.raw(VALUES)
    with ThreadPoolExecutor(8) as pool:
        for i, raw in enumerate(pool.map(lambda i: fresh.raw(VALUES[i : i + 5]), range(200))):
            assert np.array_equal(raw, expected[i : i + 5])


def test_it_learns_what_there_is_to_learn() -> None:
    fresh = simulated(2000, 1, seed=9, categories=(6, 12))
    rate = TRAIN_SET.label.mean()
    base = log_losses(np.full(len(fresh), math.log(rate / (1 - rate))), fresh.label).mean()
    assert log_losses(RANKER.raw(fresh.values), fresh.label).mean() < base - 0.1


def test_forward_predictions_are_of_all_predicted_rows_in_order() -> None:
    folds = choice_folds(TRAIN_SET, ROWS)
    assert CHOICES.forward_rows.tolist() == sorted(np.concatenate([predict for _, predict in folds]).tolist())
    assert np.isfinite(CHOICES.forward_raw).all()
    weights = CHOICES.losses["weight"]
    forward = log_losses(CHOICES.forward_raw, TRAIN_SET.label[CHOICES.forward_rows]).mean()
    assert forward == pytest.approx(weights[str(CHOICES.weight)], abs=1e-12)
    assert json.loads(json.dumps(CHOICES.to_json())) == CHOICES.to_json()


def test_a_refit_on_more_rows_has_more_rounds() -> None:
    fixed = Choices(100, 1000.0, 0.01, 0, 0.75, (), ROWS[:0], np.zeros(0), {})
    assert fixed.rounds_for(QUICK, 1000) == 100
    assert fixed.rounds_for(QUICK, 2000) == 150
    assert fixed.rounds_for(QUICK, 500) == 100


def test_a_line_in_the_world_gets_more_weight_than_usual() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(4000, 12))
    label = (rng.random(4000) < 1 / (1 + np.exp(-values.sum(axis=1) * 0.6))).astype(np.int8)
    linear = made(np.arange(4000), np.arange(4000) * DAY, label, values)
    rows = np.arange(4000)
    assert choose(QUICK, linear, rows, choice_folds(linear, rows)).weight == 0.25


def curved(n: int) -> TrainingSet:
    """Leads that convert where a number is neither small nor large."""
    rng = np.random.default_rng(1)
    values = rng.normal(size=(n, 3))
    label = (rng.random(n) < np.where(np.abs(values[:, 0]) < 0.7, 0.5, 0.1)).astype(np.int8)
    return made(np.arange(n), np.arange(n) * DAY, label, values)


def test_a_line_bends_where_that_is_better_and_there_are_conversions_enough() -> None:
    many, few = curved(4000), curved(400)
    linear = simulated(4000, 1, seed=1)
    found = {
        name: choose(QUICK, each, rows, choice_folds(each, rows))
        for name, each in {"many": many, "few": few, "linear": linear}.items()
        for rows in [np.arange(len(each))]
    }
    assert {name: each.knots for name, each in found.items()} == {"many": 4, "few": 0, "linear": 0}
    tried = {name: sorted(each.losses["knots"]) for name, each in found.items()}
    assert tried == {"many": ["0", "4"], "few": ["0"], "linear": ["0", "4"]}
    ranker = fit_ranker(QUICK, found["many"], many, np.arange(4000))
    assert ranker.line.knots is not None
    assert ranker.line.knots.shape == (3, 4)


def test_of_a_part_of_the_columns_those_stay_that_tell_most() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(size=(3000, 24))
    label = (rng.random(3000) < 1 / (1 + np.exp(-values[:, 5] - values[:, 17]))).astype(np.int8)
    noisy = made(np.arange(3000), np.arange(3000) * DAY, label, values)
    rows = np.arange(3000)
    choices = choose(replace(QUICK, part=0.25), noisy, rows, choice_folds(noisy, rows))
    left = choices.reduce(noisy).definitions.names
    assert len(left) == FEWEST_COLUMNS
    assert {noisy.definitions.names[each] for each in (5, 17)} <= set(left)
    assert len(choices.dropped) == 16


def test_who_is_predicted_has_no_say_in_which_columns_are_looked_at() -> None:
    fixed = Recipe(rounds=(32,), cs=(0.01,), knots=(0,), weights=(0.75,), part=0.25)
    rng = np.random.default_rng(3)
    world = made(
        np.arange(900), np.arange(900) * DAY, (rng.random(900) < 0.3).astype(np.int8), rng.normal(size=(900, 40))
    )
    fold = [(np.arange(600), np.arange(600, 900))]
    label = world.label.copy()
    label[600:] = world.values[600:, 7] > 0.5  # a column that tells all of who is predicted
    told = replace(world, label=label)
    one, other = (choose(fixed, each, np.arange(900), fold) for each in (world, told))
    assert np.array_equal(one.forward_raw, other.forward_raw)
    assert world.definitions.names[7] not in other.dropped  # but of the rows that are fitted in the end it does


def test_a_category_of_many_values_that_turned_false_is_left_out() -> None:
    rng = np.random.default_rng(0)
    n = 6000
    city = rng.integers(0, 40, n)
    other = rng.normal(size=n)
    sign = np.where(np.arange(n) < 0.64 * n, 1.0, -1.0)
    label = (rng.random(n) < 1 / (1 + np.exp(-sign * np.where(city % 2, 2.0, -2.0) - other))).astype(np.int8)
    turned = made(
        np.arange(n), np.arange(n) * DAY, label, np.column_stack([other, city]), definitions=definitions_of(1, (40,))
    )
    rows = np.arange(n)
    choices = choose(QUICK, turned, rows, choice_folds(turned, rows))
    assert choices.dropped == ("c0",)
    with pytest.raises(ValueError, match="left out"):
        fit_ranker(QUICK, choices, turned, rows)
    ranker = fit_ranker(QUICK, choices, choices.reduce(turned), rows)
    assert ranker.raw(other[:5, None]).shape == (5,)


def test_a_category_of_many_values_that_stays_true_stays() -> None:
    rng = np.random.default_rng(0)
    n = 6000
    city = rng.integers(0, 40, n)
    label = (rng.random(n) < np.where(city % 2, 0.7, 0.2)).astype(np.int8)
    values = np.column_stack([rng.normal(size=n), city])
    steady = made(np.arange(n), np.arange(n) * DAY, label, values, definitions=definitions_of(1, (40,)))
    rows = np.arange(n)
    choices = choose(QUICK, steady, rows, choice_folds(steady, rows))
    assert choices.dropped == ()
    assert choices.losses["columns"]["all"] < choices.losses["columns"]["without categories of many values"]
    assert choices.reduce(steady) is steady


@pytest.mark.parametrize("leads", [40, 90])
def test_few_rows_give_trees_of_a_constant_and_no_crash(leads: int) -> None:
    few = simulated(leads, 1, seed=3)
    rows = np.arange(leads)
    choices = choose(Recipe(), few, rows, choice_folds(few, rows))
    ranker = fit_ranker(Recipe(), choices, few, rows)
    base, shares = ranker.contributions(few.values)
    assert np.isfinite(ranker.raw(few.values)).all()
    assert base + shares.sum(axis=1) == pytest.approx(ranker.raw(few.values), abs=1e-9)


def test_columns_without_any_difference_give_the_rate() -> None:
    label = (np.arange(400) % 4 == 0).astype(np.int8)
    flat = made(np.arange(400), np.arange(400) * DAY, label, np.column_stack([np.ones(400), np.full(400, np.nan)]))
    rows = np.arange(400)
    choices = choose(QUICK, flat, rows, choice_folds(flat, rows))
    ranker = fit_ranker(QUICK, choices, flat, rows)
    assert ranker.raw(flat.values) == pytest.approx(np.full(400, math.log(1 / 3)), abs=1e-3)
    assert (ranker.contributions(flat.values)[1] == 0).all()


def test_progress_is_told_what_is_done_and_never_goes_back() -> None:
    told: list[tuple[str, float]] = []
    choose(QUICK, TRAIN_SET, ROWS, choice_folds(TRAIN_SET, ROWS), progress=lambda what, part: told.append((what, part)))
    parts = [part for _, part in told]
    assert parts == sorted(parts)
    assert (parts[0], parts[-1]) == (0.0, 1.0)
    told.clear()
    fit_ranker(QUICK, CHOICES, TRAIN_SET, ROWS, progress=lambda what, part: told.append((what, part)))
    assert told[-1][1] == 1.0


def test_folds_outside_the_fitted_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="within"):
        choose(QUICK, TRAIN_SET, ROWS[:100], choice_folds(TRAIN_SET, ROWS))


def test_a_recipe_is_data() -> None:
    assert Recipe.from_json(json.loads(json.dumps(QUICK.to_json()))) == QUICK
    with pytest.raises(ValueError, match=r"keys.*\['leaves'\]"):
        Recipe.from_json({**QUICK.to_json(), "leaves": 4})
    with pytest.raises(ValueError, match="ascending"):
        Recipe(rounds=(64, 32))
    with pytest.raises(ValueError, match="usual weight"):
        Recipe(weight=0.6)


def test_a_recipe_of_before_means_what_it_meant() -> None:
    before = {name: value for name, value in QUICK.to_json().items() if name not in ("max_depth", "without")}
    assert Recipe.from_json(before) == QUICK
    straight = {name: value for name, value in before.items() if name not in ("knots", "knot_errors", "part")}
    assert Recipe.from_json(straight) == replace(QUICK, knots=(0,))


def test_a_depth_that_the_leaves_cannot_reach_changes_no_tree() -> None:
    free, bound = (grow_trees(Recipe(max_depth=depth), TRAIN_SET, 32) for depth in (-1, 3))
    assert free.split("parameters:")[0] == bound.split("parameters:")[0]


def test_what_a_recipe_is_without_is_left_out_and_never_missed() -> None:
    folds = choice_folds(TRAIN_SET, ROWS)
    less = replace(QUICK, without=("n2", "c1", "of another workspace"))
    choices = choose(less, TRAIN_SET, ROWS, folds)
    assert choices.dropped == ("n2", "c1")
    assert choices.reduce(TRAIN_SET).definitions.names == ("n0", "n1", "n3", "c0")
    reduced = choose(QUICK, choices.reduce(TRAIN_SET), ROWS, folds)
    assert np.array_equal(choices.forward_raw, reduced.forward_raw)
    with pytest.raises(ValueError, match="no column"):
        choose(replace(QUICK, without=tuple(TRAIN_SET.definitions.names)), TRAIN_SET, ROWS, folds)
