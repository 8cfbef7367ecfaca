"""Delivers hand-offs from the outbox, at least once each: leased, again and again for days, then a dead letter.

A delivery is leased before it is sent and marked afterwards, each in a transaction of its own. Who is killed in between
leaves a lease that ends, and another sends the same hand-off under the same id again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa

from serving.handoff import DEAD, DELIVERED, PENDING
from serving.handoff_settings import MAIL, WEBHOOK, HandoffSettings
from serving.log_lines import note
from serving.mail import MailSender
from serving.sending import Attempt, Ending, Handoff, Sender
from serving.store import Store
from serving.store.tables import deliveries, handoffs
from serving.watching import Watching
from serving.webhook import WebhookSender

SECOND = 1_000_000
LEASE = 120 * SECOND
"""Longer than any attempt takes."""
FIRST_WAIT, LONGEST_WAIT, GROWTH = 10 * SECOND, 6 * 3600 * SECOND, 3
MOST_ATTEMPTS = 19
"""With waits of 10 s, 30 s, 90 s ... and then 6 h: about three days, a weekend."""
MOST_REFUSED = 4
"""Attempts where the receiver refuses: about two minutes in which somebody may mend a wrong setting."""
LONGEST_ASKED = 24 * 3600 * SECOND
"""Of what a receiver may ask for in `Retry-After`."""
EVERY = 1.0


@dataclass(frozen=True)
class Leased:
    """A delivery that is ours until the lease ends; `attempts` counts this one."""

    number: int
    channel: str
    attempts: int
    until: int
    handoff: Handoff


class Deliverer:
    """Sends what is due.

    Parameters
    ----------
    clock : microseconds.
    senders : by channel; those of the settings unless given.
    lease : microseconds.
    jitter : a number from 0 to 1, another one each time: receivers that were away are not met by all at once.
    """

    def __init__(
        self,
        store: Store,
        settings: HandoffSettings,
        clock: Callable[[], int],
        *,
        senders: dict[str, Sender] | None = None,
        lease: int = LEASE,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._clock = clock
        self._senders = senders_of(settings) if senders is None else senders
        self._lease = lease
        self._jitter = jitter
        self._quiet_until: dict[str, int] = {}

    @property
    def channels(self) -> tuple[str, ...]:
        return tuple(self._senders)

    def watching(self) -> list[Watching]:
        """A thread a channel: a webhook's receiver that is away delays no mail."""
        return [
            Watching(f"hand-offs by {channel}", partial(self._look, channel), every=EVERY) for channel in self._senders
        ]

    def _look(self, channel: str) -> None:
        self._pass(channel)

    def run_once(self) -> int:
        """Send what is due on all channels; how many attempts that took."""
        return sum(self._pass(channel) for channel in self._senders)

    def _pass(self, channel: str) -> int:
        """Send what is due on a channel, until there is no more or the receiver is away: then the others need not try."""
        attempts = 0
        while self._quiet_until.get(channel, 0) <= self._clock():
            leased = self._take(channel)
            if leased is None:
                break
            attempts += 1
            attempt = self._senders[channel].send(leased.handoff, now=self._clock())
            self._end(leased, attempt)
            if attempt.ending is Ending.AGAIN:
                break
        return attempts

    def _take(self, channel: str) -> Leased | None:
        """Lease the delivery of a channel that has been due longest."""
        now = self._clock()
        due = (
            sa.select(deliveries, handoffs.c.created_at, handoffs.c.payload)
            .join(handoffs, handoffs.c.handoff_id == deliveries.c.handoff_id)
            .where(
                deliveries.c.state == PENDING,
                deliveries.c.channel == channel,
                deliveries.c.next_attempt_at <= now,
                deliveries.c.leased_until <= now,
            )
            .order_by(deliveries.c.next_attempt_at, deliveries.c.number)
            .limit(1)
        )
        with self._store.reading() as c:
            if c.execute(due).first() is None:
                return None  # most of the time nothing is due, and looking takes no lock
        with self._store.writing() as c:
            row = c.execute(due.with_for_update(skip_locked=True, of=deliveries)).first()
            if row is None:
                return None
            attempts, until = row.attempts + 1, now + self._lease
            # The attempt is counted before it is made: one that kills its worker each time comes to an end too.
            self._change(c, row.number, attempts=attempts, leased_until=until)
        handoff = Handoff(row.handoff_id, row.created_at, row.payload)
        return Leased(row.number, channel, attempts, until, handoff)

    def _end(self, leased: Leased, attempt: Attempt) -> None:
        now = self._clock()
        ours = deliveries.c.leased_until == leased.until
        with self._store.writing() as c:
            if attempt.ending is Ending.DELIVERED:
                # True whoever holds the lease by now.
                self._change(c, leased.number, state=DELIVERED, delivered_at=now, last_error=attempt.told or None)
            elif attempt.ending is Ending.NEVER or leased.attempts >= _most(attempt):
                self._change(c, leased.number, ours, state=DEAD, leased_until=0, last_error=attempt.told)
            else:
                at = now + self._wait(leased.attempts, attempt)
                self._change(c, leased.number, ours, next_attempt_at=at, leased_until=0, last_error=attempt.told)
        if attempt.wait is not None:
            self._quiet_until[leased.channel] = now + _asked(attempt.wait)
        _note(leased, attempt)

    def _wait(self, attempts: int, attempt: Attempt) -> int:
        """Until the next attempt: three times as long each time, give or take a fifth, and never less than asked for."""
        wait = min(FIRST_WAIT * GROWTH ** (attempts - 1), LONGEST_WAIT)
        wait = int(wait * (0.8 + 0.4 * self._jitter()))
        return wait if attempt.wait is None else max(wait, _asked(attempt.wait))

    @staticmethod
    def _change(c: sa.Connection, number: int, *where: sa.ColumnElement[bool], **values: Any) -> None:
        still = (deliveries.c.number == number, deliveries.c.state == PENDING, *where)
        c.execute(sa.update(deliveries).where(*still).values(**values))


def senders_of(settings: HandoffSettings) -> dict[str, Sender]:
    senders: dict[str, Sender] = {}
    if settings.webhook is not None:
        senders[WEBHOOK] = WebhookSender(settings.webhook, settings.fields)
    if settings.mail is not None:
        senders[MAIL] = MailSender(settings)
    return senders


def _most(attempt: Attempt) -> int:
    return MOST_REFUSED if attempt.ending is Ending.HARDLY else MOST_ATTEMPTS


def _asked(seconds: float) -> int:
    return min(int(seconds * SECOND), LONGEST_ASKED)


def _note(leased: Leased, attempt: Attempt) -> None:
    if attempt.ending is Ending.DELIVERED:
        note("hand-off delivered", channel=leased.channel, attempts=leased.attempts)
    else:
        note("hand-off not delivered", warning=True, channel=leased.channel, attempts=leased.attempts, why=attempt.told)


def replay(c: sa.Connection, *, now: int, handoff_ids: Collection[str] | None = None) -> int:
    """Send again: dead letters, or all channels of the given hand-offs, whatever became of them; how many deliveries.

    They are sent under the same id, so that a receiver that has one already drops it.
    """
    again = deliveries.c.state == DEAD if handoff_ids is None else deliveries.c.handoff_id.in_(list(handoff_ids))
    anew = {"state": PENDING, "attempts": 0, "next_attempt_at": now, "leased_until": 0, "delivered_at": None}
    return c.execute(sa.update(deliveries).where(again).values(**anew)).rowcount
