"""MLflow, seen from here: runs with all that belongs to them, a registered model, its champion and challenger.

MLflow is imported when a registry is opened, not before (it takes seconds), with its telemetry, progress bars and chatter
off. `Registry` keeps one client, so that asking for the champion costs milliseconds.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from features.definitions import Definitions
from features.errors import UsageError
from features.workspace import Workspace
from training.bundle import BundleBroken, bundle_digest, folder_at_once, load_bundle
from training.calibration_record import LivingCalibration, calibration_digest, load_calibration

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

CHAMPION, CHALLENGER = "champion", "challenger"
HISTORY_TAG = "propensity.champions"
"""Tag of the registered model: the versions that were champion, the last one at the end."""
DIGEST_TAG = "propensity.digest"
PROMOTED_TAG = "propensity.promoted_at"
"""Tag of a model version: when it last became champion, UTC microseconds."""
FORCED_TAG = "propensity.forced"
"""Tag of a model version: why it was promoted although gates refused it, and which (JSON); gone once it passes them."""
PARENT_TAG = "mlflow.parentRunId"
"""Tag of a run: the one that it is a part of, as MLflow's page shows it."""
CALIBRATION_TAG = "propensity.calibration"
"""Tag of a model version: number and digest of the living calibration that it serves with, as "2:0f3a..."; "" for none."""
CALIBRATIONS_TAG = "propensity.calibrations"
"""Tag of a model version: the calibrations that it served with, the last one at the end, each as above."""
REMEMBERED = 100
CALIBRATIONS_REMEMBERED = 50
"""Each takes some 70 of the 5,000 characters that a tag holds."""
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "GIT_PYTHON_REFRESH": "quiet",
}
CALIBRATIONS = "calibrations"
"""Folder of a run's artifacts, and of the state folder, in which living calibrations lie."""
_FLUENT = threading.Lock()
"""Held by whoever sets the store and the active run that the whole process shares."""


class RegistryAway(Exception):
    """The registry does not answer; what was fetched before can go on serving."""


class NothingToRollBack(UsageError):
    """No champion came before the one that serves."""


class NothingToUndo(UsageError):
    """The model serves as it left training."""


@dataclass(frozen=True)
class Version:
    """A registered model version.

    Attributes
    ----------
    digest : of its bundle.
    calibration : number of the living calibration that it serves with; None as it left training.
    calibration_digest : of that; "" without one.
    """

    model: str
    number: str
    digest: str
    run_id: str
    calibration: int | None = None
    calibration_digest: str = ""


@dataclass(frozen=True)
class Registered:
    """A version as people look back on it.

    Attributes
    ----------
    trained_at, promoted_at : UTC microseconds; `promoted_at` is when it last became champion, None where it never was
        (or was before this was written down).
    was_champion : whether it ever served; the one that serves now included.
    metrics : of its own test block, as "roc_auc"; each model was tested on other leads.
    forced : why it was promoted although gates refused it, as JSON with "reason", "refused" and "by"; None where it was
        not.
    """

    number: str
    trained_at: int
    promoted_at: int | None
    champion: bool
    challenger: bool
    was_champion: bool
    metrics: Mapping[str, float]
    forced: str | None = None


def tracking_uri(state_folder: Path, environment: Mapping[str, str]) -> str:
    """MLFLOW_TRACKING_URI where it is set, else SQLite in the workspace's state folder."""
    return environment.get("MLFLOW_TRACKING_URI") or f"sqlite:///{state_folder.resolve() / 'mlflow.db'}"


def model_name(workspace: str) -> str:
    """Name of a workspace's registered model: the workspace's, without what MLflow and paths don't take."""
    return re.sub(r"[^\w-]+", "-", workspace).strip("-") or "propensity"


def open_registry(workspace: Workspace) -> Registry:
    """The registry that MLFLOW_TRACKING_URI names, else the one in the workspace."""
    state = workspace.state_folder
    return Registry(tracking_uri(state, os.environ), model_name(workspace.name), state_folder=state)


