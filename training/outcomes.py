"""What became of the leads after their moments: the labels that training learns from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from features.history import NEVER, History
from features.moments import Moments

UNSETTLED = -1
"""Label of a moment whose horizon, with the time that outcomes take to be recorded, is not over."""


def label_moments(history: History, moments: Moments, horizon: int) -> NDArray[np.int8]:
    """Say, for each moment, whether the lead converted within the horizon.

    Positive when the first outcome lies in ``[as_of, as_of + horizon)`` and is a conversion; negative when that
    interval has wholly passed otherwise, a loss included. Unsettled when ``history.data_end`` is before
    ``as_of + horizon + history.outcomes.delay``, even where an outcome was already seen: keeping only early
    winners, or early losers, would bend the rate.

    Parameters
    ----------
    history : outcomes up to ``history.data_end``.
    moments : n moments; a lead may appear often; order is kept.
    horizon : microseconds, positive.

    Returns
    -------
    int8[n]: 1 converted, 0 did not, -1 (`UNSETTLED`) not known yet.
    """
    if horizon <= 0:
        raise ValueError(f"a horizon is positive, found {horizon} microseconds")
    first = history.outcomes.at[moments.lead]
    inside = (moments.as_of <= first) & (first < moments.as_of + horizon)
    won = inside & history.outcomes.converted[moments.lead]
    return np.where(settles_at(history, moments, horizon) <= history.data_end, won, UNSETTLED).astype(np.int8)


def settles_at(history: History, moments: Moments, horizon: int) -> NDArray[np.int64]:
    """int64[n], the earliest `data_end` at which the label of each moment is known."""
    return moments.as_of + (horizon + history.outcomes.delay)


def recording_start(history: History, horizon: int, moments: Moments) -> int | None:
    """When outcomes began to be recorded, where the moments say that it matters.

    Moments from before look like losses. Where more than a quarter of `moments` lie before the first conversion
    less a quarter of the horizon, that instant is returned and training leaves out what lies before it.

    Parameters
    ----------
    history : with all known outcomes.
    horizon : microseconds.
    moments : the settled moments.

    Returns
    -------
    UTC microseconds; None where no moment needs to be left out, or nothing was ever converted.
    """
    converted = history.outcomes.converted & (history.outcomes.at != NEVER)
    if not converted.any() or len(moments) == 0:
        return None
    start = int(history.outcomes.at[converted].min()) - horizon // 4
    return start if 4 * int((moments.as_of < start).sum()) > len(moments) else None
