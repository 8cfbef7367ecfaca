"""The outbox: at least once each, later and later where a receiver is away, and at last a dead letter."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from features.calendar_days import DAY, HOUR
from oracles.made_handoffs import (
    NOW,
    Received,
    free_port,
    handed,
    http_receiver,
    made_score,
    mail_server,
    mail_settings,
    webhook_to,
)
from serving.delivery import LEASE, MOST_ATTEMPTS, MOST_REFUSED, SECOND, Deliverer, replay
from serving.handoff_settings import HandoffSettings
from serving.sending import Attempt, Ending, Handoff, Sender
from serving.store import Store
from serving.store.tables import deliveries, handoffs


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


class Told:
    """A channel that ends as the test says, and remembers what it was given and when."""

    def __init__(self, *endings: Attempt) -> None:
        self.endings = list(endings)
        self.sent: list[tuple[str, int]] = []

    def send(self, handoff: Handoff, *, now: int) -> Attempt:
        self.sent.append((handoff.handoff_id, now))
        return self.endings.pop(0) if len(self.endings) > 1 else self.endings[0]


AWAY, REFUSED, DONE = (
    Attempt(Ending.AGAIN, "status 503"),
    Attempt(Ending.HARDLY, "status 404"),
    Attempt(Ending.DELIVERED),
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def made(store: Store, *lead_ids: str, settings: HandoffSettings | None = None) -> list[str]:
    found = []
    with store.writing() as c:
        for lead_id in lead_ids:
            done = handed(c, made_score(lead_id), settings=settings or webhook_to(1))
            assert done is not None
            found.append(done.handoff_id)
    return found


def deliverer(store: Store, clock: Clock, sender: Sender, **how: Any) -> Deliverer:
    return Deliverer(store, HandoffSettings(), clock, senders={"webhook": sender}, jitter=lambda: 0.5, **how)


def state(store: Store, **where: str) -> list[Mapping[str, Any]]:
    query = sa.select(deliveries).order_by(deliveries.c.number)
    for name, value in where.items():
        query = query.where(deliveries.c[name] == value)
    with store.reading() as c:
        return list(c.execute(query).mappings())


def test_what_is_due_is_sent_once_and_marked(store: Store, clock: Clock) -> None:
    ids, sender = made(store, "a", "b", "c"), Told(DONE)
    clock.now += SECOND
    assert deliverer(store, clock, sender).run_once() == 3
    assert deliverer(store, clock, sender).run_once() == 0
    assert [each for each, _ in sender.sent] == ids
    assert {(row["state"], row["delivered_at"], row["attempts"]) for row in state(store)} == {
        ("delivered", NOW + SECOND, 1)
    }


def test_a_receiver_that_is_away_is_asked_later_and_later_for_three_days(store: Store, clock: Clock) -> None:
    made(store, "a")
    sender = Told(AWAY)
    at_work = deliverer(store, clock, sender)
    while state(store)[0]["state"] == "pending":
        clock.now = state(store)[0]["next_attempt_at"] - 1
        assert at_work.run_once() == 0
        clock.now += 1
        assert at_work.run_once() == 1
    waits = [(b - a) / SECOND for (_, a), (_, b) in zip(sender.sent, sender.sent[1:], strict=False)]
    assert waits[:8] == [10, 30, 90, 270, 810, 2430, 7290, 21600]
    assert set(waits[8:]) == {21600}
    assert len(sender.sent) == MOST_ATTEMPTS
    assert 2.5 * DAY < clock.now - NOW < 3.5 * DAY
    (row,) = state(store)
    assert (row["state"], row["attempts"], row["last_error"]) == ("dead", MOST_ATTEMPTS, "status 503")
    clock.now += 30 * DAY
    assert at_work.run_once() == 0


def test_the_wait_is_spread_so_that_receivers_are_not_met_by_all_at_once(store: Store, clock: Clock) -> None:
    made(store, "a")
    for jitter, wait in ((0.0, 8), (1.0, 12)):
        Deliverer(
            store, HandoffSettings(), clock, senders={"webhook": Told(AWAY)}, jitter=lambda x=jitter: x
        ).run_once()
        assert state(store)[0]["next_attempt_at"] - clock.now == wait * SECOND
        with store.writing() as c:
            c.execute(sa.update(deliveries).values(attempts=0, next_attempt_at=clock.now))


def test_where_a_receiver_refuses_few_tries_are_made(store: Store, clock: Clock) -> None:
    made(store, "a")
    sender = Told(REFUSED)
    for _ in range(10):
        deliverer(store, clock, sender).run_once()
        clock.now += HOUR
    assert len(sender.sent) == MOST_REFUSED
    assert state(store)[0]["state"] == "dead"


def test_gone_is_dead_at_once(store: Store, clock: Clock) -> None:
    made(store, "a")
    with http_receiver() as received:
        received.answer = lambda _: (410, {})
        Deliverer(store, webhook_to(received.port), clock).run_once()
    (row,) = state(store)
    assert (row["state"], row["attempts"], row["last_error"]) == ("dead", 1, "status 410")


def test_a_receiver_that_is_away_is_asked_once_for_all_and_the_others_lose_no_attempt(
    store: Store, clock: Clock
) -> None:
    made(store, "a", "b", "c")
    sender = Told(AWAY, DONE)
    at_work = deliverer(store, clock, sender)
    assert at_work.run_once() == 1
    assert [row["attempts"] for row in state(store)] == [1, 0, 0]
    assert at_work.run_once() == 2
    clock.now += 10 * SECOND
    assert at_work.run_once() == 1
    assert {row["state"] for row in state(store)} == {"delivered"}


def test_while_a_receiver_asked_for_quiet_nothing_is_sent(store: Store, clock: Clock) -> None:
    made(store, "a", "b")
    with http_receiver() as received:
        received.answer = lambda number: (429, {"Retry-After": "3600"}) if number == 0 else (204, {})
        at_work = Deliverer(store, webhook_to(received.port), clock)
        assert at_work.run_once() == 1
        clock.now += HOUR - 1
        assert at_work.run_once() == 0
        clock.now += 1
        assert at_work.run_once() == 2
    assert {row["state"] for row in state(store)} == {"delivered"}


def test_a_receiver_cannot_ask_for_quiet_for_ever(store: Store, clock: Clock) -> None:
    made(store, "a")
    deliverer(store, clock, Told(Attempt(Ending.AGAIN, "status 503", 1e12))).run_once()
    assert state(store)[0]["next_attempt_at"] == NOW + DAY


def test_one_that_refuses_does_not_stop_the_others(store: Store, clock: Clock) -> None:
    made(store, "a", "b", "c")
    sender = Told(REFUSED, DONE)
    assert deliverer(store, clock, sender).run_once() == 3
    assert [row["state"] for row in state(store)] == ["pending", "delivered", "delivered"]


def test_what_a_worker_has_leased_no_other_sends_until_the_lease_ends(store: Store, clock: Clock) -> None:
    (handoff_id,) = made(store, "a")
    other = Told(DONE)

    class Killed:
        def send(self, handoff: Handoff, *, now: int) -> Attempt:
            assert deliverer(store, clock, other).run_once() == 0
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deliverer(store, clock, Killed()).run_once()
    clock.now += LEASE - 1
    assert deliverer(store, clock, other).run_once() == 0
    clock.now += 1
    assert deliverer(store, clock, other).run_once() == 1
    assert other.sent == [(handoff_id, clock.now)]
    assert state(store)[0]["attempts"] == 2, "an attempt that kills its worker counts"


def test_who_comes_back_after_its_lease_ended_changes_only_what_is_certain(store: Store, clock: Clock) -> None:
    made(store, "a")

    class Slow:
        def __init__(self, ending: Attempt) -> None:
            self.ending = ending

        def send(self, handoff: Handoff, *, now: int) -> Attempt:
            clock.now += 2 * LEASE
            leased = state(store)[0]["leased_until"]
            with store.writing() as c:  # another worker holds it now
                c.execute(sa.update(deliveries).values(leased_until=leased + 5 * LEASE))
            return self.ending

    deliverer(store, clock, Slow(AWAY)).run_once()
    (row,) = state(store)
    assert (row["state"], row["last_error"]) == ("pending", None)
    assert row["leased_until"] > clock.now
    clock.now = row["leased_until"]
    deliverer(store, clock, Slow(DONE)).run_once()
    assert state(store)[0]["state"] == "delivered"


def test_each_attempt_is_the_same_hand_off_signed_anew(store: Store, clock: Clock) -> None:
    (handoff_id,) = made(store, "a")
    with http_receiver() as received:
        received.answer = lambda number: (503, {}) if number == 0 else (204, {})
        at_work = Deliverer(store, webhook_to(received.port), clock)
        at_work.run_once()
        clock.now += HOUR
        at_work.run_once()
    assert received.ids == [handoff_id, handoff_id]
    (_, first, body), (_, second, again) = received.requests
    assert body == again
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 3600
    assert first["webhook-signature"] != second["webhook-signature"]


def test_a_webhook_that_is_away_delays_no_mail(store: Store, clock: Clock) -> None:
    with mail_server() as mailbox:
        settings = replace(webhook_to(free_port()), mail=mail_settings(mailbox.port))
        made(store, "a", "b", settings=settings)
        assert Deliverer(store, settings, clock).run_once() == 3
        assert len(mailbox.raw) == 2
    assert [row["state"] for row in state(store, channel="mail")] == ["delivered"] * 2
    assert [row["last_error"] for row in state(store, channel="webhook")] == ["ConnectError", None]


def test_a_channel_that_is_taken_out_of_the_settings_waits(store: Store, clock: Clock) -> None:
    made(store, "a", settings=replace(webhook_to(1), mail=mail_settings(1)))
    at_work = deliverer(store, clock, Told(DONE))
    assert at_work.channels == ("webhook",)
    assert at_work.run_once() == 1
    assert [row["state"] for row in state(store, channel="mail")] == ["pending"]


def test_of_an_erased_lead_nothing_is_sent_any_more(store: Store, clock: Clock) -> None:
    made(store, "a")
    with store.writing() as c:
        c.execute(sa.delete(handoffs))
    sender = Told(DONE)
    assert deliverer(store, clock, sender).run_once() == 0
    assert sender.sent == []


def test_replayed_a_hand_off_is_sent_again_under_its_id(store: Store, clock: Clock) -> None:
    first, second = made(store, "a", "b")
    sender = Told(Attempt(Ending.NEVER, "status 410"), DONE)
    at_work = deliverer(store, clock, sender)
    at_work.run_once()
    with store.writing() as c:
        assert replay(c, now=clock.now) == 1
    at_work.run_once()
    with store.writing() as c:
        assert replay(c, now=clock.now, handoff_ids=[second]) == 1
        assert replay(c, now=clock.now, handoff_ids=["ho_nobody"]) == 0
    at_work.run_once()
    assert [each for each, _ in sender.sent] == [first, second, first, second]
    assert {row["state"] for row in state(store)} == {"delivered"}


def test_the_threads_of_the_service_deliver(store: Store, eventually: Any) -> None:
    with http_receiver() as received:
        settings = webhook_to(received.port)
        made(store, "a", "b", settings=settings)
        watching = Deliverer(store, settings, lambda: NOW).watching()
        for each in watching:
            each.start()
        eventually(lambda: len(received.requests) == 2, within=20)
        for each in watching:
            each.stop()
    assert told_leads(received) == ["a", "b"]


def told_leads(received: Received) -> list[str]:
    return [json.loads(body)["data"]["lead_id"] for _, _, body in received.requests]
