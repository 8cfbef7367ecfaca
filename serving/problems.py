"""What a caller is told when a request can't be answered: RFC 9457 problem bodies that name each field."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PROBLEM_JSON = "application/problem+json"

TITLES: Mapping[int, str] = {
    400: "The body is not JSON as it should be",
    401: "A key or a login is needed",
    403: "Not allowed",
    404: "There is no such thing",
    405: "This address takes another method",
    409: "It does not fit how things stand",
    413: "The request is too large",
    415: "The body must be JSON",
    422: "The request has faults",
    429: "Too many attempts",
    500: "A fault of ours",
    503: "Not ready yet",
}
"""One title a status: clients may switch on the status, people read the title."""

MOST_FAULTS = 20
"""A body of 10,000 wrong events must not be answered with 10,000 faults."""


@dataclass(frozen=True)
class Fault:
    """One field that is wrong. `found` says what kind of thing stood there, never its content: replies get logged."""

    field: str
    found: str
    expected: str

    def to_json(self) -> dict[str, str]:
        return {"field": self.field, "found": self.found, "expected": self.expected}


@dataclass(eq=False)  # not frozen: Python itself writes to exceptions on their way
class Refused(Exception):
    """A request that is not answered, with the reasons. Whoever speaks HTTP turns it into `reply_body`."""

    status: int
    faults: Sequence[Fault]
    headers: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The problem object of RFC 9457, with the list `errors` as its extension.

        >>> Refused(422, [Fault("lead_id", "a number", "text")]).to_json()["detail"]
        'lead_id: found a number, expected text'
        """
        shown = self.faults[:MOST_FAULTS]
        more = len(self.faults) - len(shown)
        first = shown[0]
        detail = f"{first.field}: found {first.found}, expected {first.expected}"
        if len(self.faults) > 1:
            detail += f" (and {len(self.faults) - 1} more)"
        return {
            "type": "about:blank",
            "title": TITLES[self.status],
            "status": self.status,
            "detail": detail,
            "errors": [fault.to_json() for fault in shown],
            **({"more_errors": more} if more else {}),
        }

    def body(self) -> bytes:
        return json.dumps(self.to_json(), ensure_ascii=False).encode()

    def __str__(self) -> str:
        return f"{self.status} {TITLES[self.status]}: {len(self.faults)} fault(s)"


def kind_of(value: Any) -> str:
    """What kind of JSON value this is, in words, without its content."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        finite = isinstance(value, int) or value - value == 0
        return "a number" if finite else "NaN or a number beyond all bounds"
    if isinstance(value, str):
        return f"text of {len(value)} characters" if value else "empty text"
    return "a list" if isinstance(value, (list, tuple)) else "an object"
