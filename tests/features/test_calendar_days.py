"""Calendar days of a zone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.calendar_days import as_datetime, local_days, microseconds

ZONES = ("UTC", "Asia/Tokyo", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Europe/Dublin")
INSTANTS = st.datetimes(datetime(1905, 1, 1), datetime(2095, 1, 1)).map(lambda d: microseconds(d.replace(tzinfo=UTC)))


@given(instant=INSTANTS, zone=st.sampled_from(ZONES))
def test_a_local_day_is_the_date_that_a_clock_there_shows(instant: int, zone: str) -> None:
    shown = as_datetime(instant).astimezone(ZoneInfo(zone)).date().toordinal() - datetime(1970, 1, 1).toordinal()
    assert local_days(np.array([instant]), zone)[0] == shown


@pytest.mark.parametrize(("moment", "day"), [("2026-03-08T04:59:59.999999", 7), ("2026-03-08T05:00:00", 8)])
def test_midnight_belongs_to_the_later_day(moment: str, day: int) -> None:
    instant = microseconds(datetime.fromisoformat(moment).replace(tzinfo=UTC))
    noon_of_the_first = microseconds(datetime(2026, 3, 1, 12, tzinfo=UTC))
    first, found = local_days(np.array([noon_of_the_first, instant]), "America/New_York")
    assert found - first == day - 1


def test_instants_of_years_1_and_9999_have_a_day() -> None:
    far = np.array([-62_135_596_800_000_000, 253_402_300_799_999_999])
    assert local_days(far, "UTC").tolist() == [-719_162, 2_932_896]


@pytest.mark.parametrize("zone", ["America/St_Johns", "America/Goose_Bay", "Antarctica/Casey", "Asia/Tokyo"])
def test_days_never_run_backwards_even_where_clocks_turn_back_over_midnight(zone: str) -> None:
    hours = np.arange(0, 45 * 366 * 24, dtype=np.int64) * 1_800_000_000 * 2
    assert (np.diff(local_days(hours, zone)) >= 0).all()
