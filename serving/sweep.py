"""Re-scores all leads again and again, since time alone moves scores: hourly, and when champion, agreement or files change.

Of several workers one sweeps: who holds the lease. What was swept, and by what, stands in the store, so that a worker
that starts finds nothing to do.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from features.calendar_days import HOUR
from features.history import History
from serving.champion import Snapshot
from serving.handoff_settings import HandoffSettings
from serving.known_facts import facts_of
from serving.log_lines import note
from serving.serving_model import ServingModel
from serving.settling import leave, settle
from serving.standing import Scored, score_standings, standing_leads
from serving.store import Store
from serving.store.leases import Lease
from serving.store.tables import settings as store_settings
from serving.store.tables import standings
from serving.withheld import Withheld

SWEPT = "swept"
LEASE_SECONDS = 120
LEADS_AT_ONCE = 500
"""Leads settled in one transaction: an event that comes meanwhile waits for some milliseconds, not for the sweep."""


@dataclass(frozen=True, eq=False)
class SweptLeads:
    """The leads of a workspace, to be read when a sweep is due.

    Attributes
    ----------
    read : gives them; they are scored at their history's `now`.
    snapshot : to score them with.
    state : changes when they are others than before in a way that a sweep must follow at once.
    """

    read: Callable[[], History]
    snapshot: Snapshot
    state: str


class Sweep:
    """Looks whether a sweep is due, and does it.

    Parameters
    ----------
    source : where the leads are read from; None while they can't be.
    people_now : the moment from which on people answer.
    """

    def __init__(
        self,
        *,
        store: Store,
        source: Callable[[], SweptLeads | None],
        settings: HandoffSettings,
        withheld: Withheld,
        clock: Callable[[], int],
        people_now: Callable[[], int],
    ) -> None:
        self._store = store
        self._source = source
        self._settings = settings
        self._withheld = withheld
        self._clock = clock
        self._people_now = people_now
        self._lease = Lease(store, "sweep", holder=f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}")
        self._seen: dict[str, Any] | None = None

    def look(self) -> None:
        """Sweep if it is due. What is due must have been seen twice: workers follow the champion at their own pace."""
        source = self._source()
        if source is None:
            return
        snapshot = source.snapshot
        wanted = {"model": snapshot.served, "agreement": _agreed(snapshot), "tables": source.state}
        settled, self._seen = self._seen == wanted, wanted
        if not settled or not self._due(wanted):
            return
        if not self._lease.take(now=self._clock(), seconds=LEASE_SECONDS):
            return
        try:
            if self._due(wanted):  # another worker may have done it while we waited for the lease
                self._sweep(snapshot, source.read(), wanted)
        finally:
            self._lease.give_back()

    def _due(self, wanted: dict[str, Any]) -> bool:
        swept = self._swept()
        return bool(swept is None or swept["by"] != wanted or self._clock() - swept["at"] >= HOUR)

    def _swept(self) -> dict[str, Any] | None:
        """When the newest sweep was, and by what; None before the first."""
        with self._store.reading() as c:
            found = c.execute(sa.select(store_settings.c.value).where(store_settings.c.name == SWEPT)).scalar()
        return None if found is None else dict(json.loads(found))

    def _channels(self, wanted: dict[str, Any]) -> HandoffSettings:
        """Where hand-offs go. Whoever is SQL when an agreement takes effect for the first time is found in the queue and
        sent nowhere: a backlog of hundreds is no news, and would bury what is."""
        swept = self._swept()
        first = wanted["agreement"] is not None and (swept is None or swept["by"]["agreement"] is None)
        return replace(self._settings, webhook=None, mail=None) if first else self._settings

    def _sweep(self, snapshot: Snapshot, history: History, wanted: dict[str, Any]) -> None:
        begun, at, as_of = time.perf_counter(), self._clock(), history.now
        with self._store.reading() as c:
            facts = facts_of(c, None, as_of=at)
            stood = set(c.execute(sa.select(standings.c.lead_id)).scalars())
        positions = self._with_consent(history, standing_leads(history, as_of))
        count, channels = 0, self._channels(wanted)
        for first in range(0, len(positions), LEADS_AT_ONCE):
            part = positions[first : first + LEADS_AT_ONCE]
            scored = list(score_standings(snapshot, history, part, as_of=as_of, facts=facts))
            count += self._settle(scored, snapshot, channels)
            self._lease.take(now=self._clock(), seconds=LEASE_SECONDS)
        gone = stood.difference(str(each) for each in history.lead_ids[positions])
        with self._store.writing() as c:
            leave(c, self._still_gone(c, sorted(gone), as_of))
            c.execute(sa.delete(store_settings).where(store_settings.c.name == SWEPT))
            c.execute(store_settings.insert().values(name=SWEPT, value=json.dumps({"at": at, "by": wanted})))
        note("leads swept", leads=count, gone=len(gone), seconds=round(time.perf_counter() - begun, 2))

    def _with_consent(self, history: History, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Without the leads that object to profiling or were erased: files may still hold them."""
        self._withheld.look()
        return positions[[not self._withheld.holds(str(each)) for each in history.lead_ids[positions]]]

    def _settle(self, scored: list[Scored], snapshot: Snapshot, channels: HandoffSettings) -> int:
        with self._store.writing() as c:
            return settle(c, scored, agreement=snapshot.agreement.valid, settings=channels, now=self._people_now())

    @staticmethod
    def _still_gone(c: sa.Connection, lead_ids: list[str], as_of: int) -> list[str]:
        """Of leads that the tables did not hold those that did not come in meanwhile."""
        newer = set(c.execute(sa.select(standings.c.lead_id).where(standings.c.as_of >= as_of)).scalars())
        return [each for each in lead_ids if each not in newer]


def _agreed(snapshot: Snapshot) -> str | None:
    """What tells one valid agreement from another; None where none is valid."""
    agreement = snapshot.agreement.valid
    if agreement is None:
        return None
    horizon = snapshot.model.horizon if isinstance(snapshot.model, ServingModel) else 0
    return hashlib.sha256(json.dumps([agreement.content(), horizon], sort_keys=True).encode()).hexdigest()
