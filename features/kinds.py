"""What people call the kinds of definitions, what each kind asks for, and which way it goes when a lead does more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from features.definitions import (
    AttributeAge,
    AttributeCategory,
    AttributeNumber,
    CountWithin,
    DaysSinceCreation,
    DaysSinceFirst,
    DaysSinceLast,
    DecayedCount,
    Definition,
    DistinctDays,
    DistinctValues,
    LastCategory,
    LastGap,
    LastNumber,
    MaxWithin,
    MeanGap,
    MeanWithin,
    Sessions,
    Share,
    SumWithin,
    Trend,
)


@dataclass(frozen=True)
class Kind:
    """One kind of definition, as a toml speaks of it.

    Attributes
    ----------
    definition : its class.
    with_more : 1 where the value rises when a lead does more of what is selected, or does it more lately, -1 where it
        falls, 0 where it may do either.
    of_events : whether it looks at a selection of events (`where`).
    needs, may : names of further fields that a toml must, or may, give.
    """

    definition: type[Definition]
    with_more: int = 0
    of_events: bool = True
    needs: tuple[str, ...] = ()
    may: tuple[str, ...] = ()


KINDS_BY_WORD: Mapping[str, Kind] = {
    "count": Kind(CountWithin, 1, may=("window",)),
    "days": Kind(DistinctDays, 1, may=("window",)),
    "sessions": Kind(Sessions, 1, may=("window",)),
    "share": Kind(Share, 1, may=("window",)),
    "decayed": Kind(DecayedCount, 1, needs=("half_life",)),
    "trend": Kind(Trend, 1, needs=("short", "long")),
    "since_last": Kind(DaysSinceLast, -1),
    "since_first": Kind(DaysSinceFirst),
    "mean_gap": Kind(MeanGap, -1),
    "last_gap": Kind(LastGap, -1),
    "sum": Kind(SumWithin, 1, needs=("column",), may=("window",)),
    "mean": Kind(MeanWithin, needs=("column",), may=("window",)),
    "max": Kind(MaxWithin, 1, needs=("column",), may=("window",)),
    "last_number": Kind(LastNumber, needs=("column",)),
    "last_category": Kind(LastCategory, of_events=False, needs=("column",), may=("nth",)),
    "distinct": Kind(DistinctValues, of_events=False, needs=("column",), may=("window",)),
    "attribute": Kind(AttributeNumber, of_events=False, needs=("column",)),
    "created": Kind(DaysSinceCreation, of_events=False),
}
"""By the word that stands in the name of such a feature, as in ``pricing_page_viewed.count.7d``."""
MADE_BY_A_TOML = tuple(word for word in KINDS_BY_WORD if word not in ("attribute", "created"))
"""Kinds that [[definitions]] may be of: attributes and the age of a lead are features without being told."""

_WORDS: Mapping[type[Definition], str] = {
    **{kind.definition: word for word, kind in KINDS_BY_WORD.items()},
    AttributeCategory: "attribute",
    AttributeAge: "attribute",
}


def kind_word(definition: Definition) -> str:
    """The word of a definition's kind.

    >>> kind_word(DaysSinceCreation())
    'created'
    """
    return _WORDS[type(definition)]
