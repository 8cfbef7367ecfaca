"""A follower of the champion as a service holds one, and a registry that can be switched off."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from features.schema import Schema
from features.workspace import load_workspace
from serving.champion import Champion
from serving.metrics import Metrics
from serving.serving_model import ColdStart
from training.points import PointsRules
from training.registry import Registry, RegistryAway, open_registry


class Away:
    """A registry that can be switched off."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.away = False

    def __call__(self) -> Any:
        if self.away:
            raise RegistryAway("away")
        return self

    def __getattr__(self, name: str) -> Any:
        if self.away:
            raise RegistryAway("away")
        return getattr(self.registry, name)


def follow(folder: Path, registry: Callable[[], Any] | None = None) -> Champion:
    workspace = load_workspace(folder)
    schema = open_schema(folder)
    return Champion(
        folder=folder,
        state_folder=workspace.state_folder,
        registry=registry or (lambda: open_registry(workspace)),
        converted=workspace.converted,
        cold_start=lambda: (ColdStart(PointsRules.of(workspace, schema), workspace.horizon), schema),
        metrics=Metrics(),
    )


def open_schema(folder: Path) -> Any:
    return Schema(stages={name: each.stage for name, each in load_workspace(folder).events.items() if each.stage})
