"""The slow, obvious second implementation of `features.compute.compute_features`.

Written from the words of `features.definitions` and `features.history` alone: for each moment and each definition the
visible events are filtered, the selector is applied, and the value is computed from the rows that are left. No arrays,
no incremental state, nothing shared with the kernel but the definitions. It must agree with the kernel bit for bit.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from features.definitions import (
    OTHER,
    AttributeAge,
    AttributeCategory,
    AttributeNumber,
    CountWithin,
    DaysSinceCreation,
    DaysSinceFirst,
    DaysSinceLast,
    DecayedCount,
    Definition,
    Definitions,
    DistinctDays,
    DistinctValues,
    LastCategory,
    LastGap,
    LastNumber,
    MaxWithin,
    MeanGap,
    MeanWithin,
    Selector,
    Sessions,
    Share,
    SumWithin,
    Trend,
)
from features.history import History
from features.moments import Moments
from features.schema import Schema

DAY = 86_400_000_000.0
SESSION_GAP = 1_800_000_000
MISSING = math.nan

# 2 ** -(2 ** -1), 2 ** -(2 ** -2), ...; typed out again on purpose, so that a slip in the kernel's list shows
HALF_POWERS = [
    0.7071067811865476,
    0.8408964152537145,
    0.9170040432046712,
    0.9576032806985737,
    0.9785720620877001,
    0.9892280131939755,
    0.9945994234836332,
    0.9972960560854701,
    0.9986471128909702,
    0.9993233275026507,
    0.9996616064962437,
    0.9998307889319291,
    0.9999153908866135,
    0.9999576945484311,
    0.9999788470504919,
    0.9999894234693144,
]


@dataclass(frozen=True)
class EventRow:
    """One event of a lead: its times, its calendar day, its texts (None = missing) and its numbers (NaN = missing)."""

    occurred_at: int
    known_at: int
    day: int
    texts: dict[str, str | None]
    numbers: dict[str, float]


@dataclass(frozen=True)
class AttributeRow:
    """What one row says about a lead, and when it was known."""

    valid_from: int
    known_at: int
    texts: dict[str, str | None]
    numbers: dict[str, float]


def plain_features(history: History, moments: Moments, definitions: Definitions) -> list[list[float]]:
    """One list a moment, one float a definition: what `compute_features` must return, bit for bit."""
    rows = []
    events_of = {lead: events_of_lead(history, lead) for lead in {int(each) for each in moments.lead}}
    attributes_of = {lead: attributes_of_lead(history, lead) for lead in events_of}
    for lead, as_of in zip([int(each) for each in moments.lead], [int(each) for each in moments.as_of], strict=True):
        visible = [event for event in events_of[lead] if event.occurred_at < as_of and event.known_at < as_of]
        said = [row for row in attributes_of[lead] if row.valid_from < as_of and row.known_at < as_of]
        created_at = int(history.created_at[lead])
        rows.append([value_of(each, definitions.schema, visible, said, created_at, as_of) for each in definitions])
    return rows


def events_of_lead(history: History, lead: int) -> list[EventRow]:
    events, schema = history.events, history.schema
    return [
        EventRow(
            occurred_at=int(events.occurred_at[i]),
            known_at=int(events.known_at[i]),
            day=int(events.day[i]),
            texts={
                column: text_of(events.vocabularies[k], int(events.codes[k][i]))
                for k, column in enumerate(schema.event_code_columns)
            },
            numbers={column: float(events.numbers[k][i]) for k, column in enumerate(schema.event_numbers)},
        )
        for i in range(int(events.offsets[lead]), int(events.offsets[lead + 1]))
    ]


def attributes_of_lead(history: History, lead: int) -> list[AttributeRow]:
    rows, schema = history.attributes, history.schema
    return [
        AttributeRow(
            valid_from=int(rows.valid_from[i]),
            known_at=int(rows.known_at[i]),
            texts={
                column: text_of(rows.vocabularies[k], int(rows.codes[k][i]))
                for k, column in enumerate(schema.attribute_categories)
            },
            numbers={column: float(rows.numbers[k][i]) for k, column in enumerate(schema.attribute_numbers)},
        )
        for i in range(int(rows.offsets[lead]), int(rows.offsets[lead + 1]))
    ]


def text_of(vocabulary: Sequence[str], code: int) -> str | None:
    return None if code < 0 else vocabulary[code]


def is_selected(event: EventRow, selector: Selector, schema: Schema) -> bool:
    event_type = event.texts["event_type"]
    if selector.column == "":
        return True
    if selector.column == "event_type":
        return event_type not in schema.event_types if selector.value == OTHER else event_type == selector.value
    if selector.column == "stage":
        return event_type is not None and schema.stages.get(event_type) == selector.value
    return event.texts[selector.column] == selector.value


def is_within(event: EventRow, as_of: int, window: int | None) -> bool:
    return window is None or as_of - window <= event.occurred_at


def half_power(age: int, half_life: int) -> float:
    """``2 ** -(age / half_life)`` to 1/65536 of a half-life, by a fixed sequence of products."""
    halvings, rest = age // half_life, age % half_life
    if halvings >= 64:
        return 0.0
    part = (rest * 65536) // half_life
    result = 1.0
    for i in range(16):
        if part & 2 ** (15 - i):
            result = result * HALF_POWERS[i]
    for _ in range(halvings):
        result = result * 0.5
    return result


def value_of(
    definition: Definition,
    schema: Schema,
    visible: list[EventRow],
    said: list[AttributeRow],
    created_at: int,
    as_of: int,
) -> float:
    """One cell of the matrix, from the visible rows in canonical order."""
    match definition:
        case DaysSinceCreation():
            return float(as_of - created_at) / DAY
        case AttributeNumber(column):
            return newest_number(said, column)
        case AttributeAge(column):
            return (float(as_of) - newest_number(said, column)) / DAY
        case AttributeCategory(column, values):
            known = [row.texts[column] for row in said if row.texts[column] is not None]
            return code_of(known[-1], values) if known else MISSING
        case LastCategory(column, nth, values):
            return code_of(visible[-nth].texts[column], values) if nth <= len(visible) else MISSING
        case DistinctValues(column, window):
            cells = [event.texts[column] for event in visible if is_within(event, as_of, window)]
            if column == "event_type":
                pooled = any(cell not in schema.event_types for cell in cells)
                return float(len({cell for cell in cells if cell in schema.event_types}) + pooled)
            return float(len({cell for cell in cells if cell in schema.event_categories[column]}))
        case Share(selector, window):
            everything = [event for event in visible if is_within(event, as_of, window)]
            part = [event for event in everything if is_selected(event, selector, schema)]
            return float(len(part)) / float(len(everything)) if everything else MISSING
        case _:
            of_events = getattr(definition, "selector", None)
            assert isinstance(of_events, Selector), f"the oracle does not know {type(definition).__name__}"
            chosen = [event for event in visible if is_selected(event, of_events, schema)]
            return value_of_selection(definition, chosen, as_of)


def value_of_selection(definition: Definition, chosen: list[EventRow], as_of: int) -> float:
    match definition:
        case CountWithin(_, window):
            return float(len([event for event in chosen if is_within(event, as_of, window)]))
        case DistinctDays(_, window):
            return float(len({event.day for event in chosen if is_within(event, as_of, window)}))
        case Sessions(_, window):
            sessions = 0
            for i, event in enumerate(chosen):
                if not is_within(event, as_of, window):
                    continue
                before = chosen[i - 1] if i > 0 else None
                if (
                    before is None
                    or not is_within(before, as_of, window)
                    or event.occurred_at - before.occurred_at > SESSION_GAP
                ):
                    sessions += 1
            return float(sessions)
        case SumWithin(_, window, column):
            return added(known_cells(chosen, column, as_of, window))
        case MeanWithin(_, window, column):
            cells = known_cells(chosen, column, as_of, window)
            return added(cells) / float(len(cells)) if cells else MISSING
        case MaxWithin(_, window, column):
            cells = known_cells(chosen, column, as_of, window)
            return max(cells) if cells else MISSING
        case LastNumber(_, column):
            cells = known_cells(chosen, column, as_of, None)
            return cells[-1] if cells else MISSING
        case DaysSinceLast():
            return float(as_of - chosen[-1].occurred_at) / DAY if chosen else MISSING
        case DaysSinceFirst():
            return float(as_of - chosen[0].occurred_at) / DAY if chosen else MISSING
        case MeanGap():
            if len(chosen) < 2:
                return MISSING
            return float(chosen[-1].occurred_at - chosen[0].occurred_at) / DAY / float(len(chosen) - 1)
        case LastGap():
            return float(chosen[-1].occurred_at - chosen[-2].occurred_at) / DAY if len(chosen) >= 2 else MISSING
        case Trend(_, short, long):
            in_short = len([event for event in chosen if is_within(event, as_of, short)])
            in_long = len([event for event in chosen if is_within(event, as_of, long)])
            if in_long == 0:
                return MISSING
            return (float(in_short) * float(long)) / (float(in_long) * float(short))
        case DecayedCount(_, half_life):
            if not chosen:
                return 0.0
            weight = 1.0
            for before, event in itertools.pairwise(chosen):
                weight = weight * half_power(event.occurred_at - before.occurred_at, half_life) + 1.0
            return weight * half_power(as_of - chosen[-1].occurred_at, half_life)
        case _:
            raise AssertionError(f"the oracle does not know {type(definition).__name__}")


def known_cells(chosen: list[EventRow], column: str, as_of: int, window: int | None) -> list[float]:
    cells = [event.numbers[column] for event in chosen if is_within(event, as_of, window)]
    return [cell for cell in cells if not math.isnan(cell)]


def added(cells: list[float]) -> float:
    """Left to right: Python's own `sum` compensates rounding since 3.12 and would give other bits."""
    total = 0.0
    for cell in cells:
        total = total + cell
    return total


def newest_number(said: list[AttributeRow], column: str) -> float:
    known = [row.numbers[column] for row in said if not math.isnan(row.numbers[column])]
    return known[-1] if known else MISSING


def code_of(text: str | None, values: Sequence[str]) -> float:
    return float(values.index(text)) if text is not None and text in values else MISSING
