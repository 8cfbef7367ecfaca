"""Trained models against the truth: in the simulated world the true probability of every moment is known.

The filter is the ideal observer of the same tables. Judged by what then happened, no model may beat it, and the default
recipe must come within 5% of it on moments that it has not seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from features.moments import Moments
from features.tables import read_history
from training.dataset import TrainingSet
from training.labelled import settled_moments
from training.points import PointsRules, points_as_probability, points_of
from training.split import split

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Block:
    """The tested moments, which the evaluated scorer never saw: what became of them, the truth, and what models say."""

    label: NDArray[np.int8]
    truth: Floats
    models: dict[str, Floats]


@pytest.fixture(scope="module")
def block(b2b: Any) -> Block:
    workspace, scorer = b2b.workspace, b2b.bundle.evaluated_scorer
    history = read_history(workspace, schema=scorer.definitions.schema, set_aside=False).history
    labelled = settled_moments(history, workspace.schedule, workspace.horizon)
    whole = TrainingSet.build(history, labelled.moments, labelled.labels, scorer.definitions, workspace.horizon)
    parts = split(whole, delay=history.outcomes.delay, unsettled=labelled.unsettled)
    test, fitted = whole.take(parts.test), whole.label[parts.fit]
    points = points_of(history, Moments(whole.lead, whole.as_of), PointsRules.of(workspace, history.schema))
    truth = pd.read_parquet(b2b.folder / "truth" / "truth.parquet").set_index(["lead_id", "as_of"])["probability"]
    asked = [history.lead_ids[test.lead], pd.to_datetime(test.as_of, unit="us", utc=True)]
    return Block(
        label=test.label,
        truth=truth.reindex(pd.MultiIndex.from_arrays(asked)).to_numpy(),
        models={
            "model": scorer.score(test.values)[1],
            "logistic regression": _sigmoid(scorer.ranker.line.raw(test.values)),
            "trees": _sigmoid(scorer.ranker.booster.predict(test.values, raw_score=True)),
            "points": points_as_probability(points[parts.fit], fitted, points[parts.test]),
            "base rate": np.full(len(test), fitted.mean()),
        },
    )


def _sigmoid(raw: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-raw))


def _cross_entropy(weight: Floats, probability: Floats) -> float:
    """Mean log loss, where an outcome weighs as much as it is likely: by labels, of what happened; by the truth, expected."""
    return float(-(weight * np.log(probability) + (1 - weight) * np.log1p(-probability)).mean())


def test_the_block_is_the_one_that_was_evaluated(b2b: Any, block: Block) -> None:
    evaluated = b2b.bundle.evaluation.models
    for name in ("model", "logistic regression", "points", "base rate"):
        found = _cross_entropy(block.label.astype(float), block.models[name])
        assert found == pytest.approx(evaluated[name].metrics["log_loss"].point, rel=1e-9), name
    assert not np.isnan(block.truth).any()


def test_no_model_beats_the_filter(block: Block) -> None:
    happened = block.label.astype(float)
    best = _cross_entropy(happened, block.truth)
    losses = {name: _cross_entropy(happened, said) for name, said in block.models.items()}
    assert best < min(losses.values()), (best, losses)


def test_the_default_recipe_comes_within_five_percent_of_the_filter(block: Block) -> None:
    """By the expected loss: that of what happened is moved by who happened to convert, by two percent at this size."""
    ratio = _cross_entropy(block.truth, block.models["model"]) / _cross_entropy(block.truth, block.truth)
    assert ratio < 1.05


def test_models_stand_in_the_order_of_what_they_know(block: Block) -> None:
    losses = {name: _cross_entropy(block.truth, said) for name, said in block.models.items()}
    assert losses["model"] < losses["logistic regression"] < losses["points"] < losses["base rate"]
