"""Living calibration: probabilities that follow the outcomes as they settle, without a model being trained anew.

What serves says log-odds ``z``; what people are told becomes ``slope * z + shift``. Several forecasters propose a slope
and a shift from the outcomes that had settled by then, each remembering for another time, and one proposes to leave
things as they are. They are weighed by how well they would have foretold later outcomes, and their proposals averaged:
exponentially weighted forecasters (Vovk 1990; Cesa-Bianchi and Lugosi 2006, chapter 2), whose loss exceeds that of the
best of them by no more than the logarithm of its prior weight, over all outcomes together. So where nothing drifts
next to nothing is lost, where everything does the fastest leads, and nobody chooses a window.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.losses import log_losses

FEWEST = 300
"""Of fewer settled leads nothing is followed: leads of the past to compare with could not follow either."""
MEMORIES = (100.0, 433.0, 1732.0)
"""Half-lives of the forecasters' memories, in leads. 433 remembers as much, and as old, as the newest 1,250 would."""
STAY = 0.5
"""Prior weight of leaving things as they are; the other half is shared by the others."""
KEEPS = 1732.0
"""Half-life, in leads, of what is remembered of the forecasters' successes: a drift that begins late is still seen."""
HELD_SHIFT, HELD_SLOPE = 1.0, 0.2
"""Standard deviations of the normal priors that hold a shift near 0 and a slope near 1."""
MOST_SHIFT = 3.0
"""In log-odds, at the middle of the scores."""
SLOPES = (0.5, 2.0)
BLOCK, BLOCKS = 50, 64
"""The forecasters are tried on blocks of at least so many leads, at most so many blocks."""
FORGOTTEN = 5.0
"""After so many half-lives an outcome counts for nothing (3%)."""


@dataclass(frozen=True, eq=False)
class Outcomes:
    """n settled moments with what the model said of them and what became of the leads, in the order of time.

    Attributes
    ----------
    log_odds : float64[n], as the model told them when it left training, before any living calibration.
    label : int8[n], 1 converted within the horizon, 0 did not.
    lead : [n], the same for all moments of a lead.
    as_of : int64[n], UTC microseconds, ascending.
    settles_after : microseconds from a moment until its outcome is known.
    """

    log_odds: NDArray[np.float64]
    label: NDArray[np.int8]
    lead: NDArray[Any]
    as_of: NDArray[np.int64]
    settles_after: int

    def __post_init__(self) -> None:
        if not len(self.log_odds) == len(self.label) == len(self.lead) == len(self.as_of):
            raise ValueError("the columns of outcomes have one length")
        if (np.diff(self.as_of) < 0).any():
            raise ValueError("outcomes are sorted by time")
        if not np.isfinite(self.log_odds).all() or not np.isin(self.label, (0, 1)).all():
            raise ValueError("outcomes have finite log-odds and labels 0 or 1")

    def __len__(self) -> int:
        return len(self.label)

    def first(self, n: int) -> Outcomes:
        """The first n of them."""
        return replace(self, log_odds=self.log_odds[:n], label=self.label[:n], lead=self.lead[:n], as_of=self.as_of[:n])

    def settled_by(self, instant: int) -> int:
        """How many, the first ones, had settled at an instant."""
        return int(np.searchsorted(self.as_of, instant - self.settles_after, side="right"))


