"""Fitting the line: the transformed matrix, the ridge, and folding both into one function for each feature."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from training.linear import Line

CLIP = 6.0
"""Deviations from the mean beyond which a standardised value counts as this far; the line's kernel has it too."""
COMMON_ROWS, COMMON_SHARE = 20, 0.003
"""A category, or being missing, has a column of its own from the larger of so many rows and such a share of them."""
LARGEST = 1e308
LEAST_DEVIATION = 1e-6
"""A part of a number's range in which its rows vary less says nothing of its own."""
BEYOND = CLIP + 1.0
"""Where the knots stand that a feature doesn't have."""


def fit_lines(
    values: NDArray[np.float64],
    label: NDArray[np.int8],
    categorical: NDArray[np.bool_],
    *,
    cs: tuple[float, ...],
    weight: NDArray[np.float64] | None = None,
    monotone: NDArray[np.int8] | None = None,
    knots: int = 0,
) -> list[Line]:
    """One line for each strength of the ridge, sharing the transformed matrix.

    Parameters
    ----------
    values : float64[n, d]; category codes as floats, NaN missing.
    label : n labels, 0 or 1.
    categorical : bool[d].
    cs : inverse strength of the ridge, as scikit-learn's C: the sum of losses is weighed with C against half the
        square of the coefficients.
    weight : float64[n], how much each row's loss counts, 1 on average; None: all alike.
    monotone : int8[d], the sign that a number's slope is held to; 0 free. None: all free.
    knots : at so many quantiles of each number its slope may change, where they lie apart; 0: a straight line.

    Notes
    -----
    The same bits whatever the number of threads.
    """
    design = _Design.of(values, categorical, knots)
    bounds = None if monotone is None or not monotone.any() else design.bounds(monotone)
    return [design.fold(coefficients, categorical) for coefficients in _ridge(design.z, label, cs, weight, bounds)]


@dataclass(frozen=True)
class _Piece:
    """A standardised column that only moves with a number between `low` and `high`, in deviations of that number.

    Beside the number's own column such pieces let its slope differ from part to part. With all of them held to one sign
    the whole is monotone.
    """

    low: float
    high: float
    mean: float
    deviation: float
    place: int

    @classmethod
    def all_of(cls, z: NDArray[np.float64], knots: int, columns: list[NDArray[np.float64]]) -> list[_Piece]:
        """The pieces between the quantiles of a standardised number; their columns are added to `columns`."""
        if not knots:
            return []
        inner = np.unique(np.quantile(z, np.arange(1, knots + 1) / (knots + 1)))
        inner = inner[(inner > z.min()) & (inner < z.max())]
        if not len(inner):
            return []
        pieces = []
        for low, high in pairwise([-CLIP, *inner.tolist(), CLIP]):
            piece = np.clip(z, low, high)
            mean, deviation = float(piece.mean()), float(piece.std())
            if deviation > LEAST_DEVIATION:
                pieces.append(cls(low, high, mean, deviation, len(columns)))
                columns.append((piece - mean) / deviation)
        return pieces


