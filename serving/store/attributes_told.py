"""What is known of leads' attributes, and which of what is told again is news."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from serving.store.lead_rows import Cell, in_parts
from serving.store.tables import attribute_changes, leads


@dataclass
class KnownAttributes:
    """Of one lead: as they were at its creation, and as they are now."""

    created: Mapping[str, Cell]
    current: dict[str, Cell]


def attributes_at(c: sa.Connection, lead_ids: Sequence[str], *, now: int) -> dict[str, KnownAttributes]:
    """Attributes of known leads by id. Nobody else changes these leads until the end of a writing transaction."""
    found: dict[str, KnownAttributes] = {}
    for some in in_parts(sorted(lead_ids)):
        query = sa.select(leads.c.lead_id, leads.c.attributes).where(leads.c.lead_id.in_(some))
        for row in c.execute(query.order_by(leads.c.lead_id).with_for_update()):
            found[row.lead_id] = KnownAttributes(row.attributes, dict(row.attributes))
        changes = (
            sa.select(attribute_changes.c.lead_id, attribute_changes.c.attributes)
            .where(attribute_changes.c.lead_id.in_(some), attribute_changes.c.valid_from <= now)
            .order_by(attribute_changes.c.valid_from, attribute_changes.c.recorded_at, attribute_changes.c.number)
        )
        for row in c.execute(changes):
            if row.lead_id in found:
                found[row.lead_id].current.update(row.attributes)
    return found


def news(told: Mapping[str, Cell], known: KnownAttributes, *, as_created: bool) -> dict[str, Cell]:
    """The cells that differ from what is known; None says nothing. 10 and "10" are one: files bring all as text.

    Parameters
    ----------
    as_created : what is as it was at the lead's creation is no news either.
    """
    return {
        name: cell
        for name, cell in told.items()
        if cell is not None
        and not _same(cell, known.current.get(name))
        and not (as_created and _same(cell, known.created.get(name)))
    }


def _same(one: Cell, other: Cell) -> bool:
    return other is not None and _text(one) == _text(other)


def _text(cell: Cell) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)
