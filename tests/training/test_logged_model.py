"""The model as MLflow keeps it: loads where nothing of ours is installed, and says what the scorer says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from oracles.made_scorers import CURVED, made_bundle, made_scorer, spoken
from oracles.made_training_sets import simulated
from training.bundle import save_bundle
from training.calibration import IDENTITY, Calibrator
from training.registry import Registry, model_name, tracking_uri

# MLflow about a type of its own, when its pyfunc is first imported; the registry keeps it quiet for the product
pytestmark = pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType:UserWarning")

ELSEWHERE = """
import sys, warnings

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("features", "training", "serving", "numba", "sklearn", "shap", "matplotlib"):
            raise ModuleNotFoundError(f"{name} is not installed here", name=name)

sys.meta_path.insert(0, Absent())
import mlflow
import numpy as np

mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model(sys.argv[2])
rows = np.load(sys.argv[3])
np.save(sys.argv[4], model.predict(rows))
import pandas as pd
frame = pd.DataFrame(rows, columns=model.metadata.metadata["features"])
assert (model.predict(frame) == np.load(sys.argv[4])).all()
assert not [name for name in sys.modules if name.split(".")[0] in ("features", "training", "serving")]
"""


def test_the_logged_model_agrees_with_the_scorer_where_nothing_of_ours_is_installed(tmp_path: Path) -> None:
    bundle, train_set = made_bundle(300)
    save_bundle(bundle, tmp_path / "bundle")
    uri = tracking_uri(tmp_path / "state", {})
    registry = Registry(uri, model_name("b2b"), state_folder=tmp_path / "state")
    registry.register(tmp_path / "bundle", params={}, metrics={})
    rows = np.concatenate([train_set.values, np.full((1, 5), np.nan), [[0.0, -3.0, 1e9, 0.5, 99.0]]])
    np.save(tmp_path / "rows.npy", rows)
    arguments = [uri, "models:/b2b@challenger", str(tmp_path / "rows.npy"), str(tmp_path / "said.npy")]
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    said = np.load(tmp_path / "said.npy")
    assert said == pytest.approx(bundle.scorer.score(rows)[1], abs=1e-12)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle", "rows.npy", "said.npy", "state"]


@pytest.mark.parametrize("calibrator", [IDENTITY, Calibrator("platt", 0.8, 0.8, -0.3), CURVED])
@pytest.mark.parametrize("weight", [0.0, 0.25, 1.0])
def test_every_calibrator_and_mix_is_said_alike(calibrator: Calibrator, weight: float, tmp_path: Path) -> None:
    from mlflow.pyfunc.model import PythonModelContext

    from training.bundle import _save_scorer
    from training.logged_model import FeatureMatrixModel

    train_set = spoken(simulated(300))
    scorer = made_scorer(train_set, weight=weight, calibrator=calibrator, rounds=10)
    _save_scorer(scorer, tmp_path / "serving")
    context = PythonModelContext(artifacts={"scorer": str(tmp_path / "serving")}, model_config=None)
    model = FeatureMatrixModel()
    model.load_context(context)
    said = model.predict(context, train_set.values)
    assert said == pytest.approx(scorer.score(train_set.values)[1], abs=1e-12)
    assert model.predict(context, np.empty((0, 5))).shape == (0,)
    with pytest.raises(ValueError, match="rows of 5 features"):
        model.predict(context, np.zeros((2, 4)))
