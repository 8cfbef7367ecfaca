"""A review in words, as its page shows it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

from features.calendar_days import DAY
from features.wording import Lang
from serving import locales
from serving.page_words import words
from serving.review_figures import Alarm, HeldBackComparison, Kind, Realised, Review, Row
from training.intervals import Interval, rate

PERIODS = ("7d", "30d", "90d", "180d")
NAMED = 20
"""So many leads that were found without us are named."""
_WEEK = 7 * DAY
_HANDED = (Kind.FAST_LANE, Kind.SQL)


def review_page(
    review: Review,
    lang: Lang,
    *,
    zone: str,
    since: str,
    delay: int = 0,
    title_of: Callable[[str], str] = str,
) -> dict[str, Any]:
    """The content of the page.

    Parameters
    ----------
    since : length of the period as its address says it.
    delay : how long outcomes take to be recorded (microseconds).
    title_of : what people call a lead.
    """

    def day(instant: int) -> str:
        return locales.date(instant, zone, lang)

    clock, horizon = review.clock, locales.length(review.horizon, lang)
    settled = {"from": day(review.settled_from), "until": day(review.settled_until)}
    notes = [words(f"review.note.{each}", lang) for each in ("once", "expected", "settled", "median", "today")]
    if delay:
        notes.append(words("review.note.delay", lang, delay=locales.gap(delay, lang)))
    return {
        "lead_in": words(
            "review.lead_in", lang, **{"from": day(clock.moment - clock.length), "until": day(clock.moment)}
        ),
        "periods": [
            {
                "name": words("review.period", lang, length=locales.length(int(each[:-1]) * DAY, lang)),
                "href": f"/review?since={each}&lang={lang}",
                "current": each == since,
            }
            for each in PERIODS
        ],
        "alarms": _alarms(review, lang),
        "calm": "" if review.alarms else _calm(review, lang),
        "figures": _figures(review, lang),
        "done": [_done(row, lang) for row in review.rows if row.leads or row.held_back],
        "came_true": [_came_true(row, lang) for row in review.rows if row.realised.leads or row.realised.unscored],
        "true_aside": words("review.true.aside", lang, horizon=horizon, **settled),
        "true_empty": words("review.true.empty", lang, horizon=horizon),
        "pending": [_pending(row, lang) for row in review.rows if row.pending.leads],
        "pending_aside": words("review.pending.aside", lang, horizon=horizon),
        "response": [_response(row, lang) for row in review.rows if row.response.due or row.response.waiting],
        "response_notes": _without_deadline(review, lang),
        "found": _found(review, lang, title_of),
        "held_back": _held_back(review.held_back, lang, day),
        "notes": notes,
        "printed": words("review.printed", lang, time=locales.moment(clock.now, zone, lang)),
    }


def _name(kind: Kind, lang: Lang) -> str:
    return words(f"review.kind.{kind}", lang)


def _alarms(review: Review, lang: Lang) -> list[str]:
    told = []
    for row in review.rows:
        figures, key = row.realised, row.realised.alarm
        if key is not None and figures.expected is not None:
            told.append(_alarm(row.kind, key.value, figures.converted, figures.leads, figures.expected, lang))
        elif row.pending.alarm is Alarm.ABOVE and row.pending.expected is not None:
            pending = row.pending
            told.append(_alarm(row.kind, "early", pending.converted_so_far, pending.leads, row.pending.expected, lang))
    return told


def _alarm(kind: Kind, key: str, converted: int, leads: int, expected: Interval, lang: Lang) -> str:
    return words(
        f"review.alarm.{key}",
        lang,
        kind=_name(kind, lang),
        converted=converted,
        leads=leads,
        low=expected.low,
        high=expected.high,
    )


def _calm(review: Review, lang: Lang) -> str:
    key = "none" if any(row.realised.leads for row in review.rows) else "nothing"
    return words(f"review.alarm.{key}", lang, horizon=locales.length(review.horizon, lang))


def _figures(review: Review, lang: Lang) -> list[dict[str, str]]:
    handed = [row for row in review.rows if row.kind in _HANDED]
    a_week = round(review.handed_over * _WEEK / review.clock.length, 1)
    due, in_time = sum(row.response.due for row in handed), sum(row.response.in_time for row in handed)
    told, missed = len(review.found.told), len(review.found.missed)
    return [
        {
            "name": words("review.figure.handed_over", lang),
            "value": locales.number(review.handed_over, lang),
            "note": words("review.figure.a_week", lang, n=a_week)
            if review.capacity is None
            else words("review.figure.a_week_of", lang, n=a_week, capacity=review.capacity),
        },
        {
            "name": words("review.figure.in_time", lang),
            "value": locales.percentage(in_time / due, lang) if due else words("review.none", lang),
            "note": words("review.figure.in_time_note", lang, part=in_time, whole=due)
            if due
            else words("review.response.empty", lang),
        },
        _converted(review.handed, lang),
        {
            "name": words("review.figure.found", lang),
            "value": locales.number(told + missed, lang),
            "note": words("review.figure.found_note", lang, told=told, missed=missed),
        },
    ]


def _converted(found: Realised, lang: Lang) -> dict[str, str]:
    name = words("review.figure.converted", lang)
    if found.expected is None:
        nothing, why = words("review.none", lang), words("review.figure.converted_none", lang)
        return {"name": name, "value": nothing, "note": why}
    low, high = found.expected.low, found.expected.high
    return {
        "name": name,
        "value": locales.number(found.converted, lang),
        "note": words("review.figure.converted_note", lang, leads=found.leads, low=low, high=high),
    }


def _done(row: Row, lang: Lang) -> dict[str, Any]:
    asked = row.kind is not Kind.NURTURE
    counts = {"accepted": row.accepted, "rejected": row.rejected, "contacted": row.contacted}
    shown = {
        name: _count(count, row.leads, lang) if asked else words("review.none", lang) for name, count in counts.items()
    }
    reasons = sorted(row.reasons.items(), key=lambda each: (-each[1], each[0]))
    return {
        "kind": _name(row.kind, lang),
        "leads": locales.number(row.leads, lang),
        **shown,
        "unanswered": _count(row.unanswered, row.leads, lang) if asked else words("review.none", lang),
        "held_back": words("review.done.held_back", lang, n=row.held_back) if row.held_back else "",
        "reasons": [
            words("review.done.reason_count", lang, reason=words(f"review.reason.{reason or 'unsaid'}", lang), n=count)
            for reason, count in reasons
        ],
    }


def _count(part: int, whole: int, lang: Lang) -> str:
    if not whole:
        return words("review.none", lang)
    between = "・" if lang == "ja" else " · "
    return locales.number(part, lang) + (f"{between}{locales.percentage(part / whole, lang)}" if part else "")


def _came_true(row: Row, lang: Lang) -> dict[str, Any]:
    found, alarm = row.realised, row.realised.alarm
    expected, realised = found.expected, found.rate
    if expected is None or realised is None:
        nothing = words("review.none", lang)
        told: dict[str, Any] = {
            "expected": nothing,
            "rate": nothing,
            "rate_range": "",
            "spread": None,
            "chart_text": "",
        }
    else:
        low, high = expected.low, expected.high
        told = {
            "expected": words("review.true.expected_range", lang, low=low, high=high),
            "expected_point": locales.number(round(expected.point, 1), lang),
            "rate": locales.percentage(realised.point, lang),
            "rate_range": words(
                "review.range",
                lang,
                low=locales.percentage(realised.low, lang),
                high=locales.percentage(realised.high, lang),
            ),
            "spread": _spread(expected, found.converted),
            "chart_text": words(
                "review.true.chart_text", lang, low=low, high=high, leads=found.leads, converted=found.converted
            ),
        }
    return {
        "expected_point": "",
        **told,
        "kind": _name(row.kind, lang),
        "leads": locales.number(found.leads, lang),
        "converted": locales.number(found.converted, lang),
        "alarm": "" if alarm is None else words(f"review.alarm.mark_{alarm}", lang),
        "unscored": words("review.true.unscored", lang, n=found.unscored) if found.unscored else "",
    }


def _spread(expected: Interval, converted: int) -> dict[str, float]:
    """The range and what came true on one scale from 0 to 100."""
    whole = max(expected.high, converted, 1) * 1.1
    return {
        "low": round(100 * expected.low / whole, 2),
        "width": round(max(100 * (expected.high - expected.low) / whole, 0.5), 2),
        "at": round(100 * converted / whole, 2),
    }


def _pending(row: Row, lang: Lang) -> dict[str, str]:
    found = row.pending
    expected = found.expected
    return {
        "kind": _name(row.kind, lang),
        "leads": locales.number(found.leads, lang),
        "so_far": locales.number(found.converted_so_far, lang),
        "by_end": words("review.none", lang)
        if expected is None
        else words("review.true.expected_range", lang, low=expected.low, high=expected.high),
    }


def _response(row: Row, lang: Lang) -> dict[str, str]:
    found, share = row.response, row.response.share_in_time
    if found.median is None:
        half = words("review.none", lang)
    elif math.isinf(found.median):
        half = words("review.response.never", lang)
    else:
        half = locales.gap(int(found.median), lang)
    return {
        "kind": _name(row.kind, lang),
        "due": locales.number(found.due, lang),
        "in_time": _count(found.in_time, found.due, lang),
        "in_time_range": ""
        if share is None
        else words(
            "review.range", lang, low=locales.percentage(share.low, lang), high=locales.percentage(share.high, lang)
        ),
        "late": locales.number(found.late, lang),
        "overdue": locales.number(found.overdue, lang),
        "waiting": locales.number(found.waiting, lang),
        "median": half,
    }


def _without_deadline(review: Review, lang: Lang) -> list[str]:
    return [
        f"{_name(row.kind, lang)}: {words('review.response.no_deadline', lang, n=row.response.without_deadline)}"
        for row in review.rows
        if row.response.without_deadline and row.kind is not Kind.NURTURE
    ]


def _found(review: Review, lang: Lang, title_of: Callable[[str], str]) -> dict[str, Any]:
    found = review.found
    said = [
        words("review.found.told", lang, n=len(found.told)) if found.told else words("review.found.told_none", lang)
    ]
    if not found.conversions:
        said.append(words("review.found.no_conversions", lang))
    elif found.missed:
        said.append(words("review.found.missed", lang, missed=len(found.missed), conversions=found.conversions))
    else:
        said.append(words("review.found.missed_none", lang, conversions=found.conversions))
    leads = list(dict.fromkeys((*found.told, *found.missed)))
    return {
        "said": said,
        "leads": [_link(each, title_of(each), lang) for each in leads[:NAMED]],
        "more": words("review.found.more", lang, n=len(leads) - NAMED) if len(leads) > NAMED else "",
    }


def _link(lead_id: str, title: str, lang: Lang) -> dict[str, str]:
    return {"href": f"/leads/{quote(lead_id, safe='')}?lang={lang}", "title": title}


def _held_back(found: HeldBackComparison, lang: Lang, day: Callable[[int], str]) -> list[str]:
    if found.first is None or found.last is None:
        return [words("review.held_back.none", lang)]
    return list(_compared(found, found.first, found.last, lang, day))


def _compared(found: HeldBackComparison, first: int, last: int, lang: Lang, day: Callable[[int], str]) -> Iterable[str]:
    difference = found.difference
    if difference is None:
        yield words(
            "review.held_back.too_few",
            lang,
            handed_count=locales.number(found.handed_over, lang),
            held_count=locales.number(found.held_back, lang),
        )
    else:
        handed = rate(found.handed_over_converted, found.handed_over)
        held = rate(found.held_back_converted, found.held_back)
        yield words(
            "review.held_back.rates",
            lang,
            handed=locales.percentage(handed.point, lang),
            held=locales.percentage(held.point, lang),
            handed_count=words("review.of", lang, part=found.handed_over_converted, whole=found.handed_over),
            held_count=words("review.of", lang, part=found.held_back_converted, whole=found.held_back),
        )
        points, low, high = (
            locales.number(round(100 * each, 1), lang, signed=True)
            for each in (difference.point, difference.low, difference.high)
        )
        yield words("review.held_back.difference", lang, points=points, low=low, high=high)
        yield words(f"review.held_back.{'unsure' if difference.holds(0.0) else 'sure'}", lang)
    if found.waiting:
        yield words("review.held_back.waiting", lang, n=found.waiting)
    yield words("review.held_back.span", lang, **{"from": day(first), "until": day(last)})
