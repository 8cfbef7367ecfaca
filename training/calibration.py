"""From raw log-odds to a probability: smooth and strictly increasing, so that a reason keeps its sign.

Drift eats most of what calibration on the past gains, so "none" stays unless another is clearly better forward in
time. Steps (isotonic) are not among the choices: they make ties and reasons without width.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from features.compiling import compiled
from training.losses import log_losses, mean_loss, paired_difference

LEAST = 1e-6
"""Probabilities are clamped to [LEAST, 1 - LEAST]."""
PARTS = 4
"""Parts in time of the choice predictions; each but the first is calibrated by what came before it."""
Kind = Literal["identity", "platt", "beta"]


@compiled
def _softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


@compiled
def _fill(
    low: float, high: float, shift: float, raw: NDArray[np.float64], squash: bool, out: NDArray[np.float64]
) -> None:
    """Calibrated log-odds, or probabilities. Compiled, since vector code of numpy may round one row unlike many."""
    for row in range(len(raw)):
        x = raw[row]
        odds = low * x + shift if low == high else high * _softplus(x) - low * _softplus(-x) + shift
        out[row] = 1.0 / (1.0 + math.exp(-min(max(odds, -40.0), 40.0))) if squash else odds


@dataclass(frozen=True)
class Calibrator:
    """Log-odds of the probability are ``low * -softplus(-raw) + high * softplus(raw) + shift``.

    ``low = high = 1, shift = 0`` is the identity, since softplus(raw) - softplus(-raw) = raw; equal slopes are Platt's
    line; free ones are beta calibration (Kull, Silva Filho and Flach 2017) of the sigmoid of raw.

    Attributes
    ----------
    kind : which of the three was fitted.
    low, high : slopes for low and high scores, not negative, with a positive sum.
    shift : log-odds.
    """

    kind: Kind = "identity"
    low: float = 1.0
    high: float = 1.0
    shift: float = 0.0

    def __post_init__(self) -> None:
        if not (self.low >= 0 and self.high >= 0 and 0 < self.low + self.high < math.inf and math.isfinite(self.shift)):
            raise ValueError(f"slopes are not negative and their sum is positive: {self}")

    def log_odds(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated log-odds, before probabilities are clamped."""
        return self._filled(raw, squash=False)

    def probability(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability of each raw score, within [1e-6, 1 - 1e-6]; increasing between them."""
        return np.clip(self._filled(raw, squash=True), LEAST, 1.0 - LEAST)

    def _filled(self, raw: NDArray[np.float64], *, squash: bool) -> NDArray[np.float64]:
        raw = np.asarray(raw, dtype=np.float64)
        out = np.empty(raw.size, dtype=np.float64)
        _fill(self.low, self.high, self.shift, np.array(raw.reshape(-1)), squash, out)  # writable: one compiled form
        return out.reshape(raw.shape)

    def raw_of(self, probability: float) -> float | None:
        """The raw score that has this probability; None where no score can reach it.

        That is so past the clamp, and past the bound that a beta calibration has on the side where its slope is 0.
        """
        if not LEAST <= probability <= 1.0 - LEAST:
            return None
        wanted = math.log(probability) - math.log1p(-probability)
        if self.low == self.high:
            return (wanted - self.shift) / self.low

        def short(raw: float) -> bool:
            return float(self.log_odds(np.array([raw]))[0]) < wanted

        low, high = -1.0, 1.0
        while not short(low):
            low *= 2.0
            if low < -1e9:
                return None
        while short(high):
            high *= 2.0
            if high > 1e9:
                return None
        for _ in range(200):
            middle = (low + high) / 2.0
            if middle in (low, high):
                break
            low, high = (middle, high) if short(middle) else (low, middle)
        return high

    def moved(self, slope: float, shift: float) -> Calibrator:
        """The calibrator whose log-odds are ``slope * log_odds(raw) + shift``; as increasing as this one, for a slope above 0."""
        kind: Kind = "platt" if self.kind == "identity" else self.kind
        return Calibrator(kind, slope * self.low, slope * self.high, slope * self.shift + shift)

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "low": self.low, "high": self.high, "shift": self.shift}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Calibrator:
        return cls(kind=data["kind"], low=float(data["low"]), high=float(data["high"]), shift=float(data["shift"]))


IDENTITY = Calibrator()


def fit_calibrator(
    kind: Kind, raw: NDArray[np.float64], label: NDArray[np.int8], weight: NDArray[np.float64] | None = None
) -> Calibrator | None:
    """The calibrator of this kind with the least loss; None where scores and outcomes don't rise together.

    Rows count by `weight`, of which only ratios matter; None: all alike.

    The loss is convex, so that with two slopes the constrained minimum is the best of the free fit and of those with
    one slope at 0.
    """
    if kind == "identity":
        return IDENTITY
    above, below = np.logaddexp(0.0, raw), -np.logaddexp(0.0, -raw)
    if kind == "platt":
        slope, shift = _newton(raw[:, None], label, np.ones(1), weight)
        return Calibrator("platt", float(slope), float(slope), float(shift)) if slope > 0 else None
    both = _newton(np.stack([below, above], axis=1), label, np.ones(2), weight)
    low_only = _newton(below[:, None], label, np.ones(1), weight)
    high_only = _newton(above[:, None], label, np.ones(1), weight)
    candidates = [tuple(both), (low_only[0], 0.0, low_only[1]), (0.0, high_only[0], high_only[1])]
    feasible = [
        Calibrator("beta", float(low), float(high), float(shift))
        for low, high, shift in candidates
        if low >= 0 and high >= 0 and low + high > 0
    ]
    return min(feasible, key=lambda each: mean_loss(log_losses(each.log_odds(raw), label), weight), default=None)


def choose_calibrator(
    raw: NDArray[np.float64],
    label: NDArray[np.int8],
    lead: NDArray[np.generic],
    as_of: NDArray[np.int64],
    weight: NDArray[np.float64] | None = None,
) -> tuple[Calibrator, dict[str, dict[str, float]]]:
    """Take the identity unless another calibrator is clearly better forward in time.

    The choice predictions are cut into four parts in time; each but the first is calibrated by a fit on those before.
    Where they are all one instant, three groups of leads are each calibrated by the others. What wins by more than one
    paired standard error, clustered by lead, is refitted on all.

    Parameters
    ----------
    raw, label, lead, as_of, weight : of the choice predictions (`training.recipe.Choices`), in the order of time.

    Returns
    -------
    The calibrator; for the report, of each kind its forward loss, its difference from the identity and the error of
    that.
    """
    kinds: tuple[Kind, ...] = ("platt", "beta")
    folds = _forward_parts(lead, as_of)
    table: dict[str, dict[str, float]] = {}
    chosen, best = IDENTITY, 0.0
    if not folds:
        return chosen, table
    rows = np.concatenate([predict for _, predict in folds])
    plain = log_losses(raw[rows], label[rows])
    weights = None if weight is None else weight[rows]
    table["identity"] = {"loss": mean_loss(plain, weights), "difference": 0.0, "error": 0.0}
    for kind in kinds:
        fits = [fit_calibrator(kind, raw[fit], label[fit], None if weight is None else weight[fit]) for fit, _ in folds]
        calibrated = [(each or IDENTITY).log_odds(raw[predict]) for each, (_, predict) in zip(fits, folds, strict=True)]
        losses = log_losses(np.concatenate(calibrated), label[rows])
        mean, error = paired_difference(losses, plain, lead[rows], weights)
        table[kind] = {"loss": mean_loss(losses, weights), "difference": mean, "error": error}
        refit = fit_calibrator(kind, raw, label, weight)
        if refit is not None and mean < -error and mean < best:
            chosen, best = refit, mean
    return chosen, table


def _forward_parts(
    lead: NDArray[np.generic], as_of: NDArray[np.int64]
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    times = np.unique(as_of)
    if len(times) == 0:
        return []
    if len(times) == 1:
        _, back = np.unique(lead, return_inverse=True)
        return [
            (np.flatnonzero(back % 3 != g), np.flatnonzero(back % 3 == g)) for g in range(3) if (back % 3 == g).any()
        ]
    # cuts lie between instants, so a part may be empty where few instants hold most rows
    cuts = np.unique(np.quantile(as_of, np.arange(1, PARTS) / PARTS, method="higher"))
    part = np.searchsorted(cuts, as_of, side="right")
    numbers = np.unique(part)
    return [(np.flatnonzero(part < number), np.flatnonzero(part == number)) for number in numbers[1:]]


def _newton(
    slopes: NDArray[np.float64],
    label: NDArray[np.int8],
    prior: NDArray[np.float64],
    weight: NDArray[np.float64] | None,
) -> NDArray[np.float64]:
    """Slopes and shift of a logistic regression, held by one row's weight near the identity (finite where separable)."""
    design = np.column_stack([slopes, np.ones(len(label))])
    centre = np.append(prior, 0.0)
    theta, y = centre.copy(), label.astype(np.float64)
    counts = np.ones(len(y)) if weight is None else weight / weight.mean()  # a product with 1 changes no bit

    def loss(at: NDArray[np.float64]) -> float:
        return float((counts * log_losses(design @ at, label)).sum() + 0.5 * ((at - centre) @ (at - centre)))

    now = loss(theta)
    for _ in range(100):
        p = 1.0 / (1.0 + np.exp(-np.clip(design @ theta, -700.0, 700.0)))
        gradient = design.T @ (counts * (p - y)) + (theta - centre)
        hessian = (design * (counts * (p * (1.0 - p)))[:, None]).T @ design + np.eye(len(theta))
        step = np.linalg.solve(hessian, gradient)
        size = 1.0
        while size > 1e-10 and loss(theta - size * step) > now:
            size /= 2.0
        if size <= 1e-10:
            break
        theta = theta - size * step
        now = loss(theta)
        if float(np.abs(size * step).max()) < 1e-10:
            break
    return theta
