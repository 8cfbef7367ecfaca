"""Monotone constraints: however the other features stand, the score never goes the wrong way along a held one."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracles.made_training_sets import simulated
from training.forward import choose
from training.linear_fit import fit_lines
from training.ranker import Ranker, fit_ranker, grow_trees
from training.recipe import Choices, Recipe
from training.split import choice_folds

FREE = simulated(900, 2, seed=5, categories=(6,))
ROWS = np.arange(len(FREE))
QUICK = Recipe(rounds=(16, 32, 64))
# the first two numbers speak for a conversion: one is held the way it goes, the other against it
SIGNS = np.array([1, -1, -1, 1, 0], dtype=np.int8)
HELD = replace(FREE, monotone=SIGNS)


def fitted(weight: float, *, leaves: int = 4, knots: int = 0) -> Ranker:
    recipe = replace(QUICK, num_leaves=leaves, weights=(weight,), weight=weight)
    choices = Choices(128, float(len(ROWS)), 0.1, knots, weight, (), ROWS[:0], np.zeros(0), {})
    return fit_ranker(recipe, choices, HELD, ROWS)


RANKERS = {weight: fitted(weight) for weight in (0.25, 0.75, 1.0)} | {
    0.5: fitted(0.5, leaves=16),
    0.125: fitted(0.125, knots=4),
}
NUMBERS = st.floats(allow_nan=False, allow_infinity=True)


@given(
    weight=st.sampled_from(sorted(RANKERS)),
    row=st.integers(0, len(FREE) - 1),
    column=st.integers(0, 3),
    one=NUMBERS,
    other=NUMBERS,
)
def test_no_two_values_of_a_held_feature_stand_the_wrong_way_round(
    weight: float, row: int, column: int, one: float, other: float
) -> None:
    pair = np.repeat(FREE.values[row : row + 1], 2, axis=0)
    pair[:, column] = sorted((one, other))
    low, high = RANKERS[weight].raw(pair)
    assert SIGNS[column] * (high - low) >= -1e-12


@pytest.mark.parametrize("weight", sorted(RANKERS))
@pytest.mark.parametrize("column", range(4))
def test_along_all_values_that_training_saw_no_step_goes_the_wrong_way(weight: float, column: int) -> None:
    known = np.unique(FREE.values[:, column][~np.isnan(FREE.values[:, column])])
    grid = known[np.linspace(0, len(known) - 1, min(len(known), 120)).astype(int)]
    for row in FREE.values[:: len(FREE) // 25]:
        sweep = np.repeat(row[None, :], len(grid), axis=0)
        sweep[:, column] = grid
        assert (SIGNS[column] * np.diff(RANKERS[weight].raw(sweep)) >= -1e-12).all()


def test_what_goes_against_its_constraint_moves_nothing_and_what_goes_with_it_still_does() -> None:
    known = FREE.values[~np.isnan(FREE.values).any(axis=1)]
    _, shares = RANKERS[0.75].contributions(known)
    assert np.ptp(shares[:, 0]) > 0.3
    free = fit_lines(FREE.values, FREE.label, FREE.definitions.categorical, cs=(0.1,))[0]
    held = fit_lines(FREE.values, FREE.label, FREE.definitions.categorical, cs=(0.1,), monotone=SIGNS)[0]
    assert free.slope[1] > 0.1
    assert held.slope[1] == 0.0
    assert held.slope[0] > 0.1


def test_an_unconstrained_fit_would_break_it() -> None:
    """Else the tests above would prove nothing."""
    free = fit_ranker(QUICK, Choices(128, float(len(ROWS)), 0.1, 0, 1.0, (), ROWS[:0], np.zeros(0), {}), FREE, ROWS)
    sweep = np.repeat(FREE.values[:1], 50, axis=0)
    sweep[:, 1] = np.linspace(-3, 3, 50)
    assert np.diff(free.raw(sweep)).max() > 0.01


def test_constraints_that_hold_nothing_change_no_bit() -> None:
    nothing = replace(FREE, monotone=np.zeros(5, dtype=np.int8))
    assert grow_trees(QUICK, nothing, 16) == grow_trees(QUICK, FREE, 16)
    lines = [
        fit_lines(FREE.values, FREE.label, FREE.definitions.categorical, cs=(0.01,), monotone=each)[0].to_json()
        for each in (None, nothing.monotone)
    ]
    assert lines[0] == lines[1]


def test_choices_are_made_with_the_constraints() -> None:
    held, free = (choose(QUICK, each, ROWS, choice_folds(each, ROWS)) for each in (HELD, FREE))
    assert held.losses["rounds"]["64"] > free.losses["rounds"]["64"]
    assert held.losses["c"]["0.1"] > free.losses["c"]["0.1"]


def test_columns_take_their_constraints_with_them() -> None:
    fewer = HELD.take_columns(np.array([4, 1]))
    assert fewer.monotone is not None
    assert fewer.monotone.tolist() == [0, -1]
    assert HELD.take(ROWS[:10]).monotone is HELD.monotone


@pytest.mark.parametrize(
    ("signs", "words"),
    [([1, 1], "each definition"), ([0, 0, 0, 0, 2], "each definition"), ([0, 0, 0, 0, 1], "no order")],
)
def test_nonsense_is_refused(signs: list[int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        replace(FREE, monotone=np.array(signs, dtype=np.int8))
