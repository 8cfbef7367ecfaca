"""Workspaces of the journeys: one is trained once for all tests and all their processes, each test gets a copy."""

from __future__ import annotations

import fcntl
import shutil
from pathlib import Path

import pytest

from journeys.made_workspace import QUICK, made_tables, write
from journeys.running import propensity


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The trained workspace; look at it, and change a copy."""
    base = tmp_path_factory.getbasetemp()
    root = (base if worker_id == "master" else base.parent) / "journeys"
    root.mkdir(exist_ok=True)
    with (root / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder, said = root / "company", root / "train.txt"
        if not said.exists():
            write(folder, made_tables(), toml=QUICK)
            said.write_text(propensity("train", folder, env={"OMP_NUM_THREADS": "1"}).out, encoding="utf-8")
    return folder


@pytest.fixture
def trained(trained_once: Path, tmp_path: Path) -> Path:
    """A trained workspace of one's own."""
    return Path(shutil.copytree(trained_once, tmp_path / "company"))


@pytest.fixture
def untrained(tmp_path: Path) -> Path:
    """The same workspace before anybody trained."""
    return write(tmp_path / "company", made_tables(), toml=QUICK)
