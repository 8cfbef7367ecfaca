"""Whether scores are true within segments: leads that the judged scorer never saw, counted by who they are and how far.

A bundle keeps no lead, so this is computed again from the tables as they are now.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from features.compute import compute_features
from features.definitions import AttributeCategory, Definitions
from features.history import History
from features.moments import Moments, Schedule
from features.schema import STAGES
from serving.evidence import furthest_stages
from serving.scoring import LEADS_AT_ONCE, ServingModel
from training.dataset import hash_leads
from training.intervals import LEVEL, Interval, how_many
from training.labelled import settled_moments
from training.reference import draw_one_each
from training.scorer import Scorer

FEWEST = 30
"""Segments of fewer leads are left out."""
MOST = 8
"""Of one attribute so many values are shown, those with the most leads."""
ATTRIBUTES = 8
"""So many attributes are looked at, those known of the most leads."""
By = Literal["all", "attribute", "stage", "age"]


@dataclass(frozen=True)
class Segment:
    """Leads that share something.

    Attributes
    ----------
    by, column, value : all; an attribute with its value; the furthest stage of the last 90 days ("" for none); or the
        time since the lead came in (microseconds, as text).
    expected : how many were to convert if the probabilities are true.
    off : they did not, beyond what chance gives in all segments looked at together.
    """

    by: By
    column: str
    value: str
    leads: int
    converted: int
    expected: Interval
    off: bool


@dataclass(frozen=True)
class Segments:
    """What was judged, and on whom.

    Attributes
    ----------
    judged : "evaluated": the model's test block and what settled since, by the scorer that was fitted before it;
        "serving": what settled since the training, by the scorer that serves.
    first, last : instants of the moments; None without any.
    """

    judged: Literal["evaluated", "serving"]
    leads: int
    converted: int
    first: int | None
    last: int | None
    rows: tuple[Segment, ...]


def segments_of(history: History, model: ServingModel) -> Segments:
    """Judge a model by segment, one settled moment a lead, drawn by its id: leads then are independent of each other."""
    manifest = model.bundle.manifest
    told = manifest["schedule"]
    schedule = Schedule(tuple(told["after_creation"]), told["every"], told["until"])
    settled = settled_moments(history, schedule, model.horizon)
    by_time = manifest["split"]["kind"] == "time"
    begin = int(manifest["split"]["test_begin"]) if by_time else int(manifest["data_end"])
    scorer = model.bundle.evaluated_scorer if by_time else model.bundle.scorer
    rows = np.flatnonzero(settled.moments.as_of >= begin)
    moments, label = settled.moments.take(rows), settled.labels[rows]
    if len(moments):
        leads, back = np.unique(moments.lead, return_inverse=True)
        drawn = draw_one_each(hash_leads(str(each) for each in history.lead_ids[leads])[back])
        moments, label = moments.take(drawn), label[drawn]
    probability = _probabilities(history, scorer, moments)
    return Segments(
        judged="evaluated" if by_time else "serving",
        leads=len(moments),
        converted=int(label.sum()),
        first=int(moments.as_of.min()) if len(moments) else None,
        last=int(moments.as_of.max()) if len(moments) else None,
        rows=judge(probability, label, list(_masks(history, moments, schedule))),
    )


def judge(
    probability: NDArray[np.float64],
    label: NDArray[np.int8],
    masks: list[tuple[By, str, str, NDArray[np.bool_]]],
) -> tuple[Segment, ...]:
    """Hold each segment's conversions against its probabilities."""
    enough = [each for each in masks if int(each[3].sum()) >= FEWEST]
    level = 1 - (1 - LEVEL) / max(len(enough), 1)
    return tuple(
        Segment(
            by=by,
            column=column,
            value=value,
            leads=int(mask.sum()),
            converted=int(label[mask].sum()),
            expected=how_many(probability[mask]),
            off=not how_many(probability[mask], level=level).holds(int(label[mask].sum())),
        )
        for by, column, value, mask in enough
    )


def _probabilities(history: History, scorer: Scorer, moments: Moments) -> NDArray[np.float64]:
    found = np.empty(len(moments))
    for first in range(0, len(moments), LEADS_AT_ONCE):
        rows = np.arange(first, min(first + LEADS_AT_ONCE, len(moments)), dtype=np.int64)
        found[rows] = scorer.score(compute_features(history, moments.take(rows), scorer.definitions))[1]
    return found


def _masks(history: History, moments: Moments, schedule: Schedule) -> Iterator[tuple[By, str, str, NDArray[np.bool_]]]:
    if len(moments) == 0:
        return
    yield "all", "", "", np.ones(len(moments), dtype=np.bool_)
    schema = history.schema
    definitions = tuple(
        AttributeCategory(column, schema.categories.get(column, ()))
        for column, kind in schema.attributes.items()
        if kind == "category"
    )
    if definitions:
        values = compute_features(history, moments, Definitions(schema, definitions))
        known = (~np.isnan(values)).sum(axis=0)
        for column in sorted(np.argsort(-known, kind="stable")[:ATTRIBUTES].tolist()):
            x = values[:, column]
            counts = [(int((x == code).sum()), code) for code in range(len(definitions[column].values))]
            for _, code in sorted(counts, key=lambda each: (-each[0], each[1]))[:MOST]:
                yield "attribute", definitions[column].column, definitions[column].values[code], x == code
    if schema.stages:
        stage = np.array([each or "" for each in furthest_stages(history, moments)], dtype=object)
        for name in ("", *STAGES):
            yield "stage", "", name, stage == name
    age = moments.as_of - history.created_at[moments.lead]
    for offset in schedule.after_creation:
        yield "age", "", str(offset), age == offset
