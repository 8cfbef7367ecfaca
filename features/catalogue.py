"""The definitions that a workspace gives rise to: from its columns, its horizon and what its histories span.

Candidates are laid out in tiers, the plain ones first. What is constant on the training moments, equals a column before
it, or is known for fewer than `MIN_LEADS` leads is left out; of the rest the first `MOST` stay, by tier and then by
coverage. A workspace's own definitions stay in any case. Labels are never looked at: choosing columns by them would
flatter the evaluation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.calendar_days import DAY, HOUR
from features.compute import compute_features
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
from features.history import History
from features.model_settings import NOTHING_SAID, ModelSettings
from features.moments import Moments
from features.naming import check_names, is_in
from features.own_definitions import own_definitions
from features.schema import STAGES, Schema

LADDER: tuple[int, ...] = (
    HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 3 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 60 * DAY, 90 * DAY, 180 * DAY,
    365 * DAY, 730 * DAY,
)  # fmt: skip
"""Windows that people have a word for."""
MOST = 400
"""About how many definitions a catalogue holds; attributes come on top."""
MOST_WINDOWS = 7
MIN_LEADS = 20
SAMPLE = 20_000
"""Training moments looked at for coverage; more would not change what is common."""


def build_catalogue(
    history: History, moments: Moments, horizon: int, settings: ModelSettings = NOTHING_SAID
) -> Definitions:
    """Choose the definitions for a workspace.

    Parameters
    ----------
    history : as read for training; its schema says which columns there are.
    moments : the training moments; an evenly spaced sample of `SAMPLE` is looked at.
    horizon : microseconds; short horizons look back shortly.
    settings : the workspace's own definitions, and which features are in or out.

    Returns
    -------
    Definitions over ``history.schema``, in a fixed order: attributes, the workspace's own, the others.

    Raises
    ------
    UsageError
        The settings name what the tables don't have.
    """
    schema = history.schema
    sample = _sample(moments)
    laid = lay_out(history, moments, horizon, settings)
    tiers = [laid.of_catalogue(tier, settings) for tier in laid.tiers]
    candidates = Definitions(schema, tuple(each for tier in tiers for each in tier))
    values = compute_features(history, sample, candidates)
    covered = _covered_leads(values, sample)
    new = _first_of_its_kind(values)
    needed = min(MIN_LEADS, max(1, len(np.unique(sample.lead)) // 20))
    kept: list[int] = []
    start = 0
    for tier in tiers:
        of_tier = np.arange(start, start + len(tier))
        start += len(tier)
        usable = [int(i) for i in of_tier if new[i] and covered[i] >= needed]
        kept += sorted(usable, key=lambda i: -covered[i])[: max(MOST - len(kept), 0)]
    return Definitions(schema, (*laid.always(settings), *(candidates[i] for i in sorted(kept))))


@dataclass(frozen=True)
class LaidOut:
    """All that could be computed: of attributes, of the workspace's own, and the rest in tiers."""

    attributes: tuple[Definition, ...]
    own: tuple[Definition, ...]
    tiers: tuple[tuple[Definition, ...], ...]

    def always(self, settings: ModelSettings) -> list[Definition]:
        """Attributes and the workspace's own, without those that it leaves out: in whatever they turn out to say."""
        own = [each for each in self.own if is_in(each, settings, own=True)]
        return [*self.of_catalogue(self.attributes, settings), *own]

    def of_catalogue(self, definitions: Iterable[Definition], settings: ModelSettings) -> list[Definition]:
        """Those that are neither left out nor computed by one of the workspace's own."""
        computed = {each.plain for each in self.own if is_in(each, settings, own=True)}
        return [each for each in definitions if each not in computed and is_in(each, settings)]

    def let_in(self, settings: ModelSettings) -> list[Definition]:
        """All that are not left out."""
        return [*self.always(settings), *(each for tier in self.tiers for each in self.of_catalogue(tier, settings))]


def lay_out(history: History, moments: Moments, horizon: int, settings: ModelSettings = NOTHING_SAID) -> LaidOut:
    """The candidates for a workspace, computing none of them, with its settings checked against them.

    Raises
    ------
    UsageError
        As `build_catalogue`.
    """
    own = own_definitions(settings, history.schema)
    tiers = _candidates(history.schema, choose_windows(history, _sample(moments), horizon))
    laid = LaidOut(tuple(_of_attributes(history.schema)), own, tuple(tuple(tier) for tier in tiers))
    check_names(settings, own, [*laid.attributes, *(each for tier in tiers for each in tier)])
    return laid


def _sample(moments: Moments) -> Moments:
    rows = np.unique(np.linspace(0, len(moments) - 1, min(len(moments), SAMPLE)).astype(np.int64))
    return moments.take(rows) if len(moments) else moments


