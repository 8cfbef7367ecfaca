"""Runs: a training, or a search or comparison that is none, with its parameters, figures, texts and tags."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from training.registry.store import Store

PARENT_TAG = "mlflow.parentRunId"
"""Tag of a run: the one that it is a part of, as MLflow's page shows it."""


class Runs(Store):
    """The runs of one workspace's experiment."""

    def open_run(self, name: str, *, under: str | None = None, tags: Mapping[str, str] | None = None) -> str:
        """Begin a run that is no training, such as a search or a comparison; returns its id.

        Parameters
        ----------
        under : the run that it is a part of.
        """
        told = {"mlflow.runName": name, **(tags or {}), **({PARENT_TAG: under} if under else {})}
        with self._answers():
            return self._start_run(told)

    def log_run(
        self,
        run_id: str,
        *,
        params: Mapping[str, Any] = {},
        metrics: Mapping[str, float | None] = {},
        texts: Mapping[str, str] = {},
    ) -> None:
        """Add to a run what was found out; `texts` are files by name."""
        with self._answers():
            self._log(run_id, params, metrics)
            for name, text in texts.items():
                self._client.log_text(run_id, text, name)

    def close_run(self, run_id: str, *, status: str = "FINISHED") -> None:
        """End a run: FINISHED, FAILED or KILLED; RUNNING takes it up again."""
        with self._answers():
            if status == "RUNNING":
                self._client.update_run(run_id, status)
            else:
                self._client.set_terminated(run_id, status)

    def has_run(self, run_id: str) -> bool:
        """Whether the registry (still) holds a run."""
        from mlflow.exceptions import MlflowException

        with self._answers():
            try:
                return str(self._client.get_run(run_id).info.lifecycle_stage) == "active"
            except MlflowException as problem:
                if problem.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                    return False
                raise

    def nest_run(self, run_id: str, *, under: str) -> None:
        """Make a run a part of another, that began later."""
        with self._answers():
            self._client.set_tag(run_id, PARENT_TAG, under)

    def run_tags(self, run_id: str) -> dict[str, str]:
        """The tags of a run."""
        with self._answers():
            return dict(self._client.get_run(run_id).data.tags)

    def _start_run(self, tags: dict[str, str]) -> str:
        with self._alone():
            found = self._client.get_experiment_by_name(self.name)
            if found is None:
                place = None
                if "://" in self.uri and not self.uri.startswith(("http://", "https://", "databricks")):
                    # a bare database has no idea where artifacts go; MLflow would put them in the current folder
                    home = self._database.resolve().parent if self._database else self.state_folder.resolve()
                    place = (home / "mlartifacts").as_uri()
                experiment_id = self._client.create_experiment(self.name, artifact_location=place)
            else:
                experiment_id = found.experiment_id
            if not self._client.search_registered_models(f"name = '{self.name}'"):
                self._client.create_registered_model(self.name)
            return str(self._client.create_run(experiment_id, tags=tags).info.run_id)

    def _log(self, run_id: str, params: Mapping[str, Any], metrics: Mapping[str, float | None]) -> None:
        from mlflow.entities import Metric, Param

        now = self._client.get_run(run_id).info.start_time
        known = [Metric(name, float(value), now, 0) for name, value in metrics.items() if value is not None]
        said = [Param(name, _text(value)) for name, value in params.items()]
        for start in range(0, max(len(known), len(said)), 100):
            part = slice(start, start + 100)
            self._client.log_batch(run_id, metrics=known[part], params=said[part])


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 6000 else text[:5999] + "…"
