"""Does a challenger answer as it must: reasons that add up, the same bits alone and among others, and soon?"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from features.compute import compute_features
from features.moments import Moments
from serving.scoring import SHOWN, score_leads
from serving.side_by_side import Side
from training.explanation import Explanations
from training.gates import Gate

EXPLAINED, ALONE, TIMED = 500, 20, 30
"""Leads whose reasons are added up, that are scored alone, and whose answers are timed."""
TOLERANCE = 1e-6
"""In log-odds: what rounding may leave over."""
SLOWEST = 0.05
"""Seconds of one processor, for one lead's score with its reasons; a page is opened in about ten times that."""


def answer_gates(side: Side, *, clock: Callable[[], float] = time.thread_time) -> list[Gate]:
    """Score, explain and time some of a workspace's leads with a model, as the service would.

    Where no lead is open, leads of the past stand in.

    Parameters
    ----------
    clock : of this thread's processor time: what else the machine has to do is no fault of the model.
    """
    moments = side.moments
    if len(moments) == 0:
        past = np.flatnonzero(side.history.created_at < side.history.now)
        moments = Moments(past, np.full(len(past), side.history.now, dtype=np.int64))
    if len(moments) == 0:
        return [Gate("reasons add up", True, "There is no lead to try it on.", warning=True)]
    return [_adds_up(side, _spread(moments, EXPLAINED)), _is_quick(side, _spread(moments, TIMED), clock)]


def _spread(moments: Moments, most: int) -> Moments:
    rows = np.unique(np.linspace(0, len(moments) - 1, min(len(moments), most)).astype(np.int64))
    return moments.take(rows)


def _adds_up(side: Side, moments: Moments) -> Gate:
    scorer = side.model.bundle.scorer
    values = compute_features(side.history, moments, scorer.definitions)
    raw, probability = scorer.score(values)
    left_over = largest_remainder(side.model.explainer.explain(values, raw, shown=SHOWN))
    alone = [scorer.score(values[row : row + 1])[1][0] for row in range(min(len(values), ALONE))]
    words = (
        f"Reasons of {len(moments):,} leads add up to their scores within {left_over:.1e}; {TOLERANCE:.0e} is allowed."
    )
    same = bool((np.array(alone) == probability[: len(alone)]).all())
    if not same:
        words += " Alone a lead gets another score than among others."
    step = "report this fault of ours with the output of `pip list`; the champion goes on serving"
    return Gate("reasons add up", same and left_over <= TOLERANCE, words, next_step=step)


def largest_remainder(told: Explanations) -> float:
    """The most by which base, reasons shown and the rest, or fit and engagement, miss the raw log-odds; infinite for NaN."""
    shown: NDArray[np.float64] = np.where(told.reason >= 0, told.log_odds, 0.0).sum(axis=1)
    all_of_it = told.base + told.other + shown - told.raw
    by_group = told.fit + told.engagement - (told.raw - told.base)
    largest = float(np.abs(np.concatenate([all_of_it, by_group])).max(initial=0.0))
    return largest if np.isfinite(largest) else float("inf")


def _is_quick(side: Side, moments: Moments, clock: Callable[[], float]) -> Gate:
    took = []
    for row in range(-1, len(moments)):  # the first one twice: compiled code is loaded by it
        begun = clock()
        one = moments.take(np.array([max(row, 0)]))
        now = int(one.as_of[0])
        next(score_leads(side.model, side.agreement, side.history, one, scored_at=now, threads=1))
        took.append(clock() - begun)
    median = float(np.median(took[1:]))
    words = f"One lead is scored and explained in {1000 * median:.1f} ms (median); {1000 * SLOWEST:.0f} ms are allowed."
    step = "try again when the machine has less to do; else train with fewer event types or columns"
    return Gate("answers in time", median <= SLOWEST, words, next_step=step)
