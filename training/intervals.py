"""How sure counts are: intervals of rates, their differences and ratios, of rankings, and of how many leads convert.

The tails of SciPy are imported where they are needed: they take a second to load, and who scores needs none of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
FEWEST_RANKED = 10
"""Leads of each kind that a ranking must at least hold to be given."""
_DIRECT = 64
"""Up to so many leads are convolved one by one."""


@dataclass(frozen=True)
class Interval:
    """A figure with what the counts leave open, both ends included."""

    point: float
    low: float
    high: float

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high


@lru_cache(maxsize=16_384)
def rate(part: int, whole: int, *, level: float = LEVEL) -> Interval:
    """A share of counted leads with Wilson's interval (1927), which keeps within 0 and 1 and is true for small counts.

    It is preferred to that of Clopper and Pearson, which holds the true share in more than `level` of all cases at the
    price of being wider (Brown, Cai and DasGupta 2001, who recommend Wilson's).

    >>> round(rate(0, 10).high, 4)
    0.2775
    """
    if not 0 <= part <= whole or whole == 0:
        raise ValueError(f"{part} of {whole} is no share")
    z = _deviations(level)
    p = part / whole
    middle = (p + z * z / (2 * whole)) / (1 + z * z / whole)
    spread = z * math.sqrt(p * (1 - p) / whole + z * z / (4 * whole * whole)) / (1 + z * z / whole)
    low = 0.0 if part == 0 else max(middle - spread, 0.0)
    high = 1.0 if part == whole else min(middle + spread, 1.0)
    return Interval(p, low, high)


def _deviations(level: float) -> float:
    """So many standard deviations to each side hold `level` of a normal distribution."""
    return NormalDist().inv_cdf((1 + level) / 2)


def difference(part: int, whole: int, other_part: int, other_whole: int, *, level: float = LEVEL) -> Interval:
    """The first share less the second, by Newcombe's hybrid of their Wilson intervals (1998, method 10)."""
    one, other = rate(part, whole, level=level), rate(other_part, other_whole, level=level)
    point = one.point - other.point
    return Interval(
        point,
        point - math.hypot(one.point - one.low, other.high - other.point),
        point + math.hypot(one.high - one.point, other.point - other.low),
    )


def ratio(part: int, whole: int, other_part: int, other_whole: int, *, level: float = LEVEL) -> Interval:
    """How many times as large the first share is, with the delta method's interval on its logarithm.

    Half a lead is added to each count (Walter 1975), so that none of them being 0 still has an interval; the point is the
    plain ratio, infinite where the second share is 0.
    """
    z = _deviations(level)
    a, n, b, m = part + 0.5, whole + 0.5, other_part + 0.5, other_whole + 0.5
    middle = math.log((a / n) / (b / m))
    spread = z * math.sqrt(max(1 / a - 1 / n + 1 / b - 1 / m, 0.0))
    none = math.inf if part else 1.0
    point = none if other_part == 0 else (part / whole) / (other_part / other_whole)
    return Interval(point, min(math.exp(middle - spread), point), max(math.exp(middle + spread), point))


def exact_p(
    part: NDArray[np.int64], whole: int, other_part: NDArray[np.int64], other_whole: int
) -> NDArray[np.float64]:
    """Fisher's exact probability, two sided (twice the smaller tail), of counts as far apart, were the shares alike."""
    from scipy.stats import hypergeom

    both = part + other_part
    upper = hypergeom.sf(part - 1, whole + other_whole, both, whole)
    lower = hypergeom.cdf(part, whole + other_whole, both, whole)
    found: NDArray[np.float64] = np.minimum(2.0 * np.minimum(upper, lower), 1.0)
    return found


def ranked(score: NDArray[np.float64], label: NDArray[np.int8], *, level: float = LEVEL) -> Interval | None:
    """Chance that a lead that converts stands above one that doesn't (ROC-AUC), ties counting half; None under ten of either.

    The variance is DeLong's (DeLong, DeLong and Clarke-Pearson 1988), the interval symmetric in log-odds so that it keeps
    within 0 and 1. Where the two kinds are parted wholly that variance is 0; the interval then is Wilson's, for as many
    cases as there are of the rarer kind.

    Parameters
    ----------
    score : float64[n], of independent leads.
    label : int8[n], 1 converted.
    """
    from scipy.stats import rankdata

    won, lost = score[label == 1], score[label == 0]
    fewer = min(len(won), len(lost))
    if fewer < FEWEST_RANKED:
        return None
    among = rankdata(np.concatenate([won, lost]))
    above = (among[: len(won)] - rankdata(won)) / len(lost)
    below = 1.0 - (among[len(won) :] - rankdata(lost)) / len(won)
    point = float(above.mean())
    if point in (0.0, 1.0):
        return rate(round(point * fewer), fewer, level=level)
    error = math.sqrt(float(above.var(ddof=1)) / len(won) + float(below.var(ddof=1)) / len(lost))
    middle, spread = math.log(point / (1 - point)), _deviations(level) * error / (point * (1 - point))
    low, high = (1 / (1 + math.exp(-each)) for each in (middle - spread, middle + spread))
    return Interval(point, low, high)


def how_many(probability: Sequence[float] | NDArray[np.float64], *, level: float = LEVEL) -> Interval:
    """How many of some leads convert, were their probabilities true and they independent: the Poisson binomial's.

    The ends are whole numbers; fewer than the lower one, and more than the upper one, each have a probability of at most
    (1 - level) / 2. Exact: nothing is approximated by a bell, which misleads where probabilities are small.
    """
    p = np.asarray(probability, dtype=np.float64)
    if ((p < 0) | (p > 1) | np.isnan(p)).any():
        raise ValueError("probabilities lie between 0 and 1")
    each = chances(p)
    tail = (1 - level) / 2
    up_to = np.cumsum(each)
    from_on = np.cumsum(each[::-1])[::-1]
    low = int(np.argmax(up_to > tail))
    high = len(each) - 1 - int(np.argmax(from_on[::-1] > tail))
    return Interval(float(p.sum()), float(low), float(high))


def chances(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of n independent leads: the probabilities that 0, 1, ... n of them convert."""
    if len(probability) <= _DIRECT:
        found = np.ones(1)
        for each in probability.tolist():
            found = np.convolve(found, [1.0 - each, each])
        return found
    from scipy.signal import fftconvolve

    half = len(probability) // 2
    both: NDArray[np.float64] = fftconvolve(chances(probability[:half]), chances(probability[half:]))
    return np.clip(both, 0.0, 1.0)
