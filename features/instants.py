"""Instants as people write them, as UTC microseconds: the rule for a time without an offset stands here, once."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from features.calendar_days import as_datetime, microseconds

EARLIEST = microseconds(datetime(1, 1, 1, tzinfo=UTC))
"""The first instant of the year 1: times outside the years 1 to 9999 are unreadable."""
LATEST = microseconds(datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC))


def read_instant(told: datetime | date | str, zone: str) -> int:
    """UTC microseconds of a datetime, a date (the start of that local day) or an ISO text.

    A time without an offset is read in `zone`. Where clocks are set back and a local time comes twice, the first
    is meant; where they are set forward and it never comes, the offset before the change counts (PEP 495, fold 0).

    Raises
    ------
    ValueError
        The text is no time, or it lies outside the years 1 to 9999.
    """
    if isinstance(told, str):
        told = datetime.fromisoformat(told.strip())
    if not isinstance(told, datetime):
        told = datetime.combine(told, time())
    if told.tzinfo is None:
        told = told.replace(tzinfo=ZoneInfo(zone), fold=0)
    instant = microseconds(told)
    if not EARLIEST <= instant <= LATEST:
        raise ValueError("the time lies outside the years 1 to 9999")
    return instant


@lru_cache(maxsize=8)
def local_time_steps(zone: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The rule of `read_instant` as numbers: local times at which the offset to subtract changes, and the offsets.

    A local time t (microseconds as if it were UTC) lies at ``t - offsets[k]`` with k = how many of the steps are
    at or before t. Covers 1900 to 2100; before and after, the nearest offset counts.

    Returns
    -------
    k steps, ascending, and k + 1 offsets, all in microseconds.
    """
    from features.calendar_days import _transitions  # the zone's table is found there, by bisection

    instants, offsets = _transitions(zone)
    # Between T + the smaller and T + the larger offset a local time comes twice or never: fold 0 takes the old offset.
    steps = [at + max(pair) for at, pair in zip(instants, pairwise(offsets), strict=True)]
    return tuple(steps), offsets


def instant_text(instant: int, zone: str = "UTC") -> str:
    """An instant for people, in a zone, to the second."""
    return as_datetime(instant).astimezone(ZoneInfo(zone)).isoformat(sep=" ", timespec="seconds")
