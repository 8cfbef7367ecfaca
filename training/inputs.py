"""How the inputs and the score of a model were spread when it learned, stretch by stretch of time: counts, no lead.

Kept in the bundle, so that whoever watches the model can say whether today's leads still look like those, and whether they
differ more than one stretch of the training differed from those before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.dataset import TrainingSet
from training.reference import Reference, histogram
from training.scorer import Scorer

SAMPLE = 20_000
"""So many moments are counted, evenly spaced in time: more would not change a share by half a percent."""
EXPLAINED = 2_000
"""Of so many of them the mean size of each input's contribution is taken."""
A_STRETCH = 500
"""At least so many moments make a stretch; at most `STRETCHES` stretches are kept."""
STRETCHES = 24
SCORE_BINS = 10


@dataclass(frozen=True, eq=False)
class Inputs:
    """k stretches of the training's time, each with about as many moments; d features.

    Attributes
    ----------
    begin : int64[k], the first moment of each stretch (UTC microseconds).
    moments, leads : int64[k], how many lie in it, and of how many leads.
    categorical, edge_start, edges, bin_start : the bins of each column, as a reference has them (`Reference`). Kept
        apart, since what a model compares leads with may change after its training.
    counts : int64[k, bins], sampled moments in each bin, column after column.
    score_edges : float64, ascending inner borders of the raw log-odds' bins.
    score_counts : int64[k, len(score_edges) + 1], the serving scorer's raw log-odds, before any calibration.
    importance : float64[d], mean absolute contribution to the raw log-odds.
    """

    begin: NDArray[np.int64]
    moments: NDArray[np.int64]
    leads: NDArray[np.int64]
    categorical: NDArray[np.bool_]
    edge_start: NDArray[np.int64]
    edges: NDArray[np.float64]
    bin_start: NDArray[np.int64]
    counts: NDArray[np.int64]
    score_edges: NDArray[np.float64]
    score_counts: NDArray[np.int64]
    importance: NDArray[np.float64]

    def __post_init__(self) -> None:
        k = len(self.begin)
        if not k == len(self.moments) == len(self.leads) == len(self.counts) == len(self.score_counts):
            raise ValueError("every stretch has its counts")
        if self.score_counts.shape != (k, len(self.score_edges) + 1):
            raise ValueError("every bin of the score has its count")

    def __len__(self) -> int:
        return len(self.begin)

    @property
    def a_stretch(self) -> int:
        """How many moments a stretch holds, about."""
        return int(self.moments.mean()) if len(self) else 0

    def histogram(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """How many rows of values float64[n, d] lie in each bin: int64[bins]."""
        return histogram(values, self.categorical, self.edge_start, self.edges, self.bin_start)

    def spread(self, raw: NDArray[np.float64]) -> NDArray[np.int64]:
        """How raw log-odds fall into the score's bins, each from its lower border on: int64[bins]."""
        return np.bincount(np.searchsorted(self.score_edges, raw, side="right"), minlength=len(self.score_edges) + 1)

    @classmethod
    def of(cls, scorer: Scorer, reference: Reference, train_set: TrainingSet) -> Inputs:
        """Count what the serving scorer was fitted on.

        Parameters
        ----------
        reference : whose bins are used.
        train_set : with the columns that the scorer reads, at least one moment.
        """
        n = len(train_set)
        k = min(max(n // A_STRETCH, 1), STRETCHES)
        border = np.arange(k + 1) * n // k
        sample = evenly(n, SAMPLE)
        stretch = np.searchsorted(border, sample, side="right") - 1
        values = train_set.values[sample]
        raw = scorer.score(values)[0]
        bins = (reference.categorical, reference.edge_start, reference.edges, reference.bin_start)
        inner = np.quantile(raw, np.arange(1, SCORE_BINS) / SCORE_BINS, method="inverted_cdf")
        edges: NDArray[np.float64] = np.unique(inner)
        without = cls(
            begin=train_set.as_of[border[:-1]],
            moments=np.diff(border).astype(np.int64),
            leads=np.array(
                [len(np.unique(train_set.lead_hash[border[i] : border[i + 1]])) for i in range(k)], dtype=np.int64
            ),
            categorical=reference.categorical,
            edge_start=reference.edge_start,
            edges=reference.edges,
            bin_start=reference.bin_start,
            counts=np.stack([histogram(values[stretch == i], *bins) for i in range(k)]),
            score_edges=edges,
            score_counts=np.zeros((k, len(edges) + 1), dtype=np.int64),
            importance=np.abs(scorer.explain(values[evenly(len(values), EXPLAINED)])[1]).mean(axis=0),
        )
        scores = np.stack([without.spread(raw[stretch == i]) for i in range(k)])
        return cls(**{**without.arrays(), "score_counts": scores})

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is kept in the bundle."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Inputs | None:
        """What `arrays` gave; None where a bundle has nothing of the kind, or not all of it."""
        names = [each.name for each in fields(cls)]
        return cls(**{name: arrays[name] for name in names}) if set(names) <= set(arrays) else None


def evenly(n: int, most: int) -> NDArray[np.int64]:
    """Up to so many positions of n, evenly spaced, the first and the last among them."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).astype(np.int64))
