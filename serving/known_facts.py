"""Which of the four BANT facts people have entered about leads, as of a moment."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from serving.store.lead_rows import in_parts
from serving.store.tables import facts


def facts_of(c: sa.Connection, lead_ids: Sequence[str] | None, *, as_of: int) -> dict[str, frozenset[str]]:
    """Known facts by lead id; leads without any are absent. Of entries about one fact the newest before `as_of` counts.

    Parameters
    ----------
    lead_ids : None asks for all leads.
    """
    if lead_ids is None:
        return _known(c, sa.true(), as_of)
    found: dict[str, frozenset[str]] = {}
    for some in in_parts(lead_ids):
        found |= _known(c, facts.c.lead_id.in_(some), as_of)
    return found


def _known(c: sa.Connection, which: sa.ColumnElement[bool], as_of: int) -> dict[str, frozenset[str]]:
    query = (
        sa.select(facts.c.lead_id, facts.c.fact, facts.c.known)
        .where(which, facts.c.recorded_at < as_of)
        .order_by(facts.c.recorded_at, facts.c.number)
    )
    newest: dict[str, dict[str, bool]] = {}
    for lead_id, fact, known in c.execute(query):
        newest.setdefault(lead_id, {})[fact] = known
    return {
        lead_id: frozenset(name for name, known in told.items() if known)
        for lead_id, told in newest.items()
        if any(told.values())
    }
