"""What the agreement looks for among a lead's visible events: enough evidence, the fast lane, and the stage reached."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from features.history import History
from features.moments import Moments
from features.visible_rows import visible_events
from serving.agreement import Evidence, FastLane, reaching
from serving.lead_score import FastLaneHit, Missing


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
