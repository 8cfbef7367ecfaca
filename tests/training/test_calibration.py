"""Calibrators rise strictly and smoothly, can be turned round, and are only used where they clearly help."""

import json
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from oracles.made_training_sets import DAY
from training.calibration import IDENTITY, LEAST, Calibrator, Kind, choose_calibrator, fit_calibrator
from training.losses import log_losses, paired_difference

slopes = st.one_of(st.just(0.0), st.floats(0.05, 5.0))


@st.composite
def calibrators(draw: st.DrawFn) -> Calibrator:
    kind = draw(st.sampled_from(["identity", "platt", "beta"]))
    if kind == "identity":
        return IDENTITY
    shift = draw(st.floats(-3.0, 3.0))
    low = draw(slopes)
    high = low if kind == "platt" else draw(slopes)
    assume(low + high > 0)
    return Calibrator(kind, low, high, shift)  # type: ignore[arg-type]


@given(calibrators(), st.lists(st.floats(-8, 8), min_size=2, max_size=20))
def test_a_higher_score_never_has_a_lower_probability(calibrator: Calibrator, raw: list[float]) -> None:
    scores = np.unique(np.round(raw, 3))
    probability = calibrator.probability(scores)
    inside = (probability > LEAST) & (probability < 1 - LEAST)
    assert (np.diff(probability) >= 0).all()
    assert (np.diff(probability[inside]) > 0).all()
    assert (probability >= LEAST).all()
    assert (probability <= 1 - LEAST).all()


@given(calibrators(), st.floats(-9, 9))
def test_the_inverse_finds_the_score_again(calibrator: Calibrator, raw: float) -> None:
    probability = float(calibrator.probability(np.array([raw]))[0])
    assume(LEAST < probability < 1 - LEAST)
    found = calibrator.raw_of(probability)
    assert found is not None
    assert calibrator.probability(np.array([found]))[0] == pytest.approx(probability, rel=1e-9)


@given(calibrators(), st.floats(0, 1))
def test_the_inverse_names_a_score_or_says_that_there_is_none(calibrator: Calibrator, probability: float) -> None:
    found = calibrator.raw_of(probability)
    if found is None:
        reach = calibrator.probability(np.array([-1e9, 1e9]))
        outside = not LEAST <= probability <= 1 - LEAST
        assert outside or not reach[0] < probability < reach[1]
    else:
        assert calibrator.probability(np.array([found]))[0] == pytest.approx(probability, rel=1e-6)


def test_a_bounded_side_cannot_be_reached() -> None:
    bounded = Calibrator("beta", low=0.0, high=1.0, shift=-1.0)  # log-odds never fall to -1
    floor = 1 / (1 + math.e)
    assert bounded.raw_of(floor * 0.99) is None
    assert bounded.raw_of(floor * 1.01) is not None


def test_identity_is_the_sigmoid_and_clamped() -> None:
    raw = np.array([-100.0, -2.0, 0.0, 2.0, 100.0])
    assert IDENTITY.probability(raw).tolist() == pytest.approx(
        [LEAST, 1 / (1 + math.exp(2)), 0.5, 1 / (1 + math.exp(-2)), 1 - LEAST], abs=1e-15
    )
    assert IDENTITY.raw_of(0.5) == 0.0
    assert IDENTITY.raw_of(0.0) is None
    assert IDENTITY.raw_of(1.0) is None


@given(calibrators(), st.lists(st.floats(-30, 30), min_size=1, max_size=30))
def test_a_score_alone_has_the_bits_it_has_among_others(calibrator: Calibrator, raw: list[float]) -> None:
    scores = np.array(raw)
    alone = np.concatenate([calibrator.probability(scores[i : i + 1]) for i in range(len(scores))])
    assert np.array_equal(calibrator.probability(scores), alone)


def test_any_shape_of_scores_keeps_its_shape() -> None:
    square = np.array([[0.0, 1.0], [2.0, -1.0]])
    square.flags.writeable = False
    assert IDENTITY.probability(square).shape == (2, 2)
    assert IDENTITY.probability(square.T)[0, 1] == IDENTITY.probability(np.array(2.0))


@given(calibrators())
def test_written_and_read_again_it_is_equal(calibrator: Calibrator) -> None:
    assert Calibrator.from_json(json.loads(json.dumps(calibrator.to_json()))) == calibrator


