"""Whether behaviour still reaches the tables: tables, event types and channels gone quiet, and event types that are new.

Each source is held against its own past: a shop has no week like a conference organiser's. One that had gone quiet before
the model was trained is no news, since the model learned from what came without it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from features.calendar_days import DAY
from features.history import NEVER, History
from serving.watch_figures import NewType, Source

FEWEST = 50
"""Sources of fewer rows in the year before have no past to be held against."""
YEAR = 365 * DAY
WEEK = 7 * DAY
WEEKS = 12
POOREST = 4
"""A week with less than this part of the poorest of the twelve before it is quiet ..."""
ENOUGH = 20
"""... where even that one had so many rows."""
PAUSE = 2
"""A silence of more than so many times the longest pause of the year before, and of more than ..."""
AT_LEAST = 2 * DAY
NEW_TYPES_OF = 30 * DAY
"""New event types are looked for among the events of so long a time, and since the training."""
NEW_SHARE = 0.05
"""From this part of those events on a new type is an alarm: the model pools it with all others that it doesn't know."""
_Kind = Literal["table", "event_type", "channel"]


def sources(history: History, *, now: int, trained_until: int) -> tuple[Source, ...]:
    """All sources that gave rows when the model was trained and have a past, the quiet ones first.

    Parameters
    ----------
    now : until when rows could have come.
    trained_until : until when the tables went that the model learned from.
    """
    found = [
        source
        for kind, name, at in _times(history)
        if (source := _look(kind, name, at[at < now], now, trained_until)) is not None
    ]
    return tuple(sorted(found, key=lambda each: (not each.quiet, each.kind != "table", each.kind, each.name)))


def _times(history: History) -> Iterator[tuple[_Kind, str, NDArray[np.int64]]]:
    """Each source with when its rows came, in any order."""
    events, ended = history.events, history.outcomes.at
    yield "table", "leads", history.created_at
    yield "table", "events", events.occurred_at
    yield "table", "outcomes", ended[ended != NEVER]
    for row, kind in ((0, "event_type"), (1, "channel")):
        codes = events.codes[row]
        order = np.argsort(codes, kind="stable")
        borders = np.searchsorted(codes[order], np.arange(len(events.vocabularies[row]) + 1))
        for code, name in enumerate(events.vocabularies[row]):
            yield kind, name, events.occurred_at[order[borders[code] : borders[code + 1]]]  # type: ignore[misc]


def _look(kind: _Kind, name: str, at: NDArray[np.int64], now: int, trained_until: int) -> Source | None:
    if len(at) == 0:
        return None
    at = np.sort(at)
    newest = int(at[-1])
    year = at[at >= newest - YEAR]
    if len(year) < FEWEST:
        return None
    longest = int(np.diff(year).max())
    silent_for = now - newest
    allowed = max(PAUSE * longest, AT_LEAST)
    if trained_until - newest > allowed:
        return None
    weeks = np.searchsorted(at, now - WEEK * np.arange(WEEKS + 1, -1, -1))
    counts = np.diff(weeks)
    recent, least = int(counts[-1]), int(counts[:-1].min())
    poor = least >= ENOUGH and recent * POOREST < least
    return Source(kind, name, newest, silent_for, longest, recent, least, quiet=silent_for > allowed or poor)


def new_types(history: History, manifest: Mapping[str, Any], *, now: int) -> tuple[NewType, ...]:
    """Event types that no table held when the model was trained, the most frequent first."""
    known = set(manifest["tables"]["event_types"]) | set(history.schema.event_types)
    events = history.events
    if not known or len(events) == 0:
        return ()
    begin = max(int(manifest["data_end"]), now - NEW_TYPES_OF)
    codes = events.codes[0][(events.occurred_at >= begin) & (events.occurred_at < now)]
    counts = np.bincount(codes[codes >= 0], minlength=len(events.vocabularies[0]))
    found = [
        NewType(name, int(counts[code]), float(counts[code] / len(codes)))
        for code, name in enumerate(events.vocabularies[0])
        if name not in known and counts[code]
    ]
    return tuple(sorted(found, key=lambda each: (-each.events, each.name)))
