"""Which features read an attribute, an event type or a further column of events: what goes when one of them leaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from features.definitions import (
    ALL,
    OTHER,
    AttributeAge,
    AttributeCategory,
    AttributeNumber,
    Definition,
    Definitions,
    DistinctValues,
    LastCategory,
    Selector,
    Share,
)
from features.history import History
from training.leakage.finding import About

ATTRIBUTES = (AttributeNumber, AttributeCategory, AttributeAge)


@dataclass(frozen=True, order=True)
class Subject:
    """A part of the tables that features read."""

    about: About
    name: str


def subject_of(definition: Definition) -> Subject:
    """What a feature is made of, as far as one thing can be named; else the feature itself.

    Counts of all events, of a stage and of the pool of rare types are made of many types: the feature is named.
    """
    if isinstance(definition, ATTRIBUTES):
        return Subject("attribute", definition.column)
    if isinstance(definition, (LastCategory, DistinctValues)):
        if definition.column == "event_type":
            return Subject("feature", definition.name)
        return Subject("column of events", definition.column)
    column = getattr(definition, "column", "value")
    if column != "value":
        return Subject("column of events", column)
    selector: Selector = getattr(definition, "selector", ALL)
    if selector.column == "event_type" and selector.value != OTHER:
        return Subject("event type", selector.value)
    if selector.column in ("", "event_type", "stage"):
        return Subject("feature", definition.name)
    return Subject("column of events", selector.column)


def made_of(definitions: Definitions, subject: Subject) -> list[int]:
    """Positions of the features that are made of a subject."""
    return [
        place
        for place, each in enumerate(definitions)
        if subject_of(each) == subject
        or (subject.about == "event type" and getattr(each, "selector", ALL) == Selector("event_type", subject.name))
    ]


def reading(definitions: Definitions, subject: Subject, history: History) -> list[int]:
    """Positions of all features through which a subject can be seen.

    Of an event type these are more than its own: counts of all events, of its stage and of the channels it comes by
    hold it too, and a line can take the other counts away from them.
    """
    found = set(made_of(definitions, subject))
    if subject.about == "event type":
        mixed = _mixed(history, subject.name)
        columns = {"event_type", *(each.column for each in mixed)}
        for place, each in enumerate(definitions):
            selector = getattr(each, "selector", None)
            if (
                isinstance(each, Share)
                or (selector is not None and selector in mixed)
                or (isinstance(each, (LastCategory, DistinctValues)) and each.column in columns)
            ):
                found.add(place)
    return sorted(found)


def without(definitions: Definitions, gone: Sequence[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Positions of the other features, ascending."""
    return np.setdiff1d(np.arange(len(definitions), dtype=np.int64), np.asarray(gone, dtype=np.int64))


def _mixed(history: History, event_type: str) -> set[Selector]:
    """Selections in which events of this type stand among others."""
    schema, events = history.schema, history.events
    mixed = {ALL}
    if event_type in schema.stages:
        mixed.add(Selector("stage", schema.stages[event_type]))
    if event_type not in events.vocabularies[0]:
        return mixed
    rows = events.codes[0] == events.vocabularies[0].index(event_type)
    for place, column in enumerate(schema.event_code_columns):
        if place and column in schema.event_categories:
            held = np.unique(events.codes[place][rows])
            mixed |= {Selector(column, events.vocabularies[place][code]) for code in held.tolist() if code >= 0}
    return mixed
