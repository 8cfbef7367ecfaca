"""The score of the old way: so many points for an action, decaying; baseline and cold start.

A lead has, at a moment, for each event it made by then the points of its type times 2^(-age / 30 days), and for what it
is the points of its attributes. Points come from the workspace's toml, else from the stage of the event type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from features.calendar_days import DAY
from features.history import History
from features.moments import Moments
from features.schema import Group, Schema
from training.figures import fit_logit

if TYPE_CHECKING:
    from features.workspace import Workspace

HALF_LIFE = 30 * DAY
STAGE_POINTS: Mapping[str, float] = {"awareness": 1.0, "interest": 3.0, "decision": 10.0, "action": 20.0}
UNKNOWN_POINTS = 1.0
"""Of an event type without points and without a stage."""
MOST = 100.0
"""A score in points is capped here, and at 0 below."""
PAIRS = 4_000_000
"""So many (moment, row) pairs are looked at together."""


@dataclass(frozen=True)
class PointsRules:
    """What gives how many points.

    Attributes
    ----------
    events : event type to its points; wins over the stage's.
    stages : event type to its stage.
    attributes : attribute to the points of any known value, or to points by value (as text, of a number too).
        Negative ones are allowed.
    """

    events: Mapping[str, float] = field(default_factory=dict)
    stages: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, float | Mapping[str, float]] = field(default_factory=dict)

    @classmethod
    def of(cls, workspace: Workspace, schema: Schema) -> PointsRules:
        """From the toml's settings, and the stages that the schema knows."""
        return cls(
            events={name: float(each.points) for name, each in workspace.events.items() if each.points is not None},
            stages=dict(schema.stages),
            attributes={
                name: dict(each.points) if isinstance(each.points, Mapping) else each.points
                for name, each in workspace.attributes.items()
                if each.points
            },
        )

    def of_type(self, event_type: str) -> float:
        """Points of one event, before any decay."""
        if event_type in self.events:
            return self.events[event_type]
        return STAGE_POINTS.get(self.stages.get(event_type, ""), UNKNOWN_POINTS)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PointsRules:
        return cls(**data)


@dataclass(frozen=True, slots=True)
class PointsReason:
    """What one event type, or one attribute, adds to a lead's points.

    Attributes
    ----------
    feature : event type or attribute.
    points : with decay.
    value : how many events, or the attribute's value.
    """

    feature: str
    group: Group
    points: float
    value: float | str


def points_of(history: History, moments: Moments, rules: PointsRules) -> NDArray[np.float64]:
    """Points of each moment, float64[n]; only what was known strictly before it counts."""
    result = np.zeros(len(moments))
    for part, row, code, weight, per_type, _ in _events_before(history, moments, rules):
        result[part] = np.bincount(row, weight * per_type[code], minlength=part.stop - part.start)
    for _, known, points, _ in _attributes_before(history, moments, rules):
        result += np.where(known, points, 0.0)
    return result


