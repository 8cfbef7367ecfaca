"""Living calibration: it follows a drift, leaves alone what holds, and depends on nothing that settled later."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from features.calendar_days import DAY
from training.calibration import Calibrator
from training.living_calibration import (
    FEWEST,
    MOST_SHIFT,
    SLOPES,
    UNMOVED,
    LivingMap,
    Outcomes,
    follow_outcomes,
    walk_on,
)
from training.losses import log_losses

LATER = 30 * DAY


def made(
    truth: NDArray[np.float64], said: NDArray[np.float64], *, seed: int = 0, each: int = 1, a_day: int = 20
) -> Outcomes:
    """Outcomes drawn by true log-odds, beside what a model said; `each` moments a lead, so many moments a day."""
    draw = np.random.default_rng(seed)
    n = len(truth)
    lead = np.arange(n) // each
    # what happens to a lead happens at all of its moments
    chance = draw.random(n // each + 1)[lead]
    label = (chance < 1 / (1 + np.exp(-truth))).astype(np.int8)
    return Outcomes(said, label, lead, (np.arange(n) * DAY) // a_day, LATER)


def scores(n: int, seed: int = 1) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(-2.0, 1.0, n)


def last(outcomes: Outcomes) -> int:
    return int(outcomes.as_of[-1]) + LATER


def test_under_300_settled_leads_nothing_is_followed() -> None:
    z = scores(2 * FEWEST - 2)
    two_each = made(z + 2, z, each=2)
    assert follow_outcomes(two_each, last(two_each)) is UNMOVED
    z = scores(FEWEST)
    enough = made(z + 2, z)
    assert follow_outcomes(enough, last(enough) - 1) is UNMOVED, "the last one has not settled yet"
    assert follow_outcomes(enough, last(enough)) is not UNMOVED


def test_a_rate_that_moved_is_followed() -> None:
    z = scores(6000)
    outcomes = made(z + np.where(np.arange(6000) < 3000, 0.0, 1.5), z)
    found = follow_outcomes(outcomes, last(outcomes))
    assert found.log_odds(np.array([-2.0]))[0] == pytest.approx(-0.5, abs=0.2)
    assert found.stays < 0.01
    assert found.memory < 3000


def test_a_slope_that_is_wrong_is_followed_with_enough_outcomes() -> None:
    z = scores(8000)
    outcomes = made(-2.0 + 0.6 * (z + 2.0), z)
    found = follow_outcomes(outcomes, last(outcomes))
    assert found.slope == pytest.approx(0.6, abs=0.12)


@pytest.mark.parametrize("each", [1, 5])
def test_what_holds_is_left_as_it_is(each: int) -> None:
    """Over many draws without drift: told ahead it costs next to nothing of the log loss."""
    lost, moved = [], []
    for seed in range(3):
        z = np.repeat(scores(3000 // each, seed), each)
        outcomes = made(z, z, seed=seed, each=each)
        first, followed = walk_on(outcomes, last(outcomes), steps=6)
        label = outcomes.label[first:]
        before, after = log_losses(outcomes.log_odds[first:], label).mean(), log_losses(followed, label).mean()
        lost.append((after - before) / before)
        moved.append(abs(follow_outcomes(outcomes, last(outcomes)).log_odds(np.array([-2.0]))[0] + 2.0))
    assert np.mean(lost) < 0.004 * each
    assert np.mean(moved) < 0.1


def test_followed_ahead_a_drift_costs_less_than_left_alone() -> None:
    z = scores(6000)
    outcomes = made(z + np.linspace(0.0, 2.5, 6000), z)
    first, followed = walk_on(outcomes, last(outcomes), steps=10)
    assert first < 1500
    label = outcomes.label[first:]
    truth = (z + np.linspace(0.0, 2.5, 6000))[first:]
    before, after, least = (log_losses(each, label).mean() for each in (z[first:], followed, truth))
    assert after - least < 0.15 * (before - least), "most of what the drift costs is won back"


@given(st.integers(FEWEST, 900), st.integers(0, 5), st.floats(-9, 9), st.floats(0.05, 4))
@settings(max_examples=20, deadline=None)
def test_whatever_happened_the_map_increases_within_its_bounds(n: int, seed: int, shift: float, slope: float) -> None:
    z = scores(n, seed)
    outcomes = made(slope * z + shift, z, seed=seed)
    found = follow_outcomes(outcomes, last(outcomes))
    assert SLOPES[0] <= found.slope <= SLOPES[1]
    assert abs(found.log_odds(z).mean() - z.mean()) <= MOST_SHIFT + 1e-9


@given(st.integers(FEWEST + 700, 1500), st.integers(0, 9))
@settings(max_examples=10, deadline=None)
def test_what_settles_later_changes_nothing(n: int, seed: int) -> None:
    z = scores(n, seed)
    outcomes = made(z + 1, z, seed=seed)
    now = int(outcomes.as_of[FEWEST + 50]) + LATER
    other = np.where(outcomes.as_of + LATER > now, 1 - outcomes.label, outcomes.label).astype(np.int8)
    assert follow_outcomes(outcomes, now) == follow_outcomes(replace(outcomes, label=other), now)


def test_one_more_outcome_moves_little() -> None:
    z = scores(1200)
    outcomes = made(z + 1.2, z)
    at = [int(outcomes.as_of[row]) + LATER for row in range(1000, 1040, 5)]
    told = [follow_outcomes(outcomes, now).log_odds(np.array([-2.0]))[0] for now in at]
    assert np.abs(np.diff(told)).max() < 0.15


def test_outcomes_that_make_no_sense_are_refused() -> None:
    good = made(scores(10), scores(10))
    with pytest.raises(ValueError, match="sorted by time"):
        replace(good, as_of=good.as_of[::-1])
    with pytest.raises(ValueError, match="finite log-odds"):
        replace(good, log_odds=np.full(10, np.nan))
    with pytest.raises(ValueError, match="one length"):
        replace(good, label=good.label[1:])
    with pytest.raises(ValueError, match="slope is positive"):
        LivingMap(slope=0.0)


@given(
    st.sampled_from([Calibrator(), Calibrator("platt", 0.8, 0.8, -0.3), Calibrator("beta", 0.5, 1.4, 0.2)]),
    st.floats(0.5, 2),
    st.floats(-3, 3),
)
def test_a_moved_calibrator_is_the_map_after_the_calibrator(before: Calibrator, slope: float, shift: float) -> None:
    raw = np.linspace(-8, 8, 41)
    found = before.moved(slope, shift)
    assert found.log_odds(raw) == pytest.approx(slope * before.log_odds(raw) + shift, abs=1e-9)
    assert (np.diff(found.log_odds(raw)) > 0).all()
    assert found.kind != "identity"
