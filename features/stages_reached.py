"""How far a lead had come at a moment: the furthest stage of what it did lately."""

from __future__ import annotations

import numpy as np

from features.calendar_days import DAY
from features.history import History
from features.moments import Moments
from features.schema import STAGES
from features.visible_rows import visible_events

STAGE_WINDOW = 90 * DAY
"""So old may an event be that tells of a lead's stage (microseconds)."""


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
