"""Histories that Hypothesis makes up: rows as a person would write them, and the sorted columns they become.

Times are drawn around a few anchors at distances that matter (a window's edge, a session's gap, midnight, a microsecond
beside each), so that ties and boundaries are the rule and not the exception.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from features.calendar_days import local_days
from features.definitions import (
    ALL,
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
from features.history import NEVER, Attributes, Events, History, Outcomes
from features.moments import Moments
from features.schema import STAGES, Schema

HOUR = 3_600_000_000
DAY = 24 * HOUR
WINDOWS = (HOUR, 7 * DAY, 30 * DAY, 730 * DAY)
BOUNDARY = 1_800_000_000
"""A session's gap: exactly this far is still the same session."""
YEAR_1 = -62_135_596_800_000_000
YEAR_9999 = 253_402_300_799_999_999

SCHEMA = Schema(
    event_types=("call", "mail", "page"),
    stages={"call": "action", "page": "awareness", "rare": "decision", "mail": "awareness"},
    event_numbers=("value", "amount"),
    event_categories={"channel": ("mail", "web"), "plan": ("free", "team")},
    attributes={"age": "number", "renewal": "date", "segment": "category", "size": "category"},
    categories={"segment": ("a", "b"), "size": ("big", "small")},
    zone="America/New_York",
)


@dataclass(frozen=True)
class MadeEvent:
    """A row of the events table."""

    occurred_at: int
    event_type: str = "page"
    recorded_at: int | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)

    @property
    def recorded(self) -> int:
        return self.occurred_at if self.recorded_at is None else self.recorded_at


@dataclass(frozen=True)
class MadeAttributes:
    """A row of the attributes table."""

    valid_from: int
    recorded_at: int | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)

    @property
    def recorded(self) -> int:
        return self.valid_from if self.recorded_at is None else self.recorded_at


@dataclass(frozen=True)
class MadeLead:
    """A lead with its rows, in any order."""

    created_at: int
    events: tuple[MadeEvent, ...] = ()
    attributes: tuple[MadeAttributes, ...] = ()


def _text_key(text: str | None) -> tuple[bool, str]:
    return (text is not None, text or "")


def _number_key(number: float) -> tuple[bool, float, float]:
    """Missing first; then by value, -0.0 before 0.0: they are equal, but not the same bits."""
    return (False, 0.0, 0.0) if math.isnan(number) else (True, number, math.copysign(1.0, number))


def canonical(event: MadeEvent, schema: Schema) -> tuple[object, ...]:
    """Sort key of an event: ``(occurred_at, recorded_at, event_type, channel, value, further columns)``."""
    further = sorted({*schema.event_code_columns, *schema.event_numbers} - {"event_type", "channel", "value"})
    return (
        event.occurred_at,
        event.recorded,
        event.event_type,
        _text_key(event.texts.get("channel")),
        _number_key(event.numbers.get("value", math.nan)),
        *(
            _number_key(event.numbers.get(column, math.nan))
            if column in schema.event_numbers
            else _text_key(event.texts.get(column))
            for column in further
        ),
    )


def _content(row: MadeAttributes) -> tuple[object, ...]:
    return (
        row.valid_from,
        row.recorded,
        sorted(row.texts.items()),
        [(k, repr(v)) for k, v in sorted(row.numbers.items())],
    )


def _codes(cells: Sequence[Sequence[str | None]]) -> tuple[NDArray[np.int32], tuple[tuple[str, ...], ...]]:
    """One row of codes a column, and the sorted texts they stand for."""
    vocabularies = tuple(tuple(sorted({cell for cell in column if cell is not None})) for column in cells)
    codes = [
        [-1 if cell is None else vocabulary.index(cell) for cell in column]
        for column, vocabulary in zip(cells, vocabularies, strict=True)
    ]
    return np.array(codes, dtype=np.int32).reshape(len(cells), -1), vocabularies


def _offsets(lengths: Sequence[int]) -> NDArray[np.int64]:
    return np.cumsum([0, *lengths]).astype(np.int64)


