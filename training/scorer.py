"""The one thing that scores, in batch and online: definitions, ranker and calibrator together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.compiling import compiled
from features.definitions import Definitions
from training.calibration import Calibrator
from training.ranker import Ranker


@compiled
def _sums_by_group(
    contributions: NDArray[np.float64],
    engagement: NDArray[np.bool_],
    fit_sum: NDArray[np.float64],
    engagement_sum: NDArray[np.float64],
) -> None:
    for row in range(contributions.shape[0]):
        fit, behaviour = 0.0, 0.0
        for column in range(contributions.shape[1]):
            if engagement[column]:
                behaviour += contributions[row, column]
            else:
                fit += contributions[row, column]
        fit_sum[row] = fit
        engagement_sum[row] = behaviour


@dataclass(frozen=True, eq=False)
class Scorer:
    """From feature values to a calibrated probability and its exact reasons.

    Attributes
    ----------
    definitions : the d columns that it reads, in order.
    horizon : microseconds within which a lead is to convert.
    ranker : feature values to raw log-odds.
    calibrator : raw log-odds to probability, strictly increasing.
    average : observed conversion rate over the settled training moments.
    provisional : trained on so few converted leads that the figures may still move a lot.
    """

    definitions: Definitions
    horizon: int
    ranker: Ranker
    calibrator: Calibrator
    average: float
    provisional: bool

    def __post_init__(self) -> None:
        if self.horizon <= 0:
            raise ValueError("the horizon must be positive")
        if not 0.0 <= self.average <= 1.0:
            raise ValueError(f"the average rate must lie in [0, 1], found {self.average}")

    def score(self, values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Raw log-odds and calibrated probability of each row; a row alone gets the same bits as among others.

        Parameters
        ----------
        values : float64[n, d], as `features.compute.compute_features` gives them; NaN missing.
        """
        self._check(values)
        raw = self.ranker.raw(values)
        return raw, self.calibrator.probability(raw)

    def explain(self, values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """The base and each feature's exact share of the raw log-odds: ``base + row sum = raw`` within 1e-6.

        The probability never comes from this sum: in the last bits the two differ.

        Returns
        -------
        base, float64[n, d].
        """
        self._check(values)
        base, contributions = self.ranker.contributions(values)
        return float(base), contributions

    def fit_engagement(self, contributions: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What a lead is and what it does, each as log-odds: the contributions summed by group in the order of columns."""
        engagement = np.array([each.group == "engagement" for each in self.definitions], dtype=np.bool_)
        fit_sum, engagement_sum = np.empty(len(contributions)), np.empty(len(contributions))
        _sums_by_group(np.ascontiguousarray(contributions), engagement, fit_sum, engagement_sum)
        return fit_sum, engagement_sum

    def _check(self, values: NDArray[np.float64]) -> None:
        if values.ndim != 2 or values.shape[1] != len(self.definitions) or values.dtype != np.float64:
            raise ValueError(
                f"the scorer reads float64 rows of {len(self.definitions)} features, found {values.dtype} {values.shape}"
            )
