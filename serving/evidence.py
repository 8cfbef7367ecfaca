"""What the agreement looks for among a lead's visible events: enough evidence, the fast lane, and the stage reached."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from features.calendar_days import DAY
from features.history import History
from features.moments import Moments
from features.schema import STAGES
from serving.agreement import Evidence, FastLane, reaching
from serving.lead_score import FastLaneHit, Missing

STAGE_WINDOW = 90 * DAY
"""So old may an event be that tells of a lead's stage (microseconds)."""
_PAIRS = 4_000_000
"""How many (moment, event) pairs are looked at together: about 100 MB."""


def enough_evidence(history: History, moments: Moments, evidence: Evidence | None) -> NDArray[np.bool_]:
    """Whether the events visible at each moment suffice for the model to make the lead SQL.

    Counted over all visible events, without a window: events, distinct calendar days of the schema's zone, and at
    least one event of the stage asked for or of a later one, by the schema's stages. No rule, no lack.

    Returns
    -------
    bool[n].
    """
    enough = np.ones(len(moments), dtype=np.bool_)
    if evidence is not None:
        events, days, reached = _seen(history, moments, evidence)
        enough &= (events >= evidence.events) & (days >= evidence.days) & reached
    return enough


def missing_evidence(history: History, moments: Moments, evidence: Evidence) -> list[tuple[Missing, ...]]:
    """For each moment what is missing of the evidence, and how much of it was seen; nothing where it suffices."""
    events, days, reached = _seen(history, moments, evidence)
    told = []
    for row in range(len(moments)):
        lacks = []
        if events[row] < evidence.events:
            lacks.append(Missing("events", evidence.events, int(events[row])))
        if days[row] < evidence.days:
            lacks.append(Missing("days", evidence.days, int(days[row])))
        if evidence.stage is not None and not reached[row]:
            lacks.append(Missing("stage", evidence.stage))
        told.append(tuple(lacks))
    return told


