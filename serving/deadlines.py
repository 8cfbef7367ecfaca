"""Until when somebody answers: the time agreed, counted over the hours in which there is somebody to answer."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterator

from features.calendar_days import DAY, _transitions  # the zone's table of offsets is found there, by bisection
from serving.agreement import Agreement
from serving.agreement_terms import MINUTE, WEEKDAYS, Hours
from serving.decision import Band, DecidedBy
from serving.lead_score import LeadScore
from serving.public_holidays import public_holidays

_DAY_0 = dt.date(1970, 1, 1).toordinal()


def respond_within(agreement: Agreement | None, score: LeadScore) -> int | None:
    """How soon a lead is answered (microseconds): by its fast lane, else by the SLA of its band; None where it may wait."""
    if score.decided_by is DecidedBy.FAST_LANE and score.fast_lane is not None:
        return score.fast_lane.respond_within
    sla = None if agreement is None else agreement.sla
    if sla is None:
        return None
    return {Band.SQL: sla.sql, Band.MQL: sla.mql}.get(score.band) if score.band is not None else None


def deadline_of(agreement: Agreement | None, score: LeadScore, *, since: int) -> int | None:
    """Until when a lead is answered that stands so since an instant; None where it may wait."""
    within = respond_within(agreement, score)
    return None if within is None else deadline(agreement, since=since, respond_within=within)


def deadline(agreement: Agreement | None, *, since: int, respond_within: int) -> int:
    """The instant until which somebody answers what came at `since`, both UTC microseconds.

    Without office hours the clock runs all day. With them only open hours count, and a whole number of days means as many
    working days: "1d" given at ten o'clock ends at ten o'clock on the next working day, "4h" ends after four open hours.
    What comes while the office is closed counts from when it opens.
    """
    hours = None if agreement is None else agreement.hours
    if hours is None:
        return since + respond_within
    left = counted(hours, respond_within)
    for opens, closes in open_spans(hours, since):
        if left <= closes - opens:
            return opens + left
        left -= closes - opens
    return since + respond_within  # past the end of the calendar


def counted(hours: Hours, time: int) -> int:
    """The open time (microseconds) that a time to respond stands for: of whole days as many working days."""
    return time // DAY * hours.working_day if time % DAY == 0 else time


def open_spans(hours: Hours, since: int) -> Iterator[tuple[int, int]]:
    """Spans [opens, closes) in which the office is open from an instant on, in order, in UTC microseconds.

    The zone's offset is constant between two changes of its clock, so that spans are exact where clocks are set forward
    (an hour is skipped) and back (an hour is open twice).
    """
    changes, offsets = _transitions(hours.timezone)
    place, start = bisect_right(changes, since), since
    while True:
        end = changes[place] if place < len(changes) else None
        offset = offsets[place]
        day = (start + offset) // DAY
        while end is None or day * DAY - offset < end:
            if day + _DAY_0 > dt.date.max.toordinal():
                return
            if _is_working_day(hours, day):
                opens = max(day * DAY + hours.opens * MINUTE - offset, start)
                closes = day * DAY + hours.closes * MINUTE - offset
                closes = closes if end is None else min(closes, end)
                if opens < closes:
                    yield opens, closes
            day += 1
        start, place = end, place + 1


def _is_working_day(hours: Hours, day: int) -> bool:
    """Whether the office opens on a local day, counted from 1970-01-01."""
    if WEEKDAYS[(day + 3) % 7] not in hours.days:  # 1970-01-01 was a Thursday
        return False
    date = dt.date.fromordinal(day + _DAY_0)
    if date in hours.closed:
        return False
    return not hours.country or date not in public_holidays(hours.country, hours.region, date.year)
