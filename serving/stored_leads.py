"""Leads of the store as the features see them: the history that reading the whole store would hold of them, to the bit."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from features.history import NEVER, History, Outcomes
from features.instants import EARLIEST, LATEST
from features.one_lead import RawChange, RawEvent, RawLead, history_of_leads
from features.rule_attributes import ToldAttributes, rule_attributes
from features.schema import Schema
from features.told_cells import bare_text, category_text, cell_number, cell_text, raw_text
from features.told_times import cell_time
from serving.incoming import property_kinds
from serving.store.lead_rows import Cell, LeadRows, StoredOutcome

Read = Callable[[Any], float | str | None]
Readers = tuple[tuple[str, Read], ...]


def history_of_stored(
    schema: Schema,
    rows: Sequence[LeadRows],
    *,
    as_of: int,
    named_types: tuple[str, ...] = (),
    page: Mapping[str, str] | None = None,
    rule_columns: Collection[str] = (),
    converted: str | None = None,
) -> History:
    """Lay out leads of the store as a History; its features are those that `read_history` of the store gives.

    Parameters
    ----------
    schema : of the definitions that will be computed.
    rows : all that is recorded of n leads with distinct ids. Whoever objects to profiling is not among them.
    as_of : becomes ``data_end`` and ``now``. Later rows are in here too; a moment sees none of them.
    named_types : event types that keep their name although the schema doesn't know them.
    page : ``Workspace.page``: what makes the labels; the newest that is known wins.
    rule_columns : attributes that rules of the agreement look at.
    converted : the outcome that means converted; None takes none for a conversion. Whether a lead is open needs none.

    Returns
    -------
    History of the n leads; positions follow the sorted ids (`History.positions`).
    """
    rows = sorted(rows, key=lambda each: each.lead_id)
    attributes = _attribute_readers(schema)
    properties = _property_readers(schema)
    leads = [
        RawLead(
            lead_id=each.lead_id,
            created_at=each.created_at,
            attributes=_cells(each.attributes, attributes),
            events=_events(each, properties),
            changes=[
                RawChange(change.valid_from, change.recorded_at, _cells(change.attributes, attributes))
                for change in each.changes
                if _readable(change.valid_from, change.recorded_at)
            ],
        )
        for each in rows
    ]
    history = history_of_leads(schema, leads, as_of=as_of, named_types=named_types)
    return replace(
        history,
        outcomes=_outcomes(rows, converted),
        labels=_labels(rows, page or {}, as_of),
        rule_attributes=rule_attributes(rule_columns, [_told(each) for each in rows]) if rule_columns else None,
    )


def _attribute_readers(schema: Schema) -> Readers:
    def of_date(cell: Cell) -> float | None:
        found = cell_time(cell, schema.zone)
        return None if found is None else float(found)

    by_kind: dict[str, Read] = {"number": cell_number, "category": cell_text, "date": of_date}
    return tuple((name, by_kind[kind]) for name, kind in schema.attributes.items())


def _property_readers(schema: Schema) -> Readers:
    return tuple(
        (name, cell_number if kind == "number" else cell_text) for name, kind in property_kinds(schema).items()
    )


def _cells(told: Mapping[str, Cell], readers: Readers) -> dict[str, float | str | None]:
    return {name: read(cell) for name, read in readers if (cell := told.get(name)) is not None}


def _events(lead: LeadRows, properties: Readers) -> list[RawEvent]:
    """Those that can be used: tables set the others aside."""
    found = []
    for event in lead.events:
        event_type = bare_text(event.event_type)
        if event_type is None or not _readable(event.occurred_at, event.recorded_at):
            continue
        found.append(
            RawEvent(
                event_type=event_type,
                occurred_at=event.occurred_at,
                recorded_at=event.recorded_at,
                value=cell_number(event.value),
                channel=None if event.channel is None else category_text(event.channel),
                properties=_cells(event.properties, properties) if event.properties else {},
                event_id=None if event.event_id is None else bare_text(event.event_id),
            )
        )
    return found


def _outcomes(rows: Sequence[LeadRows], converted: str | None) -> Outcomes:
    """The first of each lead; at one instant, a conversion wins."""
    n = len(rows)
    at, known_at, won = np.full(n, NEVER, np.int64), np.full(n, NEVER, np.int64), np.zeros(n, np.bool_)
    for i, lead in enumerate(rows):
        usable = [each for each in lead.outcomes if _usable(each)]
        if usable:
            at[i] = min(each.occurred_at for each in usable)
            known_at[i] = min(max(each.occurred_at, each.recorded_at) for each in usable)
            won[i] = any(each.occurred_at == at[i] and bare_text(each.outcome) == converted for each in usable)
    return Outcomes(at=at, known_at=known_at, converted=won)


def _usable(outcome: StoredOutcome) -> bool:
    return bare_text(outcome.outcome) is not None and _readable(outcome.occurred_at, outcome.recorded_at)


def _readable(*times: int) -> bool:
    return all(EARLIEST <= each <= LATEST for each in times)


def _told(lead: LeadRows) -> list[ToldAttributes]:
    """The lead's own row and its changes."""
    return [
        ToldAttributes(lead.created_at, lead.created_at, lead.attributes),
        *(
            ToldAttributes(each.valid_from, each.recorded_at, each.attributes, is_change=True)
            for each in lead.changes
            if _readable(each.valid_from, each.recorded_at)
        ),
    ]


def _labels(rows: Sequence[LeadRows], page: Mapping[str, str], as_of: int) -> dict[str, NDArray[np.object_]]:
    labels: dict[str, NDArray[np.object_]] = {}
    for key, told in page.items():
        shown = np.full(len(rows), "", dtype=object)
        for i, lead in enumerate(rows):
            if key == "link":
                shown[i] = told.replace("{lead_id}", quote(lead.lead_id, safe=""))
            else:
                shown[i] = _label(lead, told, as_of)
        labels[key] = shown
    return labels


def _label(lead: LeadRows, column: str, as_of: int) -> str:
    """The newest text of a column that is known; by the order of rows in tables."""
    if column == "lead_id":
        return lead.lead_id
    known = [
        (row.valid_from, row.is_change, row.recorded_at, text)
        for row in _told(lead)
        if (text := raw_text(row.cells.get(column))) is not None
        and (not row.is_change or max(row.valid_from, row.recorded_at) < as_of)
    ]
    return max(known)[3] if known else ""
