"""What to compute about a lead at a moment, as data.

A definition says *what*; `features.compute` is the only place that knows *how*, and `features.wording` how it is said.
Windows and half-lives are microseconds; a window of length W is ``[as_of - W, as_of)``, None means ever.
Only rows that are visible count: own time and recorded time strictly before the moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from features.durations import duration_text
from features.schema import Group, Schema

OTHER = "(other)"
"""The pool of event types without a stream of their own."""
SESSION_GAP = 30 * 60 * 1_000_000
"""A session ends where the next event is more than 30 minutes away (microseconds)."""
LAST_EVENTS = 3
"""How many of the last events a `LastCategory` may ask for: so many the kernel keeps (a test holds the two together)."""


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


@dataclass(frozen=True)
class Called:
    """The name that a workspace gives a definition of its own, with how people say it; empty where it doesn't.

    Such a definition is a reason by itself, instead of one among those of its event type.
    """

    name: str
    en: str = ""
    ja: str = ""

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("a definition is called something, or nothing")


@dataclass(frozen=True)
class Definition:
    """One feature. Subclasses add what they need; `name` is unique within a catalogue.

    Attributes
    ----------
    called : what the workspace calls it; None for those that the catalogue makes of itself.
    """

    unit: ClassVar[str] = ""
    """Unit of the value: events, days, sessions, ratio, category, number or date."""
    categorical: ClassVar[bool] = False
    called: Called | None = field(default=None, kw_only=True)

    @property
    def name(self) -> str:
        return self.called.name if self.called else self.plain_name

    @property
    def topic(self) -> str:
        """What the definition is about, to a person: reasons pool all definitions of one topic."""
        return self.called.name if self.called else self.plain_topic

    @property
    def plain_name(self) -> str:
        """A name made of what is computed."""
        raise NotImplementedError

    @property
    def plain_topic(self) -> str:
        """The topic of what is computed."""
        raise NotImplementedError

    @property
    def group(self) -> Group:
        return "engagement"

    @property
    def categories(self) -> tuple[str, ...]:
        """Texts of the codes 0, 1, ... of a categorical definition; an unknown value is missing."""
        return ()

    @property
    def plain(self) -> Definition:
        """What is computed, whatever it is called: two definitions of equal value are equal here."""
        return replace(self, called=None) if self.called else self

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; `definition_from_json` gives an equal definition."""
        data: dict[str, Any] = {"kind": type(self).__name__}
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name == "called":
                continue
            if isinstance(value, Selector):
                value = [value.column, value.value]
            data[each.name] = list(value) if isinstance(value, tuple) else value
        if self.called:
            data["called"] = asdict(self.called)
        return data


@dataclass(frozen=True)
class _OfEvents(Definition):
    selector: Selector

    @property
    def plain_topic(self) -> str:
        return str(self.selector)


@dataclass(frozen=True)
class _Windowed(_OfEvents):
    window: int | None

    def __post_init__(self) -> None:
        if self.window is not None and self.window <= 0:
            raise ValueError("a window must be positive")

    @property
    def span(self) -> str:
        return "ever" if self.window is None else duration_text(self.window)


@dataclass(frozen=True)
class CountWithin(_Windowed):
    """Number of events. 0 where there are none."""

    unit: ClassVar[str] = "events"

    @property
    def plain_name(self) -> str:
        return f"{self.selector}.count.{self.span}"


@dataclass(frozen=True)
class DistinctDays(_Windowed):
    """Number of calendar days (of the workspace's zone) with an event. 0 where there are none."""

    unit: ClassVar[str] = "days"

    @property
    def plain_name(self) -> str:
        return f"{self.selector}.days.{self.span}"


@dataclass(frozen=True)
class Sessions(_Windowed):
    """Number of sessions: an event more than `SESSION_GAP` after its predecessor in the selection, or whose
    predecessor lies outside the window, starts one. 0 where there are none."""

    unit: ClassVar[str] = "sessions"

    @property
    def plain_name(self) -> str:
        return f"{self.selector}.sessions.{self.span}"


@dataclass(frozen=True)
class Share(_Windowed):
    """The selection's part of all events in the window, 0 to 1. Missing where there are no events at all."""

    unit: ClassVar[str] = "ratio"

    @property
    def plain_name(self) -> str:
        return f"{self.selector}.share.{self.span}"


@dataclass(frozen=True)
class _OfNumbers(_Windowed):
    column: str

    @property
    def plain_topic(self) -> str:
        return str(self.selector) if self.column == "value" else f"{self.selector}/{self.column}"


@dataclass(frozen=True)
class SumWithin(_OfNumbers):
    """Sum of a numeric column, added in canonical order. Missing cells don't count; 0 where there are none."""

    unit: ClassVar[str] = "number"

    @property
    def plain_name(self) -> str:
        return f"{self.selector}.sum.{self.column}.{self.span}"


