"""MLflow's store: opened once and quietly, asked by one process at a time where it is a file; its trouble in our words."""

from __future__ import annotations

import logging
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from features.errors import UsageError

if TYPE_CHECKING:
    from mlflow import MlflowClient

_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "GIT_PYTHON_REFRESH": "quiet",
}
_FLUENT = threading.Lock()
"""Held by whoever sets the store and the active run that the whole process shares."""


class RegistryAway(Exception):
    """The registry does not answer; what was fetched before can go on serving."""


class Store:
    """One client of MLflow for one workspace's experiment and registered model.

    Parameters
    ----------
    uri : MLflow's tracking address (`tracking_uri`).
    name : of experiment and registered model (`model_name`).
    state_folder : the workspace's; fetched bundles, and artifacts where a bare database is the store, lie in it.
    """

    def __init__(self, uri: str, name: str, *, state_folder: Path) -> None:
        self.uri, self.name, self.state_folder = uri, name, state_folder
        self._database = Path(uri.removeprefix("sqlite:///")) if uri.startswith("sqlite:///") else None
        if self._database is not None:
            self._database.parent.mkdir(parents=True, exist_ok=True)
        with self._alone(), without_chatter():
            self._client = _client(uri)
            # the first question makes or migrates the tables, which two processes must not do at once
            with self._answers():
                self._client.search_registered_models(max_results=1)

    @contextmanager
    def _answers(self) -> Iterator[None]:
        """Trouble with the store becomes `RegistryAway`, without the address's password."""
        from mlflow.exceptions import MlflowException

        try:
            yield
        except MlflowException as problem:
            raise RegistryAway(f"{shown(self.uri)}: {problem.error_code}") from None
        except OSError as problem:
            raise RegistryAway(f"{shown(self.uri)}: {type(problem).__name__}") from None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time where the store is a SQLite file; servers see to that themselves."""
        if self._database is None:
            yield
            return
        import fcntl

        try:
            lock = self._database.with_name(f"{self._database.name}.lock").open("a")
        except PermissionError:  # whoever can only read writes nothing that another could disturb
            yield
            return
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def shown(uri: str) -> str:
    """An address as it may stand in a message: without user and password."""
    parts = urlsplit(uri)
    return uri if parts.username is None else parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


@contextmanager
def without_chatter() -> Iterator[None]:
    """What MLflow's parts say about each other when they are first loaded; nobody here can mend it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The ``noload`` loader strategy is deprecated")
        warnings.filterwarnings("ignore", message=".*Any type hint is inferred as AnyType")
        warnings.filterwarnings("ignore", message="IProgress not found")  # in Jupyter: progress bars, which are off
        yield


@contextmanager
def default_store(uri: str) -> Iterator[None]:
    """Some of MLflow's functions know no client, only the store of the whole process: make it ours for a moment."""
    import mlflow

    with _FLUENT:
        # MLflow keeps the address in the environment too, for processes started later: what stood there must come back,
        # and where nothing did, nothing
        before = os.environ.get("MLFLOW_TRACKING_URI")
        mlflow.set_tracking_uri(uri)
        try:
            yield
        finally:
            mlflow.set_tracking_uri(before)  # type: ignore[arg-type]  # None takes it back


def _client(uri: str) -> MlflowClient:
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        return MlflowClient(tracking_uri=uri, registry_uri=uri)
    except MlflowException as problem:
        raise UsageError(
            where="MLFLOW_TRACKING_URI",
            found=f"{shown(uri)!r}, which MLflow does not open",
            expected="the address of an MLflow server, or a database such as sqlite:////path/mlflow.db",
            next_step="correct it, or unset it: then the workspace keeps its own store",
        ) from problem
