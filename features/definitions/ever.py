"""Of all selected events ever: the last, the first, the gaps between them, and counts in which the old weigh less."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from features.definitions.definition import Definition
from features.definitions.selector import Selector
from features.durations import duration_text


@dataclass(frozen=True)
class OfEvents(Definition):
    selector: Selector

    @property
    def plain_topic(self) -> str:
        return str(self.selector)


@dataclass(frozen=True)
class LastNumber(OfEvents):
    """The last known cell of a numeric column in canonical order. Missing where there is none."""

    column: str
    unit: ClassVar[str] = "number"

    @property
    def plain_name(self) -> str:
        return f"{self.selector}.last.{self.column}"

    @property
    def plain_topic(self) -> str:
        return str(self.selector) if self.column == "value" else f"{self.selector}/{self.column}"


@dataclass(frozen=True)
class DaysSinceLast(OfEvents):
    """Days (of 24 hours, with fraction) from the last event to the moment. Missing where there is none."""

    unit: ClassVar[str] = "days"

    @property
    def plain_name(self) -> str:
        return f"{self.selector}.since_last"


@dataclass(frozen=True)
class DaysSinceFirst(OfEvents):
    """Days from the first event to the moment. Missing where there is none."""

    unit: ClassVar[str] = "days"

    @property
    def plain_name(self) -> str:
        return f"{self.selector}.since_first"


@dataclass(frozen=True)
class MeanGap(OfEvents):
    """Mean days between events, (last - first) / (n - 1). Missing under two events."""

    unit: ClassVar[str] = "days"

    @property
    def plain_name(self) -> str:
        return f"{self.selector}.mean_gap"


@dataclass(frozen=True)
class LastGap(OfEvents):
    """Days between the last two events. Missing under two events."""

    unit: ClassVar[str] = "days"

    @property
    def plain_name(self) -> str:
        return f"{self.selector}.last_gap"


@dataclass(frozen=True)
class Trend(OfEvents):
    """Events a day in the short window over events a day in the long one: 1 steady, above 1 picking up.
    Missing where the long window is empty."""

    short: int
    long: int
    unit: ClassVar[str] = "ratio"

    def __post_init__(self) -> None:
        if not 0 < self.short < self.long:
            raise ValueError("the short window of a trend must be positive and shorter than the long one")

    @property
    def plain_name(self) -> str:
        return f"{self.selector}.trend.{duration_text(self.short)}.{duration_text(self.long)}"


@dataclass(frozen=True)
class DecayedCount(OfEvents):
    """Number of events, each weighing 2^(-age / half_life). 0 where there are none.

    Computed by Horner's rule in canonical order, ``d = d * w(t - previous) + 1`` and at last ``d * w(as_of - last)``,
    with w(x) = `features.kernel.half_power`, so that advancing from one moment to the next gives the same bits.
    """

    half_life: int
    unit: ClassVar[str] = "events"

    def __post_init__(self) -> None:
        if self.half_life <= 0:
            raise ValueError("a half-life must be positive")

    @property
    def plain_name(self) -> str:
        return f"{self.selector}.decayed.{duration_text(self.half_life)}"
