"""One lead's page: every reason opens what it is about, the steps add up, and what is missing is named."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from features.calendar_days import DAY, HOUR
from features.definitions import ALL, OTHER, Selector
from features.one_lead import RawEvent, RawLead, history_of_leads
from features.wording import LANGS, Lang
from oracles.found_leads import LEADS, MODEL, busiest, found_lead, score_of, with_event
from oracles.made_service import NOW, SCHEMA
from serving.absent_evidence import absent_evidence
from serving.lead_events import attribute_since, selected, selectors, visible_events
from serving.lead_page import lead_page
from serving.lead_source import FoundLead
from serving.people_record import PeopleRecord, people_record
from serving.serving_model import ColdStart
from serving.store import Store
from serving.store.opening import open_address
from serving.waterfall import waterfall
from training.points import PointsRules

NOTHING = PeopleRecord(None, {}, (), ())


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One for all: nothing is written here."""
    opened = open_address("sqlite:///store.db", tmp_path_factory.mktemp("store"))
    yield opened
    opened.close()


def page(found: FoundLead, lang: Lang = "en", record: PeopleRecord = NOTHING, **told: Any) -> dict[str, Any]:
    score = dataclasses.replace(score_of(found, lang=lang), **told)
    return lead_page(score, found, record, lang=lang, now=NOW, link=None, live=True)


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("number", range(0, 300, 17))
def test_every_lead_has_a_page_whose_steps_add_up(store: Store, number: int, lang: Lang) -> None:
    found = found_lead(store, LEADS[number])
    content, score = page(found, lang), score_of(found, lang=lang)
    assert score.reasons is not None
    assert score.reasons.raw_log_odds is not None
    assert score.reasons.base_log_odds is not None
    steps = [float(each["amount"].replace("−", "-")) for each in content["waterfall"] if each["amount"]]
    reached = score.reasons.raw_log_odds - score.reasons.base_log_odds
    assert abs(sum(steps) - reached) < 0.006 * len(steps)
    assert content["waterfall"][-1]["reached"] == content["figure"]
    for each in content["waterfall"]:
        assert 0 <= each["x"] <= each["x"] + each["size"] <= 101


def test_a_waterfall_begins_at_the_base_and_ends_at_the_score(store: Store) -> None:
    found = found_lead(store, busiest())
    rows = waterfall(score_of(found), MODEL.bundle.scorer.calibrator, "en")
    assert (rows[0]["kind"], rows[-1]["kind"]) == ("base", "total")
    ends = [(row["x"], row["x"] + row["size"]) for row in rows[1:-1]]
    for one, other in pairwise(ends):
        assert min(abs(a - b) for a in one for b in other) < 0.7, "each step starts where the one before ended"


@pytest.mark.parametrize("number", range(0, 300, 17))
def test_a_reason_of_behaviour_opens_its_own_events_alone(store: Store, number: int) -> None:
    lead = LEADS[number]
    found = found_lead(store, lead)
    events = visible_events(found.history, 0, NOW)
    about = selectors(MODEL)
    for topic, selector in about.items():
        shown = selected(events, selector, SCHEMA)
        if selector == ALL:
            assert shown == events
        elif selector.column == "event_type" and selector.value != OTHER:
            assert {each.event_type for each in shown} <= {selector.value} == {topic}
        elif selector.column == "channel":
            assert {each.channel for each in shown} <= {selector.value}
    told = sum(each.occurred_at < NOW and (each.recorded_at or each.occurred_at) < NOW for each in lead.events)
    assert len(events) == told


def test_visible_events_are_the_newest_first_and_none_of_the_future(store: Store) -> None:
    lead = with_event(with_event(busiest(), "mail_opened", NOW), "mail_opened", NOW - 1)
    events = visible_events(found_lead(store, lead).history, 0, NOW)
    assert events[0].occurred_at == NOW - 1
    assert all(each.known_at < NOW for each in events)
    assert [each.occurred_at for each in events] == sorted((each.occurred_at for each in events), reverse=True)


def test_other_types_are_those_without_a_stream_of_their_own(store: Store) -> None:
    lead = RawLead("a", NOW - DAY, {}, [RawEvent("webinar_joined", NOW - HOUR), RawEvent("mail_opened", NOW - HOUR)])
    events = visible_events(found_lead(store, lead).history, 0, NOW)
    others = selected(events, Selector("event_type", OTHER), SCHEMA)
    assert len(others) == 1
    assert others[0].event_type not in SCHEMA.event_types


