"""Moments and the schedules that make them."""

import numpy as np
import pytest

from features.errors import MomentOutsideHistory
from features.history import NEVER, History, Outcomes
from features.moments import Schedule
from oracles.made_histories import SCHEMA, MadeLead, history_of, moments_of

DAY = 86_400_000_000


def made(*created: int, ended: dict[int, int] | None = None, data_end: int = 100 * DAY) -> History:
    """Leads created on these days; `ended`: position of a lead to the day of its outcome."""
    from dataclasses import replace

    history = history_of({f"lead{i}": MadeLead(created_at=day * DAY) for i, day in enumerate(created)}, SCHEMA)
    at = np.full(len(created), NEVER)
    for lead, day in (ended or {}).items():
        at[lead] = day * DAY
    outcomes = Outcomes(at=at, known_at=at, converted=np.zeros(len(created), dtype=np.bool_))
    return replace(history, outcomes=outcomes, data_end=data_end)


def days(history: History, schedule: Schedule) -> list[tuple[int, float]]:
    moments = schedule.moments(history)
    return [(int(lead), as_of / DAY) for lead, as_of in zip(moments.lead, moments.as_of, strict=True)]


def test_after_creation_gives_one_moment_an_offset_sorted_by_time() -> None:
    schedule = Schedule(after_creation=(DAY, 7 * DAY))
    assert days(made(0, 3), schedule) == [(0, 1), (1, 4), (0, 7), (1, 10)]


def test_every_counts_from_creation_strictly_until_the_limit() -> None:
    assert days(made(0), Schedule(every=7 * DAY, until=21 * DAY)) == [(0, 7), (0, 14)]
    assert days(made(0), Schedule(every=7 * DAY, until=21 * DAY + 1)) == [(0, 7), (0, 14), (0, 21)]


def test_no_moment_at_or_after_the_first_outcome() -> None:
    schedule = Schedule(every=7 * DAY, until=28 * DAY)
    assert days(made(0, ended={0: 14}), schedule) == [(0, 7)]
    assert days(made(0, ended={0: 15}), schedule) == [(0, 7), (0, 14)]


def test_no_moment_at_or_after_the_end_of_the_data() -> None:
    assert days(made(90), Schedule(after_creation=(DAY, 10 * DAY))) == [(0, 91)]
    assert days(made(100), Schedule(after_creation=(DAY,))) == []


def test_a_silent_schedule_follows_the_horizon() -> None:
    silent = Schedule.silent(90 * DAY, has_events=True)
    assert [each / DAY for each in silent.after_creation] == [1, 7, 30, 60, 90, 135, 180]
    assert Schedule.silent(90 * DAY, has_events=False).after_creation == (1_000_000,)


def test_a_schedule_is_of_one_kind() -> None:
    with pytest.raises(ValueError, match="either"):
        Schedule(after_creation=(DAY,), every=DAY)
    with pytest.raises(ValueError, match="either"):
        Schedule()


def test_moments_at_or_before_creation_and_of_unknown_leads_are_refused_by_name() -> None:
    history = made(5)
    moments_of([(0, 5 * DAY + 1)]).check(history)
    with pytest.raises(MomentOutsideHistory, match="moment 1: its lead was not created yet"):
        moments_of([(0, 6 * DAY), (0, 5 * DAY)]).check(history)
    with pytest.raises(MomentOutsideHistory, match="moment 0: its lead is unknown"):
        moments_of([(-1, 6 * DAY)]).check(history)
