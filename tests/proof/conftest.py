"""The example worlds, each made and trained once a test run, however many processes run the tests."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from features.errors import UsageError
from features.workspace import Workspace, load_workspace
from features.worlds import make_world
from serving.serving_model import ServingModel
from training.bundle import Bundle, load_bundle, save_bundle
from training.recipe import Recipe
from training.retrain import retrain

QUICK = Recipe(rounds=(64, 128), cs=(0.01,), line_rows=10_000)
"""Enough to have real trees and a real line; what is proven of them does not hang on how good they are."""
B2B_LEADS = 4_500
"""Enough for the default recipe to come within 5% of the true probabilities: 5.1% above them with 3,000 leads, 3.2% with
4,500, 3.7% with 6,000."""


@dataclass(frozen=True, eq=False)
class TrainedWorld:
    """A world on disk and a model really trained on it. Not to be changed.

    Attributes
    ----------
    lead_id, as_of, values : the training matrix of the serving scorer, as training had it.
    """

    folder: Path
    bundle: Bundle
    lead_id: NDArray[np.str_]
    as_of: NDArray[np.int64]
    values: NDArray[np.float64]

    @property
    def workspace(self) -> Workspace:
        return load_workspace(self.folder)

    @property
    def model(self) -> ServingModel:
        return ServingModel("proof", "1", self.bundle)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Only one process at a time is in here."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _trained(root: Path, name: str, *, size: int | None = None, recipe: Recipe | None = None) -> TrainedWorld:
    folder, bundle_folder, matrix = root / name, root / f"{name}-bundle", root / f"{name}-matrix.npz"
    with _alone(root / f"{name}.lock"):
        if not bundle_folder.exists():
            try:
                make_world(name, folder, size=size)
            except UsageError as missing:
                pytest.skip(str(missing))
            done = retrain(load_workspace(folder), recipe=recipe)
            rows = done.train_set
            ids = _ids(folder, rows.lead)
            np.savez(matrix, lead_id=ids, as_of=rows.as_of, values=rows.values)
            save_bundle(done.bundle, bundle_folder)
    with np.load(matrix, allow_pickle=False) as arrays:
        return TrainedWorld(folder, load_bundle(bundle_folder), arrays["lead_id"], arrays["as_of"], arrays["values"])


def _ids(folder: Path, lead: NDArray[np.int64]) -> NDArray[np.str_]:
    """Ids of positions: leads are numbered by their sorted ids."""
    import pandas as pd

    known = sorted(pd.read_parquet(folder / "leads.parquet", columns=["lead_id"])["lead_id"])
    return np.array(known, dtype=np.str_)[lead]


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all processes of a test run."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "proof"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def completejourney(shared_folder: Path) -> TrainedWorld:
    return _trained(shared_folder, "completejourney", recipe=QUICK)


@pytest.fixture(scope="session")
def cdnow(shared_folder: Path) -> TrainedWorld:
    return _trained(shared_folder, "cdnow", recipe=QUICK)


@pytest.fixture(scope="session")
def b2b(shared_folder: Path) -> TrainedWorld:
    """By the default recipe: it is compared with the truth."""
    return _trained(shared_folder, "b2b", size=B2B_LEADS)


@pytest.fixture(scope="session")
def quick() -> Recipe:
    return QUICK
