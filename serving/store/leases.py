"""Leases: of several processes over one store one does a thing; who dies loses it when it ends."""

from __future__ import annotations

import sqlalchemy as sa

from serving.store.inserting import add_new
from serving.store.opening import Store
from serving.store.tables import leases


class Lease:
    """The right to do a thing for a while, under a name.

    Parameters
    ----------
    holder : tells this process from all others.
    """

    def __init__(self, store: Store, name: str, *, holder: str) -> None:
        self._store = store
        self._name = name
        self._holder = holder

    def take(self, *, now: int, seconds: int) -> bool:
        """Take the lease, or keep it longer; False where another holds it. `now` in microseconds."""
        until = now + seconds * 1_000_000
        with self._store.writing() as c:
            held = c.execute(sa.select(leases).where(leases.c.name == self._name).with_for_update()).first()
            if held is not None and held.holder != self._holder and held.until > now:
                return False
            if held is None:
                row = {"name": self._name, "holder": self._holder, "until": until}
                return bool(add_new(c, leases, [row], key=("name",)))
            c.execute(sa.update(leases).where(leases.c.name == self._name).values(holder=self._holder, until=until))
        return True

    def give_back(self) -> None:
        with self._store.writing() as c:
            c.execute(sa.delete(leases).where(leases.c.name == self._name, leases.c.holder == self._holder))
