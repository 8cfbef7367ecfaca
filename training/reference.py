"""Leads of the past to compare one lead with: how many of those like it converted, and where among them it stands.

Made from forward out-of-fold and test predictions, at most one settled moment a lead, drawn by a hash of its id. (The
newest moment would be the one just before a conversion, and flatter every rate.)
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.compiling import compiled
from features.definitions import Definitions
from training.intervals import Interval, rate

NEAREST = 200
"""So many leads of nearest probability are looked at, but at most a tenth of all, or `FEWEST`."""
USUAL = 0.9
"""This part of the leads has no more moments than there are places to draw from."""
FEWEST = 30
"""Under so many leads a rate is not given."""
LEAST = 150
"""Among fewer leads than these there are none that are like another."""
OFF_CENTRE = 0.5
"""On average the nearest stand at most so many standard errors of their rate away from the lead, else fewer are taken."""
FEWER = 0.75
"""So large a part of them is tried next."""
QUANTILE_BINS = 10


@dataclass(frozen=True)
class Similar:
    """Of so many leads that were like this one, so many converted within the horizon."""

    converted: int
    leads: int

    @property
    def interval(self) -> Interval:
        """The rate of leads like this one, with what so few of them leave open (Wilson, 95%)."""
        return rate(self.converted, self.leads)

    def to_json(self) -> dict[str, int]:
        return {"converted": self.converted, "leads": self.leads}


def draw_one_at_most(lead_hash: NDArray[np.uint64]) -> NDArray[np.int64]:
    """At most one row of each lead, decided by the hash of its id, every row with the same chance: ascending positions.

    Who converts early has fewer moments. One drawn of every lead would show such leads' moments too often, and a rate among
    them too high; so a place is drawn among as many as nine leads of ten have at most, and a lead that has no moment there
    is not drawn.

    Parameters
    ----------
    lead_hash : uint64[n], one value a lead; a lead's rows in the order of time.
    """
    if not len(lead_hash):
        return np.empty(0, dtype=np.int64)
    order = np.argsort(lead_hash, kind="stable")
    hashes, first, counts = np.unique(lead_hash[order], return_index=True, return_counts=True)
    places = np.maximum(counts, np.quantile(counts, USUAL, method="higher")).astype(np.uint64)
    # other bits than those that `hash % groups` reads elsewhere: which moment is drawn shall not follow the fold
    mixed = (hashes ^ (hashes >> np.uint64(31))) * np.uint64(0x9E3779B97F4A7C15)
    place = ((mixed >> np.uint64(33)) % places).astype(np.int64)
    return np.sort(order[(first + place)[place < counts]])


@compiled
def _nearest(
    sorted_probability: NDArray[np.float64],
    sum_before: NDArray[np.float64],
    converted_before: NDArray[np.int64],
    probability: NDArray[np.float64],
    most: int,
    converted: NDArray[np.int64],
    leads: NDArray[np.int64],
) -> None:
    """Fill `leads` with how many of the nearest are like each, and `converted` with how many of these converted."""
    for row in range(len(probability)):
        x, k = probability[row], most
        while True:
            low, high = 0, len(sorted_probability) - k
            while low < high:
                middle = (low + high) // 2
                if x - sorted_probability[middle] > sorted_probability[middle + k] - x:
                    low = middle + 1
                else:
                    high = middle
            away = (sum_before[low + k] - sum_before[low]) / k - x
            if k == FEWEST or away * away * k <= OFF_CENTRE * OFF_CENTRE * x * (1.0 - x):
                break
            k = max(int(FEWER * k), FEWEST)
        leads[row] = k
        converted[row] = converted_before[low + k] - converted_before[low]


@compiled
def _places(
    columns: NDArray[np.int64],
    values: NDArray[np.float64],
    categorical: NDArray[np.bool_],
    edge_start: NDArray[np.int64],
    edges: NDArray[np.float64],
    sizes: NDArray[np.int64],
    result: NDArray[np.int64],
) -> None:
    """Bin of each value within its column (see `Reference.bin_start`), -1 where the column has none for it."""
    for row in range(len(columns)):
        column, value = columns[row], values[row]
        if np.isnan(value):
            place = 0
        elif categorical[column]:
            place = int(value) + 1
        elif value == 0.0:
            place = 1
        else:
            place = 2
            for edge in range(edge_start[column], edge_start[column + 1]):
                if value >= edges[edge]:
                    place += 1
        result[row] = place if 0 <= place < sizes[column] else -1


@dataclass(frozen=True, eq=False)
class Reference:
    """m leads, each at one settled moment; d features.

    Attributes
    ----------
    probability : float64[m] ascending, the calibrated predictions.
    converted : int8[m], labels in the order of `probability`.
    fit, engagement : float64[m] ascending, the serving ranker's log-odds of each group.
    categorical : bool[d].
    edge_start, edges : int64[d + 1] and float64: the inner borders of column j's bins are
        ``edges[edge_start[j]:edge_start[j + 1]]``; none for categories.
    bin_start : int64[d + 1]; the bins of column j. Of a number: missing, zero, then quantile bins of the others, each
        from its lower border on. Of a category: missing, then the codes 0, 1, ...
    bin_leads, bin_converted : int64, what each bin holds.
    """

    probability: NDArray[np.float64]
    converted: NDArray[np.int8]
    fit: NDArray[np.float64]
    engagement: NDArray[np.float64]
    categorical: NDArray[np.bool_]
    edge_start: NDArray[np.int64]
    edges: NDArray[np.float64]
    bin_start: NDArray[np.int64]
    bin_leads: NDArray[np.int64]
    bin_converted: NDArray[np.int64]

    def __post_init__(self) -> None:
        m, d = len(self.probability), len(self.categorical)
        if not m == len(self.converted) == len(self.fit) == len(self.engagement):
            raise ValueError("the columns of a reference have one length")
        if not len(self.edge_start) == len(self.bin_start) == d + 1:
            raise ValueError("a reference has bins for each of its features")
        for name in ("probability", "fit", "engagement"):
            if np.isnan(getattr(self, name)).any() or (np.diff(getattr(self, name)) < 0).any():
                raise ValueError(f"{name} of a reference must be known and ascending")

    def __len__(self) -> int:
        return len(self.probability)

    @classmethod
    def build(
        cls,
        definitions: Definitions,
        *,
        values: NDArray[np.float64],
        label: NDArray[np.int8],
        probability: NDArray[np.float64],
        fit: NDArray[np.float64],
        engagement: NDArray[np.float64],
    ) -> Reference:
        """Of one moment a lead (`draw_one_at_most`), in any order that does not depend on the labels.

        Parameters
        ----------
        values : float64[m, d], what the serving scorer reads.
        probability : predictions by scorers that did not see the lead's outcome.
        fit, engagement : of the serving scorer (`Scorer.fit_engagement`).
        """
        edges: list[NDArray[np.float64]] = []
        leads: list[NDArray[np.int64]] = []
        converted: list[NDArray[np.int64]] = []
        for column, definition in enumerate(definitions):
            x = values[:, column]
            if definition.categorical:
                borders = np.empty(0)
                place = _bins(x, borders, categorical=True)
                size = max(len(definition.categories), int(place.max(initial=0))) + 1
            else:
                borders = _quantile_borders(x[~np.isnan(x) & (x != 0)])
                place = _bins(x, borders, categorical=False)
                size = len(borders) + 3
            edges.append(borders)
            leads.append(np.bincount(place, minlength=size))
            converted.append(np.bincount(place[label == 1], minlength=size))
        order = np.argsort(probability, kind="stable")
        return cls(
            probability=probability[order],
            converted=label[order].astype(np.int8),
            fit=np.sort(fit),
            engagement=np.sort(engagement),
            categorical=np.array(definitions.categorical),
            edge_start=_starts(edges),
            edges=np.concatenate([*edges, np.empty(0)]),
            bin_start=_starts(leads),
            bin_leads=np.concatenate([*leads, np.empty(0, np.int64)]),
            bin_converted=np.concatenate([*converted, np.empty(0, np.int64)]),
        )

    def percentile(self, probability: NDArray[np.float64]) -> NDArray[np.float64]:
        """Share of the leads below each probability, plus half of those that tie with it; NaN without any lead."""
        return _rank(self.probability, probability)

    def grades(self, log_odds: NDArray[np.float64], group: str) -> NDArray[np.int64]:
        """0, 1 or 2 (A, B, C of fit; 1, 2, 3 of engagement): the top 20%, the next 30%, the rest, by `percentile`'s rule."""
        rank = _rank(self.fit if group == "fit" else self.engagement, log_odds)
        return np.where(rank >= 0.8, 0, np.where(rank >= 0.5, 1, 2)).astype(np.int64)

    def similar(self, probability: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
        """How many of the leads nearest in probability converted, and how many were looked at; None where too few.

        `NEAREST`, at most a tenth of all but at least `FEWEST`, of `LEAST` or more. Towards the ends of the scale leads are
        thin and all on one side: a tenth of all that is meant to be like the best lead would be likelier to fail than it by
        far. Where the mean of their own predictions lies more than `OFF_CENTRE` standard errors away, fewer are taken.
        """
        if len(self) < LEAST:
            return None
        most = min(NEAREST, max(len(self) // 10, FEWEST))
        converted, leads = np.empty(len(probability), dtype=np.int64), np.empty(len(probability), dtype=np.int64)
        sums, converted_before = self._before
        _nearest(self.probability, sums, converted_before, probability, most, converted, leads)
        return converted, leads

    @cached_property
    def _before(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Of the leads before each place: the sum of their predictions, and how many converted."""
        sums = np.concatenate([[0.0], np.cumsum(self.probability)])
        return sums, np.concatenate([[0], np.cumsum(self.converted, dtype=np.int64)])

    def in_same_bin(
        self, columns: NDArray[np.int64], values: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """For each (feature, value): how many leads of its bin converted, and how many it holds.

        -1 and 0 where it holds under `FEWEST`.
        """
        place = np.empty(len(columns), dtype=np.int64)
        _places(columns, values, self.categorical, self.edge_start, self.edges, np.diff(self.bin_start), place)
        at = self.bin_start[columns] + np.maximum(place, 0)
        enough = (place >= 0) & (self.bin_leads[at] >= FEWEST)
        return np.where(enough, self.bin_converted[at], -1), np.where(enough, self.bin_leads[at], 0)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is kept in the bundle; `Reference(**arrays)` is equal."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


def _bins(x: NDArray[np.float64], borders: NDArray[np.float64], *, categorical: bool) -> NDArray[np.int64]:
    """Bin of each value of one column, as `_places` has them: missing, zero, then from border to border; or by code."""
    known = ~np.isnan(x)
    if categorical:
        return np.where(known, x, -1).astype(np.int64) + 1
    place = np.where(x == 0, 1, 2 + np.searchsorted(borders, x, side="right"))
    return np.where(known, place, 0).astype(np.int64)


def histogram(
    values: NDArray[np.float64],
    categorical: NDArray[np.bool_],
    edge_start: NDArray[np.int64],
    edges: NDArray[np.float64],
    bin_start: NDArray[np.int64],
) -> NDArray[np.int64]:
    """How many rows of values float64[n, d] lie in each bin of a `Reference`, column after column: int64[bins].

    A category that has no bin counts as missing.
    """
    found = np.zeros(int(bin_start[-1]), dtype=np.int64)
    for column in range(len(categorical)):
        first, last = bin_start[column], bin_start[column + 1]
        borders = edges[edge_start[column] : edge_start[column + 1]]
        place = _bins(values[:, column], borders, categorical=bool(categorical[column]))
        place[place >= last - first] = 0
        found[first:last] = np.bincount(place, minlength=last - first)
    return found


def _starts(parts: list[NDArray[Any]]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)


def _quantile_borders(known: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inner borders of up to ten bins of about one size: distinct values of the data, the smallest left out."""
    if len(known) == 0:
        return np.empty(0)
    inner = np.quantile(known, np.arange(1, QUANTILE_BINS) / QUANTILE_BINS, method="inverted_cdf")
    borders: NDArray[np.float64] = np.unique(inner)
    above: NDArray[np.float64] = borders[borders > known.min()]
    return above


def _rank(ascending: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    if len(ascending) == 0:
        return np.full(len(x), np.nan)
    below, up_to = np.searchsorted(ascending, x, side="left"), np.searchsorted(ascending, x, side="right")
    return (below + up_to) / (2.0 * len(ascending))
