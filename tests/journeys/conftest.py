"""Workspaces of the journeys: one is trained once for all tests and all their processes, each test gets a copy."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from journeys.made_workspace import QUICK, made_tables, write
from journeys.running import propensity


@pytest.fixture(scope="session")
def trained_once(made_once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    """The trained workspace; look at it, and change a copy."""

    def train(folder: Path) -> None:
        write(folder, made_tables(), toml=QUICK)
        propensity("train", folder, env={"OMP_NUM_THREADS": "1"})

    return made_once("company", train)


@pytest.fixture
def trained(trained_once: Path, tmp_path: Path) -> Path:
    """A trained workspace of one's own."""
    return Path(shutil.copytree(trained_once, tmp_path / "company"))


@pytest.fixture
def untrained(tmp_path: Path) -> Path:
    """The same workspace before anybody trained."""
    return write(tmp_path / "company", made_tables(), toml=QUICK)
