"""The line: ridge logistic regression on robustly transformed features, and its exact shares.

A number enters as sign(x) log(1 + |x|), which tames counts and money alike; missing ones as the median beside a
flag; a category as one column for each common value. All columns are standardised and clipped, so that one odd
cell cannot carry a score away. A bent line has, between its knots, a slope for each part of a number's range. What the
regression gives is folded into one small function for each feature, and the raw score is their sum in the order of the
columns: no BLAS, whose bits differ between one row and many.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.compiling import compiled


@compiled
def _shares(
    values: NDArray[np.float64],
    table_start: NDArray[np.int64],
    table: NDArray[np.float64],
    mean: NDArray[np.float64],
    scale: NDArray[np.float64],
    slope: NDArray[np.float64],
    known: NDArray[np.float64],
    missing: NDArray[np.float64],
    knots: NDArray[np.float64],
    bends: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Fill `out` with each feature's share of each row; see `Line` for the rule."""
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            x = values[row, column]
            first, size = table_start[column], table_start[column + 1] - table_start[column]
            if size > 0:
                inside = 0 <= x < size  # False for NaN and for codes that training did not know
                out[row, column] = table[first + int(x)] if inside else missing[column]
            elif math.isnan(x):
                out[row, column] = missing[column]
            else:
                tamed = math.copysign(math.log1p(min(abs(x), 1e308)), x)
                z = min(max((tamed - mean[column]) / scale[column], -6.0), 6.0)
                share = known[column] + slope[column] * z
                for knot in range(knots.shape[1]):
                    if z > knots[column, knot]:
                        share += bends[column, knot] * (z - knots[column, knot])
                out[row, column] = share


@compiled
def _sums(base: float, shares: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    for row in range(shares.shape[0]):
        total = base
        for column in range(shares.shape[1]):
            total += shares[row, column]
        out[row] = total


@dataclass(frozen=True, eq=False)
class Line:
    """A fitted line: a base and, for each of d features, the function from its value to its share of the log-odds.

    The share of a number x is ``known + slope * z + sum(bends * max(z - knots, 0))`` with
    ``z = clip((sign(x) log1p(|x|) - mean) / scale, -6, 6)``, or `missing` where x is NaN; that of a category is its entry
    in `tables`, or `missing` where the code is unknown.

    Attributes
    ----------
    base : log-odds before any share.
    mean, scale, slope, known, missing : float64[d]; only `missing` has a meaning for categories.
    tables : for each categorical column the shares of its codes 0, 1, ...
    knots, bends : float64[d, k], ascending values of z past which the slope is another, and by how much; a knot at 7 lies
        beyond all that there is. None: straight.
    """

    base: float
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    slope: NDArray[np.float64]
    known: NDArray[np.float64]
    missing: NDArray[np.float64]
    tables: Mapping[int, NDArray[np.float64]]
    knots: NDArray[np.float64] | None = None
    bends: NDArray[np.float64] | None = None

    @cached_property
    def _bent(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if self.knots is None or self.bends is None:
            return np.empty((len(self.mean), 0)), np.empty((len(self.mean), 0))
        return self.knots, self.bends

    @cached_property
    def _table(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """All tables behind one another, and where each column's begins: empty for numbers."""
        sizes = [len(self.tables.get(column, ())) for column in range(len(self.mean))]
        start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        parts = [self.tables[column] for column in sorted(self.tables)]
        return start, np.concatenate([*parts, np.zeros(1)])

    def contributions(self, values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """The base and the shares [n, d] that add up to `raw`."""
        values = np.require(values, dtype=np.float64, requirements=("C", "W"))  # else numba compiles another kernel
        if values.ndim != 2 or values.shape[1] != len(self.mean):
            raise ValueError(f"the line has {len(self.mean)} features, found values of shape {values.shape}")
        shares = np.empty(values.shape, dtype=np.float64)
        start, table = self._table
        _shares(values, start, table, self.mean, self.scale, self.slope, self.known, self.missing, *self._bent, shares)
        return self.base, shares

    def raw(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log-odds [n]. A row's bits don't depend on what it is scored with."""
        base, shares = self.contributions(values)
        out = np.empty(len(shares), dtype=np.float64)
        _sums(base, shares, out)
        return out

    def to_json(self) -> dict[str, Any]:
        columns = {name: getattr(self, name).tolist() for name in ("mean", "scale", "slope", "known", "missing")}
        told = {"base": self.base, **columns, "tables": {str(c): t.tolist() for c, t in self.tables.items()}}
        if self.knots is None or self.bends is None:
            return told
        return {**told, "knots": self.knots.tolist(), "bends": self.bends.tolist()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Line:
        columns = {
            name: np.array(data[name], dtype=np.float64) for name in ("mean", "scale", "slope", "known", "missing")
        }
        tables = {int(c): np.array(t, dtype=np.float64) for c, t in data["tables"].items()}
        bent = {name: np.array(data[name], dtype=np.float64) for name in ("knots", "bends") if name in data}
        return cls(base=float(data["base"]), **columns, tables=tables, **bent)
