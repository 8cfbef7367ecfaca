"""Within a window: events, days, sessions and shares of them, and sums, means and maxima of their numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from features.definitions.ever import OfEvents
from features.durations import duration_text


@dataclass(frozen=True)
class Windowed(OfEvents):
    window: int | None

    def __post_init__(self) -> None:
        if self.window is not None and self.window <= 0:
            raise ValueError("a window must be positive")

    @property
    def span(self) -> str:
        return "ever" if self.window is None else duration_text(self.window)


@dataclass(frozen=True)
class CountWithin(Windowed):
    """Number of events. 0 where there are none."""

    unit: ClassVar[str] = "events"

    @property
    def plain_name(self) -> str:
        return f"{self.selector}.count.{self.span}"


@dataclass(frozen=True)
class DistinctDays(Windowed):
    """Number of calendar days (of the workspace's zone) with an event. 0 where there are none."""

    unit: ClassVar[str] = "days"

    @property
    def plain_name(self) -> str:
        return f"{self.selector}.days.{self.span}"


@dataclass(frozen=True)
class Sessions(Windowed):
    """Number of sessions: an event more than `SESSION_GAP` after its predecessor in the selection, or whose
    predecessor lies outside the window, starts one. 0 where there are none."""

    unit: ClassVar[str] = "sessions"

    @property
    def plain_name(self) -> str:
        return f"{self.selector}.sessions.{self.span}"


@dataclass(frozen=True)
class Share(Windowed):
    """The selection's part of all events in the window, 0 to 1. Missing where there are no events at all."""

    unit: ClassVar[str] = "ratio"

    @property
    def plain_name(self) -> str:
        return f"{self.selector}.share.{self.span}"


@dataclass(frozen=True)
class _OfNumbers(Windowed):
    column: str

    @property
    def plain_topic(self) -> str:
        return str(self.selector) if self.column == "value" else f"{self.selector}/{self.column}"


@dataclass(frozen=True)
class SumWithin(_OfNumbers):
    """Sum of a numeric column, added in canonical order. Missing cells don't count; 0 where there are none."""

    unit: ClassVar[str] = "number"

    @property
    def plain_name(self) -> str:
        return f"{self.selector}.sum.{self.column}.{self.span}"


@dataclass(frozen=True)
class MeanWithin(_OfNumbers):
    """Sum over number of known cells. Missing where there are none."""

    unit: ClassVar[str] = "number"

    @property
    def plain_name(self) -> str:
        return f"{self.selector}.mean.{self.column}.{self.span}"


@dataclass(frozen=True)
class MaxWithin(_OfNumbers):
    """Largest known cell. Missing where there are none."""

    unit: ClassVar[str] = "number"

    @property
    def plain_name(self) -> str:
        return f"{self.selector}.max.{self.column}.{self.span}"
