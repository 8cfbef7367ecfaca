"""Leads, their events, changes and outcomes as they are told, again or late or out of order: each counts once.

Whatever is told of a lead that the store doesn't know yet is kept and waits for it (visits before sign-up); of a lead
that was erased nothing is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import sqlalchemy as sa

from serving.store.attributes_told import attributes_at, news
from serving.store.erased import erased_among, objected_among
from serving.store.inserting import add_all, add_new
from serving.store.lead_rows import Cell, in_parts
from serving.store.tables import attribute_changes, deliveries, events, handoffs, leads, outcomes, scores, standings

Status = Literal["accepted", "changed", "repeated", "erased"]


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a row.

    Attributes
    ----------
    status : "accepted": kept. "changed": a known lead whose attributes differ; they count from now on. "repeated": was
        here already. "erased": the lead was erased and does not come back.
    known_lead : False where the row waits for its lead.
    """

    status: Status
    known_lead: bool = True


_ERASED = Accepted("erased", known_lead=False)


@dataclass(frozen=True, slots=True)
class NewLead:
    """Instants are UTC microseconds; `recorded_at` None: now. An attribute that is None says nothing."""

    lead_id: str
    created_at: int
    attributes: Mapping[str, Cell] = field(default_factory=dict)
    recorded_at: int | None = None


@dataclass(frozen=True, slots=True)
class NewChange:
    """Attributes that are valid from an instant on; those that are absent or None keep their older value."""

    lead_id: str
    valid_from: int
    attributes: Mapping[str, Cell]
    recorded_at: int | None = None


@dataclass(frozen=True, slots=True)
class NewEvent:
    """One behaviour. Of a lead's events with one `event_id` the first that is told counts; without one each counts."""

    lead_id: str
    event_type: str
    occurred_at: int
    event_id: str | None = None
    recorded_at: int | None = None
    value: float | None = None
    channel: str | None = None
    properties: Mapping[str, Cell] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewOutcome:
    """How a lead ended; `told` is False where `recorded_at` was not, but only taken from `occurred_at`."""

    lead_id: str
    outcome: str
    occurred_at: int
    recorded_at: int | None = None
    told: bool = True


def add_leads(c: sa.Connection, rows: Sequence[NewLead], *, now: int, as_created: bool = False) -> list[Accepted]:
    """Add leads; of a lead that is known, attributes that differ become a change valid from now.

    Its `created_at` stays the first one told.

    Parameters
    ----------
    as_created : the attributes are those of the lead's creation, and later changes are told elsewhere: one that is as
        it was first told is then no news.
    """
    erased = erased_among(c, {row.lead_id for row in rows})
    kept = [row for row in rows if row.lead_id not in erased]
    objected = objected_among(c, {row.lead_id for row in kept})
    added = add_new(
        c,
        leads,
        [
            {
                "lead_id": row.lead_id,
                "created_at": row.created_at,
                "recorded_at": now if row.recorded_at is None else row.recorded_at,
                "attributes": _told(row.attributes),
                "objected_at": objected.get(row.lead_id),
            }
            for row in kept
        ],
        key=("lead_id",),
    )
    new = {lead_id for (lead_id,) in added}
    again = Counter(row.lead_id for row in kept)
    known = attributes_at(c, [each for each in again if each not in new or again[each] > 1], now=now)
    changed: dict[str, dict[str, Cell]] = {}
    found = []
    for row in rows:
        if row.lead_id in erased:
            found.append(_ERASED)
        elif row.lead_id in new:
            new.discard(row.lead_id)
            found.append(Accepted("accepted"))
        else:
            told = news(row.attributes, known[row.lead_id], as_created=as_created)
            if told:
                known[row.lead_id].current.update(told)
                changed.setdefault(row.lead_id, {}).update(told)
            found.append(Accepted("changed" if told else "repeated"))
    add_all(
        c,
        attribute_changes,
        [
            {"lead_id": lead_id, "valid_from": now, "recorded_at": now, "attributes": attributes}
            for lead_id, attributes in changed.items()
        ],
    )
    return found


def add_attribute_changes(c: sa.Connection, rows: Sequence[NewChange], *, now: int) -> list[Accepted]:
    """Add changes of attributes; one that is there already with the same times and content is not added again.

    Equal rows within `rows` count as often as they come: an nth one is there already where n are.
    """
    erased, known = erased_among(c, {row.lead_id for row in rows}), _known(c, rows)
    if c.dialect.name == "postgresql":  # no constraint could tell equal rows apart: two writers must not look at once
        c.execute(sa.text("lock table attribute_changes in share row exclusive mode"))
    here = _changes_here(c, rows)
    seen: Counter[tuple[Any, ...]] = Counter()
    found, new = [], []
    for row in rows:
        if row.lead_id in erased:
            found.append(_ERASED)
            continue
        change = {
            "lead_id": row.lead_id,
            "valid_from": row.valid_from,
            "recorded_at": now if row.recorded_at is None else row.recorded_at,
            "attributes": _told(row.attributes),
        }
        key = _content(change)
        seen[key] += 1
        if seen[key] <= here[key]:
            found.append(Accepted("repeated", row.lead_id in known))
        else:
            new.append(change)
            found.append(Accepted("accepted", row.lead_id in known))
    add_all(c, attribute_changes, new)
    return found


