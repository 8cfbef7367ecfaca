"""Settled moments with their features and labels: what a scorer is trained on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.compute import compute_features
from features.definitions import Definitions
from features.history import History
from features.model_settings import NOTHING_SAID, ModelSettings
from features.moments import Moments
from features.naming import sign_of
from features.sample_weights import weigh

Rows = NDArray[np.int64]
"""Positions of rows in a `TrainingSet`."""


def hash_leads(lead_ids: Iterable[str]) -> NDArray[np.uint64]:
    """A number for each id that only depends on its text: which leads are drawn never depends on the table's order."""
    return np.array(
        [int.from_bytes(blake2b(each.encode("utf-8", "surrogatepass"), digest_size=8).digest()) for each in lead_ids],
        dtype=np.uint64,
    )


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """n settled moments, sorted by ``(as_of, lead id)``.

    Attributes
    ----------
    definitions : the d columns of `values`.
    lead : int64[n], positions in the history that the set was made from.
    lead_hash : uint64[n], `hash_leads` of the ids.
    as_of : int64[n], UTC microseconds.
    horizon : microseconds that the labels look ahead.
    label : int8[n], 1 converted within the horizon, 0 did not.
    values : float64[n, d], category codes as floats, NaN missing.
    weight : float64[n], how much each moment counts in fits and choices, positive; only their ratios matter. None: all
        alike. Evaluation never looks at it.
    monotone : int8[d], 1 where more of a feature never lowers the score, -1 where it never raises it, 0 free; always 0
        for categories. None: all free.
    """

    definitions: Definitions
    lead: NDArray[np.int64]
    lead_hash: NDArray[np.uint64]
    as_of: NDArray[np.int64]
    horizon: int
    label: NDArray[np.int8]
    values: NDArray[np.float64]
    weight: NDArray[np.float64] | None = None
    monotone: NDArray[np.int8] | None = None

    def __post_init__(self) -> None:
        n = len(self.lead)
        if not n == len(self.lead_hash) == len(self.as_of) == len(self.label) == len(self.values):
            raise ValueError("the columns of a training set have one length")
        if self.values.shape != (n, len(self.definitions)):
            raise ValueError(f"{len(self.definitions)} definitions, but values of shape {self.values.shape}")
        if not np.isin(self.label, (0, 1)).all():
            raise ValueError("a training set holds settled moments only, labelled 0 or 1")
        if n and (np.diff(self.as_of) < 0).any():
            raise ValueError("a training set is sorted by time")
        if self.weight is not None:
            if self.weight.shape != (n,):
                raise ValueError(f"{n} moments, but weights of shape {self.weight.shape}")
            if not (np.isfinite(self.weight).all() and (self.weight > 0).all()):
                raise ValueError("weights are positive")
        if self.monotone is not None:
            if self.monotone.shape != (len(self.definitions),) or not np.isin(self.monotone, (-1, 0, 1)).all():
                raise ValueError("monotone says -1, 0 or 1 of each definition")
            if (self.monotone[self.definitions.categorical] != 0).any():
                raise ValueError("a category has no order, so that no score can rise with it")

    def __len__(self) -> int:
        return len(self.lead)

    def take(self, rows: NDArray[Any]) -> TrainingSet:
        """The moments at these positions (ascending, so that the order stays) or where a mask holds."""
        return replace(
            self,
            lead=self.lead[rows],
            lead_hash=self.lead_hash[rows],
            as_of=self.as_of[rows],
            label=self.label[rows],
            values=self.values[rows],
            weight=None if self.weight is None else self.weight[rows],
        )

    def take_columns(self, columns: NDArray[Any]) -> TrainingSet:
        """The same moments with the features at these positions only."""
        columns = np.asarray(columns, dtype=np.int64)
        return replace(
            self,
            definitions=self.definitions.take(columns),
            values=np.ascontiguousarray(self.values[:, columns]),
            monotone=None if self.monotone is None else self.monotone[columns],
        )

    @property
    def fit_weight(self) -> NDArray[np.float64] | None:
        """`weight` with mean 1, so that penalties mean the same with weights and without."""
        return None if self.weight is None or not len(self) else self.weight / self.weight.mean()

    @classmethod
    def build(
        cls,
        history: History,
        moments: Moments,
        labels: NDArray[np.int8],
        definitions: Definitions,
        horizon: int,
        settings: ModelSettings = NOTHING_SAID,
    ) -> TrainingSet:
        """Compute the features of the settled ones among `moments` and put them in order.

        Parameters
        ----------
        labels : int8, one a moment, from `training.outcomes.label_moments`; -1 is left out.
        settings : what the workspace says of weights and constraints.
        """
        settled = np.flatnonzero(labels >= 0)
        order = settled[np.lexsort((moments.lead[settled], moments.as_of[settled]))]
        moments = moments.take(order)
        leads, back = np.unique(moments.lead, return_inverse=True)
        weighing = weigh(history, moments, settings)
        monotone = np.array([sign_of(each, settings) for each in definitions], dtype=np.int8)
        return cls(
            definitions=definitions,
            lead=moments.lead,
            lead_hash=hash_leads(history.lead_ids[leads])[back],
            as_of=moments.as_of,
            horizon=horizon,
            label=labels[order],
            values=compute_features(history, moments, definitions),
            weight=None if weighing is None else weighing.weight,
            monotone=monotone if monotone.any() else None,
        )
