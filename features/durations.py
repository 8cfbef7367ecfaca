"""Durations as people write them, read and written: 90d, 12h, 30m, 45s, 2w."""

from __future__ import annotations

import re

_UNITS = {"s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000, "w": 604_800_000_000}
_SHAPE = re.compile(r"\s*([0-9]+)\s*([smhdw])\s*")
_LONGEST = 100 * 366 * _UNITS["d"]

EXPECTED = 'a whole number and a unit of s, m (minutes), h, d or w, such as "90d" or "3h"'


def read_duration(text: str) -> int:
    """Microseconds of a positive duration of at most a hundred years.

    Raises
    ------
    ValueError
        The text is no such duration; says what was found.

    >>> read_duration("90d") == 90 * 24 * 3_600_000_000
    True
    """
    shape = _SHAPE.fullmatch(text)
    if not shape:
        raise ValueError(f"{text!r} is no duration")
    if len(shape[1]) > 15 or int(shape[1]) * _UNITS[shape[2]] > _LONGEST:
        raise ValueError(f"{text!r} is longer than a hundred years")
    if int(shape[1]) == 0:
        raise ValueError(f"{text!r} is not longer than nothing")
    return int(shape[1]) * _UNITS[shape[2]]


def duration_text(microseconds: int) -> str:
    """Short name of a duration: 90d, 12h, 30m, 45s, in the largest unit that divides it."""
    for unit, size in (("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000)):
        if microseconds % size == 0:
            return f"{microseconds // size}{unit}"
    return f"{microseconds}us"