def add_events(c: sa.Connection, rows: Sequence[NewEvent], *, now: int) -> list[Accepted]:
    """Add events, late and out-of-order ones too."""
    erased, known = erased_among(c, {row.lead_id for row in rows}), _known(c, rows)
    kept = [
        {
            "lead_id": row.lead_id,
            "event_id": row.event_id,
            "occurred_at": row.occurred_at,
            "recorded_at": now if row.recorded_at is None else row.recorded_at,
            "event_type": row.event_type,
            "value": row.value,
            "channel": row.channel,
            "properties": _told(row.properties),
        }
        for row in rows
        if row.lead_id not in erased
    ]
    add_all(c, events, [each for each in kept if each["event_id"] is None])
    new = add_new(c, events, [each for each in kept if each["event_id"] is not None], key=("lead_id", "event_id"))
    found = []
    for row in rows:
        key = (row.lead_id, row.event_id)
        if row.lead_id in erased:
            found.append(_ERASED)
        elif row.event_id is None or key in new:
            new.discard(key)
            found.append(Accepted("accepted", row.lead_id in known))
        else:
            found.append(Accepted("repeated", row.lead_id in known))
    return found


def add_outcomes(c: sa.Connection, rows: Sequence[NewOutcome], *, now: int) -> list[Accepted]:
    """Add outcomes; the same outcome at the same instant is one."""
    erased, known = erased_among(c, {row.lead_id for row in rows}), _known(c, rows)
    new = add_new(
        c,
        outcomes,
        [
            {
                "lead_id": row.lead_id,
                "occurred_at": row.occurred_at,
                "recorded_at": now if row.recorded_at is None else row.recorded_at,
                "outcome": row.outcome,
                "told": row.told,
            }
            for row in rows
            if row.lead_id not in erased
        ],
        key=("lead_id", "occurred_at", "outcome"),
    )
    found = []
    for row in rows:
        key = (row.lead_id, row.occurred_at, row.outcome)
        if row.lead_id in erased:
            found.append(_ERASED)
        else:
            found.append(Accepted("accepted" if key in new else "repeated", row.lead_id in known))
            new.discard(key)
    return found


def object_to_profiling(c: sa.Connection, lead_id: str, *, now: int) -> bool:
    """From now on no score is made of a lead: where it stood and what was scored goes, and nothing more is delivered.

    Returns
    -------
    Whether the store knows the lead. What it did stays recorded; a first objection keeps its time.
    """
    erased_among(c, ())  # and not between an erasure's rows
    found = c.execute(sa.select(leads.c.objected_at).where(leads.c.lead_id == lead_id).with_for_update()).first()
    if found is not None and found.objected_at is None:
        c.execute(sa.update(leads).where(leads.c.lead_id == lead_id).values(objected_at=now))
    for table in (standings, scores):
        c.execute(sa.delete(table).where(table.c.lead_id == lead_id))
    own = sa.select(handoffs.c.handoff_id).where(handoffs.c.lead_id == lead_id)
    c.execute(sa.delete(deliveries).where(deliveries.c.handoff_id.in_(own), deliveries.c.state != "delivered"))
    return found is not None


def _told(cells: Mapping[str, Cell]) -> dict[str, Cell]:
    return {name: cell for name, cell in cells.items() if cell is not None}


def _known(c: sa.Connection, rows: Sequence[NewChange] | Sequence[NewEvent] | Sequence[NewOutcome]) -> set[str]:
    found: set[str] = set()
    for some in in_parts(list({row.lead_id for row in rows})):
        found.update(c.execute(sa.select(leads.c.lead_id).where(leads.c.lead_id.in_(some))).scalars())
    return found


def _changes_here(c: sa.Connection, rows: Sequence[NewChange]) -> Counter[tuple[Any, ...]]:
    here: Counter[tuple[Any, ...]] = Counter()
    for some in in_parts(list({row.lead_id for row in rows})):
        query = sa.select(attribute_changes).where(attribute_changes.c.lead_id.in_(some))
        here.update(_content(dict(row)) for row in c.execute(query).mappings())
    return here


def _content(change: Mapping[str, Any]) -> tuple[Any, ...]:
    cells = tuple(sorted((name, str(cell)) for name, cell in change["attributes"].items()))
    return change["lead_id"], change["valid_from"], change["recorded_at"], cells
