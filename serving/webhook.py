"""Hand-offs as signed webhooks, after the Standard Webhooks specification."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx
from standardwebhooks import Webhook

from features.calendar_days import as_datetime
from serving.access import is_loopback
from serving.field_map import FieldMap
from serving.handoff import EVENT_TYPE
from serving.handoff_settings import WebhookSettings
from serving.lead_score import iso_instant
from serving.sending import Attempt, Ending, Handoff

CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 15.0
GONE, TOO_MANY = 410, 429
_BUSY = frozenset({408, 425, TOO_MANY})
"""Of the statuses from 400 to 499 those that speak of the moment, not of the request."""


class WebhookSender:
    """Posts hand-offs to one address.

    Redirects are not followed: whoever answers there could otherwise send us, and the leads, anywhere inside the
    network. A private address in the settings themselves is the user's own choice.
    """

    def __init__(self, settings: WebhookSettings, fields: FieldMap) -> None:
        self._settings = settings
        self._fields = fields
        self._signers = [Webhook(each) for each in settings.secrets]
        self._client = httpx.Client(
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            follow_redirects=False,
            trust_env=not is_loopback(urlsplit(settings.url).hostname or ""),
            headers={"User-Agent": "propensity", "Accept": "*/*"},
        )

    def send(self, handoff: Handoff, *, now: int) -> Attempt:
        body = webhook_body(handoff, self._fields)
        sent_at = as_datetime(now)
        signatures = [each.sign(handoff.handoff_id, sent_at, body) for each in self._signers]
        headers = {
            "Content-Type": "application/json",
            "webhook-id": handoff.handoff_id,
            "webhook-timestamp": str(int(sent_at.timestamp())),
            "webhook-signature": " ".join(signatures),
        }
        try:
            # The answer's body is not read: there may be any amount of it, and nothing in it is for us.
            with self._client.stream("POST", self._settings.url, content=body.encode(), headers=headers) as reply:
                return attempt_of(reply.status_code, reply.headers.get("retry-after"), sent_at)
        except httpx.HTTPError as error:
            return Attempt(Ending.AGAIN, type(error).__name__)


def webhook_body(handoff: Handoff, fields: FieldMap) -> str:
    """What is posted, and signed, to the letter. The lead's id stands outside of what a field map changes."""
    body = {
        "type": EVENT_TYPE,
        "timestamp": iso_instant(handoff.created_at),
        "lead_id": handoff.payload["lead_id"],
        "data": fields.put(handoff.payload),
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def attempt_of(status: int, retry_after: str | None, sent_at: datetime) -> Attempt:
    """What an answer means: 2xx is delivered; 410 never again; away or busy, again; all else hardly."""
    if 200 <= status < 300:
        return Attempt(Ending.DELIVERED)
    if status == GONE:
        return Attempt(Ending.NEVER, f"status {status}")
    if status >= 500 or status in _BUSY:
        return Attempt(Ending.AGAIN, f"status {status}", seconds_to_wait(retry_after, sent_at))
    if 300 <= status < 400:
        return Attempt(Ending.HARDLY, f"status {status}, redirects are not followed")
    return Attempt(Ending.HARDLY, f"status {status}")


def seconds_to_wait(retry_after: str | None, now: datetime) -> float | None:
    """The header `Retry-After`, a number of seconds or a date; None where it says nothing.

    >>> seconds_to_wait("120", datetime.now(UTC)), seconds_to_wait("soon", datetime.now(UTC))
    (120.0, None)
    """
    if retry_after is None:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max((until - now).total_seconds(), 0.0)
