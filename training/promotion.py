"""A fair comparison of a challenger with the champion: on the same moments, by scorers that did not see them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from features.model_settings import NOTHING_SAID, ModelSettings
from features.moments import Schedule
from features.tables import read_history
from features.workspace import Workspace
from training.bootstrap import Estimate
from training.bundle import Bundle
from training.dataset import Rows, TrainingSet
from training.evaluation import paired_difference
from training.figures import plain_figures
from training.labelled import settled_moments
from training.ranker import Progress, fit_ranker
from training.recipe import Choices, Recipe
from training.scorer import Scorer
from training.split import Split, split


@dataclass(frozen=True)
class Comparison:
    """The challenger and the champion on the challenger's test block.

    Attributes
    ----------
    difference : log loss of the challenger less that of the champion; below 0 the challenger is better.
    champion_by : which of the champion's scorers stood in: one that did not see these moments.
    slope, ece : the champion's calibration there; None where it has no value.
    """

    difference: Estimate
    champion_by: str
    slope: float | None = None
    ece: float | None = None


def compare(
    workspace: Workspace, challenger: Bundle, champion: Bundle, progress: Progress = lambda what, fraction: None
) -> Comparison:
    """Score the challenger's test block with both, each by a scorer that did not see it.

    The tables are read again, up to the challenger's data_end. Of the champion stands in: what serves, where the block
    began after its data ended; else its evaluated scorer, where that saw nothing of the block; else its recipe and
    definitions, fitted on the challenger's side of the split.
    """
    progress("comparing with the champion", 0.0)
    ours, parts = _training_set(workspace, challenger, challenger.evaluated_scorer)
    told = ModelSettings.from_json(champion.manifest.get("model_settings", {}))
    theirs, _ = _training_set(workspace, challenger, champion.scorer, told)
    test = ours.take(parts.test)
    progress("comparing with the champion", 0.5)
    scorer, how = unseen_scorer(champion, theirs, parts.fit, parts.first_test)
    said = scorer.score(np.ascontiguousarray(theirs.values[parts.test]))[1]
    difference = paired_difference(test.label, test.lead_hash, challenger.evaluated_scorer.score(test.values)[1], said)
    of_champion = plain_figures(test.label, said)
    slope, ece = (_known(of_champion[name]) for name in ("calibration_slope", "ece"))
    progress("comparing with the champion", 1.0)
    return Comparison(difference, how, slope=slope, ece=ece)


def _known(figure: float) -> float | None:
    return figure if np.isfinite(figure) else None


def _training_set(
    workspace: Workspace, challenger: Bundle, scorer: Scorer, settings: ModelSettings = NOTHING_SAID
) -> tuple[TrainingSet, Split]:
    """The challenger's moments with the features of a scorer, and how the challenger divided them.

    Parameters
    ----------
    settings : those that the scorer's fits follow, where it may be fitted again.
    """
    about = challenger.manifest
    history = read_history(workspace, schema=scorer.definitions.schema, data_end=int(about["data_end"])).history
    plan = about["schedule"]
    schedule = Schedule(after_creation=tuple(plan["after_creation"]), every=plan["every"], until=plan["until"])
    labelled = settled_moments(history, schedule, int(about["horizon"]))
    moments, labels = labelled.moments, labelled.labels
    train_set = TrainingSet.build(history, moments, labels, scorer.definitions, int(about["horizon"]), settings)
    return train_set, split(train_set, delay=history.outcomes.delay, unsettled=labelled.unsettled)


def unseen_scorer(champion: Bundle, train_set: TrainingSet, fit: Rows, first_test: int) -> tuple[Scorer, str]:
    """The champion as a scorer that saw nothing of moments from `first_test` on, and how it came about.

    Parameters
    ----------
    train_set : with the champion's features.
    fit : its rows that a refit may see.
    """
    about = champion.manifest
    if int(about["data_end"]) <= first_test:
        return champion.scorer, "as it serves"
    own = about["split"]
    if own["kind"] == "time" and own["overlap"] == 0 and int(own["test_begin"]) <= first_test:
        return champion.evaluated_scorer, "as it was evaluated"
    recipe, told = Recipe.from_json(about["recipe"]), about["choices"]
    choices = Choices(
        rounds=told["rounds"],
        fitted_rows=told["fitted_rows"],
        c=told["c"],
        knots=told.get("knots", 0),
        weight=told["weight"],
        dropped=(),
        forward_rows=np.empty(0, np.int64),
        forward_raw=np.empty(0),
        losses={},
    )
    ranker = fit_ranker(recipe, choices, train_set, fit)
    return replace(champion.scorer, ranker=ranker), "its recipe fitted before these moments"
