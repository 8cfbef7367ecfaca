"""Intervals against brute force, and against what is printed in the papers that they come from."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.intervals import chances, difference, exact_p, how_many, ranked, rate, ratio

PROBABILITIES = st.lists(st.floats(0, 1), min_size=0, max_size=9)


def test_wilsons_interval_is_that_of_newcombes_paper() -> None:
    # Newcombe 1998, Statistics in Medicine 17:857, table I: 81/263, 15/148, 0/20, 1/29 (method 3)
    printed = {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0.0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }
    for (part, whole), (low, high) in printed.items():
        found = rate(part, whole)
        assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_the_interval_of_a_difference_is_that_of_newcombes_paper() -> None:
    # Newcombe 1998, Statistics in Medicine 17:873, table II, method 10
    printed = {(56, 70, 48, 80): (0.0524, 0.3339), (9, 10, 3, 10): (0.1705, 0.8090), (0, 20, 0, 10): (-0.2775, 0.1611)}
    for counts, (low, high) in printed.items():
        found = difference(*counts)
        assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@given(PROBABILITIES)
def test_chances_are_those_of_writing_out_every_way(probability: list[float]) -> None:
    expected = np.zeros(len(probability) + 1)
    for ways in itertools.product((0, 1), repeat=len(probability)):
        expected[sum(ways)] += math.prod(p if way else 1 - p for p, way in zip(probability, ways, strict=True))
    np.testing.assert_allclose(chances(np.array(probability)), expected, atol=1e-12)


@given(PROBABILITIES, st.sampled_from((0.5, 0.9, 0.95)))
def test_fewer_or_more_than_the_interval_is_as_rare_as_said_and_no_narrower_one_would_do(
    probability: list[float], level: float
) -> None:
    each, found, tail = chances(np.array(probability)), how_many(probability, level=level), (1 - level) / 2
    low, high = int(found.low), int(found.high)
    assert found.point == pytest.approx(sum(probability))
    assert each[:low].sum() <= tail
    assert each[: low + 1].sum() > tail
    assert each[high + 1 :].sum() <= tail + 1e-12
    assert each[high:].sum() > tail


def test_many_leads_are_as_exact_as_few() -> None:
    probability = np.random.default_rng(3).beta(1, 9, 700)
    slow = np.ones(1)
    for each in probability.tolist():
        slow = np.convolve(slow, [1 - each, each])
    np.testing.assert_allclose(chances(probability), slow, atol=1e-13)
    assert how_many(probability).holds(probability.sum())


def test_a_hundred_thousand_leads_take_no_time_worth_counting() -> None:
    found = how_many(np.full(100_000, 0.05))
    assert (found.point, found.low, found.high) == (pytest.approx(5000), 4865, 5136)


def test_nobody_converts_of_nobody() -> None:
    assert (how_many([]).low, how_many([]).high) == (0, 0)


@settings(deadline=None)
@given(st.integers(0, 6), st.integers(0, 7))
def test_fishers_probability_is_that_of_counting_every_draw(part: int, other: int) -> None:
    whole, rest = 6, 7
    both = part + other
    total = math.comb(whole + rest, both)
    ways = [math.comb(whole, k) * math.comb(rest, both - k) / total for k in range(both + 1)]
    upper, lower = sum(ways[part:]), sum(ways[: part + 1])
    found = exact_p(np.array([part]), whole, np.array([other]), rest)[0]
    assert found == pytest.approx(min(1.0, 2 * min(upper, lower)))


def test_a_ratio_has_an_interval_where_one_count_is_zero() -> None:
    found = ratio(10, 50, 0, 50)
    assert found.point == math.inf
    assert found.low > 1
    assert ratio(0, 50, 0, 50).holds(1.0)


@given(st.integers(1, 50), st.integers(1, 50))
def test_a_ratio_read_the_other_way_round_is_its_inverse(part: int, other: int) -> None:
    one, back = ratio(part, 50, other, 50), ratio(other, 50, part, 50)
    assert one.point == pytest.approx(1 / back.point)
    assert one.low == pytest.approx(1 / back.high)


def test_no_share_of_nobody() -> None:
    with pytest.raises(ValueError, match="no share"):
        rate(0, 0)


def test_a_ranking_is_the_share_of_pairs_in_order_and_its_variance_that_of_delongs_paper() -> None:
    draw = np.random.default_rng(3)
    label = (draw.random(300) < 0.2).astype(np.int8)
    score = np.round(draw.normal(size=300) + label, 1)  # with ties
    won, lost = score[label == 1], score[label == 0]
    pairs = (won[:, None] > lost[None, :]) + 0.5 * (won[:, None] == lost[None, :])
    found = ranked(score, label)
    assert found is not None
    assert found.point == pytest.approx(pairs.mean())
    error = math.sqrt(pairs.mean(axis=1).var(ddof=1) / len(won) + pairs.mean(axis=0).var(ddof=1) / len(lost))
    logit = math.log(found.high / (1 - found.high)) - math.log(found.point / (1 - found.point))
    assert logit == pytest.approx(1.959964 * error / (found.point * (1 - found.point)), rel=1e-5)


def test_the_interval_of_a_ranking_holds_the_truth_about_as_often_as_it_says() -> None:
    draw, held = np.random.default_rng(5), 0
    truth = 0.7602499  # two normals of deviation 1, one apart: the chance that the upper draw is larger
    for _ in range(300):
        label = np.repeat(np.array([0, 1], dtype=np.int8), (120, 30))
        found = ranked(draw.normal(size=150) + label, label)
        assert found is not None
        held += found.holds(truth)
    assert held / 300 == pytest.approx(0.95, abs=0.03)


def test_kinds_that_are_parted_wholly_leave_a_ranking_open_as_far_as_the_rarer_kind_is_counted() -> None:
    label = np.repeat(np.array([0, 1], dtype=np.int8), (200, 12))
    for score, point in ((label.astype(float), 1.0), (1.0 - label, 0.0)):
        found = ranked(score, label)
        assert found == rate(round(12 * point), 12)
    assert ranked(np.arange(209.0), label[:209]) is None
