"""Of all events, whatever their type: which values a categorical column held last, and how many different ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from features.definitions.definition import Definition
from features.durations import duration_text


@dataclass(frozen=True)
class LastCategory(Definition):
    """Value of a categorical column in the nth-last event of all (1 = last). Missing where there is none,
    where the cell is empty and where the value has no code."""

    column: str
    nth: int
    values: tuple[str, ...]
    unit: ClassVar[str] = "category"
    categorical: ClassVar[bool] = True

    @property
    def plain_name(self) -> str:
        return f"any.last_{self.column}.{self.nth}"

    @property
    def plain_topic(self) -> str:
        return f"last {self.column}"

    @property
    def categories(self) -> tuple[str, ...]:
        return self.values


@dataclass(frozen=True)
class DistinctValues(Definition):
    """How many of the known values of a column (event_type, channel, ...) occur in the window;
    with event_type the pool of other types counts as one."""

    column: str
    window: int | None
    unit: ClassVar[str] = "number"

    @property
    def span(self) -> str:
        return "ever" if self.window is None else duration_text(self.window)

    @property
    def plain_name(self) -> str:
        return f"any.distinct_{self.column}.{self.span}"

    @property
    def plain_topic(self) -> str:
        return f"distinct {self.column}"
