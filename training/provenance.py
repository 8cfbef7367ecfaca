"""Where a model comes from: all that a bundle's manifest says of its training, as plain JSON."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from features.history import History
from features.workspace import Workspace
from training.dataset import TrainingSet
from training.follow import Followed, converted_leads
from training.labelled import Labelled
from training.points import PointsRules
from training.recipe import Recipe

PACKAGES = ("propensity", "lightgbm", "numpy", "scikit-learn", "numba", "duckdb")


def provenance(
    workspace: Workspace,
    history: History,
    labelled: Labelled,
    whole: TrainingSet,
    recipe: Recipe,
    evaluated: Followed,
    serving: Followed,
    rules: PointsRules,
) -> dict[str, Any]:
    """Counts, settings and versions; nothing of a single lead. Instants and durations are microseconds."""
    schedule = labelled.schedule
    return {
        "workspace": workspace.name,
        "converted": workspace.converted,
        "horizon": workspace.horizon,
        "data_end": history.data_end,
        "schedule": {
            "after_creation": list(schedule.after_creation),
            "every": schedule.every,
            "until": schedule.until,
        },
        "first_moment": int(whole.as_of[0]),
        "last_moment": int(whole.as_of[-1]),
        "oldest_age": int((whole.as_of - history.created_at[whole.lead]).max()),
        "settled_moments": len(whole),
        "unsettled_moments": len(labelled.unsettled),
        "before_recording": labelled.before_recording,
        "leads": len(np.unique(whole.lead)),
        "converted_leads": converted_leads(whole, np.arange(len(whole))),
        "recipe": recipe.to_json(),
        "choices": serving.choices.to_json(),
        "calibrations": serving.calibrations,
        "evaluated_choices": evaluated.choices.to_json(),
        "evaluated_calibrations": evaluated.calibrations,
        "points": rules.to_json(),
        "commit": _commit(),
        "versions": {
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in PACKAGES},
        },
    }


def _commit() -> str | None:
    """The commit that this code was checked out from; None outside of a checkout."""
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return found.stdout.strip()
