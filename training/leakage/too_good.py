"""A feature that alone ranks leads as only the outcome itself could."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from training.leakage.finding import Finding, trust_setting
from training.leakage.separation import auc_error, strength
from training.leakage.sight import Sight
from training.leakage.subjects import Subject, subject_of

TOO_GOOD = 0.95
"""ROC-AUC above which one feature is not believed."""
TWIN = 0.995
"""ROC-AUC from which on a feature is the label under another name."""
FEWEST = 10
"""Leads of each label on which a rank must have been tried."""


def too_good(sight: Sight) -> Iterator[Finding]:
    """Judge each feature alone, on leads (and, where time allows, later moments) that its rates were not learned on.

    An attribute is held against what became of the lead at all, too: an amount signed says who ever bought, and
    moments long before still count as not converted.
    """
    definitions = sight.fit.definitions
    best: dict[Subject, tuple[float, int]] = {}
    for place, own in enumerate(sight.strengths.tolist()):
        subject = subject_of(definitions[place])
        if np.isfinite(own) and own > best.get(subject, (0.0, 0))[0]:
            best[subject] = (own, place)
    predicted = np.concatenate([rows for _, rows in sight.folds])
    fates = (sight.fit.label, sight.won[sight.position[sight.fit.lead]].astype(np.int8))
    for subject, (value, place) in best.items():
        label = fates[0]
        if subject.about == "attribute":
            by_fate = strength(sight.coded.fit[place], fates[1], sight.folds, int(sight.coded.sizes[place]))
            if by_fate > value:
                value, label = by_fate, fates[1]
        told = [len(np.unique(sight.fit.lead[predicted[label[predicted] == each]])) for each in (1, 0)]
        sure = value - 2 * auc_error(value, *told)
        if value <= TOO_GOOD or min(told) < FEWEST or sure < TOO_GOOD - 0.05:
            continue
        twin = value >= TWIN and sure > 0.98
        what = "" if subject.about != "event type" else f" by {definitions[place].name}"
        yield Finding(
            code="label_twin" if twin else "too_good",
            severity="certain" if twin else "likely",
            about=subject.about,
            subject=subject.name,
            sentence=f"alone it ranks leads that it was not learned on with ROC-AUC {value:.3f}{what}"
            + (
                ": it is the outcome under another name" if twin else f"; above {TOO_GOOD} it knows more than it should"
            ),
            figures={"roc_auc": value},
            setting=trust_setting(subject.name),
        )
