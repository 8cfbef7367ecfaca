"""Where a model comes from: all that a bundle's manifest says of its training, as plain JSON."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
import subprocess
from collections.abc import Mapping
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

PACKAGES = (
    "propensity", "lightgbm", "numpy", "scipy", "scikit-learn", "numba", "llvmlite", "duckdb", "pyarrow", "tzdata",
)  # fmt: skip
"""Whose other versions may give other bits."""
CHECKOUT = Path(__file__).parent.parent


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
        "settings": settings_text(workspace.told),
        "catalogue": _sha256(json.dumps(whole.definitions.to_json(), sort_keys=True).encode()),
        **surroundings(),
    }


def settings_text(told: Mapping[str, Any]) -> str:
    """What a propensity.toml says of how to train, as toml: all but names, where tables lie and what pages show.

    >>> settings_text({"tables": {"leads": "leads.csv"}, "target": {"converted": "won", "horizon": "30d"}})
    '[target]\\nconverted = "won"\\nhorizon = "30d"\\n'
    """
    import tomlkit

    about = {key: value for key, value in told.get("workspace", {}).items() if key != "name"}
    kept = {key: value for key, value in told.items() if key not in ("workspace", "tables", "page")}
    return tomlkit.dumps({"workspace": about, **kept} if about else kept)


def surroundings() -> dict[str, Any]:
    """What a training's bits hang on beside its tables and settings: the code, the packages and the machine.

    "commit" and "uncommitted_changes" are None outside of a checkout, as is "lock", the SHA-256 of requirements.lock.
    """
    lock = CHECKOUT / "requirements.lock"
    return {
        "commit": _git("rev-parse", "HEAD"),
        "uncommitted_changes": None if (changes := _git("status", "--porcelain", "-uno")) is None else bool(changes),
        "lock": _sha256(lock.read_bytes()) if lock.is_file() else None,
        "versions": {
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in PACKAGES},
        },
        "machine": f"{platform.system()} {platform.machine()}",
    }


def _git(*arguments: str) -> str | None:
    """What git says of the checkout that this code lies in; None outside of one."""
    try:
        found = subprocess.run(["git", *arguments], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return found.stdout.strip()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