@dataclass(frozen=True)
class MeanWithin(_OfNumbers):
    """Sum over number of known cells. Missing where there are none."""

    unit: ClassVar[str] = "number"

    @property
    def plain_name(self) -> str:
        return f"{self.selector}.mean.{self.column}.{self.span}"


@dataclass(frozen=True)
class MaxWithin(_OfNumbers):
    """Largest known cell. Missing where there are none."""

    unit: ClassVar[str] = "number"

    @property
    def plain_name(self) -> str:
        return f"{self.selector}.max.{self.column}.{self.span}"


@dataclass(frozen=True)
class LastNumber(_OfEvents):
    """The last known cell of a numeric column in canonical order. Missing where there is none."""

    column: str
    unit: ClassVar[str] = "number"

    @property
    def plain_name(self) -> str:
        return f"{self.selector}.last.{self.column}"

    @property
    def plain_topic(self) -> str:
        return str(self.selector) if self.column == "value" else f"{self.selector}/{self.column}"


@dataclass(frozen=True)
class DaysSinceLast(_OfEvents):
    """Days (of 24 hours, with fraction) from the last event to the moment. Missing where there is none."""

    unit: ClassVar[str] = "days"

    @property
    def plain_name(self) -> str:
        return f"{self.selector}.since_last"


@dataclass(frozen=True)
class DaysSinceFirst(_OfEvents):
    """Days from the first event to the moment. Missing where there is none."""

    unit: ClassVar[str] = "days"

    @property
    def plain_name(self) -> str:
        return f"{self.selector}.since_first"


@dataclass(frozen=True)
class MeanGap(_OfEvents):
    """Mean days between events, (last - first) / (n - 1). Missing under two events."""

    unit: ClassVar[str] = "days"

    @property
    def plain_name(self) -> str:
        return f"{self.selector}.mean_gap"


@dataclass(frozen=True)
class LastGap(_OfEvents):
    """Days between the last two events. Missing under two events."""

    unit: ClassVar[str] = "days"

    @property
    def plain_name(self) -> str:
        return f"{self.selector}.last_gap"


@dataclass(frozen=True)
class Trend(_OfEvents):
    """Events a day in the short window over events a day in the long one: 1 steady, above 1 picking up.
    Missing where the long window is empty."""

    short: int
    long: int
    unit: ClassVar[str] = "ratio"

    def __post_init__(self) -> None:
        if not 0 < self.short < self.long:
            raise ValueError("the short window of a trend must be positive and shorter than the long one")

    @property
    def plain_name(self) -> str:
        return f"{self.selector}.trend.{duration_text(self.short)}.{duration_text(self.long)}"


@dataclass(frozen=True)
class DecayedCount(_OfEvents):
    """Number of events, each weighing 2^(-age / half_life). 0 where there are none.

    Computed by Horner's rule in canonical order, ``d = d * w(t - previous) + 1`` and at last ``d * w(as_of - last)``,
    with w(x) = `features.kernel.half_power`, so that advancing from one moment to the next gives the same bits.
    """

    half_life: int
    unit: ClassVar[str] = "events"

    def __post_init__(self) -> None:
        if self.half_life <= 0:
            raise ValueError("a half-life must be positive")

    @property
    def plain_name(self) -> str:
        return f"{self.selector}.decayed.{duration_text(self.half_life)}"


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


@dataclass(frozen=True)
class _OfAttribute(Definition):
    column: str

    @property
    def plain_name(self) -> str:
        return self.column

    @property
    def plain_topic(self) -> str:
        return self.column

    @property
    def group(self) -> Group:
        return "fit"


@dataclass(frozen=True)
class AttributeNumber(_OfAttribute):
    """A numeric attribute as it was known at the moment: the newest visible row that says something. Else missing."""

    unit: ClassVar[str] = "number"


@dataclass(frozen=True)
class AttributeCategory(_OfAttribute):
    """A categorical attribute as it was known at the moment, as the code of its value. Missing where unknown."""

    values: tuple[str, ...]
    unit: ClassVar[str] = "category"
    categorical: ClassVar[bool] = True

    @property
    def categories(self) -> tuple[str, ...]:
        return self.values


@dataclass(frozen=True)
class AttributeAge(_OfAttribute):
    """Days from a date attribute, as it was known at the moment, to the moment; negative where it lies ahead."""

    unit: ClassVar[str] = "days"


@dataclass(frozen=True)
class DaysSinceCreation(Definition):
    """Days from the lead's creation to the moment."""

    unit: ClassVar[str] = "days"

    @property
    def plain_name(self) -> str:
        return "created.since"

    @property
    def plain_topic(self) -> str:
        return "created"


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
