"""Whether one model holds for all: leads that it never saw, counted by who they are and how far they have come.

Of every segment: how many were to convert if the probabilities are true, and how many did; how many stand among the best
tenth of all, and whether the scores tell leads of the segment apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from features.compute import compute_features
from features.definitions import AttributeCategory, AttributeNumber, Definitions
from features.history import History
from features.moments import Moments, Schedule
from features.schema import STAGES
from features.stages_reached import furthest_stages
from training.dataset import TrainingSet
from training.intervals import LEVEL, Interval, how_many, ranked
from training.reference import draw_one_at_most
from training.segment_columns import Topic, topic_of

FEWEST = 30
"""Segments of fewer leads are left out."""
MOST = 8
"""Of one attribute so many values are shown, those with the most leads."""
ATTRIBUTES = 8
"""So many attributes are looked at: those of `Topic` first, then those known of the most leads."""
BEST = 0.1
"""The best-scored part of all leads, in which each segment's share is counted."""
SIZES = (("1–10", 10), ("11–50", 50), ("51–200", 200), ("201–1,000", 1000), ("1,001+", np.inf))
"""Companies by their number of employees, each up to its number."""
By = Literal["all", "attribute", "stage", "age"]


@dataclass(frozen=True, eq=False)
class Mask:
    """Which leads belong to a segment (bool[n]), and what they share: see `Segment`."""

    by: By
    column: str
    value: str
    leads: NDArray[np.bool_]
    topic: Topic | None = None


@dataclass(frozen=True)
class Segment:
    """Leads that share something, and how the model did on them.

    Attributes
    ----------
    by, column, value : all; an attribute with its value ("" where it is not known); the furthest stage of the last 90
        days ("" for none); or the time since the lead came in (microseconds, as text).
    topic : what the attribute is about, where a model is asked to be fair by it.
    leads, converted : counts; each lead is counted at one moment.
    expected : how many were to convert if the probabilities are true.
    off : they did not, beyond what chance gives in all segments looked at together.
    best, caught : leads among the best-scored tenth of all leads, and how many of them converted.
    ranking : chance that a lead of the segment that converts stands above one that doesn't (ROC-AUC); None under ten of
        either.
    """

    by: By
    column: str
    value: str
    leads: int
    converted: int
    expected: Interval
    off: bool
    best: int
    caught: int
    ranking: Interval | None
    topic: Topic | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Segment:
        ranking = data["ranking"]
        return cls(
            **{
                **data,
                "expected": Interval(**data["expected"]),
                "ranking": None if ranking is None else Interval(**ranking),
            }
        )


def segments_of_test(
    history: History, test: TrainingSet, probability: NDArray[np.float64], schedule: Schedule
) -> tuple[Segment, ...]:
    """The segments of a test block, at most one moment a lead, drawn by a hash of its id: they are independent then.

    Parameters
    ----------
    test : n moments that the scorer never saw.
    probability : float64[n], what it said of them.
    """
    drawn = draw_one_at_most(test.lead_hash)
    moments = Moments(test.lead[drawn], test.as_of[drawn])
    return judge(probability[drawn], test.label[drawn], list(masks(history, moments, schedule)))


def judge(probability: NDArray[np.float64], label: NDArray[np.int8], parted: Sequence[Mask]) -> tuple[Segment, ...]:
    """Hold each segment's conversions against its probabilities; those of under `FEWEST` leads are left out."""
    enough = [each for each in parted if int(each.leads.sum()) >= FEWEST]
    level = 1 - (1 - LEVEL) / max(len(enough), 1)
    best = np.zeros(len(label), dtype=np.bool_)
    if len(label):
        best = probability >= np.sort(probability)[-max(round(BEST * len(label)), 1)]
    found = []
    for each in enough:
        p, y = probability[each.leads], label[each.leads]
        found.append(
            Segment(
                by=each.by,
                column=each.column,
                value=each.value,
                leads=len(y),
                converted=int(y.sum()),
                expected=how_many(p),
                off=not how_many(p, level=level).holds(int(y.sum())),
                best=int(best[each.leads].sum()),
                caught=int(y[best[each.leads]].sum()),
                ranking=ranked(p, y),
                topic=each.topic,
            )
        )
    return tuple(found)


def masks(history: History, moments: Moments, schedule: Schedule) -> Iterator[Mask]:
    """All segments of these moments, the empty ones too: all of them, by attribute, by stage, by age."""
    if len(moments) == 0:
        return
    yield Mask("all", "", "", np.ones(len(moments), dtype=np.bool_))
    yield from _by_attribute(history, moments)
    if history.schema.stages:
        stage = np.array([each or "" for each in furthest_stages(history, moments)], dtype=object)
        for name in ("", *STAGES):
            yield Mask("stage", "", name, stage == name)
    age = moments.as_of - history.created_at[moments.lead]
    for offset in schedule.after_creation:
        yield Mask("age", "", str(offset), age == offset)


def _by_attribute(history: History, moments: Moments) -> Iterator[Mask]:
    """Values of categories, and companies by their number of employees; then the leads of which it is not known."""
    schema = history.schema
    looked_at: list[AttributeCategory | AttributeNumber] = []
    for column, kind in schema.attributes.items():
        if kind == "category":
            looked_at.append(AttributeCategory(column, schema.categories.get(column, ())))
        elif kind == "number" and topic_of(column) == "company size":
            looked_at.append(AttributeNumber(column))
    if not looked_at:
        return
    values = compute_features(history, moments, Definitions(schema, tuple(looked_at)))
    known = (~np.isnan(values)).sum(axis=0)
    topics = [topic_of(each.column) for each in looked_at]
    order = sorted(range(len(looked_at)), key=lambda place: (topics[place] is None, -known[place], place))
    for place in sorted(order[:ATTRIBUTES], key=lambda place: (_rank(topics[place]), place)):
        definition, topic, x = looked_at[place], topics[place], values[:, place]
        named = _sizes(x) if isinstance(definition, AttributeNumber) else _commonest(x, definition.values)
        for name, there in [*named, ("", np.isnan(x))]:
            yield Mask("attribute", definition.column, name, there, topic)


def _rank(topic: Topic | None) -> int:
    return len(get_args(Topic)) if topic is None else get_args(Topic).index(topic)


def _commonest(x: NDArray[np.float64], names: Sequence[str]) -> list[tuple[str, NDArray[np.bool_]]]:
    counts = [(int((x == code).sum()), code) for code in range(len(names))]
    return [(names[code], x == code) for _, code in sorted(counts, key=lambda each: (-each[0], each[1]))[:MOST]]


def _sizes(x: NDArray[np.float64]) -> list[tuple[str, NDArray[np.bool_]]]:
    borders = [-np.inf, *(up_to for _, up_to in SIZES)]
    return [(name, (x > borders[place]) & (x <= up_to)) for place, (name, up_to) in enumerate(SIZES)]
