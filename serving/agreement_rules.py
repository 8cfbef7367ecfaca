"""The agreement's rules on what leads are and do: who is never handed over, what raises a lead, and who is who."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

from features.durations import duration_text
from features.schema import STAGES, Words
from serving.mail_domains import domain_of, free_mail_domains, lies_in

ANY = "any"
"""In `[nurture]`: whatever the persona, whatever the stage."""
NO_WORDS = Words()
_NUMBER = re.compile(r"[+-]?([0-9]+|[0-9]{1,3}(,[0-9]{3})+)(\.[0-9]*)?([eE][+-]?[0-9]+)?")


def alike(text: str) -> str:
    """A value as rules compare it: without case, width and outer spaces; a number as a number.

    >>> alike(" Ｄirector "), alike("1,000.0") == alike("1000"), alike("007")
    ('director', True, '007')
    """
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    number = number_of(plain)
    return plain if number is None else repr(number + 0.0)


def number_of(text: str) -> float | None:
    """The number that a text is; None where it is none, and where a zero before another digit makes it a code."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if not _NUMBER.fullmatch(plain) or re.match(r"[+-]?0[0-9]", plain):
        return None
    number = float(plain.replace(",", ""))
    return number if math.isfinite(number) else None


@dataclass(frozen=True)
class AttributeCondition:
    """What an attribute must say. A value that is not known meets no condition, not even "none of these".

    Exactly one kind of condition is set.

    Attributes
    ----------
    one_of, none_of : values, compared without case and width (`alike`).
    domains : the value is a mail or web address at one of these domains or below; `free_mail` adds the published list.
    at_least, at_most : bounds of a number, inclusive; both may be set.
    """

    one_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    free_mail: bool = False
    at_least: float | None = None
    at_most: float | None = None

    def __post_init__(self) -> None:
        bounds = self.at_least is not None or self.at_most is not None
        kinds = [bool(self.one_of), bool(self.none_of), bool(self.domains) or self.free_mail, bounds]
        if sum(kinds) != 1:
            raise ValueError("a condition says one thing of an attribute")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError("no number lies between these bounds")

    @cached_property
    def _values(self) -> frozenset[str]:
        return frozenset(map(alike, self.one_of or self.none_of))

    @cached_property
    def _domains(self) -> frozenset[str]:
        told = frozenset(filter(None, map(domain_of, self.domains)))
        return told | free_mail_domains() if self.free_mail else told

    def met_by(self, value: str) -> bool:
        """Whether a known value meets it."""
        if self._values:
            return (alike(value) in self._values) is bool(self.one_of)
        if self._domains:
            domain = domain_of(value)
            return domain is not None and lies_in(domain, self._domains)
        number = number_of(value)
        if number is None:
            return False
        return (self.at_least is None or number >= self.at_least) and (self.at_most is None or number <= self.at_most)

    def to_toml(self) -> dict[str, Any]:
        told: dict[str, Any] = {"in": list(self.one_of), "not_in": list(self.none_of), "domains": list(self.domains)}
        told |= {"free_mail": self.free_mail}
        bounds = {"at_least": self.at_least, "at_most": self.at_most}
        return {name: value for name, value in told.items() if value} | {
            name: value for name, value in bounds.items() if value is not None
        }


@dataclass(frozen=True)
class EventCount:
    """So many events of some types within a window.

    Attributes
    ----------
    types : event types, counted together.
    at_least : how many.
    within : microseconds; the window is [as_of - within, as_of). None counts all.
    """

    types: tuple[str, ...]
    at_least: int = 1
    within: int | None = None

    def __post_init__(self) -> None:
        if not self.types or self.at_least < 1 or (self.within is not None and self.within <= 0):
            raise ValueError("at least one event of at least one type within a time longer than nothing")

    def to_toml(self) -> dict[str, Any]:
        told: dict[str, Any] = {"events": list(self.types), "at_least": self.at_least}
        return told if self.within is None else told | {"within": duration_text(self.within)}


