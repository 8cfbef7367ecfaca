"""What a scorer says is what its calibrator makes of the raw score."""

import numpy as np

from oracles.made_scorers import made_scorer, spoken
from oracles.made_training_sets import simulated
from training.calibration import Calibrator


def test_probability_is_what_the_calibrator_makes_of_the_raw_score() -> None:
    train_set = spoken(simulated(200, seed=3))
    scorer = made_scorer(train_set, rounds=4, calibrator=Calibrator("platt", 0.5, 0.5, 1.0))
    raw, probability = scorer.score(train_set.values)
    np.testing.assert_allclose(probability, 1.0 / (1.0 + np.exp(-(0.5 * raw + 1.0))), rtol=1e-12)