def points_breakdown(history: History, moments: Moments, rules: PointsRules) -> list[list[PointsReason]]:
    """For each moment what its points are made of, most first; they add up to `points_of` but for rounding."""
    reasons: list[list[PointsReason]] = [[] for _ in range(len(moments))]
    for part, row, code, weight, per_type, names in _events_before(history, moments, rules):
        width = len(names)
        place = row * width + code
        cells, counts = np.unique(place, return_counts=True)
        sums = np.bincount(np.searchsorted(cells, place), weight * per_type[code])
        for cell, count, points in zip(cells.tolist(), counts.tolist(), sums.tolist(), strict=True):
            reason = PointsReason(names[cell % width], "engagement", points, float(count))
            reasons[part.start + cell // width].append(reason)
    for name, known, points, values in _attributes_before(history, moments, rules):
        for row in np.flatnonzero(known & (points != 0)).tolist():
            reasons[row].append(PointsReason(name, "fit", float(points[row]), values[row]))
    return [sorted(each, key=lambda reason: (-reason.points, reason.feature)) for each in reasons]


def points_as_probability(
    points: NDArray[np.float64], label: NDArray[Any], wanted: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What points would say as a probability: `PointsCurve` of the points and labels of before, for those wanted."""
    return PointsCurve.fit(points, label).probability(wanted)


@dataclass(frozen=True)
class PointsCurve:
    """Points as a probability, for comparison: logistic regression on sign(points) log(1 + |points|).

    The logarithm is the fairest to the old way: points have a long tail.
    """

    intercept: float
    slope: float

    @classmethod
    def fit(cls, points: NDArray[np.float64], label: NDArray[Any]) -> PointsCurve:
        """On what came before the test block. Where points, or labels, don't differ it is the rate."""
        y = label.astype(np.float64)
        # half a case of each label beside the data keeps the curve finite where points part the labels perfectly
        x = np.concatenate([_tamed(points), np.full(2, float(np.mean(_tamed(points))))])
        weight = np.append(np.ones(len(y)), [0.5, 0.5])
        intercept, slope = fit_logit(x, np.append(y, [0.0, 1.0]), weight, 0.0, 0.0)
        if not np.isfinite(slope):
            rate = (y.sum() + 0.5) / (len(y) + 1)
            return cls(float(np.log(rate / (1 - rate))), 0.0)
        return cls(float(intercept), float(slope))

    def probability(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        log_odds = self.intercept + self.slope * _tamed(points)
        return 1.0 / (1.0 + np.exp(-np.clip(log_odds, -35.0, 35.0)))

    def to_json(self) -> dict[str, float]:
        return asdict(self)


def _tamed(points: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.copysign(np.log1p(np.abs(points)), points)


def _pairs(offsets: NDArray[np.int64], known_at: NDArray[np.int64], moments: Moments) -> Any:
    """Chunks of (part of the moments, moment within it, row) for all rows of a moment's lead that are visible."""
    counts = offsets[moments.lead + 1] - offsets[moments.lead]
    before = np.concatenate([[0], np.cumsum(counts)])
    start = 0
    while start < len(moments):
        stop = max(start + 1, int(np.searchsorted(before, before[start] + PAIRS, side="right")) - 1)
        part = slice(start, stop)
        size = counts[part]
        row = np.repeat(np.arange(stop - start), size)
        first = np.repeat(offsets[moments.lead[part]] - (before[start:stop] - before[start]), size)
        event = first + np.arange(len(row))
        seen = known_at[event] < moments.as_of[part][row]
        yield part, row[seen], event[seen]
        start = stop


def _events_before(history: History, moments: Moments, rules: PointsRules) -> Any:
    """Chunks of visible events in canonical order: moment, code of the type, what is left of its points."""
    names = history.events.vocabularies[0]
    per_type = np.array([rules.of_type(name) for name in names], dtype=np.float64)
    for part, row, event in _pairs(history.events.offsets, history.events.known_at, moments):
        age = moments.as_of[part][row] - history.events.occurred_at[event]
        code = history.events.codes[0][event].astype(np.int64)
        yield part, row, code, np.exp2(-age / HALF_LIFE), per_type, names


def _attributes_before(history: History, moments: Moments, rules: PointsRules) -> Any:
    """For each attribute with points: where it was known, its points, and its value as text or number."""
    schema, table = history.schema, history.attributes
    for name, points in rules.attributes.items():
        by_value: Mapping[str, float] = points if isinstance(points, Mapping) else {}
        any_value = 0.0 if isinstance(points, Mapping) else float(points)
        kind = schema.attributes.get(name)
        if kind == "category":
            place = schema.attribute_categories.index(name)
            texts = table.vocabularies[place]
            last = _last_known(history, moments, table.codes[place] >= 0)
            codes = np.append(table.codes[place], -1)[last]  # row -1 of the table: not known
            worth = np.array([*(by_value.get(text, any_value) for text in texts), 0.0])
            yield name, last >= 0, worth[codes], [texts[each] if each >= 0 else "" for each in codes.tolist()]
        elif kind is not None:
            numbers = table.numbers[schema.attribute_numbers.index(name)]
            last = _last_known(history, moments, ~np.isnan(numbers))
            value = np.append(numbers, np.nan)[last]
            total = np.where(last >= 0, any_value, 0.0)
            for text, worth_of in by_value.items():
                total[value == _number(text)] = worth_of
            yield name, last >= 0, total, value.tolist()


def _last_known(history: History, moments: Moments, says: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Row of the newest visible attribute row that says something, -1 where there is none."""
    last = np.full(len(moments), -1, dtype=np.int64)
    for part, row, place in _pairs(history.attributes.offsets, history.attributes.known_at, moments):
        inside = says[place]
        # rows of a lead ascend in time, so the last assignment stands
        last[part.start + row[inside]] = place[inside]
    return last


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
