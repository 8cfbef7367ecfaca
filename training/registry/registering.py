"""Registering a training: one run with all that belongs to it, and a new version, the challenger."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.definitions import Definitions
from training.bundle import load_bundle
from training.registry.lookup import CHALLENGER
from training.registry.runs import Runs
from training.registry.store import default_store, without_chatter
from training.registry.version import DIGEST_TAG, Version, version_of


class Registering(Runs):
    """Trainings become runs and versions."""

    def register(
        self,
        bundle_folder: Path,
        *,
        params: Mapping[str, Any],
        metrics: Mapping[str, float | None],
        tags: Mapping[str, str] | None = None,
        report_folder: Path | None = None,
    ) -> Version:
        """Log a training as one run, and its bundle as a new version with the alias `challenger`.

        The version is made last: an interrupted training leaves a run that says so, and no version.

        Parameters
        ----------
        params : values are written as text, mappings and lists as JSON.
        metrics : those that are None have no value and are left out.
        tags : as ``mlflow.source.git.commit``.
        report_folder : plots and words.
        """
        bundle = load_bundle(bundle_folder)
        run_id = self._start_run(dict(tags or {}))
        try:
            self._log(run_id, params, metrics)
            self._client.log_artifacts(run_id, str(bundle_folder), "bundle")
            if report_folder is not None:
                self._client.log_artifacts(run_id, str(report_folder), "report")
            model_uri, model_id = self._log_model(run_id, bundle_folder, bundle.scorer.definitions)
            self._client.set_terminated(run_id, "FINISHED")
        except BaseException as problem:
            self._client.set_terminated(run_id, "FAILED" if isinstance(problem, Exception) else "KILLED")
            raise
        # to make a version MLflow asks the default store about the logged model
        with self._alone(), default_store(self.uri):
            made = self._client.create_model_version(
                self.name, source=model_uri, run_id=run_id, model_id=model_id, tags={DIGEST_TAG: bundle.digest}
            )
            self._client.set_registered_model_alias(self.name, CHALLENGER, str(made.version))
        return version_of(made)

    def _log_model(self, run_id: str, bundle_folder: Path, definitions: Definitions) -> tuple[str, str]:
        import lightgbm
        import mlflow
        from mlflow.models import ModelSignature
        from mlflow.types import Schema, TensorSpec

        rows = TensorSpec(np.dtype("float64"), (-1, len(definitions)))
        with without_chatter(), default_store(self.uri), mlflow.start_run(run_id=run_id, nested=True):
            info = mlflow.pyfunc.log_model(
                name="model",
                python_model=str(Path(__file__).parents[1] / "logged_model.py"),
                artifacts={"scorer": str(bundle_folder / "serving")},
                signature=ModelSignature(Schema([rows]), Schema([TensorSpec(np.dtype("float64"), (-1,))])),
                input_example=synthetic_rows(definitions),
                # said, not found out: finding out takes a minute and asks the network
                pip_requirements=[
                    f"mlflow=={mlflow.__version__}",
                    f"lightgbm=={lightgbm.__version__}",
                    f"numpy=={np.__version__}",
                ],
                metadata={"features": list(definitions.names)},
            )
        return str(info.model_uri), str(info.model_id)


def synthetic_rows(definitions: Definitions) -> NDArray[np.float64]:
    """Two made-up rows, as an example of the model's input: all ones (the second value of each category), all unknown."""
    known = [min(1.0, len(each.categories) - 1.0) if each.categorical else 1.0 for each in definitions]
    return np.array([known, [np.nan] * len(definitions)])
