"""Whether scores are true within segments: leads that the judged scorer never saw, as far as outcomes have come by now.

A bundle keeps no lead, so this is computed again from the tables as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from features.compute import compute_features
from features.history import History
from features.moments import Moments, Schedule
from serving.scoring import LEADS_AT_ONCE
from serving.serving_model import ServingModel
from training.dataset import hash_leads
from training.labelled import settled_moments
from training.reference import draw_one_at_most
from training.scorer import Scorer
from training.segments import Segment, judge, masks


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
    """Judge a model by segment, at most one settled moment a lead, drawn by its id: they are independent then."""
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
        drawn = draw_one_at_most(hash_leads(str(each) for each in history.lead_ids[leads])[back])
        moments, label = moments.take(drawn), label[drawn]
    probability = probabilities(history, scorer, moments)
    return Segments(
        judged="evaluated" if by_time else "serving",
        leads=len(moments),
        converted=int(label.sum()),
        first=int(moments.as_of.min()) if len(moments) else None,
        last=int(moments.as_of.max()) if len(moments) else None,
        rows=judge(probability, label, list(masks(history, moments, schedule))),
    )


def probabilities(history: History, scorer: Scorer, moments: Moments) -> NDArray[np.float64]:
    """What a scorer says of moments, a slice of them held at a time: float64[n]."""
    found = np.empty(len(moments))
    for first in range(0, len(moments), LEADS_AT_ONCE):
        rows = np.arange(first, min(first + LEADS_AT_ONCE, len(moments)), dtype=np.int64)
        found[rows] = scorer.score(compute_features(history, moments.take(rows), scorer.definitions))[1]
    return found
