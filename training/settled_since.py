"""What has settled since a model was trained, and the living calibration that follows from it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.compute import compute_features
from features.history import History
from features.moments import Moments, Schedule
from training.bundle import Bundle
from training.calibration_record import Followed, LivingCalibration
from training.dataset import hash_leads
from training.labelled import settled_moments
from training.living_calibration import FEWEST, UNMOVED, LivingMap, Outcomes, follow_outcomes, walk_on
from training.losses import log_losses
from training.reference import Reference, draw_one_at_most

NEWEST = 60_000
"""At most so many of the newest settled moments are followed: more have long been forgotten."""
AT_ONCE = 16_384
"""Moments whose features are held at once."""
STEPS = 12
"""So often the past is replayed, to say what following it all along would have been worth."""
LEADS_KEPT = 5_000
"""At most so many leads to compare with."""


@dataclass(frozen=True, eq=False)
class Settled:
    """Moments whose outcome a bundle's scorer did not learn from, in the order of time.

    Attributes
    ----------
    moments : of the history, sorted by time and id.
    outcomes : with the scorer's log-odds as training left them.
    """

    moments: Moments
    outcomes: Outcomes

    @property
    def leads(self) -> int:
        return len(np.unique(self.outcomes.lead))


def settled_since(bundle: Bundle, history: History) -> Settled:
    """The moments that were not settled when the bundle was trained and are now, scored by what serves.

    They are followed rather than the test block, which the scorer that serves learned from: it was tested by another
    scorer, whose errors there are larger than those that what serves still makes.

    Parameters
    ----------
    bundle : as training left it.
    history : read by the bundle's schema.
    """
    told = bundle.manifest["schedule"]
    schedule = Schedule(tuple(told["after_creation"]), told["every"], told["until"])
    settles_after = bundle.scorer.horizon + history.outcomes.delay
    labelled = settled_moments(history, schedule, bundle.scorer.horizon)
    new = np.flatnonzero(labelled.moments.as_of + settles_after > int(bundle.manifest["data_end"]))
    moments, label = labelled.moments.take(new), labelled.labels[new]
    order = np.lexsort((moments.lead, moments.as_of))[-NEWEST:]
    moments, label = moments.take(order), label[order]
    leads, back = np.unique(moments.lead, return_inverse=True)
    hashes = hash_leads(str(each) for each in history.lead_ids[leads])[back]
    log_odds = np.empty(len(moments))
    for first in range(0, len(moments), AT_ONCE):
        rows = np.arange(first, min(first + AT_ONCE, len(moments)), dtype=np.int64)
        raw, _ = bundle.scorer.score(compute_features(history, moments.take(rows), bundle.scorer.definitions))
        log_odds[rows] = bundle.scorer.calibrator.log_odds(raw)
    return Settled(moments, Outcomes(log_odds, label, hashes, moments.as_of, settles_after))


def living_calibration(
    bundle: Bundle,
    history: History,
    settled: Settled,
    *,
    clock: Callable[[], int] = lambda: time.time_ns() // 1000,
) -> LivingCalibration | None:
    """The calibration that follows what has settled; None while that is of fewer than 300 leads."""
    if settled.leads < FEWEST:
        return None
    outcomes, until = settled.outcomes, int(history.data_end)
    moved = follow_outcomes(outcomes, until)
    if moved is UNMOVED:
        return None
    newest = _newest(outcomes, moved, settled.leads)
    return LivingCalibration(
        moved=moved,
        about=_about(outcomes, moved, newest, settled.leads, until=until, made_at=clock()),
        reference=_reference(bundle, history, settled, moved),
        bundle=bundle.digest,
    )


def mean_step(outcomes: Outcomes, now: LivingMap, before: LivingMap) -> float:
    """By how much told log-odds differ under two maps: root of the mean square over these moments."""
    step = now.log_odds(outcomes.log_odds) - before.log_odds(outcomes.log_odds)
    return math.sqrt(float((step * step).mean())) if len(step) else 0.0


def _newest(outcomes: Outcomes, moved: LivingMap, leads: int) -> slice:
    """The newest moments, of about as many leads as the map rests on."""
    count = min(len(outcomes), math.ceil(max(moved.memory, FEWEST) * len(outcomes) / leads))
    return slice(len(outcomes) - count, len(outcomes))


def _about(outcomes: Outcomes, moved: LivingMap, newest: slice, leads: int, *, until: int, made_at: int) -> Followed:
    first, followed = walk_on(outcomes, until, steps=STEPS)
    ahead = slice(first, len(outcomes))
    any_ahead = first < len(outcomes)
    z = outcomes.log_odds[newest]
    return Followed(
        made_at=made_at,
        until=until,
        moments=len(outcomes),
        leads=leads,
        converted=int(outcomes.label.sum()),
        first_moment=int(outcomes.as_of[0]),
        last_moment=int(outcomes.as_of[-1]),
        newest=len(z),
        expected_before=float(_probability(z).sum()),
        expected_after=float(_probability(moved.log_odds(z)).sum()),
        newest_converted=int(outcomes.label[newest].sum()),
        forward_moments=len(outcomes) - first,
        forward_before=_loss(outcomes.log_odds[ahead], outcomes.label[ahead]) if any_ahead else None,
        forward_after=_loss(followed, outcomes.label[ahead]) if any_ahead else None,
    )


def _reference(bundle: Bundle, history: History, settled: Settled, moved: LivingMap) -> Reference:
    """At most one moment of each of the leads that settled last, as many as the map rests on, told by the map.

    Only these are true to the new probabilities: of the older ones other shares converted.
    """
    outcomes = settled.outcomes
    count = int(min(max(moved.memory, FEWEST), LEADS_KEPT, settled.leads))
    leads, last = np.unique(outcomes.lead[::-1], return_index=True)
    kept = leads[np.sort(np.argsort(last, kind="stable")[:count])]  # the leads that came up last
    of_kept = np.flatnonzero(np.isin(outcomes.lead, kept))
    rows = of_kept[draw_one_at_most(outcomes.lead[of_kept])]
    values = compute_features(history, settled.moments.take(rows), bundle.scorer.definitions)
    fit, engagement = bundle.scorer.fit_engagement(bundle.scorer.explain(values)[1])
    calibrator = bundle.scorer.calibrator.moved(moved.slope, moved.shift)
    return Reference.build(
        bundle.scorer.definitions,
        values=values,
        label=outcomes.label[rows],
        probability=calibrator.probability(bundle.scorer.ranker.raw(values)),
        fit=fit,
        engagement=engagement,
    )


def _probability(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1.0 / (1.0 + np.exp(-np.clip(log_odds, -40.0, 40.0)))


def _loss(log_odds: NDArray[np.float64], label: NDArray[np.int8]) -> float:
    return float(log_losses(log_odds, label).mean())
