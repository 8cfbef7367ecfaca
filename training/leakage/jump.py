"""A column without which the model falls apart: in honest tables several columns share what is known of a lead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.leakage.finding import Finding, ignore_setting
from training.leakage.separation import auc
from training.leakage.sight import Sight
from training.leakage.subjects import Subject, reading, subject_of

JUMP = 0.08
"""Rise of the ROC-AUC by one attribute that is warned of."""
JUMP_OF_EVENTS = 0.15
"""The same for an event type or a column of events: events carry times, and much of what is known comes by few types."""
GAIN = 0.25
"""Part of all gain of the trees from which on a column is looked at: what carries less is no jump."""
MOST_COLUMNS = 60
_ROUNDS = 40
_PARAMETERS: Mapping[str, Any] = {
    "objective": "binary", "num_leaves": 8, "learning_rate": 0.15, "min_data_in_leaf": 20, "lambda_l2": 5.0,
    "max_bin": 63, "num_threads": 1, "seed": 1, "deterministic": True, "force_row_wise": True, "verbosity": -1,
}  # fmt: skip


@dataclass(frozen=True)
class Jump:
    """ROC-AUC of a quick model with a subject and without, on the same leads that it was not fitted on."""

    whole: float
    without: float

    @property
    def rise(self) -> float:
        return self.whole - self.without


def jumps(sight: Sight, columns: NDArray[np.int64]) -> dict[Subject, Jump]:
    """What the ROC-AUC of a quick model on these features loses without each subject that carries much of it."""
    definitions = sight.fit.definitions
    names = [subject_of(each) for each in definitions]
    strengths = np.nan_to_num(sight.strengths, nan=0.0)
    # all attributes stay while there is room: it is them that carry no times
    rank = strengths + np.array([each.about == "attribute" for each in names])
    columns = np.sort(columns[np.argsort(-rank[columns], kind="stable")[:MOST_COLUMNS]])
    if len(columns) < 2:
        return {}
    whole, gains = _model(sight, columns)
    if not np.isfinite(whole) or not gains.sum() > 0:
        return {}
    shares: dict[Subject, float] = {}
    for place, gain in zip(columns.tolist(), gains.tolist(), strict=True):
        shares[names[place]] = shares.get(names[place], 0.0) + gain / float(gains.sum())
    found: dict[Subject, Jump] = {}
    for subject, share in shares.items():
        if share < GAIN or subject.about == "feature":
            continue
        others = np.setdiff1d(columns, reading(definitions, subject, sight.history))
        if len(others):
            found[subject] = Jump(whole, _model(sight, others)[0])
    return found


def jump_findings(found: Mapping[Subject, Jump]) -> Iterator[Finding]:
    """Warn of columns that carry more of the model than one column should."""
    for subject, jump in found.items():
        if jump.rise < (JUMP if subject.about == "attribute" else JUMP_OF_EVENTS):
            continue
        yield Finding(
            code="carries_the_model",
            severity="possible",
            about=subject.about,
            subject=subject.name,
            sentence=f"with it a quick model has ROC-AUC {jump.whole:.3f}, without it {jump.without:.3f}: make sure that it "
            "was known at the moment, and not filled in later",
            figures={"roc_auc": jump.whole, "roc_auc_without": jump.without},
            setting=ignore_setting(subject.name),
        )


def _model(sight: Sight, columns: NDArray[np.int64]) -> tuple[float, NDArray[np.float64]]:
    """ROC-AUC on the predicted rows of the folds, and the gain of each column."""
    import lightgbm

    values, label = np.ascontiguousarray(sight.fit.values[:, columns]), sight.fit.label
    categorical = np.flatnonzero(sight.fit.definitions.categorical[columns]).tolist()
    gains = np.zeros(len(columns))
    said, seen = [], []
    for learn, predict in sight.folds:
        data = lightgbm.Dataset(
            values[learn], label[learn], categorical_feature=categorical, params=dict(_PARAMETERS), free_raw_data=True
        )
        booster = lightgbm.train(dict(_PARAMETERS), data, num_boost_round=_ROUNDS)
        said.append(np.asarray(booster.predict(values[predict], num_threads=1), dtype=np.float64))
        seen.append(label[predict])
        gains += booster.feature_importance("gain")
    return auc(np.concatenate(said), np.concatenate(seen)), gains
