"""From a workspace's tables to a bundle: the whole story of a training, top to bottom."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.moments import Moments
from features.tables.report import TableReport
from features.workspace import Workspace
from training.bundle import Bundle
from training.cutoffs_table import Backtest
from training.dataset import Rows, TrainingSet
from training.evaluation import Evaluation, evaluate
from training.follow import PROVISIONAL, Followed, converted_leads, follow
from training.inputs import Inputs
from training.labelled import Labelled
from training.leakage import Finding
from training.points import PointsRules, points_as_probability, points_of
from training.prepared import prepare
from training.provenance import provenance
from training.ranker import Progress
from training.recipe import Recipe
from training.reference import Reference, draw_one_at_most
from training.segments import segments_of_test
from training.settings_words import settings_about, settings_warnings
from training.split import THIRDS, Split
from training.tuned import DEFAULT, Tuned, with_gain
from training.what_moves import moves_of_training

Search = Callable[[Recipe, TrainingSet, Rows, Progress], Tuned]
"""Looks for a better recipe than the one given, on these rows of a training set alone (`training.tuning.tune`)."""


@dataclass(frozen=True, eq=False)
class Retrained:
    """What a training made: the bundle, and what there is to say about how it came about.

    Attributes
    ----------
    train_set : with the columns that the serving scorer reads.
    findings : of the leakage guard; the bundle's manifest holds them too.
    warnings : sentences; the bundle's manifest holds them too.
    """

    bundle: Bundle
    tables: TableReport
    split: Split
    train_set: TrainingSet
    findings: tuple[Finding, ...]
    warnings: tuple[str, ...]


def retrain(
    workspace: Workspace,
    *,
    recipe: Recipe | None = None,
    search: Search | None = None,
    progress: Progress = lambda what, fraction: None,
    clock: Callable[[], int] = lambda: time.time_ns() // 1000,
    reading_clock: Callable[[], int] | None = None,
) -> Retrained:
    """Train and evaluate a scorer on all that a workspace's tables say.

    The evaluated scorer, its choices included, never sees its test block. What serves is the same recipe followed on
    all settled moments. Both are in the bundle. A recipe that a search found is followed by both, and what it gained
    over the one given is measured on the test block, which the search never saw either.

    Parameters
    ----------
    reading_clock : as of when the tables are read, where that is not now: to make a training again.

    Raises
    ------
    DataError, TooLittleData
        The tables cannot be used, or hold too few settled outcomes.
    UsageError
        The settings of the model name what the tables don't have.
    """
    recipe = recipe or Recipe()
    prepared = prepare(workspace, progress=progress, clock=reading_clock or clock)
    history, labelled, whole, parts = prepared.history, prepared.labelled, prepared.whole, prepared.parts

    default, tuned = recipe, search(recipe, whole, parts.fit, progress) if search else None
    recipe = tuned.recipe if tuned else recipe
    evaluated = follow(recipe, whole, parts.fit, what="the evaluated model", progress=progress)
    serving = follow(recipe, whole, np.arange(len(whole)), what="the model that serves", progress=progress)

    others = {}
    if tuned is not None and tuned.taken:
        beside = follow(default, whole, parts.fit, what="the default recipe", progress=progress)
        others[DEFAULT] = beside.scorer.score(beside.choices.reduce(whole).values[parts.test])[1]

    progress("evaluating", 0.0)
    rules = PointsRules.of(workspace, history.schema)
    test = evaluated.choices.reduce(whole).take(parts.test)
    probability = evaluated.scorer.score(test.values)[1]
    points = points_of(history, Moments(whole.lead, whole.as_of), rules)
    warnings = (*_warnings(labelled, whole, parts), *settings_warnings(workspace.model, whole))
    about = provenance(workspace, history, labelled, whole, recipe, evaluated, serving, rules)
    train_set = serving.choices.reduce(whole)
    reference = _reference(serving, train_set, evaluated, parts.test, probability)
    evaluation = _evaluate(whole, parts, evaluated, test, probability, points, others)
    bundle = Bundle(
        scorer=serving.scorer,
        evaluated_scorer=evaluated.scorer,
        reference=reference,
        inputs=Inputs.of(serving.scorer, reference, train_set),
        backtest=Backtest.of(
            probability,
            test.label,
            test.lead_hash,
            test.as_of,
            part=1.0 if parts.kind == "time" else 1.0 / THIRDS,
            lead_time=np.where(test.label == 1, history.outcomes.at[test.lead] - test.as_of, -1),
            points=points[parts.test],
        ),
        evaluation=evaluation,
        manifest={
            **about,
            "trained_at": clock(),
            "read_at": prepared.read_at,
            "split": parts.to_json(),
            "tables": prepared.tables.to_json(),
            "guard": [each.to_json() for each in prepared.findings],
            "warnings": list(warnings),
            "moves": moves_of_training(serving.scorer, train_set, history, labelled.schedule).to_json(),
            "model_settings": settings_about(workspace.model, whole, history),
            "segments": [each.to_json() for each in segments_of_test(history, test, probability, labelled.schedule)],
            **({"tuning": with_gain(tuned, evaluation)} if tuned else {}),
        },
    )
    return Retrained(
        bundle=bundle,
        tables=prepared.tables,
        split=parts,
        train_set=train_set,
        findings=prepared.findings,
        warnings=warnings,
    )


def _evaluate(
    whole: TrainingSet,
    parts: Split,
    evaluated: Followed,
    test: TrainingSet,
    probability: NDArray[np.float64],
    points: NDArray[np.float64],
    others: Mapping[str, NDArray[np.float64]],
) -> Evaluation:
    """The evaluated scorer, its line alone, others beside it, points and the base rate on the test block."""
    fitted = whole.label[parts.fit]
    base_rate = float(fitted.mean())
    return evaluate(
        test.label,
        test.lead_hash,
        {
            "model": probability,
            "logistic regression": 1.0 / (1.0 + np.exp(-evaluated.scorer.ranker.line.raw(test.values))),
            **others,
            "points": points_as_probability(points[parts.fit], fitted, points[parts.test]),
            "base rate": np.full(len(test), base_rate),
        },
        base_rate=base_rate,
    )


def _reference(
    serving: Followed, train_set: TrainingSet, evaluated: Followed, test: Rows, probability: NDArray[np.float64]
) -> Reference:
    """One moment a lead among those predicted by fits that did not see them, for `similar`, percentiles and grades."""
    forward = evaluated.scorer.calibrator.probability(evaluated.choices.forward_raw)
    predicted, said = np.concatenate([evaluated.choices.forward_rows, test]), np.concatenate([forward, probability])
    order = np.argsort(predicted, kind="stable")
    predicted, said = predicted[order], said[order]
    drawn = draw_one_at_most(train_set.lead_hash[predicted])
    rows = train_set.take(predicted[drawn])
    fit, engagement = serving.scorer.fit_engagement(serving.scorer.explain(rows.values)[1])
    return Reference.build(
        train_set.definitions,
        values=rows.values,
        label=rows.label,
        probability=said[drawn],
        fit=fit,
        engagement=engagement,
    )


def _warnings(labelled: Labelled, whole: TrainingSet, parts: Split) -> tuple[str, ...]:
    said: list[str] = []
    converted = converted_leads(whole, np.arange(len(whole)))
    if converted < PROVISIONAL:
        said.append(
            f"Only {converted} leads converted within the horizon; under {PROVISIONAL} the model is provisional: its "
            "figures may still move a lot."
        )
    if labelled.before_recording:
        said.append(
            f"{labelled.before_recording:,} moments from before the first recorded conversions were left out: they "
            "would look like losses."
        )
    if parts.kind != "time":
        said.append(parts.words()[0])
    return tuple(said)
