"""The registry on a real MLflow store: runs, versions, champions, and what happens when something is in the way."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from features.errors import UsageError
from oracles.made_scorers import made_bundle
from training.bundle import MANIFEST, BundleBroken, load_bundle, save_bundle
from training.registry import (
    NothingToRollBack,
    Registry,
    RegistryAway,
    Version,
    model_name,
    shown,
    synthetic_rows,
    tracking_uri,
)


@pytest.fixture(scope="module")
def bundle_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "bundle"
    save_bundle(made_bundle(200)[0], folder)
    return folder


def opened(folder: Path) -> Registry:
    return Registry(tracking_uri(folder, {}), model_name("b2b"), state_folder=folder)


def registered(registry: Registry, bundle_folder: Path) -> Version:
    return registry.register(bundle_folder, params={}, metrics={})


def test_a_run_holds_parameters_metrics_report_commit_and_bundle(bundle_folder: Path, tmp_path: Path) -> None:
    registry = opened(tmp_path / "state")
    report = tmp_path / "report"
    report.mkdir()
    (report / "report.md").write_text("# words")
    version = registry.register(
        bundle_folder,
        params={"recipe": {"rounds": [64, 90]}, "horizon": 5, **{f"p{i}": i for i in range(150)}, "long": "x" * 9000},
        metrics={"log_loss": 0.25, "calibration_slope": None},
        tags={"mlflow.source.git.commit": "c0ffee"},
        report_folder=report,
    )
    run = registry._client.get_run(version.run_id)
    assert run.info.status == "FINISHED"
    assert json.loads(run.data.params["recipe"]) == {"rounds": [64, 90]}
    assert run.data.params["p149"] == "149"
    assert len(run.data.params["long"]) == 6000
    assert run.data.metrics == {"log_loss": 0.25}
    assert run.data.tags["mlflow.source.git.commit"] == "c0ffee"
    assert {each.path for each in registry._client.list_artifacts(version.run_id)} == {"bundle", "report"}
    assert version.digest == load_bundle(bundle_folder).digest
    assert registry.challenger() == version
    assert registry.champion() is None


def test_everything_is_kept_in_the_state_folder(
    bundle_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    registered(opened(tmp_path / "state"), bundle_folder)
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert {path.name for path in (tmp_path / "state").iterdir()} == {"mlflow.db", "mlflow.db.lock", "mlartifacts"}
    assert capfd.readouterr() == ("", ""), "MLflow says nothing on its own"


def test_promotions_are_undone_one_by_one(bundle_folder: Path, tmp_path: Path) -> None:
    registry = opened(tmp_path)
    one, two, three = (registered(registry, bundle_folder) for _ in range(3))
    assert [one.number, two.number, three.number] == ["1", "2", "3"]
    with pytest.raises(NothingToRollBack, match="no champion"):
        registry.rollback()
    for each in (one, two, three, one):
        assert registry.set_champion(each.number) == each
        assert registry.champion() == each
    registry.set_champion(one.number)  # again: nothing new to undo
    assert [registry.rollback(), registry.rollback(), registry.rollback()] == [three, two, one]
    assert registry.champion() == one
    with pytest.raises(NothingToRollBack, match="no champion before"):
        registry.rollback()
    assert registry.champion() == one


def test_a_champion_moved_by_hand_is_undone_too(bundle_folder: Path, tmp_path: Path) -> None:
    registry = opened(tmp_path)
    one, two, three = (registered(registry, bundle_folder) for _ in range(3))
    registry.set_champion(one.number)
    registry._client.set_registered_model_alias(registry.name, "champion", "2")
    assert registry.rollback() == one
    registry._client.set_registered_model_alias(registry.name, "champion", "2")
    registry.set_champion(three.number)
    assert registry.rollback() == two
    assert registry.rollback() == one


def test_another_process_sees_a_new_champion_at_once(bundle_folder: Path, tmp_path: Path) -> None:
    ours, theirs = opened(tmp_path), opened(tmp_path)
    one, two = (registered(ours, bundle_folder) for _ in range(2))
    ours.set_champion(one.number)
    assert theirs.champion() == one
    ours.set_champion(two.number)
    assert theirs.champion() == two


def test_a_bundle_is_fetched_once_and_again_when_it_was_cut_short(bundle_folder: Path, tmp_path: Path) -> None:
    registry = opened(tmp_path)
    version = registered(registry, bundle_folder)
    folder = registry.fetch(version)
    assert folder == tmp_path / "bundles" / version.digest
    assert load_bundle(folder, digest=version.digest).digest == version.digest
    written = (folder / MANIFEST).stat().st_mtime_ns
    assert registry.fetch(version) == folder
    assert (folder / MANIFEST).stat().st_mtime_ns == written
    (folder / MANIFEST).write_text("{")
    load_bundle(registry.fetch(version), digest=version.digest)
    assert [path.name for path in (tmp_path / "bundles").iterdir()] == [version.digest]


def test_a_registry_that_holds_another_bundle_is_not_believed(bundle_folder: Path, tmp_path: Path) -> None:
    registry = opened(tmp_path)
    version = registered(registry, bundle_folder)
    (trees,) = (tmp_path / "mlartifacts").glob("*/artifacts/bundle/serving/trees.txt")
    trees.write_text("tree of somebody else")
    with pytest.raises(BundleBroken, match=r"serving/trees\.txt"):
        registry.fetch(version)
    assert not (tmp_path / "bundles" / version.digest).exists()


def test_a_training_that_breaks_off_leaves_no_version(bundle_folder: Path, tmp_path: Path) -> None:
    registry = opened(tmp_path)
    with pytest.raises(TypeError):
        registry.register(bundle_folder, params={"not json": object()}, metrics={})
    assert registry.challenger() is None
    (run,) = registry._client.search_runs([registry._client.get_experiment_by_name("b2b").experiment_id])
    assert run.info.status == "FAILED"


def test_two_trainings_at_once_both_register(bundle_folder: Path, tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from training.registry import Registry, tracking_uri
state = Path(sys.argv[1])
registry = Registry(tracking_uri(state, {}), "b2b", state_folder=state)
print(registry.register(Path(sys.argv[2]), params={}, metrics={}).number)
"""
    both = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "state"), str(bundle_folder)],
            cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    said = [each.communicate() for each in both]
    assert [each.returncode for each in both] == [0, 0], said
    assert {out.strip() for out, _ in said} == {"1", "2"}
    assert [err for _, err in said] == ["", ""]


