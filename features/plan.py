"""Definitions as the arrays that the kernel takes: which streams of events there are, and what is asked of each."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features import kernel
from features.definitions import (
    ALL,
    LAST_EVENTS,
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

_WINDOWED = {CountWithin: kernel.COUNT, DistinctDays: kernel.DAYS, Sessions: kernel.SESSIONS, Share: kernel.SHARE}
_OF_NUMBERS = {SumWithin: kernel.SUM, MeanWithin: kernel.MEAN, MaxWithin: kernel.MAX, LastNumber: kernel.LAST_NUMBER}
_OF_TIME = {
    DaysSinceLast: kernel.SINCE_LAST,
    DaysSinceFirst: kernel.SINCE_FIRST,
    MeanGap: kernel.MEAN_GAP,
    LastGap: kernel.LAST_GAP,
}


@dataclass(frozen=True, eq=False)
class Plan:
    """Definitions as the arrays that `features.kernel.compute_leads` takes, for histories of one vocabulary."""

    ops: NDArray[np.int64]
    windows: NDArray[np.int64]
    n_streams: int
    route_row: NDArray[np.int64]
    route_offset: NDArray[np.int64]
    lookup: NDArray[np.int64]
    slot_start: NDArray[np.int64]
    slot_row: NDArray[np.int64]
    decay_start: NDArray[np.int64]
    half_lives: NDArray[np.int64]

    @property
    def arguments(self) -> tuple[Any, ...]:
        return (
            self.ops, self.windows, self.n_streams, self.route_row, self.route_offset, self.lookup,
            self.slot_start, self.slot_row, self.decay_start, self.half_lives,
        )  # fmt: skip


class _Streams:
    """Numbers the streams (selections of events) of a plan; those of one column stand side by side."""

    def __init__(self, definitions: Definitions) -> None:
        schema = definitions.schema
        self.number: dict[Selector, int] = {ALL: 0}
        self.block: dict[str, tuple[int, int]] = {}
        used = {each.selector for each in definitions if hasattr(each, "selector")} - {ALL}
        whole = {each.column for each in definitions if isinstance(each, DistinctValues)}
        columns = sorted({selector.column for selector in used} | whole)
        for column in columns:
            values: Sequence[str] = sorted(s.value for s in used if s.column == column)
            if column in whole:
                known = (*schema.event_types, OTHER) if column == "event_type" else schema.event_categories[column]
                values = sorted({*known, *values})
            first = len(self.number)
            for value in values:
                self.number[Selector(column, value)] = len(self.number)
            self.block[column] = (first, len(self.number))


_plans: OrderedDict[tuple[int, int, int], tuple[Plan, tuple[object, ...]]] = OrderedDict()
_plans_lock = Lock()


def plan_for(definitions: Definitions, history: History) -> Plan:
    """`make_plan`, remembered for the last few: one lead from a request shares its vocabularies with the next."""
    keep = (definitions, history.events.vocabularies, history.attributes.vocabularies)
    key = (id(keep[0]), id(keep[1]), id(keep[2]))
    with _plans_lock:
        if key in _plans:
            _plans.move_to_end(key)
            return _plans[key][0]
    plan = make_plan(definitions, history)
    with _plans_lock:
        _plans[key] = (plan, keep)  # kept alive, so that the ids stay theirs
        while len(_plans) > 8:
            _plans.popitem(last=False)
    return plan


def make_plan(definitions: Definitions, history: History) -> Plan:
    """Translate definitions for a history's columns and vocabularies.

    Raises
    ------
    ValueError
        A definition names a column that the history's schema doesn't have: a fault of the caller, who reads
        tables by the schema of the definitions.
    """
    schema, streams = definitions.schema, _Streams(definitions)
    code_columns, number_columns = history.schema.event_code_columns, history.schema.event_numbers
    windows = sorted(
        {
            window
            for each in definitions
            for window in (getattr(each, "window", None), getattr(each, "short", None), getattr(each, "long", None))
            if window is not None
        }
    )
    window_number: dict[int | None, int] = {window: i for i, window in enumerate(windows)} | {None: len(windows)}

    lookup: list[int] = []

    def add_lookup(vocabulary: Sequence[str], meaning: Mapping[str, int], default: int = -1) -> int:
        """Append code -> meaning, with that of a missing cell first; the offset of the new part."""
        offset = len(lookup)
        lookup.append(-1)
        lookup.extend(meaning.get(text, default) for text in vocabulary)
        return offset

    routes: list[tuple[int, int]] = []
    for column in streams.block:
        row = _row(code_columns, "event_type" if column == "stage" else column)
        vocabulary = history.events.vocabularies[row]
        of_value = {s.value: number for s, number in streams.number.items() if s.column == column}
        if column == "stage":
            of_type = {text: of_value[stage] for text, stage in schema.stages.items() if stage in of_value}
            routes.append((row, add_lookup(vocabulary, of_type)))
        elif column == "event_type":
            known = {text: of_value.get(text, -1) for text in schema.event_types}
            routes.append((row, add_lookup(vocabulary, known, default=of_value.get(OTHER, -1))))
        else:
            routes.append((row, add_lookup(vocabulary, of_value)))

    slots = _numbered(
        (streams.number[each.selector], _row(number_columns, each.column))
        for each in definitions
        if isinstance(each, (SumWithin, MeanWithin, MaxWithin, LastNumber))
    )
    decays = _numbered(
        (streams.number[each.selector], each.half_life) for each in definitions if isinstance(each, DecayedCount)
    )

    def operation(each: Definition) -> tuple[int, int, int, int]:
        kind = type(each)
        if kind in _WINDOWED:
            return _WINDOWED[kind], streams.number[each.selector], window_number[each.window], 0  # type: ignore[attr-defined]
        if kind in _OF_TIME:
            return _OF_TIME[kind], streams.number[each.selector], 0, 0  # type: ignore[attr-defined]
        if isinstance(each, (SumWithin, MeanWithin, MaxWithin, LastNumber)):
            slot = slots[streams.number[each.selector], _row(number_columns, each.column)]
            return _OF_NUMBERS[kind], slot, window_number[getattr(each, "window", None)], 0
        if isinstance(each, Trend):
            short, long = window_number[each.short], window_number[each.long]
            return kernel.TREND, streams.number[each.selector], short, long
        if isinstance(each, DecayedCount):
            stream = streams.number[each.selector]
            return kernel.DECAYED, decays[stream, each.half_life], 0, stream
        if isinstance(each, LastCategory):
            if not 1 <= each.nth <= LAST_EVENTS:
                raise ValueError(f"only the last {LAST_EVENTS} events are kept: {each.name}")
            row = _row(code_columns, each.column)
            offset = add_lookup(history.events.vocabularies[row], _codes(each.values))
            return kernel.LAST_CATEGORY, row, each.nth, offset
        if isinstance(each, DistinctValues):
            first, last = streams.block[each.column]
            return kernel.DISTINCT, first, last, window_number[each.window]
        if isinstance(each, AttributeCategory):
            row = _row(history.schema.attribute_categories, each.column)
            offset = add_lookup(history.attributes.vocabularies[row], _codes(each.values))
            return kernel.ATTRIBUTE_CATEGORY, row, offset, 0
        if isinstance(each, (AttributeNumber, AttributeAge)):
            op = kernel.ATTRIBUTE_NUMBER if isinstance(each, AttributeNumber) else kernel.ATTRIBUTE_AGE
            return op, _row(history.schema.attribute_numbers, each.column), 0, 0
        if isinstance(each, DaysSinceCreation):
            return kernel.SINCE_CREATION, 0, 0, 0
        raise ValueError(f"no operation for {each!r}")

    ops = [operation(each) for each in definitions]
    n_streams = len(streams.number)
    return Plan(
        ops=_table(ops, 4),
        windows=np.array(windows, dtype=np.int64),
        n_streams=n_streams,
        route_row=np.array([row for row, _ in routes], dtype=np.int64),
        route_offset=np.array([offset for _, offset in routes], dtype=np.int64),
        lookup=np.array(lookup or [-1], dtype=np.int64),
        slot_start=_starts(slots, n_streams),
        slot_row=np.array([row for _, row in slots], dtype=np.int64),
        decay_start=_starts(decays, n_streams),
        half_lives=np.array([half_life for _, half_life in decays], dtype=np.int64),
    )


def _row(columns: Sequence[str], column: str) -> int:
    if column not in columns:
        raise ValueError(f"the history has no column {column!r}, only {list(columns)}")
    return list(columns).index(column)


def _codes(values: Sequence[str]) -> dict[str, int]:
    return {value: code for code, value in enumerate(values)}


def _numbered(pairs: Any) -> dict[tuple[int, int], int]:
    """Number the distinct pairs in sorted order, so that those of one stream stand side by side."""
    return {pair: i for i, pair in enumerate(sorted(set(pairs)))}


def _starts(numbered: Mapping[tuple[int, int], int], n_streams: int) -> NDArray[np.int64]:
    stream_of = np.array([stream for stream, _ in numbered], dtype=np.int64)
    return np.searchsorted(stream_of, np.arange(n_streams + 1)).astype(np.int64)


def _table(rows: Sequence[tuple[int, ...]], width: int) -> NDArray[np.int64]:
    return np.array(rows, dtype=np.int64).reshape(len(rows), width)
