"""What marketing and sales agreed: cutoffs, the evidence a sales lead needs, and the fast lane, from agreement.toml."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from features.definitions import duration_text
from features.schema import STAGES

AGREEMENT_FILE = "agreement.toml"


@dataclass(frozen=True)
class Evidence:
    """What must have been seen of a lead before the model may make it SQL.

    Attributes
    ----------
    events, days : how many visible events, on how many calendar days; 0 asks for none.
    stage : at least one event of this stage or a later one; None asks for none.
    """

    events: int = 0
    days: int = 0
    stage: str | None = None

    def __post_init__(self) -> None:
        if self.events < 0 or self.days < 0:
            raise ValueError("evidence cannot ask for fewer than 0 events or days")
        if self.stage is not None and self.stage not in STAGES:
            raise ValueError(f"stage {self.stage!r} is none of {STAGES}")


@dataclass(frozen=True)
class FastLane:
    """An event type that makes a lead SQL at once, how soon a person answers, and how long it counts (microseconds)."""

    event_type: str
    respond_within: int
    counts_for: int

    def __post_init__(self) -> None:
        if self.respond_within <= 0 or self.counts_for <= 0:
            raise ValueError("the durations of a fast lane must be positive")


@dataclass(frozen=True)
class Agreement:
    """The rules that both teams sign. Valid only once they did, see `serving.signatures`.

    Attributes
    ----------
    version : from 1 on, raised with every change.
    mql, sql : calibrated probabilities, inclusive; 0 < mql <= sql < 1.
    evidence : None where the model alone may make a lead SQL.
    fast_lane : by event type.
    """

    version: int
    mql: float
    sql: float
    evidence: Evidence | None = None
    fast_lane: Mapping[str, FastLane] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.version < 1:
            raise ValueError("versions count from 1")
        if not (math.isfinite(self.mql) and 0 < self.mql <= self.sql < 1):
            raise ValueError("cutoffs must be 0 < mql <= sql < 1")
        if any(name != lane.event_type for name, lane in self.fast_lane.items()):
            raise ValueError("a fast lane stands under its event type")
        object.__setattr__(self, "fast_lane", MappingProxyType(dict(self.fast_lane)))
        if self.evidence == Evidence():
            object.__setattr__(self, "evidence", None)  # a table that asks for nothing is no rule

    def content(self) -> dict[str, Any]:
        """What is signed of the file, as plain JSON.

        Rules that an agreement does without are left out rather than written as null: a kind of rule that a later
        version of this product adds then breaks no signature of an agreement that does not use it.
        """
        content: dict[str, Any] = {"version": self.version, "cutoffs": {"mql": self.mql, "sql": self.sql}}
        if self.evidence is not None:
            asked = {"events": self.evidence.events, "days": self.evidence.days, "stage": self.evidence.stage}
            content["evidence"] = {name: value for name, value in asked.items() if value}
        if self.fast_lane:
            content["fast_lane"] = {
                name: {
                    "respond_within": duration_text(lane.respond_within),
                    "counts_for": duration_text(lane.counts_for),
                }
                for name, lane in self.fast_lane.items()
            }
        return content

    def evidence_types(self, stages: Mapping[str, str]) -> frozenset[str]:
        """The event types that satisfy the stage that the evidence asks for; none where it asks for no stage.

        Where it asks for a stage and nothing satisfies it, the model can never make a lead SQL: `check` and `agree`
        warn of it.
        """
        if self.evidence is None or self.evidence.stage is None:
            return frozenset()
        return reaching(self.evidence.stage, stages)


def reaching(stage: str, stages: Mapping[str, str]) -> frozenset[str]:
    """Event types of a stage or a later one, by a mapping of types to stages."""
    return frozenset(name for name, its in stages.items() if STAGES.index(its) >= STAGES.index(stage))
