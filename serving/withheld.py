"""Which leads no score is made of: those that object to profiling, and those that were erased."""

from __future__ import annotations

import sqlalchemy as sa

from serving.store import Store
from serving.store.behaviour import object_to_profiling
from serving.store.erased import write_alone
from serving.store.inserting import add_new
from serving.store.tables import objections, tombstones


class Withheld:
    """Holds the keyed hashes of both, so that a request to score waits for no look-up in the store.

    `look` is called again and again by one thread: what another worker was told counts here within a second, what this
    one was told at once. While the store is away what was known before holds.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._objected: frozenset[str] = frozenset()
        self._erased: frozenset[str] = frozenset()

    def look(self) -> None:
        with self._store.reading() as c:
            objected = frozenset(c.execute(sa.select(objections.c.lead_hash)).scalars())
            erased = frozenset(c.execute(sa.select(tombstones.c.lead_hash)).scalars())
        self._objected, self._erased = objected, erased

    @property
    def known(self) -> frozenset[str]:
        """The keyed hashes of both: what tells one state of it from another."""
        return self._objected | self._erased

    def objects(self, lead_id: str) -> bool:
        """Whether a lead objects to profiling."""
        return bool(self._objected) and self._store.hash_of(lead_id) in self._objected

    def is_erased(self, lead_id: str) -> bool:
        return bool(self._erased) and self._store.hash_of(lead_id) in self._erased

    def holds(self, lead_id: str) -> bool:
        """Whether no score is made of a lead, for either reason."""
        return self.objects(lead_id) or self.is_erased(lead_id)


def object_to(c: sa.Connection, store: Store, lead_id: str, *, now: int) -> bool:
    """Keep a lead's objection, whether the lead is known yet or not; what was scored of it goes. Says whether it is known."""
    write_alone(c)  # a lead that is just being added would miss the objection, and the objection the lead
    add_new(c, objections, [{"lead_hash": store.hash_of(lead_id), "objected_at": now}], key=("lead_hash",))
    return object_to_profiling(c, lead_id, now=now)