def history_of(leads: Mapping[str, MadeLead], schema: Schema = SCHEMA) -> History:
    """The `History` that these rows become."""
    ids = sorted(leads)
    events = [event for each in ids for event in sorted(leads[each].events, key=lambda row: canonical(row, schema))]
    rows = [row for each in ids for row in sorted(leads[each].attributes, key=_content)]
    event_codes, event_vocabularies = _codes(
        [
            [event.event_type if column == "event_type" else event.texts.get(column) for event in events]
            for column in schema.event_code_columns
        ]
    )
    row_codes, row_vocabularies = _codes(
        [[row.texts.get(column) for row in rows] for column in schema.attribute_categories]
    )
    occurred = np.array([event.occurred_at for event in events], dtype=np.int64)
    return History(
        schema=schema,
        lead_ids=np.array(ids, dtype=object),
        created_at=np.array([leads[each].created_at for each in ids], dtype=np.int64),
        events=Events(
            offsets=_offsets([len(leads[each].events) for each in ids]),
            occurred_at=occurred,
            known_at=np.array([max(event.occurred_at, event.recorded) for event in events], dtype=np.int64),
            day=local_days(occurred, schema.zone),
            codes=event_codes,
            vocabularies=event_vocabularies,
            numbers=np.array(
                [[event.numbers.get(column, math.nan) for event in events] for column in schema.event_numbers],
                dtype=np.float64,
            ).reshape(len(schema.event_numbers), -1),
        ),
        attributes=Attributes(
            offsets=_offsets([len(leads[each].attributes) for each in ids]),
            valid_from=np.array([row.valid_from for row in rows], dtype=np.int64),
            known_at=np.array([max(row.valid_from, row.recorded) for row in rows], dtype=np.int64),
            codes=row_codes,
            vocabularies=row_vocabularies,
            numbers=np.array(
                [[row.numbers.get(column, math.nan) for row in rows] for column in schema.attribute_numbers],
                dtype=np.float64,
            ).reshape(len(schema.attribute_numbers), -1),
        ),
        outcomes=Outcomes(
            at=np.full(len(ids), NEVER, dtype=np.int64),
            known_at=np.full(len(ids), NEVER, dtype=np.int64),
            converted=np.zeros(len(ids), dtype=np.bool_),
        ),
        data_end=YEAR_9999,
        now=YEAR_9999,
        labels={},
    )


def moments_of(pairs: Sequence[tuple[int, int]]) -> Moments:
    """Moments from ``(position of the lead, as_of)``."""
    return Moments(
        np.array([lead for lead, _ in pairs], dtype=np.int64), np.array([as_of for _, as_of in pairs], dtype=np.int64)
    )


# ---- what to compute


def selectors_of(schema: Schema) -> tuple[Selector, ...]:
    """Every kind of selection: all, each type, the pool, each stage, each channel, each value of a further column."""
    return (
        ALL,
        *(Selector("event_type", each) for each in (*schema.event_types, OTHER)),
        *(Selector("stage", each) for each in STAGES),
        *(Selector(column, value) for column, values in schema.event_categories.items() for value in values),
    )


def every_definition(schema: Schema, windows: Sequence[int] = WINDOWS) -> tuple[Definition, ...]:
    """All kinds of definitions over all selections, columns and windows; `windows` ascending."""
    made: list[Definition] = [DaysSinceCreation()]
    for selector in selectors_of(schema):
        made += [kind(selector) for kind in (DaysSinceLast, DaysSinceFirst, MeanGap, LastGap)]
        made += [LastNumber(selector, column) for column in schema.event_numbers]
        made += [DecayedCount(selector, half_life) for half_life in windows]
        made += [Trend(selector, short, long) for short, long in itertools.pairwise(windows)]
        for window in (*windows, None):
            made += [kind(selector, window) for kind in (CountWithin, DistinctDays, Sessions, Share)]
            made += [
                kind(selector, window, column)
                for kind in (SumWithin, MeanWithin, MaxWithin)
                for column in schema.event_numbers
            ]
    for column in schema.event_code_columns:
        values = schema.event_types if column == "event_type" else schema.event_categories[column]
        made += [LastCategory(column, nth, values) for nth in (1, 2, 3)]
        made += [DistinctValues(column, window) for window in (*windows, None)]
    for column, kind_name in schema.attributes.items():
        if kind_name == "category":
            made.append(AttributeCategory(column, schema.categories[column]))
        else:
            made.append(AttributeNumber(column) if kind_name == "number" else AttributeAge(column))
    return tuple(made)


# ---- strategies


def instants(anchors: Sequence[int] = (1_700_000_000_000_000,), *, extreme: bool = True) -> st.SearchStrategy[int]:
    """Instants near the anchors, at distances where something changes; seldom any of the years 1 to 9999."""
    steps = (0, 1, BOUNDARY, HOUR, 5 * HOUR, DAY, 7 * DAY, 30 * DAY, 730 * DAY)
    near = st.builds(
        lambda anchor, step, sign, beside: anchor + sign * step + beside,
        st.sampled_from(list(anchors)),
        st.sampled_from(steps),
        st.sampled_from([-1, -1, -1, 1]),
        st.sampled_from([-1, 0, 0, 1]),
    )
    loose = st.builds(lambda anchor, away: anchor - away, st.sampled_from(list(anchors)), st.integers(0, 800 * DAY))
    wide = st.integers(YEAR_1, YEAR_9999)
    return st.one_of(near, near, near, loose, wide) if extreme else st.one_of(near, near, loose)


def cells() -> st.SearchStrategy[float]:
    """Numbers of a table: everyday ones, missing, huge and tiny ones, both zeros."""
    return st.one_of(
        st.sampled_from([math.nan, 0.0, -0.0, 1.0, 0.1, 0.2, -3.5, 1e300, -1e300, 1.7e308, 5e-324, 1e16]),
        st.floats(allow_nan=False, allow_infinity=False),
    )


def _subset(columns: Sequence[str], values: st.SearchStrategy[float]) -> st.SearchStrategy[dict[str, float]]:
    return st.fixed_dictionaries({}, optional=dict.fromkeys(columns, values))


