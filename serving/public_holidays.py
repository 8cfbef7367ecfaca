"""Public holidays of a country, from the library `holidays`."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class CountryFault:
    """Why holidays can't be looked up: an unknown country, or an unknown region of a known one."""

    of_region: bool
    expected: str


def country_fault(country: str, region: str) -> CountryFault | None:
    """What is wrong with a country and its region ("" for the whole country); None where nothing is."""
    import holidays

    supported = holidays.list_supported_countries()
    if country not in supported:
        return CountryFault(False, "a country code of two letters in capitals, such as JP")
    if region and region not in supported[country]:
        known = ", ".join(supported[country]) or "no region: this country has none in the calendar"
        return CountryFault(True, f"one of {known}" if supported[country] else known)
    return None


@lru_cache(maxsize=256)
def public_holidays(country: str, region: str, year: int) -> frozenset[dt.date]:
    """The public holidays of a year; empty for years that the library knows nothing of."""
    import holidays  # here, since most agreements go without

    return frozenset(holidays.country_holidays(country, subdiv=region or None, years=year))
