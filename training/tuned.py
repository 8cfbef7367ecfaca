"""Is the best recipe of a search better than the default? Asked of leads that the search never looked at.

The best of many is flattered by luck: on the rows that chose it its loss is always low. So half of the leads are kept
from the search, and on them both recipes are followed as a training follows them, with another seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from training.dataset import Rows, TrainingSet
from training.evaluation import COMPARED, Evaluation
from training.forward import Folds, choose
from training.losses import log_losses, paired_difference
from training.ranker import Progress
from training.recipe import Recipe
from training.split import THIRDS, choice_folds, lead_thirds

ERRORS = 1.0
"""Paired standard errors, clustered by lead, by which the default must be beaten."""
LEAST_LEADS = 20
"""Leads of each label that the searched and the kept half must each predict; with fewer nothing is searched."""
DEFAULT = "default recipe"
"""The evaluation's name for it, beside the tuned model."""
NAMES = {
    "roc_auc": "ROC-AUC",
    "average_precision": "average precision",
    "log_loss": "log loss",
    "brier": "Brier score",
}


@dataclass(frozen=True)
class Tuned:
    """What a search came to.

    Attributes
    ----------
    recipe : the one to follow: the default unless another was clearly better.
    taken : whether it is another.
    story : counts and losses as plain JSON, for the manifest and `tuning_words`.
    """

    recipe: Recipe
    taken: bool
    story: Mapping[str, Any]


def halves(train_set: TrainingSet, rows: Rows) -> tuple[Folds, Folds] | None:
    """The folds of the choices, their predicted leads parted in two: those that are searched and those that are kept.

    None where a half would hold under `LEAST_LEADS` leads of a label. Both halves are predicted by the same fits: each
    third of the leads, by the other two thirds' earlier moments.
    """
    kept = np.zeros(len(train_set), dtype=np.bool_)
    # sixths lie within the thirds that the folds are made of
    kept[rows] = lead_thirds(train_set, rows, 2 * THIRDS) % 2 == 1
    folds = choice_folds(train_set, rows)
    parted = (
        [(fit, predict[~kept[predict]]) for fit, predict in folds],
        [(fit, predict[kept[predict]]) for fit, predict in folds],
    )
    for half in parted:
        predicted = np.concatenate([predict for _, predict in half])
        label, lead = train_set.label[predicted], train_set.lead_hash[predicted]
        if min(len(np.unique(lead[label == each])) for each in (0, 1)) < LEAST_LEADS:
            return None
        if not all(len(predict) for _, predict in half):
            return None
    return parted


def confirm(
    default: Recipe, best: Recipe, train_set: TrainingSet, rows: Rows, kept: Folds, *, progress: Progress
) -> tuple[bool, dict[str, Any]]:
    """Whether `best` beats the default by more than `ERRORS` paired standard errors on the kept leads.

    Returns
    -------
    The verdict, and the figures that it rests on.
    """
    what = "comparing the best with the default recipe"
    raws = []
    for place, recipe in enumerate((default, best)):

        def half(_: str, part: float, place: int = place) -> None:
            progress(what, (place + part) / 2)

        choices = choose(replace(recipe, seed=recipe.seed + 1), train_set, rows, kept, half)
        raws.append(choices.forward_raw)
    predicted = np.sort(np.concatenate([predict for _, predict in kept]))
    label, lead = train_set.label[predicted], train_set.lead_hash[predicted]
    theirs, ours = (log_losses(raw, label) for raw in raws)
    difference, error = paired_difference(ours, theirs, lead)
    figures = {
        "moments": len(predicted),
        "leads": len(np.unique(lead)),
        "default_loss": float(theirs.mean()),
        "best_loss": float(ours.mean()),
        "difference": difference,
        "error": error,
    }
    return difference < -ERRORS * error, figures


def with_gain(tuned: Tuned, evaluation: Evaluation) -> dict[str, Any]:
    """The story with what the tuned recipe gained on the test block: its figures less the default's, with intervals."""
    if not tuned.taken:
        return {**tuned.story, "gain": None}
    return {**tuned.story, "gain": {name: each.to_json() for name, each in evaluation.differences[DEFAULT].items()}}


def tuning_words(story: Mapping[str, Any] | None) -> list[str]:
    """What a search did and gained, as sentences; none without one.

    Parameters
    ----------
    story : what the manifest holds under "tuning".
    """
    if story is None:
        return []
    spent = (
        f"{story['trials']:,} recipe{'s' if story['trials'] != 1 else ''} tried in {story['seconds'] / 60:.1f} minutes"
    )
    if not story["confirmed"]:
        return [f"Tuning: {spent}. The default recipe stays: {story['why']}."]
    figures = story["confirmed"]
    said = (
        f"On {figures['leads']:,} leads that the search never looked at the best had a log loss of "
        f"{figures['best_loss']:.4f}, the default {figures['default_loss']:.4f} (difference {figures['difference']:+.4f}, "
        f"standard error {figures['error']:.4f})"
    )
    if not story["taken"]:
        return [f"Tuning: {spent}. {said}: not clearly better, so the default recipe stays."]
    lines = [f"Tuning: {spent}. {said}: it is followed."]
    gain = story.get("gain") or {}
    parts = [f"{NAMES[name]} {_gained(gain[name])}" for name in COMPARED if name in gain]
    if parts:
        lines.append(f"Gained on the test block, tuned less default: {'; '.join(parts)}.")
    return lines


def _gained(each: Mapping[str, float | None]) -> str:
    if each["point"] is None:
        return "without a value"
    if each["low"] is None or each["high"] is None:
        return f"{each['point']:+.4f}"
    return f"{each['point']:+.4f} [{each['low']:+.4f}, {each['high']:+.4f}]"
