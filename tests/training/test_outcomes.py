"""Labels: one microsecond decides, and it is tested on both sides."""

import numpy as np
import pytest

from features.history import NEVER, Attributes, Events, History, Outcomes
from features.moments import Moments
from features.schema import Schema
from training.outcomes import label_moments, recording_start, settles_at

HORIZON = 100


def history_of(at: list[int], converted: list[bool], *, data_end: int, delay: int = 0) -> History:
    n = len(at)
    none = np.zeros(0, dtype=np.int64)
    offsets = np.zeros(n + 1, dtype=np.int64)
    events = Events(
        offsets, none, none, none.astype(np.int32), np.zeros((2, 0), np.int32), ((), ()), np.zeros((1, 0), np.float64)
    )
    attributes = Attributes(offsets, none, none, np.zeros((0, 0), np.int32), (), np.zeros((0, 0), np.float64))
    times = np.array(at, dtype=np.int64)
    return History(
        schema=Schema(),
        lead_ids=np.array([f"lead-{i}" for i in range(n)], dtype=object),
        created_at=np.zeros(n, dtype=np.int64),
        events=events,
        attributes=attributes,
        outcomes=Outcomes(times, times, np.array(converted, dtype=np.bool_), delay),
        data_end=data_end,
        now=data_end,
        labels={},
    )


def label(outcome: int, *, won: bool = True, as_of: int = 1000, data_end: int = 10_000, delay: int = 0) -> int:
    history = history_of([outcome], [won], data_end=data_end, delay=delay)
    moments = Moments(np.array([0], dtype=np.int64), np.array([as_of], dtype=np.int64))
    return int(label_moments(history, moments, HORIZON)[0])


def test_conversion_at_the_moment_itself_counts() -> None:
    assert label(1000) == 1
    assert label(999) == 0


def test_conversion_at_the_end_of_the_horizon_is_too_late() -> None:
    assert label(1099) == 1
    assert label(1100) == 0


def test_loss_is_no_conversion() -> None:
    assert label(1050, won=False) == 0


def test_lead_without_outcome_did_not_convert() -> None:
    assert label(NEVER, won=False) == 0


def test_data_that_end_with_the_horizon_and_the_delay_settle_the_moment() -> None:
    assert label(1050, data_end=1100) == 1
    assert label(1050, data_end=1099) == -1
    assert label(1050, data_end=1120, delay=20) == 1
    assert label(1050, data_end=1119, delay=20) == -1
    assert label(NEVER, won=False, data_end=1119, delay=20) == -1


@pytest.mark.parametrize("won", [True, False])
def test_outcome_that_was_already_seen_does_not_settle_the_moment(won: bool) -> None:
    assert label(1001, won=won, data_end=1099) == -1


def test_order_of_moments_is_kept_and_a_lead_may_appear_often() -> None:
    history = history_of([1050, NEVER], [True, False], data_end=2000)
    moments = Moments(np.array([0, 1, 0, 0]), np.array([1000, 1000, 900, 1950]))
    assert label_moments(history, moments, HORIZON).tolist() == [1, 0, 0, -1]
    assert settles_at(history, moments, HORIZON).tolist() == [1100, 1100, 1000, 2050]


def test_horizon_must_be_positive() -> None:
    history = history_of([1050], [True], data_end=2000)
    with pytest.raises(ValueError, match="positive"):
        label_moments(history, Moments(np.zeros(1, np.int64), np.zeros(1, np.int64)), 0)


def moments_at(times: list[int]) -> Moments:
    return Moments(np.zeros(len(times), dtype=np.int64), np.array(times, dtype=np.int64))


def test_recording_began_a_quarter_of_the_horizon_before_the_first_conversion() -> None:
    history = history_of([50, 1000, 1200], [False, True, True], data_end=5000)
    assert recording_start(history, HORIZON, moments_at([974, 974, 975, 1000])) == 975


def test_a_quarter_of_early_moments_is_not_more_than_a_quarter() -> None:
    history = history_of([1000], [True], data_end=5000)
    assert recording_start(history, HORIZON, moments_at([974, 975, 1000, 1100])) is None


def test_without_conversions_nothing_is_known_about_recording() -> None:
    history = history_of([10, NEVER], [False, True], data_end=5000)
    assert recording_start(history, HORIZON, moments_at([1, 2])) is None
