"""What the columns of the tables mean: decided once from training tables, kept with the model, used ever after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

AttributeKind = Literal["number", "category", "date"]
Group = Literal["fit", "engagement"]
STAGES: tuple[str, ...] = ("awareness", "interest", "decision", "action")


@dataclass(frozen=True)
class Words:
    """How people name a thing, in both languages; empty where the workspace does not say."""

    en: str = ""
    ja: str = ""


@dataclass(frozen=True)
class Schema:
    """Types, categories, stages, wording and zone of a workspace's columns.

    Training infers it from its tables; scoring takes it from the bundle, so that a table that changed
    since cannot change what a feature means.

    Attributes
    ----------
    event_types : types with a stream of their own, sorted. All others, known or new, pool as "other".
    stages : event type to one of `STAGES`; types without a stage are absent.
    event_numbers : numeric columns of the events table, "value" first, the others sorted.
    event_categories : categorical further columns of the events table, sorted, each with the values that
        were common enough to have a code; any other value is unknown. "channel" is among them where the table has it.
    attributes : attribute column to its kind, sorted by name.
    categories : categorical attribute to the values that have a code, sorted.
    zone : IANA name of the zone whose calendar days count.
    event_words, attribute_words : wording given in the toml.
    """

    event_types: tuple[str, ...] = ()
    stages: Mapping[str, str] = field(default_factory=dict)
    event_numbers: tuple[str, ...] = ("value",)
    event_categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    attributes: Mapping[str, AttributeKind] = field(default_factory=dict)
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    zone: str = "UTC"
    event_words: Mapping[str, Words] = field(default_factory=dict)
    attribute_words: Mapping[str, Words] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for event_type, stage in self.stages.items():
            if stage not in STAGES:
                raise ValueError(f"stage {stage!r} of {event_type!r} is none of {STAGES}")
        if not self.event_numbers or self.event_numbers[0] != "value":
            raise ValueError("event_numbers must start with 'value'")

    @property
    def event_code_columns(self) -> tuple[str, ...]:
        """Categorical columns of events in the order of `Events.codes`: event_type, channel, then the others sorted."""
        return ("event_type", "channel", *sorted(set(self.event_categories) - {"channel"}))

    @property
    def attribute_numbers(self) -> tuple[str, ...]:
        """Attributes that are held as numbers (dates as UTC microseconds), sorted."""
        return tuple(sorted(name for name, kind in self.attributes.items() if kind != "category"))

    @property
    def attribute_categories(self) -> tuple[str, ...]:
        return tuple(sorted(name for name, kind in self.attributes.items() if kind == "category"))

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `from_json` gives an equal schema."""
        return {
            "event_types": list(self.event_types),
            "stages": dict(self.stages),
            "event_numbers": list(self.event_numbers),
            "event_categories": {name: list(values) for name, values in self.event_categories.items()},
            "attributes": dict(self.attributes),
            "categories": {name: list(values) for name, values in self.categories.items()},
            "zone": self.zone,
            "event_words": {name: [words.en, words.ja] for name, words in self.event_words.items()},
            "attribute_words": {name: [words.en, words.ja] for name, words in self.attribute_words.items()},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Schema:
        known = {f.name for f in fields(cls)}
        if set(data) != known:
            raise ValueError(f"a schema has the keys {sorted(known)}, found {sorted(data)}")
        return cls(
            event_types=tuple(data["event_types"]),
            stages=dict(data["stages"]),
            event_numbers=tuple(data["event_numbers"]),
            event_categories={name: tuple(values) for name, values in data["event_categories"].items()},
            attributes=dict(data["attributes"]),
            categories={name: tuple(values) for name, values in data["categories"].items()},
            zone=data["zone"],
            event_words={name: Words(*pair) for name, pair in data["event_words"].items()},
            attribute_words={name: Words(*pair) for name, pair in data["attribute_words"].items()},
        )
