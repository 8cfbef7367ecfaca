"""Figures of the report as English texts: a dash where one has no value, a true minus sign."""

from __future__ import annotations

from features.instants import instant_text
from features.wording import number, percent
from training.bootstrap import Estimate
from training.intervals import Interval

DASH = "–"


def figure(estimate: Estimate, form: str = ".3f") -> str:
    """A figure in this format."""
    return DASH if estimate.point is None else _signed(format(estimate.point, form))


def spread(estimate: Estimate | Interval | None, form: str = ".3f") -> str:
    """Its interval: "0.71 to 0.78"; "" where it has none."""
    if estimate is None or estimate.low is None or estimate.high is None:
        return ""
    return f"{_signed(format(estimate.low, form))} to {_signed(format(estimate.high, form))}"


def share(part: float | None) -> str:
    """A share as a percentage."""
    return DASH if part is None else percent(part, "en")


def share_spread(estimate: Estimate | Interval) -> str:
    """The interval of a share: "24% to 36%"; "" where it has none."""
    if estimate.low is None or estimate.high is None:
        return ""
    return f"{share(estimate.low)} to {share(estimate.high)}"


def count(value: float) -> str:
    """A number with separators."""
    return _signed(number(value, "en"))


def log_odds(value: float) -> str:
    """A signed number of log-odds: "+0.35", "−1.20"."""
    return _signed(f"{value:+.2f}")


def day(instant: int, zone: str) -> str:
    """The calendar day of an instant in a zone."""
    return instant_text(instant, zone)[:10]


def _signed(text: str) -> str:
    return text.replace("-", "−")
