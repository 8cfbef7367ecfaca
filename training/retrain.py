"""From a workspace's tables to a bundle: the whole story of a training, top to bottom."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.catalogue import build_catalogue
from features.definitions import Definitions
from features.errors import TooLittleData
from features.history import History
from features.moments import Moments, Schedule
from features.table_report import TableReport
from features.tables import read_history
from features.workspace import Workspace
from training.bundle import Bundle
from training.calibration import Calibrator, choose_calibrator, fit_calibrator
from training.cutoffs_table import Backtest
from training.dataset import Rows, TrainingSet
from training.evaluation import Evaluation, evaluate
from training.forward import choose
from training.outcomes import label_moments, recording_start
from training.points import PointsRules, points_as_probability, points_of
from training.ranker import Progress, fit_ranker
from training.recipe import Choices, Recipe
from training.reference import Reference, draw_one_each
from training.scorer import Scorer
from training.split import THIRDS, Split, choice_folds, split

PROVISIONAL = 120
"""Under so many converted leads a model is provisional: its figures may still move a lot."""


@dataclass(frozen=True, eq=False)
class Retrained:
    """What a training made: the bundle, and what there is to say about how it came about."""

    bundle: Bundle
    tables: TableReport
    split: Split
    train_set: TrainingSet
    warnings: tuple[str, ...]


def retrain(
    workspace: Workspace,
    *,
    recipe: Recipe | None = None,
    progress: Progress = lambda what, fraction: None,
    clock: Callable[[], int] = lambda: time.time_ns() // 1000,
) -> Retrained:
    """Train and evaluate a scorer on all that a workspace's tables say.

    The evaluated scorer never sees its test block. The one that serves follows the same recipe and choices on all
    settled moments; both are in the bundle.

    Raises
    ------
    DataError, TooLittleData
        The tables cannot be used, or hold too few settled outcomes.
    """
    recipe = recipe or Recipe()
    progress("reading the tables", 0.0)
    read = read_history(workspace, clock=clock)
    history = read.history
    progress("computing features", 0.0)
    labelled = settled_moments(history, workspace)
    definitions = build_catalogue(history, labelled.moments, workspace.horizon)
    train_set = TrainingSet.build(history, labelled.moments, labelled.labels, definitions, workspace.horizon)
    parts = split(train_set, delay=history.outcomes.delay, unsettled=labelled.unsettled)
    _require_features(definitions)

    choices = choose(recipe, train_set, parts.fit, choice_folds(train_set, parts.fit), progress)
    train_set = choices.reduce(train_set)
    forward = train_set.take(choices.forward_rows)
    calibrator, calibrations = choose_calibrator(choices.forward_raw, forward.label, forward.lead_hash, forward.as_of)
    evaluated = _scorer(recipe, choices, train_set, parts.fit, calibrator, progress, "fitting the evaluated model")
    test = train_set.take(parts.test)
    test_raw, test_probability = evaluated.score(test.values)
    every_row = np.arange(len(train_set), dtype=np.int64)
    forward_and_test = np.concatenate([choices.forward_raw, test_raw]), np.concatenate([forward.label, test.label])
    calibrator = fit_calibrator(calibrator.kind, *forward_and_test) or calibrator
    serving = _scorer(recipe, choices, train_set, every_row, calibrator, progress, "fitting the model that serves")

    progress("evaluating", 0.0)
    rules = PointsRules.of(workspace, history.schema)
    evaluation = _evaluate(history, train_set, parts, evaluated, test_probability, rules)
    predicted = np.concatenate([choices.forward_rows, parts.test])
    out_of_fold = np.concatenate([evaluated.calibrator.probability(choices.forward_raw), test_probability])
    warnings = _warnings(labelled, train_set, parts, serving)
    bundle = Bundle(
        scorer=serving,
        evaluated_scorer=evaluated,
        reference=_reference(serving, train_set, predicted, out_of_fold),
        backtest=Backtest.of(
            test_probability, test.label, test.lead_hash, test.as_of,
            part=1.0 if parts.kind == "time" else 1.0 / THIRDS,
        ),  # fmt: skip
        evaluation=evaluation,
        manifest={
            "workspace": workspace.name,
            "converted": workspace.converted,
            "horizon": workspace.horizon,
            "data_end": history.data_end,
            "trained_at": clock(),
            "first_moment": int(train_set.as_of[0]),
            "last_moment": int(train_set.as_of[-1]),
            "oldest_age": int((train_set.as_of - history.created_at[train_set.lead]).max()),
            "settled_moments": len(train_set),
            "unsettled_moments": len(labelled.unsettled),
            "before_recording": labelled.before_recording,
            "leads": len(np.unique(train_set.lead)),
            "converted_leads": _converted_leads(train_set),
            "schedule": _schedule_json(labelled.schedule),
            "points": rules.to_json(),
            "recipe": recipe.to_json(),
            "choices": choices.to_json(),
            "calibrations": calibrations,
            "split": parts.to_json(),
            "tables": read.report.to_json(),
            "warnings": list(warnings),
            "commit": _commit(),
            "versions": _versions(),
        },
    )
    return Retrained(bundle=bundle, tables=read.report, split=parts, train_set=train_set, warnings=warnings)


@dataclass(frozen=True, eq=False)
class Labelled:
    """The moments of a schedule with their labels.

    Attributes
    ----------
    moments, labels : the settled ones.
    unsettled : as_of of those that are not.
    before_recording : settled moments left out since outcomes were not recorded yet.
    """

    schedule: Schedule
    moments: Moments
    labels: NDArray[np.int8]
    unsettled: NDArray[np.int64]
    before_recording: int


def settled_moments(history: History, workspace: Workspace) -> Labelled:
    """The moments that training uses, as the workspace schedules them."""
    horizon = workspace.horizon
    schedule = workspace.schedule or Schedule.silent(horizon, has_events=len(history.events) > 0)
    moments = schedule.moments(history)
    labels = label_moments(history, moments, horizon)
    settled = labels >= 0
    unsettled = moments.as_of[~settled]
    moments, labels = moments.take(settled), labels[settled]
    start = recording_start(history, horizon, moments)
    early = moments.as_of < start if start is not None else np.zeros(len(moments), dtype=np.bool_)
    return Labelled(schedule, moments.take(~early), labels[~early], unsettled, int(early.sum()))


def _require_features(definitions: Definitions) -> None:
    if len(definitions) == 0:
        raise TooLittleData(
            "no attribute and no event that tells one lead from another",
            expected="at least one attribute column, or events before the moments",
            next_step="add columns to the leads table or rows to the events table; `propensity check` names what was left out",
        )


def _scorer(
    recipe: Recipe,
    choices: Choices,
    train_set: TrainingSet,
    rows: Rows,
    calibrator: Calibrator,
    progress: Progress,
    what: str,
) -> Scorer:
    """The recipe followed on these rows."""
    return Scorer(
        definitions=train_set.definitions,
        horizon=train_set.horizon,
        ranker=fit_ranker(recipe, choices, train_set, rows, progress=lambda _, fraction: progress(what, fraction)),
        calibrator=calibrator,
        average=float(train_set.label[rows].mean()),
        provisional=_converted_leads(train_set.take(rows)) < PROVISIONAL,
    )


def _evaluate(
    history: History,
    train_set: TrainingSet,
    parts: Split,
    evaluated: Scorer,
    probability: NDArray[np.float64],
    rules: PointsRules,
) -> Evaluation:
    """The evaluated scorer, its line alone, points and the base rate on the test block."""
    test, fitted = train_set.take(parts.test), train_set.take(parts.fit)
    base_rate = float(fitted.label.mean())
    points = points_of(history, Moments(train_set.lead, train_set.as_of), rules)
    line = evaluated.ranker.line.raw(test.values)
    return evaluate(
        test.label,
        test.lead_hash,
        {
            "model": probability,
            "logistic regression": 1.0 / (1.0 + np.exp(-line)),
            "points": points_as_probability(points[parts.fit], fitted.label, points[parts.test]),
            "base rate": np.full(len(test), base_rate),
        },
        base_rate=base_rate,
    )


def _reference(
    serving: Scorer, train_set: TrainingSet, predicted: Rows, probability: NDArray[np.float64]
) -> Reference:
    """One predicted moment a lead, for `similar`, percentiles and grades."""
    order = np.argsort(predicted, kind="stable")
    predicted, probability = predicted[order], probability[order]
    drawn = draw_one_each(train_set.lead_hash[predicted])
    rows = train_set.take(predicted[drawn])
    _, contributions = serving.explain(rows.values)
    fit, engagement = serving.fit_engagement(contributions)
    return Reference.build(
        train_set.definitions,
        values=rows.values,
        label=rows.label,
        probability=probability[drawn],
        fit=fit,
        engagement=engagement,
    )


def _converted_leads(train_set: TrainingSet) -> int:
    return len(np.unique(train_set.lead[train_set.label == 1]))


def _warnings(labelled: Labelled, train_set: TrainingSet, parts: Split, serving: Scorer) -> tuple[str, ...]:
    said: list[str] = []
    if serving.provisional:
        said.append(
            f"Only {_converted_leads(train_set)} leads converted within the horizon; under {PROVISIONAL} the model is "
            "provisional and its figures may move a lot."
        )
    if parts.kind != "time":
        said.extend(parts.words()[:2])
    if labelled.before_recording:
        said.append(
            f"{labelled.before_recording:,} moments from before the first recorded conversions were left out: "
            "they would look like losses."
        )
    return tuple(said)


def _schedule_json(schedule: Schedule) -> dict[str, Any]:
    return {"after_creation": list(schedule.after_creation), "every": schedule.every, "until": schedule.until}


def _commit() -> str | None:
    """The commit that this code was checked out from; None outside of a checkout."""
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return found.stdout.strip()


def _versions() -> dict[str, str]:
    packages = ("propensity", "lightgbm", "numpy", "scikit-learn", "numba", "duckdb")
    return {"python": platform.python_version(), **{name: importlib.metadata.version(name) for name in packages}}
