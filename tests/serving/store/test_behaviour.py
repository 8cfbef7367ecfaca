"""Leads, events, changes and outcomes count once, however often, late and out of order they are told."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from serving.store import Store
from serving.store.behaviour import (
    NewChange,
    NewEvent,
    NewLead,
    NewOutcome,
    add_attribute_changes,
    add_events,
    add_leads,
    add_outcomes,
    object_to_profiling,
)
from serving.store.lead_rows import LeadRows, StoredChange, StoredEvent, lead_rows
from serving.store.tables import deliveries, handoffs, objections, scores, standings, tombstones

NOW = 1_800_000_000_000_000
DAY = 86_400_000_000


def tell_leads(store: Store, *rows: NewLead, now: int = NOW, as_created: bool = False) -> list[str]:
    with store.writing() as c:
        return [each.status for each in add_leads(c, rows, now=now, as_created=as_created)]


def tell_events(store: Store, *rows: NewEvent, now: int = NOW) -> list[tuple[str, bool]]:
    with store.writing() as c:
        return [(each.status, each.known_lead) for each in add_events(c, rows, now=now)]


def rows_of(store: Store, lead_id: str) -> LeadRows:
    with store.reading() as c:
        return lead_rows(c, [lead_id])[lead_id]


def test_a_lead_sent_again_as_it_is_changes_nothing(store: Store) -> None:
    lead = NewLead("L1", NOW - DAY, {"size": "10", "opt_in": True, "seats": 5})
    assert tell_leads(store, lead) == ["accepted"]
    assert tell_leads(store, lead, now=NOW + 1) == ["repeated"]
    assert rows_of(store, "L1") == LeadRows("L1", NOW - DAY, {"size": "10", "opt_in": True, "seats": 5})


def test_attributes_that_differ_count_from_now_on_and_created_at_stays_the_first(store: Store) -> None:
    tell_leads(store, NewLead("L1", NOW - DAY, {"size": "10", "level": "manager"}))
    assert tell_leads(store, NewLead("L1", NOW - 2 * DAY, {"size": "20", "level": None}), now=NOW + 5) == ["changed"]
    found = rows_of(store, "L1")
    assert found.created_at == NOW - DAY
    assert found.attributes == {"size": "10", "level": "manager"}
    assert found.changes == (StoredChange(NOW + 5, NOW + 5, {"size": "20"}),)


def test_an_attribute_that_changes_back_is_a_change(store: Store) -> None:
    for at, size in enumerate(("10", "20", "10")):
        tell_leads(store, NewLead("L1", NOW - DAY, {"size": size}), now=NOW + at)
    assert [each.attributes for each in rows_of(store, "L1").changes] == [{"size": "20"}, {"size": "10"}]


def test_of_attributes_as_at_creation_the_first_ones_are_no_news(store: Store) -> None:
    tell_leads(store, NewLead("L1", NOW - DAY, {"size": "10"}))
    with store.writing() as c:
        add_attribute_changes(c, [NewChange("L1", NOW - 5, {"size": "20"})], now=NOW)
    assert tell_leads(store, NewLead("L1", NOW - DAY, {"size": "10"}), as_created=True) == ["repeated"]
    assert tell_leads(store, NewLead("L1", NOW - DAY, {"size": "30"}), as_created=True) == ["changed"]


@pytest.mark.parametrize(("told", "again"), [("10", 10), (10.0, "10"), (True, "true")])
def test_a_number_and_its_text_are_one(store: Store, told: str | float, again: str | float) -> None:
    tell_leads(store, NewLead("L1", NOW - DAY, {"x": told}))
    assert tell_leads(store, NewLead("L1", NOW - DAY, {"x": again})) == ["repeated"]


def test_a_lead_twice_in_one_batch_is_one_lead_and_a_change(store: Store) -> None:
    sent = [NewLead("L1", NOW - DAY, {"size": "10"}), NewLead("L1", NOW - DAY, {"size": "20"})]
    assert tell_leads(store, *sent, *sent[1:]) == ["accepted", "changed", "repeated"]


def test_an_event_told_again_under_its_id_counts_once_as_it_was_first_told(store: Store) -> None:
    tell_leads(store, NewLead("L1", NOW - DAY))
    first = NewEvent("L1", "visit", NOW - 5, "e1", value=2.5, channel="web", properties={"page": "価格", "n": 3})
    assert tell_events(store, first) == [("accepted", True)]
    assert tell_events(store, NewEvent("L1", "click", NOW - 4, "e1"), now=NOW + 9) == [("repeated", True)]
    expected = StoredEvent("visit", NOW - 5, NOW, "e1", 2.5, "web", {"page": "価格", "n": 3})
    assert rows_of(store, "L1").events == (expected,)


def test_an_id_counts_within_its_lead_and_within_its_batch(store: Store) -> None:
    event = NewEvent("L1", "visit", NOW - 5, "1")
    told = tell_events(store, event, event, NewEvent("L2", "visit", NOW - 5, "1"))
    assert [status for status, _ in told] == ["accepted", "repeated", "accepted"]


def test_events_without_an_id_all_count(store: Store) -> None:
    event = NewEvent("L1", "visit", NOW - 5)
    assert tell_events(store, event, event) == [("accepted", False)] * 2
    tell_leads(store, NewLead("L1", NOW - DAY))
    assert len(rows_of(store, "L1").events) == 2


def test_visits_before_sign_up_wait_for_their_lead(store: Store) -> None:
    assert tell_events(store, NewEvent("L1", "visit", NOW - 2 * DAY, "e1")) == [("accepted", False)]
    with store.reading() as c:
        assert lead_rows(c, ["L1"]) == {}
    tell_leads(store, NewLead("L1", NOW - DAY))
    assert [each.event_id for each in rows_of(store, "L1").events] == ["e1"]


def test_late_events_take_their_place_and_keep_when_we_learned_of_them(store: Store) -> None:
    tell_leads(store, NewLead("L1", NOW - DAY))
    tell_events(store, NewEvent("L1", "b", NOW - 1, "e2"))
    tell_events(
        store, NewEvent("L1", "a", NOW - 9, "e1"), NewEvent("L1", "c", NOW - 9, "e0", recorded_at=7), now=NOW + 1
    )
    found = [(each.event_type, each.recorded_at) for each in rows_of(store, "L1").events]
    assert found == [("c", 7), ("a", NOW + 1), ("b", NOW)]


def test_a_change_is_added_once_and_two_equal_ones_twice(store: Store) -> None:
    change = NewChange("L1", NOW - 5, {"size": "20"}, recorded_at=NOW - 4)
    for expected in (["accepted", "accepted"], ["repeated", "repeated"]):
        with store.writing() as c:
            assert [each.status for each in add_attribute_changes(c, [change, change], now=NOW)] == expected


def test_an_outcome_told_again_is_one_and_another_is_added(store: Store) -> None:
    tell_leads(store, NewLead("L1", NOW - DAY))
    won, lost = (
        NewOutcome("L1", "converted", NOW - 5),
        NewOutcome("L1", "lost", NOW - 3, recorded_at=NOW - 3, told=False),
    )
    for now, expected in ((NOW, ["accepted", "repeated", "accepted"]), (NOW + 1, ["repeated"] * 3)):
        with store.writing() as c:
            assert [each.status for each in add_outcomes(c, [won, won, lost], now=now)] == expected
    found = [tuple(each) for each in rows_of(store, "L1").outcomes]
    assert found == [("converted", NOW - 5, NOW, True), ("lost", NOW - 3, NOW - 3, False)]


def test_of_an_erased_lead_nothing_comes_back(store: Store) -> None:
    with store.writing() as c:
        c.execute(tombstones.insert().values(lead_hash=store.hash_of("L1"), erased_at=NOW))
        told = [
            *add_leads(c, [NewLead("L1", NOW), NewLead("L2", NOW)], now=NOW),
            *add_events(c, [NewEvent("L1", "visit", NOW, "e1"), NewEvent("L2", "visit", NOW, "e2")], now=NOW),
            *add_outcomes(c, [NewOutcome("L1", "lost", NOW)], now=NOW),
            *add_attribute_changes(c, [NewChange("L1", NOW, {"a": 1})], now=NOW),
        ]
    assert [each.status for each in told] == ["erased", "accepted", "erased", "accepted", "erased", "erased"]
    with store.reading() as c:
        for table in ("leads", "events", "outcomes", "attribute_changes"):
            assert c.execute(sa.text(f"select count(*) from {table} where lead_id = 'L1'")).scalar() == 0


def test_who_objects_stands_nowhere_and_is_not_handed_over_any_more(store: Store) -> None:
    tell_leads(store, NewLead("L1", NOW - DAY), NewLead("L2", NOW - DAY))
    with store.writing() as c:
        for lead in ("L1", "L2"):
            c.execute(
                standings.insert().values(
                    lead_id=lead, as_of=NOW, score=5, decided_by="model", lane=1, order_deadline=0, order_score=0.0,
                    title="t", search="t", state="waiting", active_again=False,
                )
            )  # fmt: skip
            c.execute(scores.insert().values(lead_id=lead, as_of=NOW, score=5, decided_by="model"))
            c.execute(
                handoffs.insert().values(
                    handoff_id=f"h-{lead}", lead_id=lead, created_at=NOW, as_of=NOW, decided_by="model",
                    held_back=False, active_again=False, payload={},
                )
            )  # fmt: skip
            for channel, state in (("webhook", "delivered"), ("mail", "pending")):
                c.execute(
                    deliveries.insert().values(
                        handoff_id=f"h-{lead}",
                        channel=channel,
                        state=state,
                        attempts=0,
                        next_attempt_at=NOW,
                        leased_until=0,
                    )
                )
    with store.writing() as c:
        assert object_to_profiling(c, "L1", now=NOW + 3)
        assert object_to_profiling(c, "L1", now=NOW + 9)
        assert not object_to_profiling(c, "nobody", now=NOW)
    assert rows_of(store, "L1").objected_at == NOW + 3
    with store.reading() as c:
        assert c.execute(sa.select(standings.c.lead_id)).scalars().all() == ["L2"]
        assert c.execute(sa.select(scores.c.lead_id)).scalars().all() == ["L2"]
        left = c.execute(sa.select(deliveries.c.handoff_id, deliveries.c.state).order_by(deliveries.c.number)).all()
    assert [tuple(each) for each in left] == [("h-L1", "delivered"), ("h-L2", "delivered"), ("h-L2", "pending")]


def test_who_objected_before_the_store_knew_the_lead_is_heeded(store: Store) -> None:
    with store.writing() as c:
        c.execute(objections.insert().values(lead_hash=store.hash_of("L1"), objected_at=NOW - 3))
    assert tell_leads(store, NewLead("L1", NOW - DAY), NewLead("L2", NOW - DAY)) == ["accepted", "accepted"]
    assert (rows_of(store, "L1").objected_at, rows_of(store, "L2").objected_at) == (NOW - 3, None)


def test_rows_of_many_leads_come_as_asked_and_alike(store: Store) -> None:
    ids = [f"L{i}" for i in range(1200)]
    tell_leads(store, *(NewLead(each, NOW - DAY, {"n": each}) for each in ids))
    tell_events(store, *(NewEvent(each, "visit", NOW - i % 7, f"e{i}") for i, each in enumerate(ids * 2)))
    with store.reading() as c:
        found = lead_rows(c, [*reversed(ids), "nobody"])
        assert lead_rows(c, ids) == found
    assert list(found) == ids[::-1]
    assert all(len(rows.events) == 2 and rows.attributes == {"n": lead} for lead, rows in found.items())