@dataclass(frozen=True)
class LivingMap:
    """How told log-odds follow the outcomes: ``slope * z + shift``, strictly increasing.

    Attributes
    ----------
    slope, shift : 1 and 0 leave everything as it is.
    memory : how many leads, about, it rests on: the forecasters' memories by their weights.
    stays : weight of leaving things as they are, 0 to 1.
    """

    slope: float = 1.0
    shift: float = 0.0
    memory: float = math.inf
    stays: float = 1.0

    def __post_init__(self) -> None:
        if not (0 < self.slope < math.inf and math.isfinite(self.shift)):
            raise ValueError(f"a slope is positive and a shift finite: {self}")

    def log_odds(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.slope * z + self.shift


UNMOVED = LivingMap()


@dataclass(frozen=True)
class _Forecaster:
    memory: float
    sloped: bool

    @property
    def leads(self) -> float:
        """Effective number of leads behind an exponential memory: (sum of weights)^2 / sum of squared weights."""
        return 2.0 * self.memory / math.log(2.0)


_FORECASTERS = tuple(_Forecaster(memory, sloped) for sloped in (False, True) for memory in MEMORIES)
_PRIOR = np.log([STAY, *([(1.0 - STAY) / len(_FORECASTERS)] * len(_FORECASTERS))])


def follow_outcomes(outcomes: Outcomes, now: int) -> LivingMap:
    """The map that follows what had settled at an instant; `UNMOVED` while that is of fewer than `FEWEST` leads.

    It depends on nothing but these outcomes: run daily or once a month it says the same, and nothing that settles
    later changes what it said. Smooth, since weights fall by and by; bounded, since slope and shift are held by priors
    and by `SLOPES` and `MOST_SHIFT`. A lead counts as one, however often it was scored: all counts are divided by the
    mean number of its moments. (Dividing by each lead's own number would bend the rate: who converts early has fewer.)

    Parameters
    ----------
    outcomes : moments that the model did not learn from.
    now : UTC microseconds; what settles later is not looked at.
    """
    known = outcomes.first(outcomes.settled_by(now))
    leads = len(np.unique(known.lead))
    if leads < FEWEST:
        return UNMOVED
    repeats = len(known) / leads
    cuts = _cuts(len(known), leads)
    logs = _PRIOR
    proposals = np.empty((len(_FORECASTERS), 2))
    starts: list[tuple[float, float]] = [(0.0, 1.0)] * len(_FORECASTERS)
    for begin, end in zip(cuts, (*cuts[1:], len(known)), strict=True):
        settled = min(known.settled_by(int(known.as_of[begin])), begin)
        if settled == 0:
            continue
        rows = slice(begin, end)
        z, label = known.log_odds[rows], known.label[rows]
        losses = [float(log_losses(z, label).sum())]
        for place, each in enumerate(_FORECASTERS):
            (slope, shift), starts[place] = _fit(known, settled, each, repeats, starts[place])
            losses.append(float(log_losses(slope * z + shift, label).sum()))
        kept = 0.5 ** ((end - begin) / repeats / KEEPS)
        logs = kept * logs + (1.0 - kept) * _PRIOR - np.array(losses) / repeats
        logs -= logs.max()
    for place, each in enumerate(_FORECASTERS):
        proposals[place], _ = _fit(known, len(known), each, repeats, starts[place])
    weight = np.exp(logs - logs.max())
    weight /= weight.sum()
    slope, shift = weight[0] + weight[1:] @ proposals[:, 0], float(weight[1:] @ proposals[:, 1])
    # what leaving things as they are remembers has no end; it counts as the longest memory and a half
    memories = np.array([1.5 * max(each.leads for each in _FORECASTERS), *(each.leads for each in _FORECASTERS)])
    memory = math.exp(float(weight @ np.log(memories)))
    return _bounded(float(slope), shift, float(known.log_odds.mean()), memory, float(weight[0]))


def walk_on(outcomes: Outcomes, now: int, *, steps: int) -> tuple[int, NDArray[np.float64]]:
    """What would have been told had the outcomes been followed all along, in so many steps of equally many moments.

    At each step the map is that of what had settled when its first moment was told.

    Returns
    -------
    Position of the first moment at which there was something to follow, of those settled by `now`; followed log-odds
    of it and all later ones.
    """
    known = outcomes.first(outcomes.settled_by(now))
    followed, first = known.log_odds.copy(), len(known)
    cuts = np.unique(np.linspace(0, len(known), steps + 1).astype(np.int64)).tolist()
    for begin, end in pairwise(cuts):
        found = follow_outcomes(known.first(begin), int(known.as_of[begin]))
        if found is not UNMOVED:
            first = min(first, begin)
        followed[begin:end] = found.log_odds(known.log_odds[begin:end])
    return first, followed[first:]


def _bounded(slope: float, shift: float, middle: float, memory: float, stays: float) -> LivingMap:
    held = min(max(slope, SLOPES[0]), SLOPES[1])
    moved = shift + (slope - 1.0) * middle  # by so much the middle of the scores moves
    moved = min(max(moved, -MOST_SHIFT), MOST_SHIFT)
    return LivingMap(held, moved - (held - 1.0) * middle, memory, stays)


def _cuts(n: int, leads: int) -> list[int]:
    """First positions of blocks of about equally many moments."""
    blocks = max(1, min(BLOCKS, leads // BLOCK))
    return [n * block // blocks for block in range(blocks)]


def _fit(
    known: Outcomes, settled: int, each: _Forecaster, repeats: float, start: tuple[float, float]
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Slope and shift that one forecaster proposes from the first `settled` outcomes, and where to begin the next time.

    Weighted logistic regression of the labels on the log-odds about their mean, by Newton's method, with normal priors
    (penalties) that hold the shift at that mean near 0 and the slope near 1.
    """
    first = max(0, settled - math.ceil(FORGOTTEN * each.memory * repeats))
    z, y = known.log_odds[first:settled], known.label[first:settled].astype(np.float64)
    weight = 0.5 ** (np.arange(len(z))[::-1] / (each.memory * repeats)) / repeats
    middle = float(weight @ z / weight.sum())
    x = z - middle
    moved, slope = start if each.sloped else (start[0], 1.0)
    for _ in range(25):
        p = 1.0 / (1.0 + np.exp(-np.clip(middle + moved + slope * x, -40.0, 40.0)))
        error, spread = weight * (y - p), weight * p * (1.0 - p)
        down, across = error.sum() - moved / HELD_SHIFT**2, spread.sum() + 1.0 / HELD_SHIFT**2
        if not each.sloped:
            step, turn = down / across, 0.0
        else:
            tilt = error @ x - (slope - 1.0) / HELD_SLOPE**2
            mixed, steep = spread @ x, spread @ (x * x) + 1.0 / HELD_SLOPE**2
            free = across * steep - mixed * mixed
            step, turn = (steep * down - mixed * tilt) / free, (across * tilt - mixed * down) / free
        # the loss is convex and its curvature bounded, so that steps of at most one unit come down to the minimum
        large = max(abs(step), abs(turn), 1.0)
        moved, slope = moved + step / large, slope + turn / large
        if abs(step) + abs(turn) < 1e-9:
            break
    return (slope, moved + middle * (1.0 - slope)), (moved, slope)
