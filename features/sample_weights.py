"""How much moments count in fits and choices, as a workspace tells it: by their age and by what was known at them.

What is known at a moment is a feature, computed like any other: a weight cannot read the future.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from features.compute import compute_features
from features.definitions import (
    AttributeAge,
    AttributeCategory,
    AttributeNumber,
    CountWithin,
    Definition,
    Definitions,
    Selector,
)
from features.errors import Problem, UsageError
from features.history import History
from features.model_settings import ModelSettings, Steps
from features.moments import Moments
from features.own_definitions import own_definitions
from features.schema import Schema
from features.toml_reader import nearest

LEAST_BY_AGE = 2.0**-10
"""However old a moment is, its age takes its weight no lower than this."""


@dataclass(frozen=True)
class WeightRule:
    """Weights by the value of one feature.

    Attributes
    ----------
    key : where it stands: "attributes.company_size".
    definition : what is looked at.
    steps : of a category the weight of each code; of a number the weight from each value on, ascending. The last step
        that is reached counts; none reached, or a missing value, weighs 1.
    told : the value of each step as the toml has it.
    """

    key: str
    definition: Definition
    steps: tuple[tuple[float, float], ...]
    told: tuple[str, ...]

    def reached(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Position of the step that each value is on, -1 for none."""
        starts = np.array([start for start, _ in self.steps])
        found = np.searchsorted(starts, values, side="right") - 1
        if self.definition.categorical:
            found[(found < 0) | (starts[found] != values)] = -1
        found[np.isnan(values)] = -1
        return found.astype(np.int64)


@dataclass(frozen=True, eq=False)
class Weighing:
    """Weights of n moments.

    Attributes
    ----------
    weight : float64[n], positive.
    moments : by rule ("attributes.company_size") and value, as the toml has it, how many moments are on that step.
    """

    weight: NDArray[np.float64]
    moments: Mapping[str, Mapping[str, int]]

    @property
    def worth(self) -> float:
        """As many moments of equal weight would say as much: ``(sum w)^2 / sum w^2`` (Kish 1965)."""
        return float(self.weight.sum() ** 2 / (self.weight @ self.weight)) if len(self.weight) else 0.0


def weight_rules(settings: ModelSettings, schema: Schema) -> tuple[WeightRule, ...]:
    """The rules of [model.weights] for these columns.

    Raises
    ------
    UsageError
        With all names that the tables don't have, and values that no number or category can have.
    """
    problems: list[Problem] = []
    rules: list[WeightRule] = []
    own = {each.name: each for each in own_definitions(settings, schema)}
    attributes = {name: _attribute(name, schema) for name in schema.attributes}
    events = {name: CountWithin(Selector("event_type", name), None) for name in schema.event_types}
    sources: tuple[tuple[str, Mapping[str, Definition], str], ...] = (
        ("attributes", attributes, "an attribute"),
        ("events", events, "an event type that enough leads have"),
        ("definitions", own, "a definition of your own"),
    )
    for part, known, expected in sources:
        told: Mapping[str, Steps] = getattr(settings.weights, part)
        for name, steps in told.items():
            where = settings.places.get(f"weights.{part}.{name}", "")
            if name not in known:
                found = f'weights for "{name}", which is not in the tables'
                problems.append(Problem(found, expected, nearest(name, sorted(known)), where))
                continue
            wrong, read = _read_steps(known[name], steps)
            problems += [replace(problem, where=where) for problem in wrong]
            pairs = tuple((start, weight) for start, weight, _ in read)
            rules.append(WeightRule(f"{part}.{name}", known[name], pairs, tuple(text for *_, text in read)))
    if problems:
        raise UsageError(problems=problems)
    return tuple(rules)


def weigh(history: History, moments: Moments, settings: ModelSettings) -> Weighing | None:
    """Weigh moments by a workspace's settings; None where these say nothing of weights.

    Parameters
    ----------
    moments : all that are settled: the newest of them has full weight.

    Raises
    ------
    UsageError
        As `weight_rules`.
    """
    if not settings.weights:
        return None
    rules = weight_rules(settings, history.schema)
    weight = np.ones(len(moments))
    half_life = settings.weights.half_life
    if half_life is not None and len(moments):
        age = (moments.as_of.max() - moments.as_of).astype(np.float64)
        weight *= np.maximum(np.exp2(-age / half_life), LEAST_BY_AGE)
    counted: dict[str, dict[str, int]] = {}
    looked_at = Definitions(history.schema, tuple(dict.fromkeys(rule.definition for rule in rules)))
    values = compute_features(history, moments, looked_at)
    for rule in rules:
        step = rule.reached(values[:, looked_at.names.index(rule.definition.name)])
        factors = np.array([*(factor for _, factor in rule.steps), 1.0])  # the last stands for no step
        weight *= factors[step]
        counted[rule.key] = {told: int((step == i).sum()) for i, told in enumerate(rule.told)}
    return Weighing(weight, counted)


def _attribute(name: str, schema: Schema) -> Definition:
    kind = schema.attributes[name]
    if kind == "category":
        return AttributeCategory(name, schema.categories[name])
    return AttributeAge(name) if kind == "date" else AttributeNumber(name)


def _read_steps(definition: Definition, steps: Steps) -> tuple[list[Problem], list[tuple[float, float, str]]]:
    """What is wrong; of what is right value, weight and the value as it was told."""
    problems: list[Problem] = []
    read: dict[float, tuple[float, str]] = {}
    for value, weight in steps.items():
        if definition.categorical:
            if value in definition.categories:
                read[float(definition.categories.index(value))] = weight, value
            else:
                expected = "a value that enough leads have"
                near = nearest(value, definition.categories)
                problems.append(Problem(f'no "{value}" of "{definition.name}" in the tables', expected, near))
            continue
        try:
            start = float(value)
        except ValueError:
            start = np.nan
        if not np.isfinite(start):
            expected = "a number in quotes: the weight holds from there on"
            problems.append(Problem(f'"{value}" of "{definition.name}" is no number', expected))
        else:
            read[start] = weight, value
    return problems, [(start, weight, told) for start, (weight, told) in sorted(read.items())]
