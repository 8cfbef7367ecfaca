"""Deadlines over business hours, against a clock that is walked minute by minute."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from features.calendar_days import DAY, HOUR, as_datetime, microseconds
from serving.agreement import Agreement
from serving.agreement_terms import MINUTE, WEEKDAYS, Hours
from serving.deadlines import counted, deadline

OFFICE = Hours(opens=9 * 60, closes=18 * 60, timezone="Asia/Tokyo")


def agreed(hours: Hours | None) -> Agreement:
    return Agreement(version=1, mql=0.1, sql=0.3, hours=hours)


def at(text: str, zone: str = "Asia/Tokyo") -> int:
    return microseconds(dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)))


def until(since: str, within: int, hours: Hours | None = OFFICE, zone: str = "Asia/Tokyo") -> str:
    ends = deadline(agreed(hours), since=at(since, zone), respond_within=within)
    return as_datetime(ends).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


def test_without_hours_the_clock_never_stops() -> None:
    assert until("2026-03-13 17:00", 4 * HOUR, None) == "2026-03-13 21:00"
    assert deadline(None, since=5, respond_within=DAY) == DAY + 5


def test_only_open_hours_count() -> None:
    assert until("2026-03-12 10:00", 4 * HOUR) == "2026-03-12 14:00"
    assert until("2026-03-12 16:30", 4 * HOUR) == "2026-03-13 11:30"
    assert until("2026-03-13 16:30", 4 * HOUR) == "2026-03-16 11:30", "the weekend is closed"


def test_what_comes_while_the_office_is_closed_counts_from_when_it_opens() -> None:
    assert until("2026-03-12 03:00", HOUR) == "2026-03-12 10:00"
    assert until("2026-03-12 18:00", HOUR) == "2026-03-13 10:00", "closing time itself is closed"
    assert until("2026-03-14 12:00", HOUR) == "2026-03-16 10:00"


def test_a_deadline_may_be_closing_time_itself() -> None:
    assert until("2026-03-12 17:00", HOUR) == "2026-03-12 18:00"


def test_a_day_is_a_working_day() -> None:
    assert until("2026-03-12 10:00", DAY) == "2026-03-13 10:00"
    assert until("2026-03-13 10:00", 3 * DAY) == "2026-03-18 10:00"
    assert counted(OFFICE, 36 * HOUR) == 36 * HOUR


def test_public_holidays_and_days_off_are_closed() -> None:
    in_japan = Hours(OFFICE.opens, OFFICE.closes, OFFICE.timezone, country="JP")
    assert until("2026-03-19 17:00", 2 * HOUR, in_japan) == "2026-03-23 10:00", (
        "March 20 is the equinox, then a weekend"
    )
    closed = Hours(OFFICE.opens, OFFICE.closes, OFFICE.timezone, closed=(dt.date(2026, 3, 13),))
    assert until("2026-03-12 17:00", 2 * HOUR, closed) == "2026-03-16 10:00"
    of_region = Hours(OFFICE.opens, OFFICE.closes, "Europe/Berlin", country="DE", region="BY")
    assert until("2026-01-05 17:00", 2 * HOUR, of_region, "Europe/Berlin") == "2026-01-07 10:00", "Epiphany, in Bavaria"


def test_clocks_set_forward_and_back_lose_and_gain_an_hour_of_an_office_that_is_open_by_night() -> None:
    always = Hours(0, 1440, "Europe/Berlin", days=WEEKDAYS)
    assert until("2026-03-29 01:30", HOUR, always, "Europe/Berlin") == "2026-03-29 03:30"
    assert until("2026-10-25 01:30", 2 * HOUR, always, "Europe/Berlin") == "2026-10-25 02:30"


zones = st.sampled_from(["Asia/Tokyo", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "America/New_York"])


@st.composite
def offices(draw: st.DrawFn) -> Hours:
    opens = draw(st.integers(0, 1430))
    days = draw(st.sets(st.sampled_from(WEEKDAYS), min_size=4))
    closed = draw(st.sets(st.dates(dt.date(2026, 3, 1), dt.date(2026, 4, 15)), max_size=4))
    country, region = draw(st.sampled_from([("", ""), ("JP", ""), ("DE", "BY"), ("US", "")]))
    closes = draw(st.integers(opens + 1, 1440))
    return Hours(opens, closes, draw(zones), tuple(days), country, region, tuple(closed))


@given(
    offices(),
    st.sampled_from(["2026-03-08", "2026-03-29", "2026-04-05", "2026-10-25", "2026-11-01", "2026-05-03"]),
    st.integers(-2 * 1440, 2 * 1440),
    st.integers(1, 600),
)
@settings(
    deadline=None, max_examples=80, phases=[Phase.explicit, Phase.reuse, Phase.generate]
)  # shrinking walks for minutes
def test_deadlines_are_those_of_a_clock_walked_minute_by_minute(
    hours: Hours, near: str, minutes: int, within: int
) -> None:
    since = at(near, hours.timezone) + minutes * MINUTE
    within = min(within, 3 * (hours.closes - hours.opens))
    assert deadline(agreed(hours), since=since, respond_within=within * MINUTE) == walked(hours, since, within)


def walked(hours: Hours, since: int, left: int) -> int:
    """The end of the `left`th minute from `since` at whose start the office is open."""
    zone = ZoneInfo(hours.timezone)
    off = (
        set(holidays.country_holidays(hours.country, subdiv=hours.region or None, years=2026))
        if hours.country
        else set()
    )
    now = since
    while True:
        local = as_datetime(now).astimezone(zone)
        open_day = WEEKDAYS[local.weekday()] in hours.days and local.date() not in {*hours.closed, *off}
        if open_day and hours.opens <= local.hour * 60 + local.minute < hours.closes:
            left -= 1
            if left == 0:
                return now + MINUTE
        now += MINUTE


def test_time_far_ahead_ends_all_the_same() -> None:
    far = microseconds(dt.datetime(9999, 12, 30, tzinfo=dt.UTC))
    assert deadline(agreed(OFFICE), since=far, respond_within=9 * DAY) == far + 9 * DAY


@pytest.mark.parametrize(
    "wrong", [{"opens": 600, "closes": 600}, {"opens": 0, "closes": 1441}, {"days": ()}, {"region": "BY"}]
)
def test_hours_that_say_nothing_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=" "):
        Hours(**({"opens": 0, "closes": 60, "timezone": "UTC"} | wrong))  # type: ignore[arg-type]
