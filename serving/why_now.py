"""Why now: what changed in a lead's score since somebody last dealt with it, with the dates of what is behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from features.calendar_days import DAY
from features.compute import compute_features
from features.definitions import Definition, Selector
from features.wording import Lang, say
from serving.lead_events import LeadEvent, selected, selectors
from serving.lead_source import FoundLead
from serving.serving_model import ServingModel
from training.explanation import SMALLEST, points_of_score

SHOWN = 4
WEEK = 7 * DAY
Since = Literal["contact", "week", "creation"]


@dataclass(frozen=True)
class Change:
    """What one topic did to the score between the two moments.

    Attributes
    ----------
    text : what is true of it now.
    log_odds : its share now, less its share then; all topics together make the whole difference.
    score_points : 100 (g(raw) - g(raw - log_odds)), with the raw log-odds of now. These do not add up.
    newest : its newest event since then; None where nothing happened and time alone moved it.
    """

    topic: str
    text: str
    log_odds: float
    score_points: float
    newest: LeadEvent | None


@dataclass(frozen=True)
class WhyNow:
    """A comparison of two moments of one lead, by one model.

    Attributes
    ----------
    since : what the earlier moment is: the last contact, a week before, or just after the lead's creation.
    at : the earlier moment.
    before, after : probabilities then and now.
    changes : the topics that moved most, the largest first.
    """

    since: Since
    at: int
    before: float
    after: float
    changes: tuple[Change, ...]


def reference_moment(*, created_at: int, as_of: int, last_contact: int | None) -> tuple[Since, int]:
    """With which moment to compare.

    The last time that a person dealt with the lead, if that lies between creation and now; else a week ago; for younger
    leads the moment after creation. A hand-off is not a contact: whoever reads the page then wants to know what led to it.

    >>> reference_moment(created_at=0, as_of=10 * DAY, last_contact=2 * DAY)
    ('contact', 172800000000)
    >>> reference_moment(created_at=0, as_of=5 * DAY, last_contact=None)
    ('creation', 1)
    """
    if last_contact is not None and created_at < last_contact < as_of:
        return "contact", last_contact
    return ("week", as_of - WEEK) if as_of - WEEK > created_at else ("creation", created_at + 1)


def why_now(
    found: FoundLead, as_of: int, events: Sequence[LeadEvent], *, last_contact: int | None, lang: Lang
) -> WhyNow | None:
    """What moved the score of a lead since the reference moment; None without a model, or right after creation.

    Parameters
    ----------
    events : visible at `as_of`, the newest first.
    """
    model, history = found.snapshot.model, found.history
    created_at = int(history.created_at[found.position])
    since, at = reference_moment(created_at=created_at, as_of=as_of, last_contact=last_contact)
    if not isinstance(model, ServingModel) or not created_at < at < as_of:
        return None
    scorer, explainer = model.bundle.scorer, model.explainer
    values = compute_features(history, found.moments(at, as_of), scorer.definitions, threads=1)
    raw, probability = scorer.score(values)
    contributions = scorer.explain(values)[1]
    moved = np.diff(contributions, axis=0)[0]
    sums = np.diff(explainer.pools.sums(contributions), axis=0)[0]
    points = points_of_score(scorer.calibrator, np.full(len(sums), raw[1]), sums)
    about = selectors(model)
    changes = []
    for pool in np.argsort(-np.abs(sums), kind="stable")[:SHOWN].tolist():
        if abs(sums[pool]) < SMALLEST:
            break
        members = np.flatnonzero(explainer.pools.pool == pool)
        leading = int(members[np.argmax(np.copysign(1.0, sums[pool]) * moved[members])])
        definition, topic = scorer.definitions[leading], explainer.pools.topics[pool]
        changes.append(
            Change(
                topic=topic,
                text=say(definition, value_of(definition, values[1, leading]), model.schema, lang),
                log_odds=float(sums[pool]),
                score_points=float(points[pool]),
                newest=_newest(events, about.get(topic), found, at),
            )
        )
    return WhyNow(since, at, float(probability[0]), float(probability[1]), tuple(changes))


def _newest(events: Sequence[LeadEvent], selector: Selector | None, found: FoundLead, at: int) -> LeadEvent | None:
    """The newest event of a selection that became known at or after the earlier moment."""
    if selector is None:
        return None
    return next((each for each in selected(events, selector, found.history.schema) if each.known_at >= at), None)


def value_of(definition: Definition, cell: float) -> float | str | None:
    """A cell of the feature matrix as sentences take it: a number, a category's text, or None where missing."""
    if np.isnan(cell):
        return None
    return definition.categories[int(cell)] if definition.categorical else float(cell)
