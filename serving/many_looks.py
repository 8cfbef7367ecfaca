"""Whether probabilities still hold, however often somebody looks.

A test that is repeated every night on more and more leads finds something in the end, whatever the model is worth. Here
the watcher bets against the model instead: on each lead whose end is known it stakes what it has on more (or fewer)
conversions than the model says. While the model is right nobody can expect to gain by that, and a stake of 1 ever grows
to 100 with a chance of at most 1 in 100, over the model's whole life (Ville 1939; Shafer 2021; Ramdas and others 2023).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, logsumexp

FALSE_ALARMS = 0.05
"""Of so many sound models some alarm is ever raised, at most."""
FURTHER = (0.2, 0.5, 1.0)
"""So far beyond the tolerance the bets say that the log-odds lie: near for small faults, far for large ones."""


@dataclass(frozen=True)
class Bets:
    """What bets against probabilities have come to, in each direction.

    Attributes
    ----------
    above, below : logarithm of what a stake of 1 became by betting on more, and on fewer, conversions.
    above_from, below_from : position of the case from which on the best of them betted.
    """

    above: float
    below: float
    above_from: int
    below_from: int


def bet(
    probability: NDArray[np.float64], converted: NDArray[np.bool_], begins: NDArray[np.int64], *, tolerance: float
) -> Bets:
    """Bet on n independent leads in the order in which their ends became known.

    The stake is divided over bets that begin at different cases, so that a model that was right for a year and no longer
    is does not live on its merits: the k-th gets 1/((k + 1)(k + 2)).

    Parameters
    ----------
    probability, converted : float64[n] and bool[n].
    begins : int64[k >= 1] ascending, position of the case that each bet begins with; n where there is none yet. Their
        rule must not look at how leads ended.
    tolerance : log-odds; what lies within this to either side of a probability counts as right.
    """
    log_odds = logit(np.clip(probability, 1e-6, 1 - 1e-6))
    share = -np.log((np.arange(len(begins)) + 1.0) * (np.arange(len(begins)) + 2.0))
    found = []
    for sign in (1.0, -1.0):
        right = expit(log_odds + sign * tolerance)
        grown = np.empty((len(FURTHER), len(begins)))
        for row, further in enumerate(FURTHER):
            wrong = expit(log_odds + sign * (tolerance + further))
            gain = np.where(converted, np.log(wrong / right), np.log((1 - wrong) / (1 - right)))
            so_far = np.concatenate([[0.0], np.cumsum(gain)])
            grown[row] = so_far[-1] - so_far[begins]
        each = share + logsumexp(grown, axis=0) - math.log(len(FURTHER))
        found.append((float(logsumexp(each)), int(begins[int(np.argmax(each))])))
    (above, above_from), (below, below_from) = found
    return Bets(above, below, above_from, below_from)


def enough(questions: int, *, part: float) -> float:
    """The logarithm of what a stake must have become for an alarm.

    Parameters
    ----------
    questions : how many groups of leads are asked about; each is asked in two directions.
    part : of `FALSE_ALARMS` that these questions together may use.
    """
    return math.log(2 * max(questions, 1) / (FALSE_ALARMS * part))
