"""Bets against a model: a sound one survives however often one looks, a broken one is found, and soon."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import expit, logit

from serving.many_looks import FALSE_ALARMS, FURTHER, bet, enough

BEGINS = np.array([0, 100, 200])
TOLERANCE = math.log(1.25)


def leads(rng: np.random.Generator, n: int = 300) -> NDArray[np.float64]:
    return rng.beta(1.0, 8.0, n)


def ever(p: NDArray[np.float64], y: NDArray[np.bool_], *, every: int = 20) -> bool:
    """Whether anybody who looked after every few leads would ever have seen an alarm."""
    needed = enough(1, part=1.0)
    for seen in range(every, len(p) + 1, every):
        bets = bet(p[:seen], y[:seen], np.minimum(BEGINS, seen), tolerance=TOLERANCE)
        if max(bets.above, bets.below) >= needed:
            return True
    return False


@pytest.mark.parametrize("off", [0.0, TOLERANCE])
def test_of_a_hundred_sound_models_at_most_five_ever_raise_an_alarm_though_one_looks_all_the_time(off: float) -> None:
    rng = np.random.default_rng(5)
    found = 0
    for _ in range(50):
        p = leads(rng)
        found += ever(p, rng.random(len(p)) < expit(logit(p) + off))
    assert found / 50 <= FALSE_ALARMS


@pytest.mark.parametrize(("factor", "sign"), [(3.0, 1), (1 / 3.0, -1)])
def test_odds_that_are_wrong_by_a_factor_of_three_are_found_in_the_right_direction(factor: float, sign: int) -> None:
    rng = np.random.default_rng(6)
    for _ in range(20):
        p = leads(rng, 1000)
        bets = bet(p, rng.random(len(p)) < expit(logit(p) + math.log(factor)), BEGINS, tolerance=TOLERANCE)
        wrong, other = (bets.above, bets.below) if sign > 0 else (bets.below, bets.above)
        assert wrong >= enough(20, part=0.2)
        assert other < 0


def test_a_fault_after_a_long_good_time_is_found_and_dated() -> None:
    rng = np.random.default_rng(7)
    p = leads(rng, 3000)
    true = np.where(np.arange(3000) < 2400, p, expit(logit(p) + math.log(3)))
    y = rng.random(3000) < true
    begins = np.arange(0, 3000, 300)
    assert bet(p[:2400], y[:2400], begins[:8], tolerance=TOLERANCE).above < enough(1, part=1.0)
    late = bet(p, y, begins, tolerance=TOLERANCE)
    assert late.above >= enough(1, part=1.0)
    assert 2100 <= late.above_from <= 2700
    from_the_start = bet(p, y, begins[:1], tolerance=TOLERANCE)
    assert from_the_start.above < late.above


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=12),
    st.lists(st.integers(0, 12), min_size=1, max_size=4),
)
def test_a_stake_grows_by_plain_arithmetic(cases: list[tuple[float, bool]], begins: list[int]) -> None:
    """The slow way: each stake multiplied case by case."""
    starts = sorted(min(each, len(cases)) for each in begins)
    expected = {1: 0.0, -1: 0.0}
    for sign in expected:
        for k, begin in enumerate(starts):
            for further in FURTHER:
                stake = 1 / ((k + 1) * (k + 2)) / len(FURTHER)
                for p, y in cases[begin:]:
                    odds = min(max(p, 1e-6), 1 - 1e-6)
                    odds /= 1 - odds
                    right = 1 - 1 / (1 + odds * 1.25**sign)
                    wrong = 1 - 1 / (1 + odds * 1.25**sign * math.exp(sign * further))
                    stake *= wrong / right if y else (1 - wrong) / (1 - right)
                expected[sign] += stake
    p = np.array([each for each, _ in cases], dtype=np.float64)
    y = np.array([each for _, each in cases], dtype=np.bool_)
    bets = bet(p, y, np.array(starts), tolerance=TOLERANCE)
    assert math.exp(bets.above) == pytest.approx(expected[1], rel=1e-6)
    assert math.exp(bets.below) == pytest.approx(expected[-1], rel=1e-6)


def test_more_questions_need_more_and_together_allow_what_one_does() -> None:
    assert math.exp(enough(1, part=1.0)) == pytest.approx(2 / FALSE_ALARMS)
    assert math.exp(enough(10, part=0.5)) == pytest.approx(2 * 10 / (FALSE_ALARMS * 0.5))
