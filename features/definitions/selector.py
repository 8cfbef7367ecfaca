"""Which events a definition looks at."""

from __future__ import annotations

from dataclasses import dataclass

OTHER = "(other)"
"""The pool of event types without a stream of their own."""


@dataclass(frozen=True, order=True)
class Selector:
    """Which events a definition looks at: all, or those where a column holds a value.

    Attributes
    ----------
    column : "" for all events, "event_type", "stage", "channel" or a categorical further column.
    value : the value looked for; `OTHER` with "event_type" is the pool of rare and new types.
    """

    column: str = ""
    value: str = ""

    def __post_init__(self) -> None:
        if bool(self.column) != bool(self.value):
            raise ValueError("a selector names a column and a value, or neither")

    def __str__(self) -> str:
        return self.value if self.column == "event_type" else f"{self.column}={self.value}" if self.column else "any"


ALL = Selector()
