"""What every definition is: a name, a topic, a unit and a group, and plain JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, ClassVar

from features.definitions.selector import Selector
from features.schema import Group


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
