"""Small scorers and bundles made from a seed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from features.definitions import (
    ALL,
    AttributeCategory,
    AttributeNumber,
    CountWithin,
    DaysSinceLast,
    Definitions,
    Selector,
)
from features.schema import Schema
from oracles.made_training_sets import DAY, simulated
from training.bundle import Bundle
from training.calibration import Calibrator
from training.cutoffs_table import Backtest
from training.dataset import TrainingSet
from training.evaluation import evaluate
from training.linear_fit import fit_lines
from training.ranker import Ranker, grow_trees
from training.recipe import Recipe
from training.reference import Reference, draw_one_at_most
from training.scorer import Scorer

CURVED = Calibrator("beta", 0.9, 1.1, 0.05)


def spoken(train_set: TrainingSet) -> TrainingSet:
    """The columns of `simulated` as features of both groups: two windows of one event type, its last, and attributes."""
    values = train_set.definitions[4].categories
    schema = Schema(
        event_types=("mail_opened", "page_viewed"),
        attributes={"size": "number", "country": "category"},
        categories={"country": values},
    )
    viewed = Selector("event_type", "page_viewed")
    items = (
        CountWithin(viewed, 7 * DAY),
        CountWithin(viewed, None),
        AttributeNumber("size"),
        DaysSinceLast(ALL),
        AttributeCategory("country", values),
    )
    return replace(train_set, definitions=Definitions(schema, items))


def made_scorer(
    train_set: TrainingSet, *, weight: float = 0.75, rounds: int = 40, calibrator: Calibrator = CURVED, **recipe: Any
) -> Scorer:
    """A scorer fitted on all rows."""
    text = grow_trees(replace(Recipe(), **recipe), train_set, rounds)
    line = fit_lines(train_set.values, train_set.label, train_set.definitions.categorical, cs=(0.1,))[0]
    return Scorer(
        definitions=train_set.definitions,
        horizon=train_set.horizon,
        ranker=Ranker(text, line, weight),
        calibrator=calibrator,
        average=float(train_set.label.mean()),
        provisional=False,
    )


def made_reference(scorer: Scorer, train_set: TrainingSet) -> Reference:
    """Of one moment a lead."""
    rows = train_set.take(draw_one_at_most(train_set.lead_hash))
    _, contributions = scorer.explain(rows.values)
    fit, engagement = scorer.fit_engagement(contributions)
    return Reference.build(
        scorer.definitions,
        values=rows.values,
        label=rows.label,
        probability=scorer.score(rows.values)[1],
        fit=fit,
        engagement=engagement,
    )


def made_bundle(leads: int = 400, seed: int = 0, *, draws: int = 50) -> tuple[Bundle, TrainingSet]:
    """A bundle, and what it was trained on."""
    train_set = spoken(simulated(leads, seed=seed))
    half = train_set.take(np.arange(len(train_set) // 2))
    test = train_set.take(np.arange(len(train_set) // 2, len(train_set)))
    serving, evaluated = made_scorer(train_set), made_scorer(half, weight=0.5)
    probability = evaluated.score(test.values)[1]
    predictions = {
        "model": probability,
        "logistic regression": 1 / (1 + np.exp(-evaluated.ranker.line.raw(test.values))),
        "points": np.full(len(test), 0.2) + 0.1 * (test.values[:, 3] > 2),
        "base rate": np.full(len(test), half.label.mean()),
    }
    bundle = Bundle(
        scorer=serving,
        evaluated_scorer=evaluated,
        reference=made_reference(serving, train_set),
        backtest=Backtest.of(probability, test.label, test.lead_hash, test.as_of),
        evaluation=evaluate(test.label, test.lead_hash, predictions, base_rate=float(half.label.mean()), draws=draws),
        manifest={
            "workspace": "b2b",
            "converted": "gekauft ✓ 成約",
            "data_end": int(train_set.as_of[-1]),
            "warnings": [],
        },
    )
    return bundle, train_set
