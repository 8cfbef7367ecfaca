"""What a workspace says about its model beyond its tables, as data: constraints, columns, weights, own definitions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from features.definitions import Definition, definition_from_json

Steps = Mapping[str, float]
"""Weight by value: of a category by its text, of a number by the least value from which on it holds."""
UP, DOWN = 1, -1


@dataclass(frozen=True)
class SampleWeights:
    """How much moments count in fits and choices. All that applies is multiplied; what nothing applies to weighs 1.

    Attributes
    ----------
    half_life : microseconds; a moment this much older than the newest one counts half. None: age plays no part.
    attributes : by attribute as it was known at the moment.
    events : by event type: how often the lead had done it before the moment.
    definitions : by a definition of the workspace's own.
    """

    half_life: int | None = None
    attributes: Mapping[str, Steps] = field(default_factory=dict)
    events: Mapping[str, Steps] = field(default_factory=dict)
    definitions: Mapping[str, Steps] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.half_life is not None or bool(self.attributes or self.events or self.definitions)


@dataclass(frozen=True)
class ModelSettings:
    """[model] and [[definitions]] of a workspace's toml.

    Attributes
    ----------
    monotone : `UP` or `DOWN` by name of a feature, an event type, or whatever else a reason can be about (a topic).
    groups : features in: only those that one of these names is about; empty: all.
    leave_out : features out.
    weights : of moments.
    definitions : on top of what the catalogue makes of itself. Of a `LastCategory` the values come from the tables.
    attribute_groups : attribute to the group that [attributes] puts it in.
    places : where each setting stands, for errors that only the tables can show: by "monotone.NAME" and the like.
    """

    monotone: Mapping[str, int] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    weights: SampleWeights = SampleWeights()
    definitions: tuple[Definition, ...] = ()
    attribute_groups: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict, compare=False)

    def __bool__(self) -> bool:
        """Whether anything is said."""
        return bool(self.monotone or self.groups or self.leave_out or self.weights or self.definitions)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; `from_json` gives equal settings. Empty where nothing is said."""
        if not self:
            return {}
        weights = self.weights
        return {
            "monotone": {name: "up" if sign == UP else "down" for name, sign in self.monotone.items()},
            "groups": list(self.groups),
            "leave_out": list(self.leave_out),
            "weights": {
                "half_life": weights.half_life,
                **{
                    part: {name: dict(steps) for name, steps in getattr(weights, part).items()}
                    for part in ("attributes", "events", "definitions")
                },
            },
            "definitions": [each.to_json() for each in self.definitions],
            "attribute_groups": dict(self.attribute_groups),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ModelSettings:
        """What `to_json` wrote; of an older bundle, which says nothing, the settings that say nothing."""
        if not data:
            return cls()
        return cls(
            monotone={name: UP if way == "up" else DOWN for name, way in data["monotone"].items()},
            groups=tuple(data["groups"]),
            leave_out=tuple(data["leave_out"]),
            weights=SampleWeights(**data["weights"]),
            definitions=tuple(definition_from_json(each) for each in data["definitions"]),
            attribute_groups=dict(data["attribute_groups"]),
        )


NOTHING_SAID = ModelSettings()
