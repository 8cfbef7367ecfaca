"""A workspace's own definitions, fitted to its tables: what they name must be there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from features.definitions import (
    OTHER,
    Definition,
    DistinctValues,
    LastCategory,
    LastNumber,
    MaxWithin,
    MeanWithin,
    Selector,
    SumWithin,
)
from features.errors import Problem, UsageError
from features.model_settings import ModelSettings
from features.schema import STAGES, Schema
from features.toml_reader import nearest


def own_definitions(settings: ModelSettings, schema: Schema) -> tuple[Definition, ...]:
    """The definitions of [[definitions]] for these columns.

    Raises
    ------
    UsageError
        With all that the tables don't have: line, what was named, the nearest thing that is there.
    """
    problems: list[Problem] = []
    found = []
    for each in settings.definitions:
        wrong = [
            problem for problem in (_name(each, schema), _selector(each, schema), _column(each, schema)) if problem
        ]
        where = settings.places.get(f"definitions.{each.name}", "")
        problems += [replace(problem, where=where) for problem in wrong]
        if isinstance(each, LastCategory) and not wrong:
            each = replace(each, values=_values(each.column, schema))
        found.append(each)
    if problems:
        raise UsageError(problems=problems)
    return tuple(found)


def _name(definition: Definition, schema: Schema) -> Problem | None:
    """A name must tell one thing from all others."""
    if definition.called and definition.name in {*schema.attributes, *schema.event_types}:
        what = "an attribute" if definition.name in schema.attributes else "an event type"
        return Problem(f'the name "{definition.name}" is that of {what}', "a name of its own", "call it otherwise")
    return None


def _selector(definition: Definition, schema: Schema) -> Problem | None:
    selector: Selector | None = getattr(definition, "selector", None)
    if selector is None or not selector.column:
        return None
    known: dict[str, Collection[str]] = {
        "event_type": (*schema.event_types, OTHER),
        "stage": STAGES,
        **schema.event_categories,
    }
    if selector.column not in known:
        return _missing("where", selector.column, known, "a categorical column of events, event_type or stage")
    if selector.value not in known[selector.column]:
        expected = f"a value of {selector.column} that enough leads have"
        return _missing(f"where {selector.column}", selector.value, known[selector.column], expected)
    return None


def _column(definition: Definition, schema: Schema) -> Problem | None:
    match definition:
        case SumWithin() | MeanWithin() | MaxWithin() | LastNumber():
            if definition.column not in schema.event_numbers:
                return _missing("column", definition.column, schema.event_numbers, "a numeric column of events")
        case LastCategory() | DistinctValues():
            known = ("event_type", *schema.event_categories)
            if definition.column not in known:
                return _missing("column", definition.column, known, "a categorical column of events, or event_type")
    return None


def _values(column: str, schema: Schema) -> tuple[str, ...]:
    return schema.event_types if column == "event_type" else schema.event_categories[column]


def _missing(what: str, name: str, known: Collection[str], expected: str) -> Problem:
    return Problem(f'{what} "{name}" is not in the tables', expected, nearest(name, sorted(known)))
