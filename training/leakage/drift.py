"""Columns that alone tell the tested moments from the fitted ones: what was learned of them no longer holds there."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from training.leakage.finding import Finding, ignore_setting
from training.leakage.separation import strength
from training.leakage.sight import Sight
from training.leakage.subjects import Subject, subject_of

DRIFT = 0.9
"""ROC-AUC of "is this moment a tested one?" from which on a column is warned of."""
MOST = 8
"""Columns that are named."""


def drift(sight: Sight) -> Iterator[Finding]:
    """Adversarial validation, one column at a time; no label is looked at.

    Only attributes and columns of events are judged: counts of events grow with what the tables have seen of a lead, and
    that alone tells early moments from late ones.
    """
    n, m = len(sight.fit), len(sight.tested)
    if not sight.in_time or min(n, m) < 50:
        return
    tested = np.r_[np.zeros(n, np.int8), np.ones(m, np.int8)]
    rows = np.arange(n + m, dtype=np.int64)
    folds = [(rows[rows % 2 == 0], rows[rows % 2 == 1]), (rows[rows % 2 == 1], rows[rows % 2 == 0])]
    worst: dict[Subject, float] = {}
    for place, definition in enumerate(sight.fit.definitions):
        subject = subject_of(definition)
        if subject.about not in ("attribute", "column of events"):
            continue
        codes = np.concatenate([sight.coded.fit[place], sight.coded.tested[place]])
        worst[subject] = max(worst.get(subject, 0.0), strength(codes, tested, folds, int(sight.coded.sizes[place])))
    found = sorted(
        ((value, each) for each, value in worst.items() if value >= DRIFT), key=lambda pair: (-pair[0], pair[1])
    )
    for value, subject in found[:MOST]:
        yield Finding(
            code="drift",
            severity="possible",
            about=subject.about,
            subject=subject.name,
            sentence=f"alone it tells the tested moments from the fitted ones (ROC-AUC {value:.2f}): its values have moved, "
            "and what was learned of the old ones may not hold",
            figures={"roc_auc": value},
            setting=ignore_setting(subject.name),
        )
