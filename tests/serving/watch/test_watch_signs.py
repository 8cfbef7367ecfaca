"""From figures to sentences: what is an alarm, what is only a note, and what to do about it, the weightiest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from features.calendar_days import DAY
from serving.review_figures import Alarm
from serving.watch_advice import advice
from serving.watch_figures import Answers, CameTrue, Code, Drift, Evidence, Group, Inflow, NewType, Sign, Source
from serving.watch_signs import MOST, signs
from training.bootstrap import Estimate
from training.intervals import Interval

UNKNOWN = Estimate(None, None, None)
NOTHING = Inflow(0, 0, None, False, None, ())
CALM = Evidence(100, 3, None, None)


def came(*groups: Group, converted: int = 0, waiting: int = 0, now: Estimate = UNKNOWN) -> CameTrue:
    return CameTrue(
        0, 500, 400, converted, waiting, 500 * DAY if waiting else None, groups, (), now, Estimate(0.8, 0.77, 0.83)
    )


def group(by: Any, value: str, alarm: Alarm | None, column: str = "") -> Group:
    return Group(
        by, column, value, 400, 90, Interval(50, 38, 63), Interval(0.2, 0.1, 0.3), alarm, 300 * DAY if alarm else None
    )


def told(
    judged: CameTrue | None = None,
    inflow: Inflow = NOTHING,
    sources: Sequence[Source] = (),
    new_types: Sequence[NewType] = (),
    evidence: Evidence = CALM,
    answers: Sequence[Answers] = (),
) -> list[tuple[str, bool, str]]:
    found = signs(judged or came(), inflow, sources, new_types, evidence, answers, zone="UTC")
    return [(each.code, each.alarm, each.words) for each in found]


def drift(topic: str, *, weight: float, drifted: bool = True) -> Drift:
    return Drift(topic, f"{topic}: count", 0.6, 0.1, weight, "missing", 0.84, 0.03, drifted)


def test_calm_figures_say_nothing() -> None:
    inflow = Inflow(
        500, 300, 0, True, drift("", weight=1.0, drifted=False), (drift("page", weight=0.5, drifted=False),)
    )
    source = Source("event_type", "page", 0, DAY, DAY, 90, 80, quiet=False)
    assert told(came(group("all", "", None)), inflow, [source]) == []


def test_alarms_come_first_and_hold_their_figures() -> None:
    found = told(
        came(group("all", "", Alarm.ABOVE), group("attribute", "jp", Alarm.BELOW, "country")),
        new_types=[NewType("pv", 3, 0.01), NewType("view", 900, 0.2)],
    )
    assert [(code, alarm) for code, alarm, _ in found] == [
        ("new_event_type", True),
        ("level", True),
        ("segment", True),
        ("new_event_type", False),
    ]
    assert found[0][2].startswith("The event type view is new since the training: 900 events, 20%")
    assert found[1][2] == (
        "all leads: more leads converted than the model says, 90 of 400 where 38 to 63 were expected, since about 1970-10-28."
    )
    assert found[2][2].startswith("country: jp: fewer leads converted than the model says")


def test_an_input_without_weight_is_named_and_wakes_nobody() -> None:
    inputs = (drift("page", weight=0.5), drift("fax", weight=0.001))
    found = told(inflow=Inflow(500, 300, 0, True, drift("", weight=1.0), inputs))
    assert [(code, alarm) for code, alarm, _ in found] == [("score", True), ("input", True), ("input", False)]
    assert found[1][2] == (
        "page: count: missing for 84% of the newest moments, 3% when the model learned (distance 0.60, within the training "
        "at most 0.10; 50% of the model's weight)."
    )
    apart = replace(drift("page", weight=0.5), distance=0.3)
    inflow = Inflow(500, 300, 0, True, drift("", weight=1.0, drifted=False), (apart,))
    assert [alarm for _, alarm, _ in told(inflow=inflow)] == [False]  # no score moves by it
    assert all(alarm for _, alarm, _ in told(inflow=replace(inflow, score=drift("", weight=1.0))))
    many = tuple(drift(f"topic {i}", weight=0.02) for i in range(40))
    assert len(told(inflow=Inflow(500, 300, 0, True, None, many))) == 2 * MOST


def test_a_quiet_source_says_how_long_or_how_few() -> None:
    silent = Source("table", "events", 0, 9 * DAY, 2 * DAY, 0, 100, quiet=True)
    trickle = Source("channel", "web", 0, DAY, 2 * DAY, 7, 84, quiet=True)
    found = told(sources=[silent, trickle])
    assert [code for code, *_ in found] == ["stale_table", "silent_source"]
    assert "no row for 1 week; the longest pause of the year before was 2 days" in found[0][2]
    assert "7 rows in the last 7 days; the poorest of the 12 weeks before had 84" in found[1][2]


@pytest.mark.parametrize(("ready", "lacking", "alarm"), [(40, 36, True), (40, 22, False), (10, 10, False)])
def test_evidence_alarms_where_surely_more_than_half_lack_it(ready: int, lacking: int, alarm: bool) -> None:
    ((code, found, _),) = told(evidence=Evidence(100, 3, ready, lacking))
    assert (code, found) == ("evidence", alarm)
    assert told(evidence=Evidence(100, 3, ready, 0)) == []


def test_feedback_alarms_where_sales_rejects_most_or_prefers_mqls() -> None:
    assert told(answers=[Answers("sql", 200, 20, 80), Answers("fast_lane", 60, 8, 30)])[0][:2] == ("feedback", True)
    assert told(answers=[Answers("sql", 200, 50, 50)]) == []
    ((_, _, words),) = told(answers=[Answers("sql", 200, 55, 45), Answers("mql", 99, 89, 10)])
    assert "MQLs more often than SQLs: 89 of 99 against 55 of 100" in words
    assert told(answers=[Answers("sql", 9, 1, 8), Answers("mql", 9, 9, 0)]) == []


def said(*codes: Code, converted: int = 10, waiting: int = 0, follows: bool = False) -> str:
    found = [Sign(code, True, code, "") for code in codes]
    judged = came(group("all", "", None), converted=converted, waiting=waiting)
    return advice(
        found, judged, NOTHING, learned=100, trained_until=100 * DAY, now=200 * DAY, zone="UTC", follows=follows
    )


def test_broken_data_are_mended_before_anybody_retrains() -> None:
    assert said("level", "silent_source", "input").startswith("Mend the data first (silent_source)")
    assert said("level", "band").startswith("Retrain now")
    assert "Look at what changed (input)" in said("input", waiting=5)
    assert "settle on 1971-05-16" in said("input", waiting=5)
    assert "recalibrate" in said("level")
    assert "the living calibration follows it" in said("level", follows=True)


def test_without_an_alarm_it_is_how_much_more_there_is_to_learn_from() -> None:
    assert said(converted=50).startswith("Retrain when convenient: 50 more leads")
    # 10 of 50 in 100 days: 400 days more, from day 200 on
    assert said(converted=10).endswith("about 1971-08-24.")
    assert said(converted=2).startswith("No need to retrain: what settled since came true as the model said.")
