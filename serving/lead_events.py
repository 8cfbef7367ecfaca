"""The real events behind what is said of a lead: those that were visible at a moment, and which of them a reason means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from features.definitions import ALL, OTHER, Selector
from features.history import History
from features.schema import Schema
from serving.serving_model import ServingModel


@dataclass(frozen=True)
class LeadEvent:
    """One event of a lead. Times are UTC microseconds; `cells` holds the known values of its categorical columns."""

    occurred_at: int
    known_at: int
    event_type: str
    cells: Mapping[str, str]

    @property
    def channel(self) -> str:
        return self.cells.get("channel", "")


def visible_events(history: History, position: int, as_of: int) -> tuple[LeadEvent, ...]:
    """The events of a lead that were visible at a moment, the newest first."""
    events, columns = history.events, history.schema.event_code_columns
    first, last = int(events.offsets[position]), int(events.offsets[position + 1])
    found = []
    for row in range(last - 1, first - 1, -1):
        if events.known_at[row] < as_of:
            cells = {
                column: events.vocabularies[k][events.codes[k, row]]
                for k, column in enumerate(columns)
                if events.codes[k, row] >= 0
            }
            told = int(events.occurred_at[row]), int(events.known_at[row])
            found.append(LeadEvent(*told, cells.get("event_type", ""), cells))
    return tuple(found)


@lru_cache(maxsize=2)
def selectors(model: ServingModel) -> Mapping[str, Selector]:
    """Which events each topic of behaviour is about. Topics of what a lead is are absent.

    Topics without a selection of their own, such as the kind of the last event, are about all events.
    """
    return {
        each.topic: getattr(each, "selector", ALL)
        for each in model.bundle.scorer.definitions
        if each.group == "engagement"
    }


def selected(events: Sequence[LeadEvent], selector: Selector, schema: Schema) -> tuple[LeadEvent, ...]:
    """Those events that a definition with this selector looks at, in their order."""
    return tuple(each for each in events if _matches(each, selector, schema))


def _matches(event: LeadEvent, selector: Selector, schema: Schema) -> bool:
    if selector == ALL:
        return True
    if selector.column == "event_type":
        if selector.value == OTHER:
            return event.event_type not in schema.event_types
        return event.event_type == selector.value
    if selector.column == "stage":
        return schema.stages.get(event.event_type) == selector.value
    return event.cells.get(selector.column) == selector.value


def attribute_since(history: History, position: int, name: str, as_of: int) -> int | None:
    """Since when we have known the value that an attribute had at a moment; None where it had none."""
    rows, schema = history.attributes, history.schema
    if schema.attributes.get(name) == "category":
        column = rows.codes[schema.attribute_categories.index(name)]
    elif name in schema.attributes:
        column = rows.numbers[schema.attribute_numbers.index(name)]
    else:
        return None
    for row in range(int(rows.offsets[position + 1]) - 1, int(rows.offsets[position]) - 1, -1):
        known = column[row] >= 0 if schema.attributes[name] == "category" else column[row] == column[row]
        if rows.known_at[row] < as_of and known:
            return int(rows.valid_from[row])
    return None