@pytest.mark.parametrize(("low", "high"), [(-0.1, 1.0), (1.0, -0.1), (0.0, 0.0), (math.nan, 1.0), (math.inf, 1.0)])
def test_slopes_that_do_not_rise_are_refused(low: float, high: float) -> None:
    with pytest.raises(ValueError, match="slopes"):
        Calibrator("beta", low, high, 0.0)


def drawn(true: Calibrator, n: int = 20_000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    raw = rng.normal(-1.0, 1.5, n)
    return raw, (rng.random(n) < true.probability(raw)).astype(np.int8)


def test_fits_find_the_slopes_that_made_the_outcomes() -> None:
    platt = fit_calibrator("platt", *drawn(Calibrator("platt", 0.6, 0.6, 0.4)))
    assert platt is not None
    assert (platt.low, platt.shift) == (pytest.approx(0.6, abs=0.05), pytest.approx(0.4, abs=0.05))
    beta = fit_calibrator("beta", *drawn(Calibrator("beta", 0.5, 1.4, 0.2)))
    assert beta is not None
    assert (beta.low, beta.high) == (pytest.approx(0.5, abs=0.12), pytest.approx(1.4, abs=0.12))


@pytest.mark.parametrize("kind", ["platt", "beta"])
def test_scores_that_fall_with_the_outcomes_have_no_calibrator(kind: Kind) -> None:
    raw, label = drawn(IDENTITY)
    assert fit_calibrator(kind, -raw, label) is None


def test_a_fit_that_wants_a_falling_side_is_held_at_flat() -> None:
    rng = np.random.default_rng(1)
    raw = rng.normal(0, 2, 5000)
    label = (rng.random(5000) < np.where(raw > 0, 0.2 + 0.1 * np.minimum(raw, 5), 0.3)).astype(np.int8)
    beta = fit_calibrator("beta", raw, label)
    assert beta is not None
    assert beta.low == 0.0
    assert beta.high > 0.0


@pytest.mark.parametrize("kind", ["platt", "beta"])
def test_separated_outcomes_give_finite_slopes(kind: Kind) -> None:
    raw = np.array([-2.0, -1.0, 1.0, 2.0])
    assert fit_calibrator(kind, raw, np.array([0, 0, 1, 1], dtype=np.int8)) is not None


def test_scores_that_are_true_stay_as_they_are() -> None:
    raw, label = drawn(IDENTITY, 6000)
    lead = np.arange(6000) // 2
    chosen, table = choose_calibrator(raw, label, lead, np.arange(6000) * DAY)
    assert chosen == IDENTITY
    assert set(table) == {"identity", "platt", "beta"}


def test_scores_that_are_far_off_all_the_time_are_mended() -> None:
    true = Calibrator("platt", 0.4, 0.4, -1.0)
    raw, label = drawn(true, 6000)
    for as_of in (np.arange(6000) * DAY, np.zeros(6000, dtype=np.int64)):
        chosen, table = choose_calibrator(raw, label, np.arange(6000) // 2, as_of)
        assert chosen.kind != "identity"
        assert chosen.probability(raw) == pytest.approx(true.probability(raw), abs=0.05)
        assert table[chosen.kind]["difference"] < -table[chosen.kind]["error"]


def test_what_only_helped_at_first_is_not_chosen() -> None:
    raw, label = drawn(IDENTITY, 6000)
    early, _ = drawn(Calibrator("platt", 1.0, 1.0, 2.0), 6000)
    label[:1500] = (np.random.default_rng(2).random(1500) < IDENTITY.probability(early[:1500] + 2)).astype(np.int8)
    raw[:1500] = early[:1500]
    assert choose_calibrator(raw, label, np.arange(6000), np.arange(6000) * DAY)[0] == IDENTITY


def test_rows_of_one_lead_are_one_draw() -> None:
    rng = np.random.default_rng(0)
    loss = rng.random(1000)
    once = paired_difference(loss, np.zeros(1000), np.arange(1000))
    often = paired_difference(np.repeat(loss, 10), np.zeros(10_000), np.repeat(np.arange(1000), 10))
    assert often == (pytest.approx(once[0]), pytest.approx(once[1]))
    assert once[1] == pytest.approx(loss.std(ddof=1) / math.sqrt(1000))
    assert paired_difference(loss, np.zeros(1000), np.zeros(1000))[1] == math.inf


def test_log_loss_of_huge_log_odds_is_finite() -> None:
    losses = log_losses(np.array([800.0, -800.0, 0.0]), np.array([0, 0, 1], dtype=np.int8))
    assert losses.tolist() == pytest.approx([800.0, 0.0, math.log(2)])
