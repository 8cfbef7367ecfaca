"""What a real receiver on loopback gets, and what follows from its answer."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from oracles.made_handoffs import NOW, SECRET, Received, free_port, http_receiver, webhook_to
from serving.field_map import FieldMap
from serving.handoff_settings import WebhookSettings
from serving.sending import Attempt, Ending, Handoff
from serving.webhook import WebhookSender, attempt_of, seconds_to_wait

PAYLOAD = {
    "handoff_id": "ho_1", "lead_id": "L-1", "probability": 0.312, "reasons": {"en": ["is a director"], "ja": ["役職：部長"]}
}  # fmt: skip
HANDOFF = Handoff("ho_1", NOW, PAYLOAD)


def clock() -> int:
    return time.time_ns() // 1000


def send(received: Received, fields: FieldMap = FieldMap(), **how: object) -> Attempt:  # noqa: B008 (frozen)
    settings = webhook_to(received.port).webhook
    assert settings is not None
    return WebhookSender(settings, fields).send(HANDOFF, now=clock())


def test_the_receiver_can_verify_who_sent_what() -> None:
    with http_receiver() as received:
        assert send(received) == Attempt(Ending.DELIVERED)
    ((path, headers, body),) = received.requests
    assert path == "/hooks"
    assert headers["webhook-id"] == "ho_1"
    assert headers["content-type"] == "application/json"
    told = Webhook(SECRET).verify(body, headers)
    assert told == {"type": "lead.sql", "timestamp": "2027-01-15T08:00:00Z", "lead_id": "L-1", "data": PAYLOAD}
    assert "部長" in body.decode(), "as it is read, not escaped"
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body.replace(b"0.312", b"0.912"), headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body, {**headers, "webhook-id": "ho_2"})


def test_while_a_secret_is_replaced_both_receivers_can_verify() -> None:
    other = "whsec_" + "B" * 43 + "="
    with http_receiver() as received:
        settings = WebhookSettings(f"http://127.0.0.1:{received.port}/", (SECRET, other))
        WebhookSender(settings, FieldMap()).send(HANDOFF, now=clock())
    ((_, headers, body),) = received.requests
    assert Webhook(SECRET).verify(body, headers) == Webhook(other).verify(body, headers)


def test_a_field_map_gives_the_receiver_its_own_names() -> None:
    fields = FieldMap(
        {"probability": (("properties", "score"),), "reasons_text.ja": (("note",),)}, {("properties", "source"): "P"}
    )
    with http_receiver() as received:
        send(received, fields)
    told = json.loads(received.requests[0][2])
    assert told["data"] == {"properties": {"source": "P", "score": 0.312}, "note": "役職：部長"}
    assert (told["type"], told["lead_id"]) == ("lead.sql", "L-1")


@pytest.mark.parametrize(
    ("status", "ending", "told"),
    [
        (200, Ending.DELIVERED, ""),
        (202, Ending.DELIVERED, ""),
        (302, Ending.HARDLY, "status 302, redirects are not followed"),
        (400, Ending.HARDLY, "status 400"),
        (401, Ending.HARDLY, "status 401"),
        (404, Ending.HARDLY, "status 404"),
        (408, Ending.AGAIN, "status 408"),
        (410, Ending.NEVER, "status 410"),
        (429, Ending.AGAIN, "status 429"),
        (500, Ending.AGAIN, "status 500"),
        (503, Ending.AGAIN, "status 503"),
    ],
)
def test_what_an_answer_means(status: int, ending: Ending, told: str) -> None:
    assert attempt_of(status, None, datetime.now(UTC)) == Attempt(ending, told)


def test_a_redirect_leads_us_nowhere() -> None:
    with http_receiver() as inside, http_receiver() as received:
        received.answer = lambda _: (307, {"Location": f"http://127.0.0.1:{inside.port}/secret"})
        assert send(received).ending is Ending.HARDLY
        assert inside.requests == []


def test_a_receiver_that_says_when_to_come_back_is_heeded() -> None:
    with http_receiver() as received:
        received.answer = lambda _: (429, {"Retry-After": "120"})
        assert send(received) == Attempt(Ending.AGAIN, "status 429", 120.0)
    now = datetime(2027, 1, 15, tzinfo=UTC)
    assert seconds_to_wait(format_datetime(now + timedelta(minutes=3), usegmt=True), now) == 180.0
    assert seconds_to_wait(format_datetime(now - timedelta(minutes=3), usegmt=True), now) == 0.0
    for nonsense in ("soon", "", "-5", "12.5", "²"):
        assert seconds_to_wait(nonsense, now) is None


def test_nobody_there_is_a_reason_to_try_again() -> None:
    settings = WebhookSettings(f"http://127.0.0.1:{free_port()}/", (SECRET,))
    assert WebhookSender(settings, FieldMap()).send(HANDOFF, now=clock()) == Attempt(Ending.AGAIN, "ConnectError")


def test_the_secret_shows_nowhere() -> None:
    assert SECRET not in repr(webhook_to(1))