def _texts(columns: Mapping[str, Sequence[str]]) -> st.SearchStrategy[dict[str, str]]:
    return st.fixed_dictionaries(
        {}, optional={column: st.sampled_from([*values, "never seen"]) for column, values in columns.items()}
    )


def made_events(times: st.SearchStrategy[int], schema: Schema = SCHEMA) -> st.SearchStrategy[MadeEvent]:
    types = (*schema.event_types, *schema.event_types, "rare", "new: 新しい")
    delays = st.sampled_from([0, 0, 1, BOUNDARY, HOUR, DAY, 7 * DAY, 31 * DAY])
    return st.builds(
        lambda occurred, delay, back_dated, event_type, texts, numbers: MadeEvent(
            occurred,
            event_type,
            None if delay is None else occurred + (-delay if back_dated else delay),
            texts,
            numbers,
        ),
        times,
        st.one_of(st.none(), delays),
        st.sampled_from([False, False, True]),
        st.sampled_from(types),
        _texts(schema.event_categories),
        _subset(schema.event_numbers, cells()),
    )


def made_attributes(times: st.SearchStrategy[int], schema: Schema = SCHEMA) -> st.SearchStrategy[MadeAttributes]:
    return st.builds(
        lambda valid, delay, texts, numbers: MadeAttributes(
            valid, None if delay is None else valid + delay, texts, numbers
        ),
        times,
        st.one_of(st.none(), st.sampled_from([-DAY, 0, 1, DAY, 30 * DAY])),
        _texts(schema.categories),
        _subset(schema.attribute_numbers, st.one_of(cells(), instants().map(float))),
    )


@dataclass(frozen=True)
class Made:
    """Leads, and moments of theirs in any order."""

    leads: Mapping[str, MadeLead]
    pairs: tuple[tuple[int, int], ...]
    schema: Schema = SCHEMA

    @property
    def history(self) -> History:
        return history_of(self.leads, self.schema)

    @property
    def moments(self) -> Moments:
        return moments_of(self.pairs)


@st.composite
def made(
    draw: st.DrawFn, *, max_leads: int = 3, max_events: int = 25, max_moments: int = 6, one_instant: bool = False
) -> Made:
    """Leads with events and attributes, and moments after their creation.

    With `one_instant` all moments share one instant (for what must not matter after it).
    """
    anchor = draw(
        st.sampled_from([1_700_000_000_000_000, 1_699_160_400_000_000, 951_782_400_000_000, 0, YEAR_1, YEAR_9999])
    )
    times = instants([anchor])
    shared = draw(times)
    leads: dict[str, MadeLead] = {}
    pairs: list[tuple[int, int]] = []
    n_leads = draw(st.integers(1, max_leads))
    sizes = st.sampled_from([0, 0, max_events // 3, max_events // 2])  # left alone, Hypothesis keeps lists short
    for position in range(n_leads):
        as_ofs = [shared] if one_instant else draw(st.lists(times, min_size=position == 0, max_size=max_moments))
        near = instants([*as_ofs, anchor])
        # before each of its moments: nobody asks about a lead that doesn't exist yet; events may lie before it all the same
        created = min([*as_ofs, anchor]) - draw(st.sampled_from([1, HOUR, 30 * DAY, 400 * DAY]))
        leads[f"L{position}"] = MadeLead(
            created,
            tuple(draw(st.lists(made_events(near), min_size=draw(sizes), max_size=max_events))),
            tuple(draw(st.lists(made_attributes(near), max_size=4))),
        )
        pairs += [(position, as_of) for as_of in as_ofs]
    return Made(leads, tuple(draw(st.permutations(pairs))))


def chosen_definitions(schema: Schema = SCHEMA, *, most: int = 60) -> st.SearchStrategy[Definitions]:
    """Some of all definitions, in any order."""
    return st.lists(st.sampled_from(every_definition(schema)), min_size=1, max_size=most, unique=True).map(
        lambda items: Definitions(schema, tuple(items))
    )


def busy_lead(n_events: int, seed: int) -> Made:
    """One lead with thousands of events and dense moments: what incremental sums have to survive."""
    random = np.random.default_rng(seed)
    start = 1_600_000_000_000_000
    types = ("page", "page", "page", "mail", "call", "rare")
    events = []
    at = start
    for _ in range(n_events):
        at += int(random.choice([0, 1, 60_000_000, BOUNDARY, BOUNDARY + 1, HOUR, DAY]))
        late = int(random.choice([0, 0, 0, HOUR, 20 * DAY]))
        texts = {"channel": str(random.choice(["web", "mail", "other"]))} if random.random() < 0.7 else {}
        numbers = {"value": float(random.lognormal(0, 20))} if random.random() < 0.8 else {}
        events.append(MadeEvent(at, str(random.choice(types)), at + late, texts, numbers))
    as_ofs = [int(each) for each in random.integers(start + 1, at + 40 * DAY, 12)]
    as_ofs += [events[int(i)].occurred_at + 1 for i in random.integers(0, n_events, 8)]
    return Made({"busy": MadeLead(start, tuple(events))}, tuple((0, as_of) for as_of in as_ofs))
