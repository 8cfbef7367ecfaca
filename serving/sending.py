"""What is sent of a hand-off, and how sending it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol


class Ending(Enum):
    """What follows from one attempt."""

    DELIVERED = "delivered"
    AGAIN = "again"
    """The receiver is away or busy: later, and again for days."""
    HARDLY = "hardly"
    """The receiver refuses: a mistake of a few minutes may be mended, another stays."""
    NEVER = "never"
    """The receiver wants no more."""


@dataclass(frozen=True)
class Handoff:
    """A hand-off that is to be sent, `created_at` in microseconds. Its id is the same each time that it is sent."""

    handoff_id: str
    created_at: int
    payload: Mapping[str, Any]


@dataclass(frozen=True)
class Attempt:
    """How an attempt ended.

    Attributes
    ----------
    told : kind of fault and status, nothing of the content; "" where there was none.
    wait : seconds that the receiver asked for.
    """

    ending: Ending
    told: str = ""
    wait: float | None = None


class Sender(Protocol):
    """One channel. Sends within `SECONDS` and raises nothing for what a receiver or a network does."""

    def send(self, handoff: Handoff, *, now: int) -> Attempt: ...
