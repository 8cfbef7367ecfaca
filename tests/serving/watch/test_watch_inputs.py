"""Spreads: what differs to the eye, more than usual and beyond chance is found; all else is let be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracles.made_scorers import made_bundle
from serving.watch_inputs import FAR, bin_words, moved
from training.inputs import Inputs

ALIKE = np.array([200, 200, 300, 300])
STRETCHES = np.stack([ALIKE, ALIKE, ALIKE])


def test_alike_spreads_are_no_distance_apart() -> None:
    assert moved(ALIKE, STRETCHES, 1.0, 1.0, questions=1) == (0.0, 0.0, False)


def test_a_column_that_went_empty_is_as_far_as_can_be() -> None:
    then = np.stack([np.array([0, 500, 500])] * 3)
    distance, usual, drifted = moved(np.array([400, 0, 0]), then, 1.0, 1.0, questions=400)
    assert (distance, usual, drifted) == (pytest.approx(1.0), 0.0, True)


def test_what_moves_as_much_within_the_training_is_usual() -> None:
    season = np.stack([np.array([900, 100]), np.array([300, 700]), np.array([900, 100])])
    distance, usual, drifted = moved(np.array([300, 700]), season, 1.0, 1.0, questions=1)
    assert distance > FAR
    assert usual > distance / 1.5
    assert not drifted
    steady = np.stack([np.array([900, 100])] * 3)
    assert moved(np.array([300, 700]), steady, 1.0, 1.0, questions=1)[2]


def test_what_has_grown_all_along_grows_on() -> None:
    growing = np.stack([np.array([1000 - 150 * k, 150 * k]) for k in range(6)])
    now = np.array([150, 850])
    assert moved(now, growing, 1.0, 1.0, questions=1)[2] is False
    assert moved(now, np.stack([growing.sum(axis=0)] * 6), 1.0, 1.0, questions=1)[2]


def test_even_a_wild_column_has_gone_when_it_is_empty() -> None:
    wild = np.stack([np.array([0, 1000, 0]), np.array([0, 100, 900]), np.array([0, 1000, 0])])
    assert moved(wild[1], wild, 1.0, 1.0, questions=1)[1] > 2 / 3
    assert moved(np.array([900, 0, 0]), wild, 1.0, 1.0, questions=1)[2]


def test_moments_of_few_leads_prove_little() -> None:
    now, then = np.array([20, 80]), np.stack([np.array([500, 500])] * 3)
    assert moved(now, then, 1.0, 1.0, questions=1)[2]
    assert not moved(now, then, 0.05, 1.0, questions=1)[2]


def test_chance_alone_seldom_drifts() -> None:
    rng = np.random.default_rng(1)
    shares = rng.dirichlet(np.ones(12), 200)
    drifted = 0
    for p in shares:
        stretches = rng.multinomial(800, p, 6)
        drifted += moved(rng.multinomial(120, p), stretches, 1.0, 1.0, questions=200)[2]
    assert drifted == 0


@settings(max_examples=30)
@given(st.lists(st.integers(0, 50), min_size=3, max_size=3), st.lists(st.integers(0, 50), min_size=6, max_size=6))
def test_any_counts_give_a_distance_between_0_and_1(now: list[int], then: list[int]) -> None:
    distance, usual, _ = moved(np.array(now), np.array(then).reshape(2, 3), 0.5, 0.5, questions=3)
    assert 0.0 <= distance <= 1.0
    assert 0.0 <= usual <= 1.0


def test_bins_have_words() -> None:
    bundle, train_set = made_bundle(300)
    definitions, inputs = bundle.scorer.definitions, Inputs.of(bundle.scorer, bundle.reference, train_set)
    number, category = 2, 4
    words = [bin_words(definitions[number], inputs, number, i) for i in range(5)]
    assert words[:2] == ["missing", "0"]
    assert words[2].startswith("below ")
    assert words[3].startswith("from ")
    last = int(np.diff(inputs.bin_start)[number]) - 1
    assert bin_words(definitions[number], inputs, number, last).endswith(" or more")
    assert [bin_words(definitions[category], inputs, category, i) for i in (0, 1)] == ["missing", "v0000"]
