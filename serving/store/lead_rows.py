"""All that is recorded of some leads, read back with one query a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from serving.store.tables import attribute_changes, events, facts, leads, outcomes

AT_ONCE = 500
"""Leads that one statement looks up."""

Cell = str | float | bool | None
"""As it was told: cells of files are text, those of programs may be numbers or booleans."""


class StoredChange(NamedTuple):
    """A change of attributes; an attribute that is absent or None keeps its older value."""

    valid_from: int
    recorded_at: int
    attributes: Mapping[str, Cell]


class StoredEvent(NamedTuple):
    """One behaviour; `properties` are the further columns.

    A named tuple: an active lead has hundreds, and a frozen dataclass costs three times as much to make.
    """

    event_type: str
    occurred_at: int
    recorded_at: int
    event_id: str | None
    value: float | None
    channel: str | None
    properties: Mapping[str, Cell]


class StoredOutcome(NamedTuple):
    """How a lead ended; `told`: whether the recorded time was, or is only taken from `occurred_at`."""

    outcome: str
    occurred_at: int
    recorded_at: int
    told: bool


class StoredFact(NamedTuple):
    """What somebody entered about a BANT fact; of entries about one fact the newest counts."""

    fact: str
    known: bool
    note: str | None
    recorded_at: int
    by: str


@dataclass(frozen=True)
class LeadRows:
    """One lead. All instants are UTC microseconds; rows stand in the order of their times, the newest last.

    Attributes
    ----------
    attributes : known at `created_at`.
    objected_at : since when no score is made of the lead; None where nobody objected.
    """

    lead_id: str
    created_at: int
    attributes: Mapping[str, Cell]
    changes: tuple[StoredChange, ...] = ()
    events: tuple[StoredEvent, ...] = ()
    outcomes: tuple[StoredOutcome, ...] = ()
    facts: tuple[StoredFact, ...] = ()
    objected_at: int | None = None


def lead_rows(c: sa.Connection, lead_ids: Sequence[str]) -> dict[str, LeadRows]:
    """What is recorded of leads, by id and in the order asked; ids that the store doesn't hold are absent.

    Rows of one time come in the order in which they were recorded, so that two reads of the same store are alike.
    """
    found: dict[str, LeadRows] = {}
    for some in in_parts(list(dict.fromkeys(lead_ids))):
        found |= _rows(c, some)
    return found


def in_parts(lead_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Ids in pieces that fit into one statement."""
    for first in range(0, len(lead_ids), AT_ONCE):
        yield lead_ids[first : first + AT_ONCE]


def _rows(c: sa.Connection, some: Sequence[str]) -> dict[str, LeadRows]:
    known = {row.lead_id: row for row in c.execute(sa.select(leads).where(leads.c.lead_id.in_(some)))}
    ids = [each for each in some if each in known]
    if not ids:
        return {}
    change = _of_each(c, attribute_changes, ("valid_from", "recorded_at", "attributes"), "valid_from", ids)
    event = _of_each(
        c, events,
        ("event_type", "occurred_at", "recorded_at", "event_id", "value", "channel", "properties"), "occurred_at", ids,
    )  # fmt: skip
    outcome = _of_each(c, outcomes, ("outcome", "occurred_at", "recorded_at", "told"), "occurred_at", ids)
    fact = _of_each(c, facts, ("fact", "known", "note", "recorded_at", "by"), "recorded_at", ids)
    return {
        lead_id: LeadRows(
            lead_id=lead_id,
            created_at=known[lead_id].created_at,
            attributes=known[lead_id].attributes,
            changes=tuple(StoredChange(*row) for row in change.get(lead_id, ())),
            events=tuple(StoredEvent(*row) for row in event.get(lead_id, ())),
            outcomes=tuple(StoredOutcome(*row) for row in outcome.get(lead_id, ())),
            facts=tuple(StoredFact(*row) for row in fact.get(lead_id, ())),
            objected_at=known[lead_id].objected_at,
        )
        for lead_id in ids
    }


def _of_each(
    c: sa.Connection, table: sa.Table, columns: Sequence[str], time: str, ids: Sequence[str]
) -> dict[str, list[tuple[Any, ...]]]:
    """Rows of a table by lead, in the order of `time`, then as they were recorded."""
    query = (
        sa.select(table.c.lead_id, *(table.c[each] for each in columns))
        .where(table.c.lead_id.in_(ids))
        .order_by(table.c[time], table.c.recorded_at, table.c.number)
    )
    found: dict[str, list[tuple[Any, ...]]] = {}
    for lead_id, *row in c.execute(query):
        found.setdefault(lead_id, []).append(tuple(row))
    return found
