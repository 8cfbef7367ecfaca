"""The model as MLflow keeps it: feature matrix in, probability out, with nothing but mlflow, lightgbm and numpy.

MLflow stores this one file beside the bundle's own files ("models from code") and runs it where the model is loaded:
nothing of ours needs to be installed there, so it says in numpy what `training.linear` and `training.calibration` say.
Tests hold the three together within 1e-12.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import lightgbm
import mlflow
import numpy as np
from mlflow.pyfunc.model import PythonModel, PythonModelContext


class FeatureMatrixModel(PythonModel):
    """Probabilities of rows of features.

    Rows hold float64 in the order of `definitions.json`: NaN missing, a category as the position of its value.
    """

    def load_context(self, context: PythonModelContext) -> None:
        folder = Path(context.artifacts["scorer"])
        self.trees = lightgbm.Booster(model_str=(folder / "trees.txt").read_text(encoding="utf-8"))
        ranker = json.loads((folder / "ranker.json").read_text(encoding="utf-8"))
        self.weight, self.line = float(ranker["weight"]), ranker["line"]
        self.calibrator = json.loads((folder / "calibrator.json").read_text(encoding="utf-8"))

    def predict(
        self, context: PythonModelContext, model_input: np.ndarray, params: dict[str, Any] | None = None
    ) -> Any:
        """float64[n], the calibrated probability of each row.

        MLflow makes the array of whatever it is given, a DataFrame or lists, by the logged signature. It reads the
        hint too, and is content with just this one.
        """
        values = np.ascontiguousarray(model_input, dtype=np.float64)
        if values.ndim != 2 or values.shape[1] != len(self.line["mean"]):
            raise ValueError(
                f"expected rows of {len(self.line['mean'])} features, found an array of shape {values.shape}"
            )
        if len(values) == 0:
            return np.empty(0)
        trees = np.asarray(self.trees.predict(values, raw_score=True), dtype=np.float64)
        return self._probability(self.weight * trees + (1.0 - self.weight) * self._line(values))

    def _line(self, values: Any) -> Any:
        line, total = self.line, np.full(len(values), float(self.line["base"]))
        for column, x in enumerate(values.T):
            missing = line["missing"][column]
            table = line["tables"].get(str(column))
            if table is not None:
                inside = (x >= 0) & (x < len(table))
                total += np.where(inside, np.array(table)[np.where(inside, x, 0).astype(np.int64)], missing)
                continue
            tamed = np.copysign(np.log1p(np.minimum(np.abs(x), 1e308)), x)
            z = np.clip((tamed - line["mean"][column]) / line["scale"][column], -6.0, 6.0)
            total += np.where(np.isnan(x), missing, line["known"][column] + line["slope"][column] * z)
        return total

    def _probability(self, raw: Any) -> Any:
        low, high, shift = (float(self.calibrator[name]) for name in ("low", "high", "shift"))
        if self.calibrator["kind"] == "identity":
            odds = raw
        elif low == high:
            odds = low * raw + shift
        else:
            odds = high * np.logaddexp(0.0, raw) - low * np.logaddexp(0.0, -raw) + shift
        return np.clip(1.0 / (1.0 + np.exp(-np.clip(odds, -40.0, 40.0))), 1e-6, 1.0 - 1e-6)


mlflow.models.set_model(FeatureMatrixModel())
