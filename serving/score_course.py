"""How a lead's score went, and where it goes if nothing happens: scored anew at past moments by today's model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

import numpy as np

from features.calendar_days import DAY
from features.compute import compute_features
from serving.lead_events import LeadEvent
from serving.lead_source import FoundLead
from serving.serving_model import ServingModel
from training.points import points_of

STEPS = 20
"""Moments that lie evenly between the beginning and now."""
LATEST_EVENTS = 12
"""Around so many of the newest events the score is looked at before and after: that is where it jumps."""
LONGEST = 180 * DAY
AHEAD = 14 * DAY
AHEAD_STEPS = 8


@dataclass(frozen=True)
class Course:
    """Scores of one lead over time.

    Attributes
    ----------
    past : (moment, share), the last one now; a share is the probability, or points over 100 without a model.
    ahead : the same from now on, as it goes if no event follows.
    events : instants of events within the time shown.
    """

    past: tuple[tuple[int, float], ...]
    ahead: tuple[tuple[int, float], ...]
    events: tuple[int, ...]


def score_course(found: FoundLead, as_of: int, events: Sequence[LeadEvent]) -> Course:
    """Score the lead at some 40 moments, each with what was visible then.

    Parameters
    ----------
    as_of : the last moment that is known of.
    events : visible at it, the newest first.
    """
    created_at = int(found.history.created_at[found.position])
    begins = max(created_at + 1, as_of - LONGEST)
    moments = set(np.linspace(begins, as_of, STEPS).astype(np.int64).tolist())
    for each in events[:LATEST_EVENTS]:
        moments |= {each.known_at, each.known_at + 1}
    past = sorted({each for each in moments if begins <= each < as_of} | {as_of})
    ahead = [as_of + AHEAD * step // AHEAD_STEPS for step in range(1, AHEAD_STEPS + 1)]
    shares = _shares(found, [*past, *ahead])
    now = len(past)
    return Course(
        past=tuple(zip(past, shares[:now], strict=True)),
        ahead=((as_of, shares[now - 1]), *zip(ahead, shares[now:], strict=True)),
        events=tuple(sorted(each.occurred_at for each in events if begins <= each.occurred_at <= as_of)),
    )


def _shares(found: FoundLead, moments: Sequence[int]) -> list[float]:
    """What `score_leads` gives at each moment, to the bit, without what it says beside: pages ask for this often."""
    model, history, asked = found.snapshot.model, found.history, found.moments(*moments)
    if isinstance(model, ServingModel):
        scorer = model.bundle.scorer
        probability = scorer.score(compute_features(history, asked, scorer.definitions, threads=1))[1]
        return [float(each) for each in probability]
    return [points_share(float(each)) for each in points_of(history, asked, model.rules)]


def points_share(points: float) -> float:
    """Points as they are shown, over 100.

    >>> points_share(31.4), points_share(250.0)
    (0.31, 1.0)
    """
    return floor(min(max(points, 0.0), 100.0) + 0.5) / 100