class Registry:
    """The registered model of one workspace.

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
        with self._alone(), _without_chatter():
            self._client = _client(uri)
            # the first question makes or migrates the tables, which two processes must not do at once
            with self._answers():
                self._client.search_registered_models(max_results=1)

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
        with self._alone(), _default_store(self.uri):
            made = self._client.create_model_version(
                self.name, source=model_uri, run_id=run_id, model_id=model_id, tags={DIGEST_TAG: bundle.digest}
            )
            self._client.set_registered_model_alias(self.name, CHALLENGER, str(made.version))
        return _version(made)

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

    def champion(self) -> Version | None:
        """The version that serves; None before the first. Costs a few milliseconds."""
        return self.by_alias(CHAMPION)

    def challenger(self) -> Version | None:
        """The version that was trained last."""
        return self.by_alias(CHALLENGER)

    def by_alias(self, alias: str) -> Version | None:
        """The version with this alias, or None.

        Raises
        ------
        RegistryAway
            The registry does not answer.
        """
        from mlflow.exceptions import MlflowException

        with self._answers():
            try:
                return _version(self._client.get_model_version_by_alias(self.name, alias))
            except MlflowException as problem:
                if problem.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                    return None
                raise

    def find(self, told: str) -> Version | None:
        """The version of this number, or the one that the run of this id made; None where there is neither.

        Raises
        ------
        RegistryAway
            The registry does not answer.
        """
        if not re.fullmatch(r"[0-9a-zA-Z_-]{1,64}", told):
            return None
        with self._answers():
            of_model = f"name = '{self.name}'"
            if told.isdecimal() and len(told) < 10:
                found = [
                    each for each in self._client.search_model_versions(of_model) if int(each.version) == int(told)
                ]
            else:
                found = list(self._client.search_model_versions(f"{of_model} and run_id = '{told}'"))
        return _version(max(found, key=lambda each: int(each.version))) if found else None

    def run_tags(self, run_id: str) -> dict[str, str]:
        """The tags of a run."""
        with self._answers():
            return dict(self._client.get_run(run_id).data.tags)

    def set_champion(self, number: str, *, forced: str | None = None) -> Version:
        """Let a version serve, and remember the one that served before.

        Parameters
        ----------
        forced : why it serves although gates refused it, see `Registered.forced`.
        """
        with self._alone():
            held = self._client.get_model_version(self.name, number)
            chosen, was_forced = _version(held), FORCED_TAG in held.tags
            before = self.champion()
            served = self._served()
            if before is not None and served[-1:] != [before.number]:
                served.append(before.number)  # the alias was moved by hand since
            if before is None or before.number != number:
                served.append(number)
            if forced is not None:  # before the alias: who serves by force is never without the reason
                self._client.set_model_version_tag(self.name, number, FORCED_TAG, forced)
            self._client.set_registered_model_alias(self.name, CHAMPION, number)
            self._client.set_model_version_tag(self.name, number, PROMOTED_TAG, str(time.time_ns() // 1000))
            if forced is None and was_forced:
                self._client.delete_model_version_tag(self.name, number, FORCED_TAG)
            self._remember(served)
        return chosen

    def versions(self, *, newest: int = 20) -> list[Registered]:
        """The newest versions, the newest first, each with what became of it.

        Raises
        ------
        RegistryAway
            The registry does not answer.
        """
        with self._answers():
            if not self._client.search_registered_models(f"name = '{self.name}'"):
                return []
            champion, challenger, served = self.champion(), self.challenger(), self._served()
            found = sorted(
                self._client.search_model_versions(f"name = '{self.name}'"), key=lambda each: -int(each.version)
            )
            return [
                Registered(
                    number=str(each.version),
                    trained_at=int(each.creation_timestamp) * 1000,
                    promoted_at=int(each.tags[PROMOTED_TAG]) if PROMOTED_TAG in each.tags else None,
                    champion=champion is not None and champion.number == str(each.version),
                    challenger=challenger is not None and challenger.number == str(each.version),
                    was_champion=str(each.version) in served,
                    metrics=dict(self._client.get_run(each.run_id).data.metrics) if each.run_id else {},
                    forced=each.tags.get(FORCED_TAG),
                )
                for each in found[:newest]
            ]

    def rollback(self) -> Version:
        """Undo the last promotion: the champion of before serves again.

        Raises
        ------
        NothingToRollBack
        """
        with self._alone():
            now = self.champion()
            served = self._served() if now is not None else []  # without a champion there may be no model to ask about
            if now is not None and served[-1:] == [now.number]:
                served.pop()
            if now is None or not served:
                raise NothingToRollBack(
                    found="no champion before the one that serves" if now else "no champion",
                    expected="a promotion to undo",
                    next_step="propensity promote makes a challenger champion",
                )
            chosen = _version(self._client.get_model_version(self.name, served[-1]))
            self._client.set_registered_model_alias(self.name, CHAMPION, served[-1])
            self._client.set_model_version_tag(self.name, served[-1], PROMOTED_TAG, str(time.time_ns() // 1000))
            self._remember(served)
        return chosen

    def fetch(self, version: Version) -> Path:
        """The folder of a version's bundle, fetched once and known by its digest.

        Raises
        ------
        BundleBroken
            What the registry holds is not what was registered.
        """
        folder = self.state_folder / "bundles" / version.digest
        if folder.is_dir():
            if _holds(folder, version.digest):
                return folder
            shutil.rmtree(folder)  # cut short by a full disk, say: fetched again
        with tempfile.TemporaryDirectory() as temporary:
            got = Path(self._client.download_artifacts(version.run_id, "bundle", temporary))
            load_bundle(got, digest=version.digest)
            try:
                with folder_at_once(folder) as place:
                    shutil.copytree(got, place, dirs_exist_ok=True)
            except OSError:
                if not _holds(folder, version.digest):  # else another process was faster
                    raise
        return folder

    def _log(self, run_id: str, params: Mapping[str, Any], metrics: Mapping[str, float | None]) -> None:
        from mlflow.entities import Metric, Param

        now = self._client.get_run(run_id).info.start_time
        known = [Metric(name, float(value), now, 0) for name, value in metrics.items() if value is not None]
        said = [Param(name, _text(value)) for name, value in params.items()]
        for start in range(0, max(len(known), len(said)), 100):
            part = slice(start, start + 100)
            self._client.log_batch(run_id, metrics=known[part], params=said[part])

    def calibrate(self, version: Version, folder: Path) -> Version:
        """Let a version serve with a living calibration from now on.

        It becomes the artifact ``calibrations/N`` of the version's run, and the version's tag names it: what follows
        the alias finds it there. The one before is kept, to go back to.

        Parameters
        ----------
        folder : as `save_calibration` wrote it.
        """
        digest = calibration_digest(folder)
        with self._alone(), _without_chatter(), self._answers():
            served = self._calibrations(version)
            artifacts = self._client.list_artifacts(version.run_id, CALIBRATIONS)
            numbers = [int(name) for each in artifacts if (name := each.path.rpartition("/")[2]).isdecimal()]
            number = 1 + max(numbers, default=0)  # a number that was undone is not given again
            self._client.log_artifacts(version.run_id, str(folder), f"{CALIBRATIONS}/{number}")
            return self._serve_with(version, [*served, f"{number}:{digest}"])

    def undo_calibration(self, version: Version) -> Version:
        """Let a version serve as before its last living calibration, or as it left training.

        Raises
        ------
        NothingToUndo
        """
        with self._alone(), self._answers():
            served = self._calibrations(version)
            if not served:
                raise NothingToUndo(
                    found=f"{version.model} version {version.number} serves as it left training",
                    expected="a living calibration to undo",
                    next_step="propensity recalibrate makes one",
                )
            return self._serve_with(version, served[:-1])

    def fetch_calibration(self, version: Version) -> LivingCalibration | None:
        """The living calibration that a version serves with, fetched once and known by its digest; None without one.

        Raises
        ------
        BundleBroken
            What the registry holds is not what was registered.
        """
        if version.calibration is None:
            return None
        folder = self.state_folder / CALIBRATIONS / version.calibration_digest
        if folder.is_dir():
            try:
                return remembered_calibration(self.state_folder, version)
            except BundleBroken:
                shutil.rmtree(folder)  # cut short by a full disk, say: fetched again
        with tempfile.TemporaryDirectory() as temporary:
            place = f"{CALIBRATIONS}/{version.calibration}"
            got = Path(self._client.download_artifacts(version.run_id, place, temporary))
            found = load_calibration(got, digest=version.calibration_digest, number=version.calibration)
            try:
                with folder_at_once(folder) as draft:
                    shutil.copytree(got, draft, dirs_exist_ok=True)
            except OSError:
                if not folder.is_dir():  # else another process was faster
                    raise
        return found

    def _calibrations(self, version: Version) -> list[str]:
        text = self._client.get_model_version(self.name, version.number).tags.get(CALIBRATIONS_TAG, "")
        return text.split(",") if text else []

    def _serve_with(self, version: Version, calibrations: list[str]) -> Version:
        kept = ",".join(calibrations[-CALIBRATIONS_REMEMBERED:])
        newest = calibrations[-1] if calibrations else ""
        self._client.set_model_version_tag(self.name, version.number, CALIBRATIONS_TAG, kept)
        # last: whoever looks meanwhile serves with the one before
        self._client.set_model_version_tag(self.name, version.number, CALIBRATION_TAG, newest)
        return _version(self._client.get_model_version(self.name, version.number))

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

    def _log_model(self, run_id: str, bundle_folder: Path, definitions: Definitions) -> tuple[str, str]:
        import lightgbm
        import mlflow
        from mlflow.models import ModelSignature
        from mlflow.types import Schema, TensorSpec

        rows = TensorSpec(np.dtype("float64"), (-1, len(definitions)))
        with _without_chatter(), _default_store(self.uri), mlflow.start_run(run_id=run_id, nested=True):
            info = mlflow.pyfunc.log_model(
                name="model",
                python_model=str(Path(__file__).with_name("logged_model.py")),
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

    def _served(self) -> list[str]:
        text = self._client.get_registered_model(self.name).tags.get(HISTORY_TAG, "")
        return text.split(",") if text else []

    def _remember(self, served: list[str]) -> None:
        self._client.set_registered_model_tag(self.name, HISTORY_TAG, ",".join(served[-REMEMBERED:]))

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


def synthetic_rows(definitions: Definitions) -> NDArray[np.float64]:
    """Two made-up rows, as an example of the model's input: all ones (the second value of each category), all unknown."""
    known = [min(1.0, len(each.categories) - 1.0) if each.categorical else 1.0 for each in definitions]
    return np.array([known, [np.nan] * len(definitions)])


