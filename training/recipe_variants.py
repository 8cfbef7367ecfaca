"""Recipes side by side on one test block: what each part of the default is worth, and what else one might have done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray

from features.moments import Moments
from features.workspace import Workspace
from training.dataset import Rows, TrainingSet
from training.evaluation import Evaluation, evaluate
from training.follow import follow
from training.points import PointsRules, points_as_probability, points_of
from training.prepared import prepare
from training.ranker import Progress, grow_trees
from training.recipe import Recipe
from training.retrain import Search
from training.split import Split
from training.tuned import DEFAULT

TUNED, TREES, LINE, PLAIN, POINTS, RATE = (
    "tuned", "its trees alone", "its line alone", "LightGBM's defaults", "points", "base rate"
)  # fmt: skip
LIGHTGBM = Recipe(
    num_leaves=31, learning_rate=0.1, min_data_in_leaf=20, bagging_fraction=1.0, feature_fraction=1.0, lambda_l2=0.0,
    cat_smooth=10.0, cat_l2=10.0,
)  # fmt: skip
"""What LightGBM does when nobody tells it anything, for `LIGHTGBM_ROUNDS` rounds."""
LIGHTGBM_ROUNDS = 100


@dataclass(frozen=True, eq=False)
class Variants:
    """Recipes that were fitted on the same moments and judged on the same later ones.

    Attributes
    ----------
    evaluation : by name; the first is the default recipe, with which the others are compared.
    seconds : that fitting took; none for what is a part of the default or needs no fit.
    split : which moments these were.
    tuning : what the search did and found, as `training.tuned.tuning_words` takes it; None without one.
    """

    evaluation: Evaluation
    seconds: Mapping[str, float]
    split: Split
    tuning: Mapping[str, Any] | None


def compare_recipes(
    workspace: Workspace,
    *,
    search: Search | None = None,
    progress: Progress = lambda what, fraction: None,
    clock: Callable[[], int] = lambda: time.time_ns() // 1000,
) -> Variants:
    """Fit the variants before the test block and judge them on it; nothing is registered.

    Parameters
    ----------
    search : for a better recipe; without one there is no tuned variant, nor where the search keeps to the default.

    Raises
    ------
    DataError, TooLittleData
        The tables cannot be used, or hold too few settled outcomes.
    """
    prepared = prepare(workspace, progress=progress, clock=clock)
    whole, parts, recipe = prepared.whole, prepared.parts, Recipe()
    test, fitted = whole.take(parts.test), whole.label[parts.fit]
    said: dict[str, NDArray[np.float64]] = {}
    seconds: dict[str, float] = {}

    with _timed(seconds, DEFAULT):
        default = follow(recipe, whole, parts.fit, what=f"the {DEFAULT}", progress=progress)
    values = default.choices.reduce(test).values
    ranker = default.scorer.ranker
    said[DEFAULT] = default.scorer.score(values)[1]
    said[TREES] = _sigmoid(ranker.booster.predict(values, raw_score=True))
    said[LINE] = _sigmoid(ranker.line.raw(values))
    tuned = search(recipe, whole, parts.fit, progress) if search else None
    if tuned is not None and tuned.taken:
        with _timed(seconds, TUNED):
            found = follow(tuned.recipe, whole, parts.fit, what="the tuned recipe", progress=progress)
        said[TUNED] = found.scorer.score(found.choices.reduce(test).values)[1]
    progress(f"fitting {PLAIN}", 0.0)
    with _timed(seconds, PLAIN):
        said[PLAIN] = plain_lightgbm(whole, parts.fit, test.values)
    rules = PointsRules.of(workspace, prepared.history.schema)
    points = points_of(prepared.history, Moments(whole.lead, whole.as_of), rules)
    said[POINTS] = points_as_probability(points[parts.fit], fitted, points[parts.test])
    rate = float(fitted.mean())
    said[RATE] = np.full(len(test), rate)

    progress("evaluating", 0.0)
    evaluation = evaluate(test.label, test.lead_hash, said, base_rate=rate)
    story = None if tuned is None else {**tuned.story, "gain": _less_default(evaluation, TUNED)}
    return Variants(evaluation, seconds, parts, story)


def plain_lightgbm(train_set: TrainingSet, rows: Rows, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities by LightGBM as it comes, on all columns, without a line and without calibration."""
    booster = lightgbm.Booster(model_str=grow_trees(LIGHTGBM, train_set.take(rows), LIGHTGBM_ROUNDS))
    return _sigmoid(booster.predict(values, raw_score=True))


def _less_default(evaluation: Evaluation, name: str) -> dict[str, Any] | None:
    """Figures of a variant less the default's; the evaluation has them the other way round."""
    if name not in evaluation.differences:
        return None
    return {metric: each.negated().to_json() for metric, each in evaluation.differences[name].items()}


def _sigmoid(raw: Any) -> NDArray[np.float64]:
    return 1.0 / (1.0 + np.exp(-np.clip(np.asarray(raw, dtype=np.float64), -700.0, 700.0)))


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    seconds[name] = time.monotonic() - began
