"""The time before the first model: points by rule, and what is still missing until one can be trained."""

from __future__ import annotations

import numpy as np

from features.calendar_days import as_datetime
from features.history import History
from features.moments import Schedule
from features.workspace import Workspace
from serving.notices import Notice
from serving.serving_model import ColdStart
from training.outcomes import label_moments, settles_at
from training.points import PointsRules
from training.split import FIT_LEADS, TEST_LEADS

NEEDED = FIT_LEADS + TEST_LEADS
"""Leads of each label that training needs at least."""


def cold_start(workspace: Workspace, history: History) -> ColdStart:
    """What answers for a workspace that has no champion."""
    return ColdStart(
        rules=PointsRules.of(workspace, history.schema),
        horizon=workspace.horizon,
        missing=(Notice("warning.no_champion_next", {"missing": missing_to_train(workspace, history)}),),
    )


def missing_to_train(workspace: Workspace, history: History) -> tuple[Notice, ...]:
    """What the tables lack for a training: settled leads of a label, or time; a first training where they lack nothing.

    Counted on the moments that training would use. How they would fall into a test is not looked at: `train` says it.
    """
    schedule = workspace.schedule or Schedule.silent(workspace.horizon, has_events=len(history.events) > 0)
    moments = schedule.moments(history)
    labels = label_moments(history, moments, workspace.horizon)
    missing = []
    for key, label in (("missing.converted", 1), ("missing.lost", 0)):
        leads = len(np.unique(moments.lead[labels == label]))
        if leads < NEEDED:
            missing.append(Notice(key, {"n": NEEDED - leads}))
    if missing and len(moments) and (labels < 0).all():
        settled = as_datetime(int(settles_at(history, moments, workspace.horizon).min()))
        missing.append(Notice("missing.time", {"date": f"{settled:%Y-%m-%d}"}))
    return tuple(missing) or (Notice("missing.training"),)