def choose_windows(history: History, moments: Moments, horizon: int) -> tuple[int, ...]:
    """Rungs of the ladder from a ninetieth of the horizon up to what nine tenths of the histories span, at most seven."""
    events = history.events
    has_events = events.offsets[moments.lead] < events.offsets[moments.lead + 1] if len(moments) else np.zeros(0, bool)
    if not has_events.any():
        return ()
    lead = moments.lead[has_events]
    span = moments.as_of[has_events] - events.occurred_at[events.offsets[lead]]
    span = span[span > 0]
    longest = float(np.quantile(span, 0.9)) if len(span) else 0.0
    rungs = [rung for rung in LADDER if horizon // 90 <= rung <= longest]
    if not rungs:
        rungs = [max((rung for rung in LADDER if rung <= longest), default=LADDER[0])]
    if len(rungs) > MOST_WINDOWS:
        rungs = [rungs[round(i)] for i in np.linspace(0, len(rungs) - 1, MOST_WINDOWS)]
    return tuple(rungs)


def _candidates(schema: Schema, windows: Sequence[int]) -> list[list[Definition]]:
    """Candidates in tiers. Within a tier coverage decides; a tier before another is never cut for it."""
    types = [Selector("event_type", each) for each in schema.event_types]
    types.append(Selector("event_type", OTHER))
    if len(types) == 2:  # one type only: all events are its events, and it has the better words
        everything, types = types[0], []
    else:
        everything = ALL
    # a stage of one type has that type's events, and the type has the better words
    of_stage = Counter(schema.stages.values())
    stages = [Selector("stage", stage) for stage in STAGES if of_stage[stage] > 1]
    others = [Selector(column, value) for column, values in sorted(schema.event_categories.items()) for value in values]
    some = tuple(windows[i] for i in sorted({len(windows) // 3, 2 * len(windows) // 3})) if windows else ()
    plain = [DaysSinceCreation(), *_counts(everything, windows), *_times(everything)]
    plain += [*_recent(everything, windows, some), *_last_ones(schema, windows)]
    by_type = [each for selector in types for each in (*_counts(selector, some), DaysSinceLast(selector))]
    by_stage = [
        each
        for selector in stages
        for each in (*_counts(selector, windows), *_times(selector), *_decays(selector, some))
    ]
    numbers = [
        each
        for column in schema.event_numbers
        for selector in (*types, everything)  # of columns that are alike the first stays, and the type has better words
        for each in _of_numbers(selector, column, some)
    ]
    by_other = [each for selector in others for each in (*_counts(selector, some), DaysSinceLast(selector))]
    more_by_type = [
        each
        for selector in types
        for each in (
            *(CountWithin(selector, window) for window in windows if window not in some),
            *_recent(selector, windows, some),
            DaysSinceFirst(selector),
            MeanGap(selector),
            LastGap(selector),
        )
    ]
    shares: list[Definition] = [Share(selector, window) for selector in (*types, *others) for window in (*some, None)]
    return [plain, by_type, by_stage, numbers, by_other, more_by_type, shares]


def _counts(selector: Selector, windows: Sequence[int]) -> Iterator[Definition]:
    for window in (*windows, None):
        yield CountWithin(selector, window)


def _times(selector: Selector) -> Iterator[Definition]:
    for kind in (DaysSinceLast, DaysSinceFirst, MeanGap, LastGap):
        yield kind(selector)


def _decays(selector: Selector, half_lives: Sequence[int]) -> Iterator[Definition]:
    for half_life in half_lives:
        yield DecayedCount(selector, half_life)


def _recent(selector: Selector, windows: Sequence[int], some: Sequence[int]) -> Iterator[Definition]:
    """Days, sessions, decay and trend of a selection."""
    for window in (*some, None):
        if window is None or window > DAY:
            yield DistinctDays(selector, window)
        yield Sessions(selector, window)
    yield from _decays(selector, some)
    for short, long in zip(windows, windows[2:], strict=False):
        yield Trend(selector, short, long)


def _of_numbers(selector: Selector, column: str, some: Sequence[int]) -> Iterator[Definition]:
    for window in (*some, None):
        yield SumWithin(selector, window, column)
        yield MeanWithin(selector, window, column)
        yield MaxWithin(selector, window, column)
    yield LastNumber(selector, column)


def _last_ones(schema: Schema, windows: Sequence[int]) -> Iterator[Definition]:
    if len(schema.event_types) > 1:
        for nth in (1, 2, 3):
            yield LastCategory("event_type", nth, schema.event_types)
        for window in (*windows[-1:], None):
            yield DistinctValues("event_type", window)
    for column, values in sorted(schema.event_categories.items()):
        yield LastCategory(column, 1, values)
        for window in (*windows[-1:], None):
            yield DistinctValues(column, window)


def _of_attributes(schema: Schema) -> Iterator[Definition]:
    for column, kind in sorted(schema.attributes.items()):
        if kind == "number":
            yield AttributeNumber(column)
        elif kind == "date":
            yield AttributeAge(column)
        else:
            yield AttributeCategory(column, schema.categories[column])


def _covered_leads(values: NDArray[np.float64], moments: Moments) -> NDArray[np.int64]:
    """For each column, how many leads have a value other than missing and zero at one of their moments."""
    order = np.argsort(moments.lead, kind="stable")
    if not len(order):
        return np.zeros(values.shape[1], np.int64)
    says = (~np.isnan(values) & (values != 0.0))[order]
    starts = np.flatnonzero(np.r_[True, np.diff(moments.lead[order]) != 0])
    covered: NDArray[np.int64] = np.logical_or.reduceat(says, starts, axis=0).sum(axis=0).astype(np.int64)
    return covered


def _first_of_its_kind(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """For each column, whether it varies and no column before it is the same."""
    seen: set[bytes] = set()
    new = np.zeros(values.shape[1], np.bool_)
    for i, column in enumerate(np.ascontiguousarray(values.T)):
        content = column.tobytes()
        varies = len(column) > 0 and not (np.isnan(column).all() or (column == column[0]).all())
        new[i] = varies and content not in seen
        seen.add(content)
    return new
