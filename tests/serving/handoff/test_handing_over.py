"""A hand-off and its deliveries are written with the lead's standing or not at all, once for each time it became SQL."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
import sqlalchemy as sa

from features.calendar_days import DAY, HOUR
from oracles.made_handoffs import AGREEMENT, NOW, REASONS_EN, REASONS_JA, handed, made_score, mail_settings, webhook_to
from serving.agreement_terms import HeldBack, Hours, Sla
from serving.handoff import HandedOver, one_at_a_time
from serving.handoff_settings import HandoffSettings
from serving.store import Store
from serving.store.tables import band_changes, deliveries, feedback, handoffs

BOTH = replace(webhook_to(1), mail=mail_settings(1))


def hand(store: Store, *args: object, settings: HandoffSettings = BOTH, **how: object) -> HandedOver | None:
    with store.writing() as c:
        return handed(c, *args, settings=settings, **how)  # type: ignore[arg-type]


def rows(store: Store, table: sa.Table) -> list[dict[str, object]]:
    with store.reading() as c:
        return [dict(row) for row in c.execute(sa.select(table)).mappings()]


def test_a_hand_off_waits_on_each_channel_with_all_that_is_known(store: Store) -> None:
    agreement = replace(AGREEMENT, sla=Sla(sql=8 * HOUR))
    done = hand(store, made_score(), agreement=agreement)
    assert done is not None
    assert not done.held_back
    (row,) = rows(store, handoffs)
    assert row["handoff_id"] == done.handoff_id
    assert (row["lead_id"], row["decided_by"], row["deadline"]) == ("L-1042", "model", NOW + 8 * HOUR)
    assert row["payload"] == {
        "handoff_id": done.handoff_id, "created_at": "2027-01-15T08:00:00Z", "lead_id": "L-1042",
        "display_name": "Keiko Sato", "company": "Northwind Traders", "owner": "Jonas Weber",
        "as_of": "2027-01-15T08:00:00Z", "horizon": "90d", "probability": 0.312,
        "interval": {"low": pytest.approx(0.2315, abs=1e-4), "high": pytest.approx(0.3564, abs=1e-4)}, "score": 31,
        "average": 0.0612, "similar": {"converted": 58, "leads": 200}, "band": "SQL", "decided_by": "model",
        "rule": None, "because": None,
        "reasons": {"en": list(REASONS_EN), "ja": list(REASONS_JA)}, "fit": "B", "engagement": 1, "stage": "decision",
        "persona": None, "deadline": "2027-01-15T16:00:00Z", "active_again": False,
        "link": "https://leads.example.com/leads/L-1042", "model": {"name": "b2b", "version": "3"},
        "agreement": {"version": 3},
    }  # fmt: skip
    found = {(row["handoff_id"], row["channel"], row["state"], row["attempts"]) for row in rows(store, deliveries)}
    assert found == {(done.handoff_id, "webhook", "pending", 0), (done.handoff_id, "mail", "pending", 0)}


def test_a_transaction_that_fails_leaves_no_hand_off(store: Store) -> None:
    def fails() -> None:
        with store.writing() as c:
            assert handed(c, made_score(), settings=BOTH) is not None
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert rows(store, handoffs) == rows(store, deliveries) == []


def test_scored_again_and_again_it_is_handed_over_once(store: Store) -> None:
    assert hand(store, made_score()) is not None
    for hours in (1, 2, 300):
        assert hand(store, made_score(as_of=NOW + hours * HOUR), now=NOW + hours * HOUR) is None
    assert len(rows(store, handoffs)) == 1


def test_two_processes_that_score_a_lead_at_once_hand_it_over_once(store: Store) -> None:
    found: list[HandedOver | None] = []

    def score(n: int) -> None:
        with store.writing() as c:
            one_at_a_time(c)
            found.append(handed(c, made_score("L1", as_of=NOW + n), settings=BOTH))

    threads = [threading.Thread(target=score, args=(n,)) for n in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(found) == 6
    assert sum(each is not None for each in found) == len(rows(store, handoffs)) == 1


def test_a_lead_that_left_the_band_and_came_back_is_handed_over_anew(store: Store) -> None:
    assert hand(store, made_score()) is not None
    left = {"lead_id": "L-1042", "at": NOW + DAY, "from_band": "SQL", "decided_by": "model"}
    with store.writing() as c:
        c.execute(band_changes.insert().values(to_band=None, **left))
    assert hand(store, made_score(as_of=NOW + 2 * DAY), now=NOW + 2 * DAY) is None, "no agreement for a while"
    with store.writing() as c:
        c.execute(band_changes.insert().values(to_band="MQL", **left))
    assert hand(store, made_score(as_of=NOW + 2 * DAY), now=NOW + 2 * DAY) is not None


def test_a_rejection_is_heeded_until_the_time_has_passed_or_something_new_happens(store: Store) -> None:
    first = hand(store, made_score())
    assert first is not None
    with store.writing() as c:
        c.execute(
            feedback.insert().values(
                lead_id="L-1042", handoff_id=first.handoff_id, at=NOW + HOUR, by="sales", verdict="rejected"
            )
        )
    day = NOW + DAY
    assert hand(store, made_score(as_of=day), now=day) is None
    assert hand(store, made_score("other", as_of=day), now=day) is not None
    assert hand(store, made_score(as_of=day, asked_at=day - HOUR), now=day) is not None
    assert hand(store, made_score(as_of=day, asked_at=day - HOUR), now=day + HOUR) is None
    assert len(rows(store, handoffs)) == 3


def test_what_is_held_back_is_noted_and_sent_to_nobody(store: Store) -> None:
    agreement = replace(AGREEMENT, held_back=HeldBack(0.999))
    done = hand(store, made_score(), agreement=agreement)
    assert done is not None
    assert done.held_back
    assert [row["held_back"] for row in rows(store, handoffs)] == [True]
    assert rows(store, deliveries) == []
    asked = hand(store, made_score(as_of=NOW + 9, asked_at=NOW + 5), now=NOW + 9, agreement=agreement)
    assert asked is not None
    assert not asked.held_back


def test_without_channels_a_hand_off_stands_in_the_store_alone(store: Store) -> None:
    done = hand(store, made_score("ü/1 ?"), settings=HandoffSettings())
    assert done is not None
    assert rows(store, handoffs)[0]["payload"]["link"] is None  # type: ignore[index]
    assert rows(store, deliveries) == []


def test_an_id_cannot_bend_the_link(store: Store) -> None:
    hand(store, made_score("../x?a=1#"))
    (row,) = rows(store, handoffs)
    assert row["payload"]["link"] == "https://leads.example.com/leads/..%2Fx%3Fa%3D1%23"  # type: ignore[index]


def test_the_deadline_of_the_fast_lane_counts_office_hours_from_the_hand_off(store: Store) -> None:
    hours = Hours(opens=9 * 60, closes=17 * 60, timezone="UTC")
    friday = NOW + 8 * HOUR  # 2027-01-15 is a Friday; 16:00
    score = made_score(as_of=friday, asked_at=friday - 3 * HOUR)
    done = hand(store, score, now=friday, agreement=replace(AGREEMENT, hours=hours))
    assert done is not None
    assert done.deadline == NOW + 3 * DAY + 4 * HOUR  # one hour on Friday, three on Monday
