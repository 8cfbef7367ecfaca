"""A recipe followed on some rows: choices, ranker and calibrator, from these rows alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from training.calibration import choose_calibrator
from training.dataset import Rows, TrainingSet
from training.forward import choose
from training.ranker import Progress, fit_ranker
from training.recipe import Choices, Recipe
from training.scorer import Scorer
from training.split import choice_folds

PROVISIONAL = 120
"""Under so many converted leads a model is provisional: its figures may still move a lot."""


@dataclass(frozen=True, eq=False)
class Followed:
    """What came of a recipe on some rows.

    Attributes
    ----------
    scorer : fitted on them.
    choices : made on forward predictions within them.
    calibrations : of each kind of calibrator its forward loss, and how much it differs from none.
    """

    scorer: Scorer
    choices: Choices
    calibrations: Mapping[str, Mapping[str, float]]


def follow(recipe: Recipe, train_set: TrainingSet, rows: Rows, *, what: str, progress: Progress) -> Followed:
    """Choose, fit and calibrate on these rows; nothing outside of them is looked at.

    Parameters
    ----------
    what : for the display: "the evaluated model".
    """
    choices = choose(
        recipe, train_set, rows, choice_folds(train_set, rows), lambda _, part: progress(f"choosing for {what}", part)
    )
    train_set = choices.reduce(train_set)
    forward = train_set.take(choices.forward_rows)
    calibrator, calibrations = choose_calibrator(
        choices.forward_raw, forward.label, forward.lead_hash, forward.as_of, forward.weight
    )
    scorer = Scorer(
        definitions=train_set.definitions,
        horizon=train_set.horizon,
        ranker=fit_ranker(recipe, choices, train_set, rows, progress=lambda _, part: progress(f"fitting {what}", part)),
        calibrator=calibrator,
        average=float(train_set.label[rows].mean()),
        provisional=converted_leads(train_set, rows) < PROVISIONAL,
    )
    return Followed(scorer, choices, calibrations)


def converted_leads(train_set: TrainingSet, rows: Rows) -> int:
    """Leads with at least one of these moments followed by a conversion."""
    return len(np.unique(train_set.lead[rows][train_set.label[rows] == 1]))
