"""Makes and delivers hand-offs in processes that may be killed at any instant.

Run as ``python -m oracles.handoff_nursery STORE FOLDER WEBHOOK_PORT MAIL_PORT``: forks a child for each line that it
reads and writes its process id. A child goes on until it is killed: it makes leads SQL, some of them in transactions that
fail, and delivers, with leases so short that others take over what the killed ones left.
"""

from __future__ import annotations

import os
import random
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from oracles.made_handoffs import handed, made_score, mail_settings, webhook_to
from serving.delivery import Deliverer
from serving.handoff_settings import HandoffSettings
from serving.store import Store
from serving.store.opening import open_address
from serving.store.tables import band_changes

LEASE = 500_000


def clock() -> int:
    return time.time_ns() // 1000


def settings_to(webhook_port: int, mail_port: int) -> HandoffSettings:
    return replace(webhook_to(webhook_port), mail=mail_settings(mail_port, langs=("en",)))


def make_one(store: Store, settings: HandoffSettings, lead_id: str, *, fails: bool) -> None:
    """A lead becomes SQL: its change of band and its hand-off, in one transaction."""
    now = clock()
    with store.writing() as c:
        change = {"lead_id": lead_id, "at": now, "to_band": "SQL", "decided_by": "model"}
        c.execute(band_changes.insert().values(**change))
        handed(c, made_score(lead_id, as_of=now), settings=settings, now=now)
        if fails:
            raise InterruptedError


def work(address: str, folder: Path, settings: HandoffSettings, parent: int) -> None:
    store, chance, count = open_address(address, folder), random.Random(os.getpid()), 0
    deliverer = Deliverer(store, settings, clock, lease=LEASE)
    while os.getppid() == parent:
        count += 1
        with suppress(InterruptedError):
            make_one(store, settings, f"L-{os.getpid()}-{count}", fails=chance.random() < 0.3)
        if chance.random() < 0.5:
            deliverer.run_once()


def main() -> None:
    address, folder, webhook_port, mail_port = sys.argv[1:]
    settings, parent = settings_to(int(webhook_port), int(mail_port)), os.getpid()
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                work(address, Path(folder), settings, parent)
            finally:
                os._exit(1)
        print(child, flush=True)


if __name__ == "__main__":
    main()