@dataclass(frozen=True, eq=False)
class _Design:
    """The transformed matrix, and where in it each feature's columns stand (-1: it has none)."""

    z: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    median: NDArray[np.float64]
    number: NDArray[np.int64]
    pieces: Mapping[int, list[_Piece]]
    flag: NDArray[np.int64]
    levels: Mapping[int, Mapping[int, int]]
    sizes: Mapping[int, int]

    @classmethod
    def of(cls, values: NDArray[np.float64], categorical: NDArray[np.bool_], knots: int) -> _Design:
        n, d = values.shape
        common = max(COMMON_ROWS, math.ceil(COMMON_SHARE * n))
        columns: list[NDArray[np.float64]] = []
        low: list[float] = []
        high: list[float] = []
        mean, scale, median = np.zeros(d), np.ones(d), np.zeros(d)
        number, flag = np.full(d, -1, dtype=np.int64), np.full(d, -1, dtype=np.int64)
        pieces: dict[int, list[_Piece]] = {}
        levels: dict[int, dict[int, int]] = {}
        sizes: dict[int, int] = {}

        def add_flag(where: NDArray[np.bool_]) -> int:
            """A standardised 0/1 column, where both values are common enough; -1 where not."""
            count = int(where.sum())
            if min(count, n - count) < common:
                return -1
            share = count / n
            deviation = math.sqrt(share * (1 - share))
            low.append(max(-share / deviation, -CLIP))
            high.append(min((1 - share) / deviation, CLIP))
            columns.append(np.where(where, high[-1], low[-1]))
            return len(columns) - 1

        for column in range(d):
            x = values[:, column]
            unknown = np.isnan(x)
            flag[column] = add_flag(unknown)
            if categorical[column]:
                codes = np.where(unknown, -1, x).astype(np.int64)
                sizes[column] = int(codes.max(initial=-1)) + 1
                found = {code: add_flag(codes == code) for code in np.unique(codes[codes >= 0]).tolist()}
                levels[column] = {code: place for code, place in found.items() if place >= 0}
                continue
            tamed = np.copysign(np.log1p(np.minimum(np.abs(x), LARGEST)), x)
            if unknown.all():
                continue
            median[column] = np.median(tamed[~unknown])
            tamed = np.where(unknown, median[column], tamed)
            deviation = float(tamed.std())
            if not deviation > 1e-9 * max(1.0, float(np.abs(tamed).max())):
                continue  # constant: says nothing
            mean[column], scale[column] = float(tamed.mean()), deviation
            number[column] = len(columns)
            columns.append(np.clip((tamed - mean[column]) / deviation, -CLIP, CLIP))
            pieces[column] = _Piece.all_of(columns[-1], knots, columns)
            low += [math.nan] * (1 + len(pieces[column]))
            high += [math.nan] * (1 + len(pieces[column]))
        z = np.ascontiguousarray(np.stack(columns, axis=1)) if columns else np.zeros((n, 0))
        return cls(z, np.array(low), np.array(high), mean, scale, median, number, pieces, flag, levels, sizes)

    def bounds(self, monotone: NDArray[np.int8]) -> list[tuple[float | None, float | None]]:
        """Between what the intercept and each coefficient may lie. Flags of missing values are free: missing is no amount."""
        found: list[tuple[float | None, float | None]] = [(None, None)] * (1 + self.z.shape[1])
        for column, sign in enumerate(monotone.tolist()):
            if sign and self.number[column] >= 0:
                for place in (int(self.number[column]), *(each.place for each in self.pieces[column])):
                    found[1 + place] = (0.0, None) if sign > 0 else (None, 0.0)
        return found

    def fold(self, coefficients: NDArray[np.float64], categorical: NDArray[np.bool_]) -> Line:
        """Turn intercept and coefficients into a share for each original feature."""
        d = len(categorical)
        beta = coefficients[1:]
        slope, known, missing = np.zeros(d), np.zeros(d), np.zeros(d)
        bends: list[dict[float, float]] = [{} for _ in range(d)]
        tables: dict[int, NDArray[np.float64]] = {}

        def flagged(place: int, on: bool) -> float:
            return 0.0 if place < 0 else float(beta[place] * (self.high if on else self.low)[place])

        for column in range(d):
            place = int(self.flag[column])
            known[column], missing[column] = flagged(place, on=False), flagged(place, on=True)
            if categorical[column]:
                levels = self.levels[column]
                absent = sum(flagged(other, on=False) for other in levels.values())
                table = np.full(max(self.sizes[column], 1), known[column] + absent)
                for code, other in levels.items():
                    table[code] += flagged(other, on=True) - flagged(other, on=False)
                tables[column] = table
                # also for codes past the table: a value that these rows never saw says as little as a missing one
                missing[column] += absent
                known[column] = 0.0
            elif self.number[column] >= 0:
                slope[column] = beta[self.number[column]]
                middle = min(max((self.median[column] - self.mean[column]) / self.scale[column], -CLIP), CLIP)
                missing[column] += slope[column] * middle
                for each in self.pieces[column]:
                    step = float(beta[each.place]) / each.deviation
                    missing[column] += step * (min(max(middle, each.low), each.high) - each.mean)
                    known[column] -= step * each.mean
                    if each.low == -CLIP:
                        slope[column] += step
                    else:
                        known[column] += step * each.low
                        bends[column][each.low] = bends[column].get(each.low, 0.0) + step
                    if each.high < CLIP:
                        bends[column][each.high] = bends[column].get(each.high, 0.0) - step
        return Line(float(coefficients[0]), self.mean, self.scale, slope, known, missing, tables, *_padded(bends))


def _padded(bends: list[dict[float, float]]) -> tuple[NDArray[np.float64], NDArray[np.float64]] | tuple[()]:
    """The knots and bends of a line, nothing where it has none."""
    most = max(map(len, bends), default=0)
    if not most:
        return ()
    knots, by = np.full((len(bends), most), BEYOND), np.zeros((len(bends), most))
    for column, each in enumerate(bends):
        knots[column, : len(each)] = sorted(each)
        by[column, : len(each)] = [each[knot] for knot in sorted(each)]
    return knots, by


def _ridge(
    z: NDArray[np.float64],
    label: NDArray[np.int8],
    cs: tuple[float, ...],
    weight: NDArray[np.float64] | None,
    bounds: list[tuple[float | None, float | None]] | None,
) -> list[NDArray[np.float64]]:
    """Intercept and coefficients [1 + p] for each C, from the strongest ridge to the weakest, each from the one before.

    One thread, so that sums come in one order whatever the machine is told; the intercept is not penalised.
    """
    from scipy.optimize import minimize
    from threadpoolctl import threadpool_limits

    y = label.astype(np.float64)
    rate = ((y.sum() if weight is None else weight @ y) + 0.5) / (len(y) + 1.0)
    start = np.zeros(z.shape[1] + 1)
    start[0] = math.log(rate / (1 - rate))
    fitted: dict[float, NDArray[np.float64]] = {}
    with threadpool_limits(limits=1):
        for c in sorted(cs):

            def loss(theta: NDArray[np.float64], ridge: float = 1.0 / c) -> tuple[float, NDArray[np.float64]]:
                raw = theta[0] + z @ theta[1:]
                wrong = 1.0 / (1.0 + np.exp(-np.clip(raw, -700.0, 700.0))) - y
                if weight is None:
                    lost = np.logaddexp(0.0, raw).sum() - y @ raw
                else:
                    lost = weight @ (np.logaddexp(0.0, raw) - y * raw)
                    wrong = weight * wrong
                value = lost + 0.5 * ridge * (theta[1:] @ theta[1:])
                slope = np.concatenate([[wrong.sum()], z.T @ wrong + ridge * theta[1:]])
                return float(value) / len(y), slope / len(y)

            # gtol is the mean gradient: log-odds then lie within about 1e-4 of the exact minimum
            found = minimize(
                loss, start, jac=True, method="L-BFGS-B", bounds=bounds,
                options={"gtol": 1e-7, "ftol": 1e-14, "maxiter": 5000, "maxcor": 20, "maxfun": 20000},
            )  # fmt: skip
            if not np.isfinite(found.x).all():
                raise FloatingPointError(f"the line with C = {c} did not come to finite coefficients")
            start = found.x
            fitted[c] = np.array(found.x)
    return [fitted[c] for c in cs]