def _seen(
    history: History, moments: Moments, evidence: Evidence
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Visible events, their days (counted only if asked for), and whether the stage asked for was reached."""
    n = len(moments)
    events, days, reached = np.zeros(n, np.int64), np.zeros(n, np.int64), np.ones(n, np.bool_)
    reaches = codes_of(history, reaching(evidence.stage, history.schema.stages)) if evidence.stage else None
    for first, last, moment, event in visible_events(history, moments):
        size = last - first
        events[first:last] = np.bincount(moment, minlength=size)
        if evidence.days:
            days[first:last] = _distinct_days(history, moment, event, size)
        if reaches is not None:
            of_stage = reaches[history.events.codes[0][event]]
            reached[first:last] = np.bincount(moment[of_stage], minlength=size) > 0
    return events, days, reached


def furthest_stages(history: History, moments: Moments) -> list[str | None]:
    """For each moment the furthest stage with a visible event in [as_of - 90 days, as_of); None without such an event."""
    n, stages = len(moments), history.schema.stages
    found = np.full(n, -1, dtype=np.int64)
    vocabulary = history.events.vocabularies[0]
    if not any(text in stages for text in vocabulary):
        return [None] * n
    rank = np.array([*(STAGES.index(stages[text]) if text in stages else -1 for text in vocabulary), -1], np.int64)
    codes, occurred = history.events.codes[0], history.events.occurred_at
    for first, _, moment, event in visible_events(history, moments):
        reached = rank[codes[event]]
        counts = (reached >= 0) & (moments.as_of[first + moment] - occurred[event] <= STAGE_WINDOW)
        moment, reached = first + moment[counts], reached[counts]
        for stage in range(len(STAGES)):  # in their order: the furthest is written last
            found[moment[reached == stage]] = stage
    return [STAGES[stage] if stage >= 0 else None for stage in found.tolist()]


def fast_lane_hits(history: History, moments: Moments, lanes: Mapping[str, FastLane]) -> list[FastLaneHit | None]:
    """For each moment the newest visible event of a fast lane that still counts, within [as_of - counts_for, as_of).

    Of events at one instant the one to be answered soonest.
    """
    hits: list[FastLaneHit | None] = [None] * len(moments)
    vocabulary = history.events.vocabularies[0]
    if not any(text in lanes for text in vocabulary):
        return hits
    codes, occurred = history.events.codes[0], history.events.occurred_at
    on_lane = codes_of(history, lanes)
    counts_for = np.array([lanes[text].counts_for if text in lanes else 0 for text in vocabulary], dtype=np.int64)
    for first, _, moment, event in visible_events(history, moments):
        candidate = on_lane[codes[event]]
        moment, event = moment[candidate], event[candidate]
        counting = moments.as_of[first + moment] - occurred[event] <= counts_for[codes[event]]
        for row, each in zip((first + moment[counting]).tolist(), event[counting].tolist(), strict=True):
            lane = lanes[vocabulary[codes[each]]]
            hit = FastLaneHit(
                lane.event_type, int(occurred[each]), lane.respond_within, int(history.events.known_at[each])
            )
            best = hits[row]
            hits[row] = hit if best is None else max(best, hit, key=_urgency)
    return hits


def _urgency(hit: FastLaneHit) -> tuple[int, int, str]:
    return hit.occurred_at, -hit.respond_within, hit.event_type


def codes_of(history: History, types: Collection[str]) -> NDArray[np.bool_]:
    """By code of an event type, whether it is one of the types. The code -1, no type, finds the False at the end."""
    return np.array([*(text in types for text in history.events.vocabularies[0]), False], dtype=np.bool_)


Pairs = Iterator[tuple[int, int, NDArray[np.int64], NDArray[np.int64]]]


def visible_events(history: History, moments: Moments) -> Pairs:
    """`visible_rows` of the events."""
    return visible_rows(history.events.offsets, history.events.known_at, moments)


def visible_rows(offsets: NDArray[np.int64], known_at: NDArray[np.int64], moments: Moments) -> Pairs:
    """Go through the moments in slices, each with its (moment within the slice, visible row) pairs, rows in order.

    Slices keep memory flat however many moments and rows there are; what a moment sees doesn't depend on them, and
    nothing is done for leads without a moment: one lead of a large table is as quick as one lead of a request.
    """
    if len(moments) == 1:  # one lead of a request: as below, without the bookkeeping of many
        start, end = offsets[moments.lead[0]], offsets[moments.lead[0] + 1]
        row = np.arange(start, end, dtype=np.int64)[known_at[start:end] < moments.as_of[0]]
        yield 0, 1, np.zeros(len(row), dtype=np.int64), row
        return
    starts, ends = offsets[moments.lead], offsets[moments.lead + 1]
    pairs = np.cumsum(ends - starts)
    first = 0
    while first < len(moments):
        done = int(pairs[first - 1]) if first else 0
        last = max(first + 1, int(np.searchsorted(pairs, done + _PAIRS, side="right")))
        lengths = (ends - starts)[first:last]
        moment = np.repeat(np.arange(last - first, dtype=np.int64), lengths)
        within = np.arange(len(moment), dtype=np.int64) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        row = np.repeat(starts[first:last], lengths) + within
        seen = known_at[row] < moments.as_of[first + moment]
        yield first, last, moment[seen], row[seen]
        first = last


def _distinct_days(
    history: History, moment: NDArray[np.int64], event: NDArray[np.int64], size: int
) -> NDArray[np.int64]:
    """Calendar days with an event, by moment. Sorted anew: where a zone's clock was set back over midnight, days of
    events in order of time are not in order."""
    day = history.events.day[event]
    order = np.lexsort((day, moment))
    moment, day = moment[order], day[order]
    new = np.ones(len(moment), dtype=np.bool_)
    new[1:] = (moment[1:] != moment[:-1]) | (day[1:] != day[:-1])
    return np.bincount(moment[new], minlength=size)
