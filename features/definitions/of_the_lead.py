"""Of the lead itself: its attributes as they were known at the moment, and its age."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from features.definitions.definition import Definition
from features.schema import Group


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
