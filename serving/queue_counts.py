"""How many leads stand in each band, and whose they are: counted at most every few seconds, however often it is asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from serving.queue import LANES, OPEN_STATES
from serving.store import Store
from serving.store.tables import standings

AT_LEAST = 1.0
"""Seconds that a count is good for; the longer it took the longer, so that counting stays below 2% of the time."""
MOST_OWNERS = 300


@dataclass(frozen=True)
class Counts:
    """Open leads by band, as the tabs of the queue show them, and the owners that can be chosen."""

    bands: Mapping[str, int]
    owners: tuple[str, ...]
    leads: int


def count(c: sa.Connection) -> Counts:
    """Count now."""
    s = standings.c
    of_lane: dict[int, int] = {}
    leads = 0
    for lane, state, n in c.execute(sa.select(s.lane, s.state, sa.func.count()).group_by(s.lane, s.state)):
        leads += n
        if state in OPEN_STATES:
            of_lane[lane] = of_lane.get(lane, 0) + n
    owners = sa.select(s.owner).where(s.owner.is_not(None)).distinct().order_by(s.owner).limit(MOST_OWNERS)
    bands = {
        band: sum(n for lane, n in of_lane.items() if first <= lane <= last) for band, (first, last) in LANES.items()
    }
    return Counts(bands, tuple(c.execute(owners).scalars()), leads)


class KeptCounts:
    """Keeps the newest counts. One thread counts anew while others are answered by the counts before."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._counting = threading.Lock()
        self._kept: tuple[float, Counts] | None = None

    def current(self) -> Counts:
        kept = self._kept
        if kept is not None and (time.monotonic() < kept[0] or self._counting.locked()):
            return kept[1]
        with self._counting:
            kept = self._kept
            if kept is not None and time.monotonic() < kept[0]:
                return kept[1]
            begun = time.monotonic()
            with self._store.reading() as c:
                counts = count(c)
            took = time.monotonic() - begun
            self._kept = (time.monotonic() + max(AT_LEAST, 50 * took), counts)
            return counts
