"""May a challenger become champion? Gates on its figures, and a fair comparison with the champion on the same moments.

A gate refuses only where the 95% interval of a difference lies wholly on the bad side. With few conversions it warns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from features.definitions import duration_text
from features.moments import Schedule
from features.tables import read_history
from features.workspace import Workspace
from training.bootstrap import Estimate
from training.bundle import Bundle
from training.dataset import Rows, TrainingSet
from training.evaluation import paired_difference
from training.follow import PROVISIONAL
from training.labelled import settled_moments
from training.ranker import Progress, fit_ranker
from training.recipe import Choices, Recipe
from training.scorer import Scorer
from training.split import Split, split

SLOPE = (0.5, 2.0)
"""Between these a calibration slope may lie: outside, probabilities are twice too bold or too shy."""


@dataclass(frozen=True)
class Gate:
    """One condition of a promotion.

    Attributes
    ----------
    name : short, for people.
    passed : False refuses.
    words : the figures, as a sentence.
    warning : passed, but only because there is too little to refuse on.
    """

    name: str
    passed: bool
    words: str
    warning: bool = False


@dataclass(frozen=True)
class Comparison:
    """Log loss of the challenger less that of the champion on the challenger's test block.

    Attributes
    ----------
    difference : below 0 the challenger is better.
    champion_by : which of the champion's scorers stood in: one that did not see these moments.
    """

    difference: Estimate
    champion_by: str


def gates(challenger: Bundle, champion: Bundle | None, comparison: Comparison | None) -> list[Gate]:
    """All gates of a promotion. Without a champion there is nothing to compare with."""
    about = challenger.manifest
    few = int(about["converted_leads"]) < PROVISIONAL
    found = [_settled(about)]
    if champion is not None:
        found.append(_comparable(about, champion.manifest))
    base = challenger.evaluation.differences["base rate"]["log_loss"]
    found.append(_judged("better than the base rate", base, "Log loss less that of the base rate", few))
    if comparison is not None:
        what = f"Log loss less that of the champion ({comparison.champion_by})"
        found.append(_judged("not worse than the champion", comparison.difference, what, few))
    found.append(_slope(challenger.evaluation.models["model"].metrics["calibration_slope"], few))
    return found


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
    theirs, _ = _training_set(workspace, challenger, champion.scorer)
    test = ours.take(parts.test)
    progress("comparing with the champion", 0.5)
    scorer, how = unseen_scorer(champion, theirs, parts.fit, parts.first_test)
    difference = paired_difference(
        test.label,
        test.lead_hash,
        challenger.evaluated_scorer.score(test.values)[1],
        scorer.score(np.ascontiguousarray(theirs.values[parts.test]))[1],
    )
    progress("comparing with the champion", 1.0)
    return Comparison(difference, how)


def _training_set(workspace: Workspace, challenger: Bundle, scorer: Scorer) -> tuple[TrainingSet, Split]:
    """The challenger's moments with the features of a scorer, and how the challenger divided them."""
    about = challenger.manifest
    history = read_history(workspace, schema=scorer.definitions.schema, data_end=int(about["data_end"])).history
    plan = about["schedule"]
    schedule = Schedule(after_creation=tuple(plan["after_creation"]), every=plan["every"], until=plan["until"])
    labelled = settled_moments(history, schedule, int(about["horizon"]))
    moments, labels = labelled.moments, labelled.labels
    train_set = TrainingSet.build(history, moments, labels, scorer.definitions, int(about["horizon"]))
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
        weight=told["weight"],
        dropped=(),
        forward_rows=np.empty(0, np.int64),
        forward_raw=np.empty(0),
        losses={},
    )
    ranker = fit_ranker(recipe, choices, train_set, fit)
    return replace(champion.scorer, ranker=ranker), "its recipe fitted before these moments"


def _settled(about: Mapping[str, Any]) -> Gate:
    late = int(about["split"]["last_test"]) + int(about["horizon"]) - int(about["data_end"])
    words = "All tested moments were settled when the data ended."
    if late > 0:
        words = f"Tested moments reach {duration_text(late)} past the end of the data."
    return Gate("test data settled", late <= 0, words)


def _comparable(about: Mapping[str, Any], champion: Mapping[str, Any]) -> Gate:
    same = about["horizon"] == champion["horizon"] and about["converted"] == champion["converted"]
    words = "Both predict the same outcome within the same horizon."
    if not same:
        words = (
            f'The challenger predicts "{about["converted"]}" within {duration_text(about["horizon"])}, the champion '
            f'"{champion["converted"]}" within {duration_text(champion["horizon"])}: they cannot be compared.'
        )
    return Gate("comparable with the champion", same, words)


def _judged(name: str, difference: Estimate, what: str, few: bool) -> Gate:
    """A difference in loss: bad where its interval lies wholly above 0."""
    bad = difference.low is not None and difference.low > 0
    return Gate(name, few or not bad, f"{what}: {_said(difference)}; below 0 is better.", warning=few and bad)


def _slope(slope: Estimate, few: bool) -> Gate:
    low, high = SLOPE
    bad = slope.low is not None and slope.high is not None and (slope.high < low or slope.low > high)
    words = f"Calibration slope: {_said(slope)}; 1 is true, {low} to {high} is allowed."
    return Gate("calibrated", few or not bad, words, warning=few and bad)


def _said(estimate: Estimate) -> str:
    if estimate.point is None:
        return "has no value on this test block"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.point:.4f}"
    return f"{estimate.point:.4f} [{estimate.low:.4f}, {estimate.high:.4f}]"
