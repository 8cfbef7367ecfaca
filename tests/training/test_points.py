"""Points of the old way against a plain loop, what they are made of, and what they say as a probability."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given

from features.calendar_days import DAY, microseconds
from features.history import History
from features.moments import Moments
from features.one_lead import RawEvent, RawLead, history_of_leads
from features.schema import Schema
from oracles.made_histories import SCHEMA, Made, made
from training.points import PointsCurve, PointsRules, points_as_probability, points_breakdown, points_of

NOW = microseconds(datetime(2026, 11, 20, tzinfo=UTC))
SMALL = Schema(
    event_types=("demo_booked", "page_viewed", "whim"),
    stages={"demo_booked": "action", "page_viewed": "awareness"},
    attributes={"size": "category", "seats": "number", "founded": "date"},
    categories={"size": ("1000+", "2-10")},
)
RULES = PointsRules(
    events={"whim": -2.5},
    stages=SMALL.stages,
    attributes={"size": {"1000+": 15.0, "2-10": -5.0}, "seats": {"3": 4.0}, "founded": 1.0},
)


def history(*events: RawEvent, **attributes: float | str | None) -> History:
    lead = RawLead("a", NOW - 100 * DAY, attributes=attributes, events=events)
    return history_of_leads(SMALL, [lead], as_of=NOW)


def points(found: History, as_of: int = NOW) -> float:
    return float(points_of(found, Moments(np.array([0]), np.array([as_of])), RULES)[0])


def test_an_event_is_worth_its_stage_and_half_of_it_after_thirty_days() -> None:
    assert points(history(RawEvent("demo_booked", NOW - 30 * DAY))) == pytest.approx(10.0)
    assert points(history(RawEvent("page_viewed", NOW - 60 * DAY))) == pytest.approx(0.25)
    assert points(history(RawEvent("never heard of", NOW - 30 * DAY))) == pytest.approx(0.5)


def test_points_of_the_toml_win_and_may_be_negative() -> None:
    assert points(history(RawEvent("whim", NOW - 30 * DAY))) == pytest.approx(-1.25)


def test_an_event_at_the_moment_itself_is_worth_nothing_yet() -> None:
    found = history(RawEvent("demo_booked", NOW), RawEvent("demo_booked", NOW - DAY, recorded_at=NOW))
    assert points(found) == 0
    assert points(found, NOW + 1) == pytest.approx(20 + 20 * 2 ** (-1 / 30))


def test_attributes_give_their_points_by_value_and_unknown_ones_none() -> None:
    assert points(history(size="1000+", seats=3.0, founded=0.0)) == 15 + 4 + 1
    assert points(history(size="2-10", seats=4.0)) == -5
    assert points(history(size=None)) == 0


def test_without_leads_events_or_attributes_there_are_no_points() -> None:
    empty = history_of_leads(SMALL, [], as_of=NOW)
    none = Moments(np.empty(0, np.int64), np.empty(0, np.int64))
    assert points_of(empty, none, RULES).tolist() == []
    assert points_breakdown(empty, none, RULES) == []
    assert points(history()) == 0


def plain_points(found: History, lead: int, as_of: int, rules: PointsRules) -> float:
    """One moment, row by row."""
    events, table, total = found.events, found.attributes, 0.0
    for row in range(events.offsets[lead], events.offsets[lead + 1]):
        if events.known_at[row] < as_of:
            worth = rules.of_type(events.vocabularies[0][events.codes[0, row]])
            total += worth * 2.0 ** (-(as_of - int(events.occurred_at[row])) / (30 * DAY))
    rows = range(table.offsets[lead], table.offsets[lead + 1])
    for name, worths in rules.attributes.items():
        place = found.schema.attribute_categories.index(name)
        known = [row for row in rows if table.known_at[row] < as_of and table.codes[place, row] >= 0]
        if known:
            value = table.vocabularies[place][table.codes[place, known[-1]]]
            total += worths.get(value, 0.0) if isinstance(worths, dict) else float(worths)  # type: ignore[arg-type]
    return total


@given(made())
def test_points_and_what_they_are_made_of_agree_with_a_plain_loop(case: Made) -> None:
    names = SCHEMA.attribute_categories
    attributes = {name: {value: 1.5 + i for i, value in enumerate(SCHEMA.categories[name][1:])} for name in names}
    rules = PointsRules(events={"page": 2.0}, stages=SCHEMA.stages, attributes=attributes)
    found = points_of(case.history, case.moments, rules)
    parts = points_breakdown(case.history, case.moments, rules)
    for row in range(len(case.moments)):
        expected = plain_points(case.history, int(case.moments.lead[row]), int(case.moments.as_of[row]), rules)
        assert found[row] == pytest.approx(expected, rel=1e-12, abs=1e-12)
        assert sum(each.points for each in parts[row]) == pytest.approx(expected, rel=1e-9, abs=1e-9)
        alone = points_of(case.history, case.moments.take(np.array([row])), rules)
        assert alone[0] == found[row], "a moment alone gets the same bits"


def test_points_are_made_of_event_types_and_attributes_the_most_first() -> None:
    found = history(
        RawEvent("page_viewed", NOW - 30 * DAY),
        RawEvent("page_viewed", NOW - 30 * DAY),
        RawEvent("demo_booked", NOW - 30 * DAY),
        size="2-10",
    )
    (parts,) = points_breakdown(found, Moments(np.array([0]), np.array([NOW])), RULES)
    told = [(each.feature, each.group, each.points, each.value) for each in parts]
    assert told == [
        ("demo_booked", "engagement", 10.0, 1.0),
        ("page_viewed", "engagement", 1.0, 2.0),
        ("size", "fit", -5.0, "2-10"),
    ]


def test_points_as_probability_rise_with_what_was_seen_and_start_from_its_rate() -> None:
    rng = np.random.default_rng(0)
    x = rng.exponential(20, 4000)
    label = (rng.random(4000) < 1 / (1 + np.exp(2 - 0.6 * np.log1p(x)))).astype(np.int8)
    curve = PointsCurve.fit(x, label)
    assert curve.slope == pytest.approx(0.6, abs=0.12)
    assert points_as_probability(x, label, x).mean() == pytest.approx(label.mean(), abs=1e-3)


@pytest.mark.parametrize("label", [[0, 0, 0, 0], [1, 1, 1, 1], [0, 0, 1, 1]])
def test_points_as_probability_stay_inside_whatever_was_seen(label: list[int]) -> None:
    for x in ([0.0, 0, 0, 0], [0.0, 1, 50, 100], [-5.0, 0, 0, 9]):
        found = points_as_probability(np.array(x), np.array(label), np.array([-100.0, 0.0, 1e6]))
        assert ((found > 0) & (found < 1)).all()


def test_rules_come_back_from_json() -> None:
    assert PointsRules.from_json(RULES.to_json()) == RULES