@dataclass(frozen=True)
class OpenedShare:
    """A share of what was sent within a window was opened.

    Attributes
    ----------
    opened, sent : event types, counted together.
    share : opened / sent, at least; 0 < share <= 1.
    sent_at_least : of fewer sent nothing is said.
    within : microseconds; the window is [as_of - within, as_of).
    """

    opened: tuple[str, ...]
    sent: tuple[str, ...]
    share: float
    sent_at_least: int
    within: int

    def __post_init__(self) -> None:
        if not self.opened or not self.sent or self.sent_at_least < 1 or self.within <= 0:
            raise ValueError("events opened of at least one sent within a time longer than nothing")
        if not 0 < self.share <= 1:
            raise ValueError("a share lies above 0 and is at most 1")

    @property
    def types(self) -> tuple[str, ...]:
        """All event types it looks at."""
        return (*self.opened, *self.sent)

    def to_toml(self) -> dict[str, Any]:
        return {
            "opened": list(self.opened),
            "sent": list(self.sent),
            "share": self.share,
            "sent_at_least": self.sent_at_least,
            "within": duration_text(self.within),
        }


def _words(words: Words) -> dict[str, str]:
    return {name: text for name, text in (("en", words.en), ("ja", words.ja)) if text}


Conditions = Mapping[str, AttributeCondition]
"""By attribute; all must be met."""


def _frozen(conditions: Conditions) -> Conditions:
    return MappingProxyType(dict(conditions))


@dataclass(frozen=True)
class Exclusion:
    """Whom sales never gets: leads of which all conditions hold.

    Attributes
    ----------
    words : what people call it.
    attributes : by name.
    events : None where what the lead does is not asked.
    """

    words: Words = NO_WORDS
    attributes: Conditions = field(default_factory=dict)
    events: EventCount | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "attributes", _frozen(self.attributes))
        if not self.attributes and self.events is None:
            raise ValueError("a rule that asks for nothing would exclude everyone")

    def to_toml(self) -> dict[str, Any]:
        told: dict[str, Any] = dict(_words(self.words))
        if self.attributes:
            told["attributes"] = {name: each.to_toml() for name, each in self.attributes.items()}
        return told | (self.events.to_toml() if self.events is not None else {})


@dataclass(frozen=True)
class Trigger:
    """What makes a lead at least MQL, whatever its probability."""

    rule: EventCount | OpenedShare
    words: Words = NO_WORDS

    def __post_init__(self) -> None:
        if self.rule.within is None:
            raise ValueError("a trigger without a window would never let go")

    def to_toml(self) -> dict[str, Any]:
        return {**_words(self.words), **self.rule.to_toml()}


@dataclass(frozen=True)
class Persona:
    """A kind of lead, told by its attributes. Of several that match the first of the file counts."""

    name: str
    attributes: Conditions
    words: Words = NO_WORDS

    def __post_init__(self) -> None:
        object.__setattr__(self, "attributes", _frozen(self.attributes))
        if not self.name or self.name == ANY:
            raise ValueError(f"a persona has a name, and not {ANY!r}")
        if not self.attributes:
            raise ValueError("a persona without conditions would be everyone")

    def to_toml(self) -> dict[str, Any]:
        return {**_words(self.words), "attributes": {name: each.to_toml() for name, each in self.attributes.items()}}


@dataclass(frozen=True)
class Nurture:
    """The content that a lead gets next, and where it lies ("" where no link is given)."""

    words: Words
    link: str = ""

    def __post_init__(self) -> None:
        if not (self.words.en or self.words.ja):
            raise ValueError("content has a name in at least one language")

    def to_toml(self) -> dict[str, Any]:
        return _words(self.words) | ({"link": self.link} if self.link else {})


Contents = Mapping[str, Mapping[str, Nurture]]
"""By persona, then by stage; either may be `ANY`."""


def content_for(nurture: Contents, persona: str | None, stage: str | None) -> Nurture | None:
    """What a lead gets: of its persona and stage, else of its persona, else of its stage, else of all leads."""
    for who in (persona, ANY):
        for where in (stage, ANY):
            found = nurture.get(who or ANY, {}).get(where or ANY)
            if found is not None:
                return found
    return None


def stages_named(nurture: Contents) -> tuple[str, ...]:
    """The stages for which the agreement names content, in their order."""
    named = {stage for by_stage in nurture.values() for stage in by_stage}
    return tuple(stage for stage in STAGES if stage in named)
