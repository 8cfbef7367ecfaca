"""How a lead's score went, and where it goes if nothing happens: scored anew at past moments by today's model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from features.calendar_days import DAY
from serving.lead_events import LeadEvent
from serving.lead_source import FoundLead
from serving.scoring import score_leads

STEPS = 20
"""Moments that lie evenly between the beginning and now."""
LATEST_EVENTS = 12
"""Around so many of the newest events the score is looked at before and after: that is where it jumps."""
LONGEST = 180 * DAY
AHEAD = 14 * DAY
AHEAD_STEPS = 4


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
    scores = score_leads(
        found.snapshot.model,
        found.snapshot.agreement,
        found.history,
        found.moments(*moments),
        scored_at=found.now,
        reasons=False,
        threads=1,
    )
    return [each.score / 100 if each.probability is None else each.probability for each in scores]
