"""What came true: each lead once a group, nothing that depends on how it ended, alarms in the right group."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from features.calendar_days import DAY
from serving.review_figures import Alarm, Case, Ends, Kind
from serving.watch_figures import CameTrue
from serving.watch_outcomes import FEWEST, Judged, Part, judge, judge_served, periods, ranking, ranking_fell
from training.bootstrap import Estimate
from training.intervals import how_many

HORIZON = 30 * DAY


def judged(rng: np.random.Generator, n: int = 3000, factor: float = 1.0, leads: int | None = None) -> Judged:
    p = rng.beta(1, 6, n)
    true = factor * p / (1 + (factor - 1) * p)
    return Judged(
        np.sort(rng.integers(0, leads, n)) if leads else np.arange(n),
        np.sort(rng.integers(0, 300 * DAY, n)),
        p,
        rng.random(n) < true,
    )


def of(cases: Judged, *parted: Part, learned: int = 5000) -> list[Any]:
    return judge(cases, parted, since=0, step=HORIZON, learned=learned)


def test_a_lead_counts_once_in_a_group_with_its_first_moment_there() -> None:
    cases = Judged(np.array([1, 2, 1, 2, 3]), np.arange(5), np.full(5, 0.1), np.zeros(5, dtype=np.bool_))
    assert cases.first_of_each_lead(np.ones(5, dtype=np.bool_)).tolist() == [0, 1, 4]
    assert cases.first_of_each_lead(np.array([False, False, True, True, False])).tolist() == [2, 3]


def test_first_moments_are_fair_where_a_draw_of_settled_ones_is_not() -> None:
    """Leads that convert early have fewer moments: drawing one of each lead's favours those before a conversion."""
    rng = np.random.default_rng(3)
    lead = np.repeat(np.arange(20_000), 3)
    number = np.tile(np.arange(3), 20_000)
    ends = np.where(rng.random(20_000) < 0.3, rng.integers(0, 3, 20_000), 99)[
        lead
    ]  # after which of its moments it converts
    open_ = number <= ends
    chance = np.array([0.3, 0.2 / 0.9, 0.1 / 0.8])[number]
    order = np.argsort(number[open_], kind="stable")
    cases = Judged(*(each[open_][order] for each in (lead, number * DAY, chance, ends < 99)))
    first = cases.first_of_each_lead(np.ones(len(cases.at), dtype=np.bool_))
    assert how_many(cases.probability[first]).holds(int(cases.converted[first].sum()))
    shuffled = rng.permutation(len(cases.at))
    drawn = shuffled[np.unique(cases.lead[shuffled], return_index=True)[1]]
    assert cases.converted[drawn].sum() > how_many(cases.probability[drawn]).high


def test_an_alarm_is_raised_for_the_group_that_is_off_and_for_no_other() -> None:
    rng = np.random.default_rng(4)
    cases = judged(rng)
    off = np.arange(3000) % 5 == 0
    worse = replace(cases, converted=cases.converted & (~off | (rng.random(3000) < 0.15)))
    found = of(
        worse, ("attribute", "size", "big", off), ("attribute", "size", "small", ~off), ("band", "", "SQL", ~off)
    )
    assert [(each.value, each.alarm) for each in found] == [
        ("", None),
        ("big", Alarm.BELOW),
        ("small", None),
        ("SQL", None),
    ]
    assert found[1].leads == off.sum()
    assert found[1].expected == how_many(cases.probability[off])


def test_all_leads_off_are_found_in_both_directions_and_dated() -> None:
    for factor, alarm in ((2.0, Alarm.ABOVE), (0.5, Alarm.BELOW)):
        rng = np.random.default_rng(5)
        good, bad = judged(rng, 2000), judged(rng, 3000, factor)
        cases = Judged(
            np.arange(5000),
            np.concatenate([good.at, 300 * DAY + bad.at]),
            np.concatenate([good.probability, bad.probability]),
            np.concatenate([good.converted, bad.converted]),
        )
        everybody = of(cases)[0]
        assert everybody.alarm is alarm
        assert everybody.since is not None
        assert abs(everybody.since - 300 * DAY) <= 60 * DAY
        assert of(good)[0].alarm is None


def test_what_few_conversions_left_open_is_tolerated() -> None:
    cases = judged(np.random.default_rng(6), factor=1.6)
    assert of(cases)[0].alarm is Alarm.ABOVE
    assert of(cases, learned=16)[0].alarm is None


def test_small_groups_are_not_judged() -> None:
    cases = judged(np.random.default_rng(7), FEWEST)
    mask = np.arange(FEWEST) > 0
    assert [each.by for each in of(cases, ("stage", "", "decision", mask))] == ["all"]
    assert of(judged(np.random.default_rng(7), FEWEST - 1)) == []


def test_served_probabilities_are_judged_by_kind_where_they_settled() -> None:
    rng = np.random.default_rng(8)
    p = rng.beta(2, 5, 400)
    cases = [Case(f"lead-{i}", Kind.SQL if i % 2 else Kind.MQL, int(i * DAY), 0, float(p[i])) for i in range(400)]
    cases += [Case("open", Kind.SQL, 390 * DAY, 0, 0.5), Case("points", Kind.SQL, 0, 0, None)]
    wins = {f"lead-{i}": int(i * DAY) for i in range(400) if rng.random() < (p[i] if i % 2 else p[i] / 4)}
    model: Any = SimpleNamespace(horizon=HORIZON, converted_leads=5000)
    found = judge_served(cases, Ends(wins, 400 * DAY), model, since=0, step=HORIZON)
    assert {each.value: (each.by, each.alarm) for each in found} == {
        "mql": ("served", Alarm.BELOW),
        "sql": ("served", None),
    }
    assert sum(each.leads for each in found) == 371  # the last 30 days are not settled
    assert judge_served([], Ends({}, 0), model, since=0, step=HORIZON) == []


def test_periods_cover_the_time_once_and_are_at_most_twelve() -> None:
    cases = judged(np.random.default_rng(9), 4000)
    found = periods(cases, since=-1, step=7 * DAY)
    assert len(found) <= 12
    assert all(one.last == other.first for one, other in pairwise(found))
    assert sum(each.leads for each in found) == 4000
    assert sum(each.converted for each in found) == cases.converted.sum()


def came(now: Estimate, then: Estimate) -> CameTrue:
    return CameTrue(0, 0, 0, 0, 0, None, (), (), now, then)


def test_a_ranking_fell_only_beyond_both_intervals_and_by_enough() -> None:
    rng = np.random.default_rng(10)
    then = ranking(judged(rng, leads=900))
    assert then.point is not None
    assert not ranking_fell(came(ranking(judged(rng, leads=900)), then))
    cases = judged(rng, leads=900)
    shuffled: NDArray[np.float64] = rng.permutation(cases.probability)
    assert ranking_fell(came(ranking(replace(cases, probability=shuffled)), then))
    assert not ranking_fell(came(Estimate(None, None, None), then))
    assert not ranking_fell(came(Estimate(0.79, 0.78, 0.795), Estimate(0.81, 0.80, 0.82)))


@pytest.mark.parametrize("converted", [0, 29])
def test_a_ranking_of_few_conversions_is_not_given(converted: int) -> None:
    cases = judged(np.random.default_rng(11), 300)
    few = replace(cases, converted=np.arange(300) < converted)
    assert ranking(few) == Estimate(None, None, None)
