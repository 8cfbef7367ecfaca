"""When one cell says that came without a table: the forms of time that tables bring, in plain Python."""

from __future__ import annotations

import re
from bisect import bisect_right
from datetime import datetime, timedelta
from typing import Any

from features.instants import EARLIEST, LATEST, local_time_steps
from features.told_cells import plain_width, raw_text

DAY_SHAPE = r"[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}"
CLOCK_SHAPE = r"[ T]+[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?"
PLAIN_ISO = r"[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?)?"
LOCAL = f"{DAY_SHAPE}({CLOCK_SHAPE})?"
ABSOLUTE = f"{DAY_SHAPE}{CLOCK_SHAPE}" + r" *(Z|z|UTC|GMT|[+-][0-9]{2}(:?[0-9]{2})?)"
COMPACT_DAY = r"(19|20)[0-9]{6}"
EPOCH_SHAPE = r"([0-9]{10}|[0-9]{13})"
JAPANESE_DAY = r"^([0-9]{4})年 *([0-9]{1,2})月 *([0-9]{1,2})日[ T]*"
JAPANESE_CLOCK = r"([0-9]{1,2})時 *([0-9]{1,2})分 *"
OTHER_DAY = r"^([0-9]{4})[/.]([0-9]{1,2})[/.]([0-9]{1,2})"
COMMA_SECONDS = r"(:[0-9]{2}),([0-9]+)"

_PLAIN_ISO, _LOCAL, _ABSOLUTE = (re.compile(each) for each in (PLAIN_ISO, LOCAL, ABSOLUTE))
_COMPACT_DAY, _EPOCH = re.compile(COMPACT_DAY), re.compile(EPOCH_SHAPE)
_JAPANESE_DAY, _JAPANESE_CLOCK = re.compile(JAPANESE_DAY), re.compile(JAPANESE_CLOCK)
_OTHER_DAY, _COMMA_SECONDS = re.compile(OTHER_DAY), re.compile(COMMA_SECONDS)
_PARTS = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:(?:T *| +)([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?)?"
)
_OFFSET = re.compile(r" *([+-])([0-9]{2}):?([0-9]{2})?$")
_UTC = re.compile(r" *(Z|z|UTC|GMT)$")
_1970 = datetime(1970, 1, 1)
_MINUTE = 60_000_000


def cell_time(value: Any, zone: str) -> int | None:
    """UTC microseconds of a cell; None where it is no time in the years 1 to 9999.

    A time without an offset, or a day, is of `zone`. A number is read as the digits that it is written with.

    >>> cell_time("２０２６年３月１４日 9時05分", "Asia/Tokyo") == cell_time("2026-03-14T00:05:00Z", "UTC")
    True
    """
    raw = raw_text(value)
    if raw is None:
        return None
    told = _plain(raw)
    if _LOCAL.fullmatch(told):
        return _in_zone(_wall(told), zone)
    if _ABSOLUTE.fullmatch(told):
        return _absolute(told)
    if _EPOCH.fullmatch(told):
        digits = int(told)
        return None if told[0] == "0" else digits * (1_000_000 if len(told) == 10 else 1_000)
    if _COMPACT_DAY.fullmatch(told):
        return _in_zone(_wall(f"{told[:4]}-{told[4:6]}-{told[6:]}"), zone)
    return None


def _plain(raw: str) -> str:
    """Japanese and full-width forms made plain."""
    if _PLAIN_ISO.fullmatch(raw):
        return raw
    told = _JAPANESE_DAY.sub(r"\1-\2-\3 ", plain_width(raw), count=1)
    told = _JAPANESE_CLOCK.sub(r"\1:\2:", told, count=1)
    told = told.replace("秒", "").replace("時", ":00")
    told = _OTHER_DAY.sub(r"\1-\2-\3", told, count=1)
    told = _COMMA_SECONDS.sub(r"\1.\2", told, count=1)
    return told.rstrip(" ").rstrip(":")


def _wall(told: str) -> int | None:
    """Microseconds of the clock on the wall; what lies beyond a microsecond is cut off, and a day ends at 24:00."""
    parts = _PARTS.fullmatch(told)
    if parts is None:
        return None
    year, month, day, hour, minute, second = (int(each or 0) for each in parts.groups()[:6])
    micros = int((parts[7] or "")[:6].ljust(6, "0"))
    whole_day = (hour, minute, second, micros) == (24, 0, 0, 0)
    try:
        since = datetime(year, month, day, 0 if whole_day else hour, minute, second, micros) - _1970
    except ValueError:
        return None
    return since // timedelta(microseconds=1) + (24 * 60 * _MINUTE if whole_day else 0)


def _absolute(told: str) -> int | None:
    told = _UTC.sub("+00:00", told)
    offset = _OFFSET.search(told)
    assert offset is not None
    wall = _wall(told[: offset.start()])
    if wall is None:
        return None
    ahead = (int(offset[2]) * 60 + int(offset[3] or 0)) * _MINUTE
    return _bounded(wall - ahead if offset[1] == "+" else wall + ahead)


def _in_zone(wall: int | None, zone: str) -> int | None:
    if wall is None or _bounded(wall) is None:
        return None
    steps, offsets = local_time_steps(zone)
    return _bounded(wall - offsets[bisect_right(steps, wall)])


def _bounded(instant: int) -> int | None:
    return instant if EARLIEST <= instant <= LATEST else None
