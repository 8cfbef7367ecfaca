"""The agreement's terms: how soon somebody answers and at what hours, what keeps a band steady, what is held back."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from features.durations import duration_text

WEEKDAYS: tuple[str, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FACTS: tuple[str, ...] = ("budget", "authority", "need", "timeline")
MINUTE = 60_000_000
MINUTES_A_DAY = 1440


@dataclass(frozen=True)
class Sla:
    """How soon somebody answers a lead of a band (microseconds); None where nothing was agreed."""

    mql: int | None = None
    sql: int | None = None

    def __post_init__(self) -> None:
        if any(each is not None and each <= 0 for each in (self.mql, self.sql)):
            raise ValueError("an answer takes longer than nothing")

    def to_toml(self) -> dict[str, str]:
        both = {"mql": self.mql, "sql": self.sql}
        return {name: duration_text(each) for name, each in both.items() if each is not None}


@dataclass(frozen=True)
class Hysteresis:
    """What a lead must do to leave a band downwards; upwards it goes at once. All that is set is asked for together.

    Attributes
    ----------
    down_by : its probability lies below the band's cutoff by more than this; 0 asks for nothing.
    stays_for : it has been in the band for so long (microseconds); 0 asks for nothing.
    """

    down_by: float = 0.0
    stays_for: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.down_by < 1 or self.stays_for < 0:
            raise ValueError("a band cannot be kept by a negative amount")

    def to_toml(self) -> dict[str, Any]:
        told: dict[str, Any] = {"down_by": self.down_by} if self.down_by else {}
        return told | ({"stays_for": duration_text(self.stays_for)} if self.stays_for else {})


@dataclass(frozen=True)
class HeldBack:
    """A random share of leads that is never handed over, to measure what the hand-off itself brings.

    Attributes
    ----------
    share : of all leads, 0 < share < 1.
    draw : another number draws another lot for everyone.
    """

    share: float
    draw: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.share < 1 or self.draw < 1:
            raise ValueError("a share between 0 and 1 is held back, by a draw from 1 on")

    def holds(self, lead_id: str) -> bool:
        """Whether a lead is held back. Its lot hangs on its id and the draw alone, so that it never changes.

        The hash has no key: whoever knows the ids can tell who is held back, as whoever can read the scores may.
        """
        digest = hashlib.sha256(f"{self.draw}\0{lead_id}".encode()).digest()
        return int.from_bytes(digest[:8], "big") < self.share * 2**64

    def to_toml(self) -> dict[str, Any]:
        return {"share": self.share, "draw": self.draw}


@dataclass(frozen=True)
class Hours:
    """When there is somebody to answer. Deadlines count these hours alone.

    Attributes
    ----------
    days : of `WEEKDAYS`, in their order.
    opens, closes : minutes since midnight of the zone's clock; 0 <= opens < closes <= 1440.
    timezone : IANA name.
    country : code of the country whose public holidays are closed; "" for none. `region` of it.
    closed : further days off, sorted.
    """

    opens: int
    closes: int
    timezone: str
    days: tuple[str, ...] = WEEKDAYS[:5]
    country: str = ""
    region: str = ""
    closed: tuple[dt.date, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.opens < self.closes <= MINUTES_A_DAY:
            raise ValueError("an office opens before it closes, on the same day")
        if not self.days or not set(self.days) <= set(WEEKDAYS):
            raise ValueError(f"days are of {WEEKDAYS}, at least one")
        if self.region and not self.country:
            raise ValueError("a region is of a country")
        object.__setattr__(self, "days", tuple(day for day in WEEKDAYS if day in self.days))
        object.__setattr__(self, "closed", tuple(sorted(set(self.closed))))
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"no time zone {self.timezone!r}") from None

    @property
    def working_day(self) -> int:
        """How long the office is open on a day (microseconds)."""
        return (self.closes - self.opens) * MINUTE

    def to_toml(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            "days": list(self.days),
            "opens": clock_text(self.opens),
            "closes": clock_text(self.closes),
            "timezone": self.timezone,
        }
        told |= {name: text for name, text in (("country", self.country), ("region", self.region)) if text}
        return told | ({"closed": [day.isoformat() for day in self.closed]} if self.closed else {})


def clock_text(minutes: int) -> str:
    """Minutes since midnight as people write them.

    >>> clock_text(545), clock_text(1440)
    ('09:05', '24:00')
    """
    return f"{minutes // 60:02}:{minutes % 60:02}"
