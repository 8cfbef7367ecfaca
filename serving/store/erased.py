"""Who was erased and may not come back, who objected, and how writers keep out of the way of both."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import sqlalchemy as sa

from serving.store.lead_rows import in_parts
from serving.store.opening import Store
from serving.store.tables import objections, settings, tombstones

_LOCK = 0x65726173
"""Of PostgreSQL's advisory locks: shared by those who write about leads, alone by who erases one."""


def erased_among(c: sa.Connection, lead_ids: Collection[str]) -> frozenset[str]:
    """Those of some leads that were erased.

    Nobody is erased between this and the end of the transaction: whoever writes about leads asks first, and what it
    writes about the others is there when the next erasure looks. On SQLite a writing transaction is alone anyway.
    """
    if c.dialect.name == "postgresql":
        c.execute(sa.select(sa.func.pg_advisory_xact_lock_shared(_LOCK)))
    return frozenset(lead_id for lead_id, _ in _told_of(c, tombstones, lead_ids))


def objected_among(c: sa.Connection, lead_ids: Collection[str]) -> dict[str, int]:
    """Since when those of some leads that object to profiling do, by id; leads that nobody knows yet may, too."""
    return {lead_id: row.objected_at for lead_id, row in _told_of(c, objections, lead_ids)}


def write_alone(c: sa.Connection) -> None:
    """Wait for all who write about leads, and keep new ones waiting until the end of the transaction."""
    if c.dialect.name == "postgresql":
        c.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def _told_of(
    c: sa.Connection, table: sa.Table, lead_ids: Collection[str]
) -> Iterator[tuple[str, sa.Row[tuple[object]]]]:
    """Rows of a table of hashes by the lead that each stands for."""
    if c.execute(sa.select(table.c.lead_hash).limit(1)).first() is None:
        return
    key = c.execute(sa.select(settings.c.value).where(settings.c.name == "hash_key")).scalar_one()
    store = Store(c.engine, bytes.fromhex(key))
    by_hash = {store.hash_of(each): each for each in lead_ids}
    for some in in_parts(sorted(by_hash)):
        for row in c.execute(sa.select(table).where(table.c.lead_hash.in_(some))).all():
            yield by_hash[row.lead_hash], row
