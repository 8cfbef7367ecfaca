"""Calendar days of a zone, for many instants at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

DAY = 86_400_000_000
"""Microseconds in 24 hours."""
HOUR = 3_600_000_000
"""Microseconds in an hour."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(when: datetime) -> int:
    """UTC microseconds since 1970 of an aware datetime, exactly."""
    return (when - _EPOCH) // timedelta(microseconds=1)


def as_datetime(instant: int) -> datetime:
    """The aware UTC datetime of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=int(instant))


@lru_cache(maxsize=32)
def _transitions(zone: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Instants at which the zone's UTC offset changes, and the offsets before, between and after them (microseconds).

    zoneinfo does not publish its table, so each month of 1900 to 2100 is compared with the next and the
    change found by bisection. Outside these years the first and the last offset are used.
    """
    info = ZoneInfo(zone)

    def offset(instant: int) -> int:
        shift = as_datetime(instant).astimezone(info).utcoffset()
        assert shift is not None
        return shift // timedelta(microseconds=1)

    months = [microseconds(datetime(y, m, 1, tzinfo=UTC)) for y in range(1900, 2101) for m in range(1, 13)]
    instants: list[int] = []
    offsets = [offset(months[0])]
    for low, high in pairwise(months):
        while offset(low) != offset(high):
            a, b = low, high
            while b - a > 1_000_000:
                middle = (a + b) // 2
                a, b = (a, middle) if offset(middle) != offset(low) else (middle, b)
            change = b - b % 1_000_000
            instants.append(change)
            offsets.append(offset(change))
            low = change
    return tuple(instants), tuple(offsets)


@lru_cache(maxsize=32)
def _day_changes(zone: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """`_transitions` for counting days: where clocks turn back over midnight, the day that had begun goes on.

    Else days would run backwards for an hour (St. John's until 2011), and an hour be counted as a day of its own.
    """
    changes, offsets = _transitions(zone)
    steps = zip(changes, offsets[:-1], offsets[1:], strict=True)
    return tuple(max(at, ((at - 1 + old) // DAY) * DAY - new) for at, old, new in steps), offsets


def local_days(instants: NDArray[np.int64], zone: str) -> NDArray[np.int32]:
    """Number of the local calendar day (0 = 1970-01-01 there) of each instant in UTC microseconds.

    An instant between two days belongs to the later: days are half-open, as windows are. Days never run backwards.
    """
    changes, offsets = _day_changes(zone)
    if not changes:
        return ((instants + offsets[0]) // DAY).astype(np.int32)
    position = np.searchsorted(np.asarray(changes, dtype=np.int64), instants, side="right")
    return ((instants + np.asarray(offsets, dtype=np.int64)[position]) // DAY).astype(np.int32)