def test_since_when_an_attribute_is_known(store: Store) -> None:
    lead = RawLead("a", NOW - 9 * DAY, {"job_level": "director", "company_size": None}, [])
    history = found_lead(store, lead).history
    assert attribute_since(history, 0, "job_level", NOW) == NOW - 9 * DAY
    assert attribute_since(history, 0, "company_size", NOW) is None
    assert attribute_since(history, 0, "no such", NOW) is None


@pytest.mark.parametrize("lang", LANGS)
def test_a_lead_without_anything_says_so(store: Store, lang: Lang) -> None:
    content = page(found_lead(store, RawLead("a", NOW - DAY, {}, [])), lang)
    assert content["timeline"] == []
    assert len(content["absent"]) == 1
    unknown = " ".join(content["unknown"])
    assert ("job level" if lang == "en" else "役職") in unknown


def mails(*days_ago: float, opened: float | None = None) -> list[RawEvent]:
    sent = [RawEvent("mail_sent", NOW - int(each * DAY)) for each in days_ago]
    return sent if opened is None else [*sent, RawEvent("mail_opened", NOW - int(opened * DAY))]


@pytest.mark.parametrize(
    ("events", "missing"),
    [
        (mails(1, 2, 3, 4), "4 mails"),
        (mails(1), "1 mail"),
        (mails(1, 2, 5, opened=3), "2 mails"),
        (mails(5, opened=3), None),
        (mails(100), None),
    ],
)
def test_mails_without_an_answer_are_counted_since_the_last_answer(events: list[RawEvent], missing: str | None) -> None:
    schema = dataclasses.replace(SCHEMA, event_types=(*SCHEMA.event_types, "mail_sent"))
    history = history_of_leads(schema, [RawLead("a", NOW - 200 * DAY, {}, events)], as_of=NOW, named_types=())
    said = absent_evidence(visible_events(history, 0, NOW), schema, NOW, "en")
    found = [each for each in said if "mail" in each]
    assert (missing is None and found == []) or (len(found) == 1 and f"to {missing}" in found[0])


def test_no_answer_is_missed_where_answers_are_not_recorded() -> None:
    schema = dataclasses.replace(SCHEMA, event_types=("mail_sent",), stages={})
    history = history_of_leads(schema, [RawLead("a", NOW - 9 * DAY, {}, mails(1, 2))], as_of=NOW, named_types=())
    assert absent_evidence(visible_events(history, 0, NOW), schema, NOW, "en") == []


def test_facts_are_what_people_entered_and_nothing_else(store: Store) -> None:
    entered = {"budget": {"fact": "budget", "known": True, "note": "10k", "recorded_at": NOW, "by": "mori"}}
    content = page(found_lead(store, busiest()), record=PeopleRecord(None, entered, (), ()))
    known = {each["key"]: each["known"] for each in content["facts"]}
    assert known == {"budget": True, "authority": False, "need": False, "timeline": False}
    with store.reading() as c:
        assert people_record(c, busiest().lead_id).facts == {}


def test_an_interval_holds_the_rate_of_similar_leads(store: Store) -> None:
    found = found_lead(store, busiest())
    score = score_of(found)
    assert score.similar is not None
    share = score.similar.converted / score.similar.leads
    for lang in LANGS:
        low, high = (float(part) / 100 for part in _percentages(page(found, lang)["interval"])[:2])
        assert low - 0.01 <= share <= high + 0.01
        assert score.interval is not None
        assert (low, high) == pytest.approx((score.interval.low, score.interval.high), abs=0.01)


def _percentages(text: str) -> list[str]:
    return re.findall(r"([0-9.]+)%", text)


def test_scores_of_points_have_a_page_too(store: Store) -> None:
    model = ColdStart(rules=PointsRules(events={"mail_opened": 5.0}), horizon=90 * DAY)
    found = found_lead(store, busiest(), model=model)
    content = page(found)
    assert content["waterfall"] == []
    assert content["why_now"] is None
    assert np.isfinite(content["course"]["now"]["y"])
    for each in content["speak_for"]:
        assert each["behind"]["events"], "points are given for events, which can be seen"
