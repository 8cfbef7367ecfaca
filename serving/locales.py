"""Numbers, percentages, dates and lengths of time as each language writes them, by the tables of Babel."""

from __future__ import annotations

import datetime as dt
import math
import re
from functools import cache, lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_skeleton, format_timedelta
from babel.numbers import format_decimal, format_percent
from babel.units import format_unit

from features.calendar_days import as_datetime
from features.wording import Lang, percent

MINUTE = 60 * 1_000_000
_UNITS = (("day", 1440 * MINUTE), ("hour", 60 * MINUTE), ("minute", MINUTE), ("second", 1_000_000))
_MINUS = "−"
_SPACE_IN_JAPANESE = re.compile(r"(?<=[0-9]) (?=[^\x00-\x7f])")


@cache
def _locale(lang: Lang) -> Locale:
    return Locale.parse(lang)


def number(value: float, lang: Lang, *, signed: bool = False, decimals: int | None = None) -> str:
    """A number with separators, a true minus sign, and a plus where the sign matters.

    Without `decimals` it has up to two, as many as matter.

    >>> number(12345, "en"), number(-0.5, "ja"), number(3.0, "en", signed=True)
    ('12,345', '−0.5', '+3')
    """
    if not math.isfinite(value):
        return "–"
    pattern = "#,##0.##" if decimals is None else f"#,##0.{'0' * decimals}"
    written = format_decimal(abs(value), format=pattern, locale=_locale(lang))
    if not written.strip("0.") or (value >= 0 and not signed):
        return written
    return (_MINUS if value < 0 else "+") + written


def percentage(share: float, lang: Lang) -> str:
    """A share between 0 and 1: 31%, 2.5%; never 0% or 100% where it isn't.

    >>> percentage(0.312, "en"), percentage(0.0249, "ja"), percentage(0.0001, "en")
    ('31%', '2.5%', 'under 0.1%')
    """
    if 0 < share < 0.001 or 0.995 <= share < 1:
        return percent(share, lang)
    pattern = "#,##0.#%" if share < 0.0995 else "#,##0%"
    return str(format_percent(share, format=pattern, locale=_locale(lang)))


def date(instant: int, zone: str, lang: Lang, *, now: int | None = None) -> str:
    """A calendar day in a zone; the year is left out where it is that of `now`.

    >>> date(0, "Asia/Tokyo", "en"), date(0, "Asia/Tokyo", "ja"), date(0, "UTC", "en", now=1)
    ('Jan 1, 1970', '1970年1月1日', 'Jan 1')
    """
    local = _local(instant, zone)
    same_year = now is not None and _local(now, zone).year == local.year
    return _day(local.date(), "MMMd" if same_year else "yMMMd", lang)


def moment(instant: int, zone: str, lang: Lang, *, now: int | None = None) -> str:
    """A day and its time in a zone, on a clock of 24 hours.

    >>> moment(0, "Asia/Tokyo", "en"), moment(0, "Asia/Tokyo", "ja")
    ('Jan 1, 1970, 09:00', '1970年1月1日 09:00')
    """
    between = " " if lang == "ja" else ", "
    return f"{date(instant, zone, lang, now=now)}{between}{clock(instant, zone)}"


def clock(instant: int, zone: str) -> str:
    """The time of day in a zone, alike in both languages.

    >>> clock(0, "Asia/Tokyo")
    '09:00'
    """
    return f"{_local(instant, zone):%H:%M}"


def sortable(instant: int, zone: str) -> str:
    """A time in a zone that every spreadsheet reads as one.

    >>> sortable(0, "Asia/Tokyo")
    '1970-01-01 09:00'
    """
    return f"{_local(instant, zone):%Y-%m-%d %H:%M}"


def machine_time(instant: int) -> str:
    """An instant for the attribute `datetime` of a page's `<time>`.

    >>> machine_time(0)
    '1970-01-01T00:00:00Z'
    """
    return as_datetime(instant).strftime("%Y-%m-%dT%H:%M:%SZ")


def relative(instant: int, now: int, lang: Lang) -> str:
    """When something was or will be, seen from now: 2 hours ago, in 3 days; 2時間前, 3日後.

    >>> relative(0, 2 * 3600 * 1_000_000, "en"), relative(3 * 86400 * 1_000_000, 0, "ja")
    ('2 hours ago', '3日後')
    """
    minutes = int((instant - now) / MINUTE)
    return _relative(minutes or (-1 if instant <= now else 1), lang)


@lru_cache(maxsize=16_384)
def _relative(minutes: int, lang: Lang) -> str:
    about = dt.timedelta(minutes=minutes)
    written = format_timedelta(about, granularity="minute", threshold=1.5, add_direction=True, locale=_locale(lang))
    return _tight(written, lang)


def length(microseconds: int, lang: Lang) -> str:
    """An exact length of time, such as a horizon or a deadline: 90 days, 4 hours; 90日, 4時間.

    >>> length(90 * 86400 * 1_000_000, "en"), length(4 * 3600 * 1_000_000, "ja")
    ('90 days', '4時間')
    """
    unit, size = next((each for each in _UNITS if microseconds % each[1] == 0), ("hour", 60 * MINUTE))
    count = microseconds / size
    whole = int(count) if count == int(count) else round(count, 1)
    form: Literal["long", "short"] = "short" if lang == "ja" else "long"  # the tables hold no long form in Japanese
    return _tight(format_unit(whole, f"duration-{unit}", length=form, locale=_locale(lang)), lang)


def gap(microseconds: int, lang: Lang) -> str:
    """About how long something took, in the unit that people would use: 3 hours, 2 days.

    >>> gap(26 * 3600 * 1_000_000, "en"), gap(40 * 60 * 1_000_000, "ja")
    ('1 day', '40分')
    """
    about = dt.timedelta(microseconds=microseconds)
    return _tight(format_timedelta(about, granularity="minute", threshold=1.0, locale=_locale(lang)), lang)


@lru_cache(maxsize=16_384)
def _local(instant: int, zone: str) -> dt.datetime:
    try:
        return as_datetime(instant).astimezone(ZoneInfo(zone))
    except OverflowError:  # at the edge of the calendar
        return as_datetime(instant)


@lru_cache(maxsize=16_384)
def _day(day: dt.date, pattern: str, lang: Lang) -> str:
    return str(format_skeleton(pattern, dt.datetime(day.year, day.month, day.day), locale=_locale(lang)))


def _tight(written: str, lang: Lang) -> str:
    """Japanese sets no space between a number and its unit."""
    return _SPACE_IN_JAPANESE.sub("", written) if lang == "ja" else written
