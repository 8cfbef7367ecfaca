"""What people did about a lead, as the store has it: facts, answers, hand-offs, where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from serving.store.tables import facts, feedback, handoffs, standings

MOST = 50


@dataclass(frozen=True, eq=False)
class PeopleRecord:
    """Rows of the store about one lead, the newest first.

    Attributes
    ----------
    standing : its row in the queue; None where it has none.
    facts : the newest entry about each fact, by its name.
    """

    standing: Mapping[str, Any] | None
    facts: Mapping[str, Mapping[str, Any]]
    feedback: tuple[Mapping[str, Any], ...]
    handoffs: tuple[Mapping[str, Any], ...]

    @property
    def last_contact(self) -> int | None:
        """When somebody last dealt with the lead."""
        return self.feedback[0]["at"] if self.feedback else None


def people_record(c: sa.Connection, lead_id: str) -> PeopleRecord:
    """Read all of it."""
    standing = c.execute(sa.select(standings).where(standings.c.lead_id == lead_id)).mappings().first()
    entered = sa.select(facts).where(facts.c.lead_id == lead_id).order_by(facts.c.recorded_at, facts.c.number)
    said = (
        sa.select(feedback)
        .where(feedback.c.lead_id == lead_id)
        .order_by(feedback.c.at.desc(), feedback.c.number.desc())
        .limit(MOST)
    )
    handed = (
        sa.select(*(each for each in handoffs.c if each.name != "payload"))
        .where(handoffs.c.lead_id == lead_id)
        .order_by(handoffs.c.created_at.desc())
        .limit(MOST)
    )
    return PeopleRecord(
        standing=None if standing is None else dict(standing),
        facts={row["fact"]: dict(row) for row in c.execute(entered).mappings()},
        feedback=tuple(dict(row) for row in c.execute(said).mappings()),
        handoffs=tuple(dict(row) for row in c.execute(handed).mappings()),
    )