def shown(uri: str) -> str:
    """An address as it may stand in a message: without user and password."""
    parts = urlsplit(uri)
    return uri if parts.username is None else parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


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


@contextmanager
def _without_chatter() -> Iterator[None]:
    """What MLflow's parts say about each other when they are first loaded; nobody here can mend it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The ``noload`` loader strategy is deprecated")
        warnings.filterwarnings("ignore", message=".*Any type hint is inferred as AnyType")
        yield


@contextmanager
def _default_store(uri: str) -> Iterator[None]:
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


def remembered_calibration(state_folder: Path, version: Version) -> LivingCalibration | None:
    """The living calibration of a version from what was fetched before, without asking the registry; None without one."""
    if version.calibration is None:
        return None
    folder = state_folder / CALIBRATIONS / version.calibration_digest
    return load_calibration(folder, digest=version.calibration_digest, number=version.calibration)


def _version(found: ModelVersion) -> Version:
    number, _, digest = str(found.tags.get(CALIBRATION_TAG, "")).partition(":")
    return Version(
        model=str(found.name),
        number=str(found.version),
        digest=str(found.tags.get(DIGEST_TAG, "")),
        run_id=str(found.run_id),
        calibration=int(number) if number else None,
        calibration_digest=digest,
    )


def _holds(folder: Path, digest: str) -> bool:
    try:
        return bundle_digest(folder) == digest
    except BundleBroken:
        return False


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 6000 else text[:5999] + "…"
