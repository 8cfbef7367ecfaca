"""Which rows of a history are visible at many moments at once, without a matrix of moments and rows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from features.history import History
from features.moments import Moments

_PAIRS = 4_000_000
"""How many (moment, row) pairs are looked at together: about 100 MB."""

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
