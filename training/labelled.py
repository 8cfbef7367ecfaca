"""The moments of a workspace's schedule with what became of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.history import History
from features.moments import Moments, Schedule
from training.outcomes import UNSETTLED, label_moments, recording_start


@dataclass(frozen=True, eq=False)
class Labelled:
    """The settled moments of a schedule with their labels.

    Attributes
    ----------
    schedule : that made them.
    moments : n settled ones.
    labels : int8[n], 1 converted within the horizon, 0 did not.
    unsettled : as_of of the moments that are not settled yet.
    before_recording : how many settled ones were left out since outcomes were not recorded yet.
    """

    schedule: Schedule
    moments: Moments
    labels: NDArray[np.int8]
    unsettled: NDArray[np.int64]
    before_recording: int


def settled_moments(history: History, schedule: Schedule | None, horizon: int) -> Labelled:
    """Make the moments of a schedule, label them, and keep those that are settled and were recorded.

    Parameters
    ----------
    schedule : None for the one that follows from the horizon.
    """
    schedule = schedule or Schedule.silent(horizon, has_events=len(history.events) > 0)
    moments = schedule.moments(history)
    labels = label_moments(history, moments, horizon)
    settled = labels != UNSETTLED
    unsettled, moments, labels = moments.as_of[~settled], moments.take(settled), labels[settled]
    start = recording_start(history, horizon, moments)
    early = np.zeros(len(moments), dtype=np.bool_) if start is None else moments.as_of < start
    return Labelled(schedule, moments.take(~early), labels[~early], unsettled, int(early.sum()))
