"""What the guard found: which part of the tables smells of the future, how sure that is, and the line that settles it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Severity = Literal["certain", "likely", "possible"]
SEVERITIES: tuple[Severity, ...] = ("certain", "likely", "possible")
LEFT_OUT: tuple[Severity, ...] = ("certain", "likely")
"""What is so sure that the features go unless the workspace trusts them; the rest warns."""
About = Literal["attribute", "event type", "column of events", "feature", "table"]


@dataclass(frozen=True)
class Finding:
    """One suspicion. Holds names and figures over many leads, never a cell of a lead.

    Attributes
    ----------
    code : of the check, the same for ever: "label_twin", "known_when_ended", ...
    severity : "certain" and "likely" are left out of the features, "possible" warns.
    about : what `subject` is: an attribute, an event type, a further column of events, a single feature or a table.
    subject : its name.
    sentence : what was seen, with the figures.
    figures : the same figures as numbers.
    setting : the line of propensity.toml that settles it; "" where none does.
    left_out : whether the features that read the subject were left out.
    trusted : the reason that the workspace gives for trusting it; None where it doesn't.
    """

    code: str
    severity: Severity
    about: About
    subject: str
    sentence: str
    figures: Mapping[str, float] = field(default_factory=dict)
    setting: str = ""
    left_out: bool = False
    trusted: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; `from_json` gives an equal finding."""
        return {**asdict(self), "figures": dict(self.figures)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Finding:
        return cls(**data)

    @property
    def named(self) -> str:
        """The subject as people are told of it: 'duration', 'event type "call"'."""
        return self.subject if self.about in ("attribute", "feature") else f'{self.about} "{self.subject}"'


def trust_setting(name: str) -> str:
    """The line that brings a subject back.

    >>> trust_setting("duration")
    '[attributes] trust = { duration = "why it is known before the moment" }'
    """
    return f'[attributes] trust = {{ {_key(name)} = "why it is known before the moment" }}'


def ignore_setting(name: str) -> str:
    """The line that leaves a subject out.

    >>> ignore_setting("PageValues")
    '[attributes] ignore = ["PageValues"]'
    """
    return f"[attributes] ignore = [{json.dumps(name, ensure_ascii=False)}]"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)
