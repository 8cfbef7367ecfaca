"""Erases a lead: everything about it in the store and in what the product wrote; only a keyed hash stays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from features.tables.personal_data import personal_by_name
from features.workspace import Workspace
from serving.store.erased import write_alone
from serving.store.erasing_files import erase_from_files, files_of_others
from serving.store.inserting import add_new
from serving.store.lead_rows import Cell
from serving.store.opening import Store
from serving.store.tables import OF_A_LEAD, attribute_changes, deliveries, handoffs, leads, objections, tombstones
from serving.store.wiping import wipe

_TELLING = 4
"""Characters from which on a personal text is looked for in files: a shorter one stands in half of all rows."""


@dataclass(frozen=True)
class Erased:
    """What was erased.

    Attributes
    ----------
    found : whether the store held anything about the lead.
    rewritten : files of ours that named it and don't any more.
    yours : tables that the customer owns and that may still name it: they are never rewritten.
    wiped : whether its bytes are gone from SQLite's files too; False where somebody read the store for so long that they
        could not be overwritten. Erasing it once more then does it.
    """

    found: bool
    rewritten: tuple[str, ...]
    yours: tuple[str, ...]
    wiped: bool


def erase_lead(store: Store, lead_id: str, *, now: int, workspace: Workspace | None = None) -> Erased:
    """Erase a lead, known or not: nothing about it comes back either, from nowhere.

    The store first, in one transaction; then our files; then what the database itself keeps of deleted rows. Whoever
    is interrupted erases once more and comes to the same end.

    Parameters
    ----------
    workspace : whose ``rejected/`` and score files are rewritten without the lead; None leaves files alone.

    Raises
    ------
    DataError
        A file can't be rewritten; the store is rid of the lead already.
    """
    with store.writing() as c:
        write_alone(c)
        personal = _personal_texts(c, lead_id)
        own = sa.select(handoffs.c.handoff_id).where(handoffs.c.lead_id == lead_id)
        gone = c.execute(sa.delete(deliveries).where(deliveries.c.handoff_id.in_(own))).rowcount
        gone += sum(c.execute(sa.delete(table).where(table.c.lead_id == lead_id)).rowcount for table in OF_A_LEAD)
        c.execute(sa.delete(objections).where(objections.c.lead_hash == store.hash_of(lead_id)))
        add_new(c, tombstones, [{"lead_hash": store.hash_of(lead_id), "erased_at": now}], key=("lead_hash",))
    rewritten = () if workspace is None else erase_from_files(workspace, lead_id, personal)
    return Erased(
        found=gone > 0,
        rewritten=rewritten,
        yours=() if workspace is None else files_of_others(workspace),
        wiped=wipe(store, [lead_id, *personal]),
    )


def _personal_texts(c: sa.Connection, lead_id: str) -> list[str]:
    """Names, mails and the like of the lead: what else tells rows that are about it."""
    told: list[Mapping[str, Cell]] = []
    for table in (leads, attribute_changes):
        told += c.execute(sa.select(table.c.attributes).where(table.c.lead_id == lead_id)).scalars()
    return sorted(set(_personal(each.items() for each in told)))


def _personal(rows: Iterable[Iterable[tuple[str, Cell]]]) -> Iterable[str]:
    for row in rows:
        for name, cell in row:
            if isinstance(cell, str) and len(cell) >= _TELLING and personal_by_name(name):
                yield cell
