"""The registry of a workspace: where it is, what its model is called, and all that it can do."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from features.workspace import Workspace
from training.registry.bundles import Bundles
from training.registry.calibrations import Calibrations
from training.registry.promotions import Promotions
from training.registry.registering import Registering


class Registry(Registering, Promotions, Calibrations, Bundles):
    """The registered model of one workspace; `Store` says what it is made of."""


def open_registry(workspace: Workspace) -> Registry:
    """The registry that MLFLOW_TRACKING_URI names, else the one in the workspace."""
    state = workspace.state_folder
    return Registry(tracking_uri(state, os.environ), model_name(workspace.name), state_folder=state)


def tracking_uri(state_folder: Path, environment: Mapping[str, str]) -> str:
    """MLFLOW_TRACKING_URI where it is set, else SQLite in the workspace's state folder."""
    return environment.get("MLFLOW_TRACKING_URI") or f"sqlite:///{state_folder.resolve() / 'mlflow.db'}"


def model_name(workspace: str) -> str:
    """Name of a workspace's registered model: the workspace's, without what MLflow and paths don't take."""
    return re.sub(r"[^\w-]+", "-", workspace).strip("-") or "propensity"
