"""Numbers, percentages and lengths of time as people of a language write them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from features.wording.texts import Lang, text

SECOND = 1_000_000
_UNITS = (("year", 365 * 86_400 * SECOND), ("day", 86_400 * SECOND), ("hour", 3_600 * SECOND), ("minute", 60 * SECOND))


def number(value: float, lang: Lang) -> str:
    """A number with separators of thousands and as many decimals as matter: 3, 1,234.5, 0.25, 0.0013.

    Both languages write numbers alike; the language is asked for so that callers need not know that.
    """
    if not math.isfinite(value):
        return "?" if math.isnan(value) else "∞" if value > 0 else "-∞"
    size = abs(value)
    if size < 1e15 and value == int(value):
        return f"{int(value):,}"
    if size >= 1e15 or size < 1e-4:
        return f"{value:.2e}"
    decimals = 1 if size >= 100 else 2 if size >= 0.1 else 1 - math.floor(math.log10(size))
    written = f"{value:,.{decimals}f}".rstrip("0").rstrip(".")
    return "0" if written == "-0" else written


def percent(share: float, lang: Lang) -> str:
    """A share between 0 and 1 as a percentage: 31%, 6%, 2.5%, under 0.1%. Never 0% or 100% where it isn't."""
    hundredth = 100.0 * share
    if 0 < hundredth < 0.1:
        return text("formats.percent_below", lang).format(n="0.1")
    if 99.5 <= hundredth < 100:
        return text("formats.percent_above", lang).format(n="99")
    written = f"{hundredth:.1f}" if hundredth < 9.95 else f"{hundredth:.0f}"
    return text("formats.percent", lang).format(n=written.removesuffix(".0"))


@lru_cache(maxsize=4096)
def _of_unit(n: str, unit: str, lang: Lang, bare: bool) -> str:
    if n == "1":
        return text(f"units.{unit}.{'bare' if bare else 'one'}", lang)
    return text(f"units.{unit}.many", lang).format(n=n)


def duration(microseconds: int, lang: Lang) -> str:
    """An exact length of time, such as a horizon or a deadline: 90 days, 4 hours, 1.5 days."""
    unit, n = _counted(microseconds, _UNITS[1:], lang)
    return _of_unit(n, unit, lang, False)


def _counted(microseconds: int, units: Sequence[tuple[str, int]], lang: Lang) -> tuple[str, str]:
    """The largest unit that divides a length of time, else the largest that it exceeds, and how many there are."""
    for unit, size in units:
        if microseconds % size == 0:
            return unit, number(microseconds // size, lang)
    for unit, size in units:
        if microseconds > size:
            return unit, number(round(microseconds / size, 2), lang)
    return "second", number(round(microseconds / SECOND, 6), lang)


def window(microseconds: int, lang: Lang) -> str:
    """A length of time as it follows "the last" or 過去: hour, 24 hours, 7 days, year; 1時間, 24時間, 7日間, 1年間."""
    if microseconds == _UNITS[1][1]:  # "the last day" would be the calendar day to many
        unit, n = "hour", "24"
    else:
        unit, n = _counted(microseconds, _UNITS, lang)
    if n == "1" and lang == "en":
        return text(f"units.{unit}.bare", lang)
    return text(f"units.window.{unit}", lang).format(n=n)


def rough(days: float, lang: Lang, *, bare: bool = False) -> str:
    """About how long a number of days is, in the unit that people would use: 40 minutes, 3.5 days, 2 months.

    With `bare` one unit stands without its number where the language wants that: every day, not every 1 day.
    """
    seconds = days * 86_400
    if seconds < 59.5:
        return _of_unit(number(round(seconds), lang), "second", lang, bare)
    if seconds < 59.5 * 60:
        return _of_unit(number(round(seconds / 60), lang), "minute", lang, bare)
    if days < 0.98:
        return _of_unit(_short(seconds / 3600, 4), "hour", lang, bare)
    if days < 60.5:
        return _of_unit(_short(days, 10), "day", lang, bare)
    if days < 730:
        return _of_unit(_short(days / 30.4375, 0), "month", lang, bare)
    return _of_unit(_short(days / 365.25, 10), "year", lang, bare)


def _short(value: float, fine_below: float) -> str:
    """Rounded to a whole number, or to one decimal below `fine_below`."""
    rounded = round(value, 1) if value < fine_below else round(value)
    return f"{rounded:,.0f}" if rounded == int(rounded) else f"{rounded:,.1f}"


def ago(days: float, lang: Lang) -> str:
    """When something was: less than a minute ago, 2 hours ago, 3 weeks ago; in 5 days where it lies ahead."""
    size = abs(days)
    if size * 86_400 < 59.5:
        return text("formats.now", lang)
    return _of_time("ahead" if days < 0 else "ago", _whole(size, lang), lang)


@lru_cache(maxsize=4096)
def _of_time(form: str, time: str, lang: Lang) -> str:
    return text(f"formats.{form}", lang).format(time=time)


def _whole(days: float, lang: Lang) -> str:
    """`rough` in whole units, with weeks: nobody says that it was 3.4 days ago."""
    minutes = round(days * 1440)
    if minutes < 60:
        return _of_unit(str(minutes), "minute", lang, False)
    if days < 0.98:
        return _of_unit(str(round(days * 24)), "hour", lang, False)
    if days < 20.5:
        return _of_unit(str(round(days)), "day", lang, False)
    if days < 60.5:
        return _of_unit(str(round(days / 7)), "week", lang, False)
    if days < 730:
        return _of_unit(str(round(days / 30.4375)), "month", lang, False)
    return _of_unit(_short(days / 365.25, 10), "year", lang, False)


def is_instant(days: float) -> bool:
    """Whether a gap of so many days is no gap to a person: under half a second."""
    return days * 86_400 < 0.5
