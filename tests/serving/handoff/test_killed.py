"""Killed at any instant, again and again, the service loses no hand-off, and a receiver that looks at ids gets each once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import random
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from features.calendar_days import DAY
from oracles.handoff_nursery import clock, settings_to
from oracles.made_handoffs import SECRET, Received, http_receiver, mail_server
from serving.delivery import Deliverer
from serving.store import Store
from serving.store.tables import band_changes, deliveries, handoffs

KILLS = 14
TESTS = Path(__file__).parents[2]


def test_killing_loses_none(store: Store, store_address: str, tmp_path: Path) -> None:
    chance = random.Random(7)
    with http_receiver() as received, mail_server() as mailbox:
        received.answer = lambda number: (503, {}) if number % 7 == 3 else (204, {})
        command = [sys.executable, "-m", "oracles.handoff_nursery", store_address, str(tmp_path)]
        with subprocess.Popen(
            [*command, str(received.port), str(mailbox.port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)])},
        ) as nursery:
            assert nursery.stdin is not None
            assert nursery.stdout is not None
            alive: list[int] = []
            for _ in range(KILLS + 1):
                print("another", file=nursery.stdin, flush=True)
                alive.append(int(nursery.stdout.readline()))
                wait_for(received, len(received.requests) + chance.randrange(6))
                time.sleep(chance.uniform(0, 0.05))
                if len(alive) == 2:  # one of two at work is killed, the other goes on
                    os.kill(alive.pop(chance.randrange(2)), signal.SIGKILL)
            os.kill(alive.pop(), signal.SIGKILL)
            nursery.stdin.close()
            assert nursery.wait(timeout=20) == 0
        killed_with = len(received.requests)
        drain(store, received.port, mailbox.port)

    with store.reading() as c:
        made = set(c.execute(sa.select(handoffs.c.handoff_id)).scalars())
        leads = sorted(c.execute(sa.select(handoffs.c.lead_id)).scalars())
        changed = sorted(c.execute(sa.select(band_changes.c.lead_id)).scalars())
        states = set(c.execute(sa.select(deliveries.c.state)).scalars())
    assert leads == changed, "a hand-off and its change of band stand together or not at all"
    assert len(leads) == len(set(leads)) > KILLS // 2
    assert states == {"delivered"}
    assert killed_with > 0
    accepted = [
        headers["webhook-id"]
        for number, (_, headers, _) in enumerate(received.requests)
        if received.answer(number)[0] == 204
    ]
    assert set(accepted) == made, "each was received, and none that was not committed"
    ids = [mail["Message-ID"].strip("<>").partition("@")[0] for mail in mailbox.mails]
    assert set(ids) == made
    assert once_each(received.requests) == made


def wait_for(received: Received, count: int) -> None:
    """Until so many requests came, so that much is under way on a slow machine too; a second at most."""
    until = time.monotonic() + 1
    while len(received.requests) < count and time.monotonic() < until:
        time.sleep(0.005)


def drain(store: Store, webhook_port: int, mail_port: int) -> None:
    """A worker that is not killed, later and later: the leases of the dead have ended."""
    settings = settings_to(webhook_port, mail_port)
    pending = sa.select(sa.func.count()).select_from(deliveries).where(deliveries.c.state == "pending")
    for days in range(1, 1000):
        with store.reading() as c:
            if not c.execute(pending).scalar():
                return
        Deliverer(store, settings, partial(later, days * DAY)).run_once()
    raise AssertionError("something stays pending")


def later(microseconds: int) -> int:
    return clock() + microseconds


def once_each(requests: list[tuple[str, dict[str, str], bytes]]) -> set[str]:
    """What a receiver keeps that drops what it has seen: by id one hand-off, of one content."""
    kept: dict[str, bytes] = {}
    for _, headers, body in requests:
        assert kept.setdefault(headers["webhook-id"], body) == body
        assert json.loads(body)["data"]["handoff_id"] == headers["webhook-id"]
        signature = headers["webhook-signature"].partition(",")[2]
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        assert signature == signed_by_hand(signed)
    return set(kept)


def signed_by_hand(signed: bytes) -> str:
    """The signature as the specification has it, since the library refuses times other than now."""
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
