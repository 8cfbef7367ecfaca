"""Definitions as the columns of a matrix, and every kind of them, as read back from JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.definitions.definition import Called, Definition
from features.definitions.ever import DaysSinceFirst, DaysSinceLast, DecayedCount, LastGap, LastNumber, MeanGap, Trend
from features.definitions.of_the_lead import AttributeAge, AttributeCategory, AttributeNumber, DaysSinceCreation
from features.definitions.selector import Selector
from features.definitions.values import DistinctValues, LastCategory
from features.definitions.within import CountWithin, DistinctDays, MaxWithin, MeanWithin, Sessions, Share, SumWithin
from features.schema import Schema

KINDS: Mapping[str, type[Definition]] = {
    kind.__name__: kind
    for kind in (
        CountWithin, DistinctDays, Sessions, Share, SumWithin, MeanWithin, MaxWithin, LastNumber, DaysSinceLast,
        DaysSinceFirst, MeanGap, LastGap, Trend, DecayedCount, LastCategory, DistinctValues, AttributeNumber,
        AttributeCategory, AttributeAge, DaysSinceCreation,
    )
}  # fmt: skip


def definition_from_json(data: Mapping[str, Any]) -> Definition:
    """The definition that `Definition.to_json` wrote; ValueError where the kind or a field is unknown."""
    arguments = dict(data)
    kind, called = KINDS.get(arguments.pop("kind", "")), arguments.pop("called", None)
    if kind is None or set(arguments) != {each.name for each in fields(kind)} - {"called"}:
        raise ValueError(f"not a definition: {dict(data)}")
    for key, value in arguments.items():
        if key == "selector":
            arguments[key] = Selector(*value)
        elif isinstance(value, list):
            arguments[key] = tuple(value)
    return kind(**arguments, called=Called(**called) if called else None)


@dataclass(frozen=True)
class Definitions(Sequence[Definition]):
    """The columns of a feature matrix, in order, with the schema that gives their words and values meaning."""

    schema: Schema
    items: tuple[Definition, ...]

    def __post_init__(self) -> None:
        names = [each.name for each in self.items]
        if len(set(names)) != len(names):
            raise ValueError(f"two definitions share a name: {sorted({n for n in names if names.count(n) > 1})}")

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Definition]:
        return iter(self.items)

    def __getitem__(self, index: Any) -> Any:
        return self.items[index]

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(each.name for each in self.items)

    @cached_property
    def categorical(self) -> NDArray[np.bool_]:
        """bool[d], which columns hold category codes."""
        return np.array([each.categorical for each in self.items], dtype=np.bool_)

    def take(self, columns: Sequence[int] | NDArray[Any]) -> Definitions:
        """The definitions at these positions, in this order."""
        return Definitions(self.schema, tuple(self.items[int(i)] for i in columns))

    def to_json(self) -> dict[str, Any]:
        return {"schema": self.schema.to_json(), "items": [each.to_json() for each in self.items]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Definitions:
        return cls(Schema.from_json(data["schema"]), tuple(definition_from_json(each) for each in data["items"]))
