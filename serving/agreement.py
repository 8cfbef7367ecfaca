"""What marketing and sales agreed, as one thing: cutoffs, evidence, fast lane, the rules and terms, from agreement.toml."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from features.durations import duration_text
from features.schema import STAGES
from serving.agreement_rules import ANY, Contents, Exclusion, Nurture, Persona, Trigger, content_for, stages_named
from serving.agreement_terms import FACTS, HeldBack, Hours, Hysteresis, Sla
from serving.mail_domains import free_mail_digest

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

    def to_toml(self) -> dict[str, str]:
        return {"respond_within": duration_text(self.respond_within), "counts_for": duration_text(self.counts_for)}


@dataclass(frozen=True)
class Agreement:
    """The rules that both teams sign. Valid only once they did, see `serving.signatures`. All but the cutoffs is optional.

    Attributes
    ----------
    version : from 1 on, raised with every change.
    mql, sql : calibrated probabilities, inclusive; 0 < mql <= sql < 1.
    evidence : None where the model alone may make a lead SQL.
    fast_lane : by event type.
    exclude, triggers : by the rule's name.
    personas : in the order in which they are tried.
    nurture : content by persona and stage, see `content_for`.
    sla, hysteresis, held_back, hours : None where nothing was agreed; without hours an office never closes.
    sqls_a_week : how many SQLs sales can take; None where nobody said.
    facts_required : which of `FACTS` must be known before SQL, in their order.
    recycle_after : microseconds until a rejected lead may be handed over again; None where nothing was agreed.
    band_change : the part of itself by which a band may grow or shrink when another model is promoted; None where nothing
        was agreed.
    """

    version: int
    mql: float
    sql: float
    evidence: Evidence | None = None
    fast_lane: Mapping[str, FastLane] = field(default_factory=dict)
    exclude: Mapping[str, Exclusion] = field(default_factory=dict)
    triggers: Mapping[str, Trigger] = field(default_factory=dict)
    personas: tuple[Persona, ...] = ()
    nurture: Contents = field(default_factory=dict)
    sla: Sla | None = None
    hysteresis: Hysteresis | None = None
    sqls_a_week: int | None = None
    facts_required: tuple[str, ...] = ()
    held_back: HeldBack | None = None
    recycle_after: int | None = None
    hours: Hours | None = None
    band_change: float | None = None

    def __post_init__(self) -> None:
        if self.version < 1:
            raise ValueError("versions count from 1")
        if not (math.isfinite(self.mql) and 0 < self.mql <= self.sql < 1):
            raise ValueError("cutoffs must be 0 < mql <= sql < 1")
        if any(name != lane.event_type for name, lane in self.fast_lane.items()):
            raise ValueError("a fast lane stands under its event type")
        if len({persona.name for persona in self.personas}) < len(self.personas):
            raise ValueError("two personas have one name")
        if not set(self.nurture) <= {ANY, *(persona.name for persona in self.personas)}:
            raise ValueError("content is for a persona of the agreement")
        if any(not set(by_stage) <= {ANY, *STAGES} for by_stage in self.nurture.values()):
            raise ValueError(f"content is for a stage of {STAGES}")
        if not set(self.facts_required) <= set(FACTS):
            raise ValueError(f"facts are of {FACTS}")
        if any(each is not None and each <= 0 for each in (self.sqls_a_week, self.recycle_after)):
            raise ValueError("a capacity and a time are more than nothing")
        if self.band_change is not None and not 0 < self.band_change <= 1:
            raise ValueError("a band may change by a part of itself above 0, at most by all of it")
        for name in ("fast_lane", "exclude", "triggers"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
        kept = {who: MappingProxyType(dict(by_stage)) for who, by_stage in self.nurture.items() if by_stage}
        object.__setattr__(self, "nurture", MappingProxyType(kept))
        object.__setattr__(self, "facts_required", tuple(each for each in FACTS if each in self.facts_required))
        for name, nothing in (("evidence", Evidence()), ("sla", Sla()), ("hysteresis", Hysteresis())):
            if getattr(self, name) == nothing:
                object.__setattr__(self, name, None)  # a table that asks for nothing is no rule

    def to_toml(self) -> dict[str, Any]:
        """The file as plain values, as `agreement.toml` has them; what the agreement does without is left out."""
        told: dict[str, Any] = {"version": self.version, "cutoffs": {"mql": self.mql, "sql": self.sql}}
        if self.evidence is not None:
            asked = {"events": self.evidence.events, "days": self.evidence.days, "stage": self.evidence.stage}
            told["evidence"] = {name: value for name, value in asked.items() if value}
        named: dict[str, Mapping[str, FastLane | Exclusion | Trigger | Persona]] = {
            "fast_lane": self.fast_lane,
            "exclude": self.exclude,
            "trigger": self.triggers,
            "personas": {persona.name: persona for persona in self.personas},
        }
        told |= {key: {name: each.to_toml() for name, each in rules.items()} for key, rules in named.items() if rules}
        if self.nurture:
            told["nurture"] = {
                who: {stage: each.to_toml() for stage, each in by_stage.items()}
                for who, by_stage in self.nurture.items()
            }
        terms = {"sla": self.sla, "hysteresis": self.hysteresis, "held_back": self.held_back, "hours": self.hours}
        told |= {key: each.to_toml() for key, each in terms.items() if each is not None}
        if self.sqls_a_week is not None:
            told["capacity"] = {"sqls_a_week": self.sqls_a_week}
        if self.facts_required:
            told["facts"] = {"required_for_sql": list(self.facts_required)}
        if self.recycle_after is not None:
            told["recycle"] = {"after": duration_text(self.recycle_after)}
        if self.band_change is not None:
            told["promotion"] = {"band_change": self.band_change}
        return told

    def content(self) -> dict[str, Any]:
        """What is signed of the file, as plain JSON.

        Rules that an agreement does without are left out rather than written as null: a kind of rule that a later
        version of this product adds then breaks no signature of an agreement that does not use it. Of personas the
        order is signed too, since the first that matches counts.
        """
        content = self.to_toml()
        if self.personas:
            content["personas"] = [{"name": persona.name, **persona.to_toml()} for persona in self.personas]
        return content

    def relies_on(self, stages: Mapping[str, str]) -> dict[str, Any]:
        """What the rules mean beyond their own words: event types of the stages that are named, and published lists.

        Signed with the content; "evidence_types" always, all else only where a rule relies on it.

        Parameters
        ----------
        stages : event type to stage.
        """
        told: dict[str, Any] = {"evidence_types": sorted(self.evidence_types(stages))}
        named = stages_named(self.nurture)
        if named:
            told["nurture_types"] = {
                stage: sorted(name for name, its in stages.items() if its == stage) for stage in named
            }
        if any(each.free_mail for rule in self._rules_on_attributes() for each in rule.attributes.values()):
            told["free_mail"] = free_mail_digest()
        return told

    def rule_columns(self) -> frozenset[str]:
        """Attributes that a rule looks at: whoever reads a history for this agreement asks for them."""
        return frozenset(name for rule in self._rules_on_attributes() for name in rule.attributes)

    def rule_types(self) -> frozenset[str]:
        """Event types that a rule names: they keep their names although the model may not know them."""
        types = set(self.fast_lane)
        types.update(name for each in self.exclude.values() if each.events is not None for name in each.events.types)
        types.update(name for each in self.triggers.values() for name in each.rule.types)
        return frozenset(types)

    def nurture_for(self, persona: str | None, stage: str | None) -> Nurture | None:
        """The content that a lead gets next; None where none was agreed."""
        return content_for(self.nurture, persona, stage)

    def _rules_on_attributes(self) -> tuple[Exclusion | Persona, ...]:
        return (*self.exclude.values(), *self.personas)

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