def test_a_registry_that_is_away_says_so(bundle_folder: Path, tmp_path: Path) -> None:
    registry = opened(tmp_path)
    registry.set_champion(registered(registry, bundle_folder).number)
    store = registry._client._get_registry_client().store
    shutil.move(tmp_path / "mlflow.db", tmp_path / "away.db")
    store.engine.dispose()
    with pytest.raises(RegistryAway):
        registry.champion()
    store.engine.dispose()
    shutil.move(tmp_path / "away.db", tmp_path / "mlflow.db")
    assert registry.champion() is not None


def test_a_server_that_does_not_answer_is_away_and_its_password_is_not_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(RegistryAway) as found:
        Registry("http://me:secret@127.0.0.1:9", "b2b", state_folder=tmp_path)
    assert "secret" not in str(found.value)


def test_the_processes_own_store_is_left_as_it_was(
    bundle_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    registered(opened(tmp_path), bundle_folder)
    assert "MLFLOW_TRACKING_URI" not in os.environ
    assert mlflow.active_run() is None
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:////somewhere/else.db")
    registered(opened(tmp_path), bundle_folder)
    assert os.environ["MLFLOW_TRACKING_URI"] == mlflow.get_tracking_uri() == "sqlite:////somewhere/else.db"
    mlflow.set_tracking_uri(None)


def test_an_address_that_mlflow_does_not_open_is_a_usage_error_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="MLFLOW_TRACKING_URI") as found:
        Registry("ftp://me:secret@example.org/x", "b2b", state_folder=tmp_path)
    assert "secret" not in str(found.value)
    assert found.value.exit_code == 2


def test_the_address_is_the_environments_else_one_in_the_workspace(tmp_path: Path) -> None:
    assert tracking_uri(tmp_path, {"MLFLOW_TRACKING_URI": "http://mlflow:5000"}) == "http://mlflow:5000"
    assert tracking_uri(tmp_path, {"MLFLOW_TRACKING_URI": ""}) == f"sqlite:///{tmp_path}/mlflow.db"
    assert shown("http://me:pw@mlflow:5000/a") == "http://mlflow:5000/a"
    assert shown("sqlite:////data/a.db") == "sqlite:////data/a.db"


def test_a_models_name_is_the_workspaces_without_what_paths_do_not_take() -> None:
    assert model_name("b2b") == "b2b"
    assert model_name("営業 / 2026: Q1") == "営業-2026-Q1"
    assert model_name("../..") == "propensity"


def test_the_example_of_the_models_input_is_made_up(bundle_folder: Path) -> None:
    definitions = load_bundle(bundle_folder).scorer.definitions
    rows = synthetic_rows(definitions)
    assert rows.shape == (2, len(definitions))
    assert rows[0].tolist() == [1.0] * len(definitions)
