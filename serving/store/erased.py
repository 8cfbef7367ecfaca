"""Who was erased and may not come back, and how writers and an erasure keep out of each other's way."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from serving.store.lead_rows import in_parts
from serving.store.opening import Store
from serving.store.tables import settings, tombstones

_LOCK = 0x65726173
"""Of PostgreSQL's advisory locks: shared by those who write about leads, alone by who erases one."""


def erased_among(c: sa.Connection, lead_ids: Collection[str]) -> frozenset[str]:
    """Those of some leads that were erased.

    Nobody is erased between this and the end of the transaction: whoever writes about leads asks first, and what it
    writes about the others is there when the next erasure looks. On SQLite a writing transaction is alone anyway.
    """
    if c.dialect.name == "postgresql":
        c.execute(sa.select(sa.func.pg_advisory_xact_lock_shared(_LOCK)))
    if c.execute(sa.select(tombstones.c.lead_hash).limit(1)).first() is None:
        return frozenset()
    store = Store(c.engine, bytes.fromhex(c.execute(_KEY).scalar_one()))
    by_hash = {store.hash_of(each): each for each in lead_ids}
    found: set[str] = set()
    for some in in_parts(list(by_hash)):
        rows = c.execute(sa.select(tombstones.c.lead_hash).where(tombstones.c.lead_hash.in_(some)))
        found.update(by_hash[row.lead_hash] for row in rows)
    return frozenset(found)


def erase_alone(c: sa.Connection) -> None:
    """Wait for all who write about leads, and keep new ones waiting until the end of the transaction."""
    if c.dialect.name == "postgresql":
        c.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


_KEY = sa.select(settings.c.value).where(settings.c.name == "hash_key")
