"""Why now: two honest scores of one lead, and what lies between them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from features.calendar_days import DAY, HOUR
from features.one_lead import RawLead
from features.wording import LANGS, Lang
from oracles.found_leads import LEADS, busiest, found_lead, score_of, with_event
from oracles.made_service import NOW
from serving.lead_events import visible_events
from serving.serving_model import ColdStart
from serving.store import Store
from serving.store.opening import open_address
from serving.why_now import WEEK, WhyNow, reference_moment, why_now
from training.points import PointsRules


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One for all: nothing is written here."""
    opened = open_address("sqlite:///store.db", tmp_path_factory.mktemp("store"))
    yield opened
    opened.close()


def why(store: Store, lead: RawLead, *, last_contact: int | None = None) -> WhyNow | None:
    found = found_lead(store, lead)
    events = visible_events(found.history, 0, NOW)
    return why_now(found, NOW, events, last_contact=last_contact, lang="en")


@pytest.mark.parametrize("number", range(0, 300, 37))
def test_both_probabilities_are_those_of_score_leads(store: Store, number: int) -> None:
    found, told = found_lead(store, LEADS[number]), why(store, LEADS[number])
    assert told is not None
    assert told.before == score_of(found, told.at).probability
    assert told.after == score_of(found, NOW).probability


def test_all_changes_together_are_the_whole_difference(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.why_now.SHOWN", 1000)
    monkeypatch.setattr("serving.why_now.SMALLEST", 0.0)
    found, told = found_lead(store, busiest()), why(store, busiest())
    assert told is not None
    then, now = score_of(found, told.at).reasons, score_of(found).reasons
    assert then is not None
    assert now is not None
    assert then.raw_log_odds is not None
    assert now.raw_log_odds is not None
    moved = now.raw_log_odds - then.raw_log_odds
    assert abs(sum(each.log_odds for each in told.changes) - moved) < 1e-6


def test_a_new_event_stands_behind_what_it_changed_with_its_date(store: Store) -> None:
    lead = with_event(busiest(), "pricing_page_viewed", NOW - HOUR)
    told = why(store, lead)
    assert told is not None
    behind = {each.topic: each.newest for each in told.changes if each.newest is not None}
    assert behind
    for event in behind.values():
        assert told.at <= event.known_at < NOW


def test_without_a_new_event_time_alone_is_behind(store: Store) -> None:
    lead = next(each for each in LEADS if each.events and max(e.occurred_at for e in each.events) < NOW - WEEK - DAY)
    told = why(store, lead)
    assert told is not None
    assert all(each.newest is None for each in told.changes)


def test_it_is_told_since_the_last_contact_where_there_was_one(store: Store) -> None:
    lead = busiest()
    told = why(store, lead, last_contact=NOW - HOUR)
    assert told is not None
    assert (told.since, told.at) == ("contact", NOW - HOUR)


def test_a_contact_that_the_tables_do_not_reach_yet_is_no_reference() -> None:
    created = NOW - 30 * DAY
    assert reference_moment(created_at=created, as_of=NOW, last_contact=NOW + DAY) == ("week", NOW - WEEK)
    assert reference_moment(created_at=created, as_of=NOW, last_contact=created) == ("week", NOW - WEEK)
    assert reference_moment(created_at=NOW - WEEK, as_of=NOW, last_contact=None) == ("creation", NOW - WEEK + 1)


def test_nothing_is_compared_right_after_creation_or_without_a_model(store: Store) -> None:
    assert why(store, RawLead("new", NOW - 1, {}, [])) is None
    found = found_lead(store, busiest(), model=ColdStart(rules=PointsRules(), horizon=90 * DAY))
    assert why_now(found, NOW, (), last_contact=None, lang="en") is None


@pytest.mark.parametrize("lang", LANGS)
def test_changes_are_sentences_of_the_language(store: Store, lang: Lang) -> None:
    found = found_lead(store, busiest())
    told = why_now(found, NOW, visible_events(found.history, 0, NOW), last_contact=None, lang=lang)
    assert told is not None
    assert told.changes
    assert all(each.text.isascii() == (lang == "en") for each in told.changes if "“" not in each.text)
