"""`propensity train --like`: the same model, bit for bit, from the same tables; others are named before anything is done."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from features.errors import DataError, UsageError
from features.workspace import load_workspace
from training.bundle import bundle_files
from training.made_again import follow_run
from training.registry import open_registry
from training.train_like import LIKE_TAG, train_like


def manifest(folder: Path, number: str) -> dict[str, Any]:
    registry = open_registry(load_workspace(folder))
    version = registry.find(number)
    assert version is not None
    found: dict[str, Any] = json.loads((registry.fetch(version) / "manifest.json").read_text(encoding="utf-8"))
    return found


def test_the_same_tables_give_the_same_model_whatever_the_toml_says_by_now(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    toml = trained / "propensity.toml"
    changed = toml.read_text(encoding="utf-8").replace('["1d", "7d"]', '["2d"]') + '[attributes]\nignore = ["source"]\n'
    toml.write_text(changed, encoding="utf-8")
    made = train_like(load_workspace(trained), "1", other_tables=False)
    said = capsys.readouterr()
    assert "propensity.toml says otherwise today; what it said then counts." in said.err
    assert "It is the model of version 1, bit for bit" in said.out
    assert "company version 2 is registered as challenger." in said.out
    first, second = manifest(trained, "1"), manifest(trained, "2")
    # the last two only where somebody commits or edits this code while the test runs
    otherwise = {"trained_at", "commit", "uncommitted_changes"}
    assert {key for key in first if first[key] != second.get(key)} <= otherwise
    assert first.keys() == second.keys()
    assert first["files"] == second["files"]
    registry = open_registry(load_workspace(trained))
    run_of_first = registry.find("1")
    assert run_of_first is not None
    assert registry.find(run_of_first.run_id) == run_of_first
    assert registry.run_tags(made.run_id)[LIKE_TAG] == run_of_first.run_id


def test_other_tables_are_refused_by_digest_and_followed_when_asked(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = manifest(trained, "1")["tables"]["tables"]["outcomes"]["digests"]["outcomes.csv"]
    outcomes = trained / "outcomes.csv"
    outcomes.write_bytes(b"".join(outcomes.read_bytes().splitlines(keepends=True)[:-9]))
    with pytest.raises(DataError) as refused:
        train_like(load_workspace(trained), "1", other_tables=False)
    (problem,) = refused.value.problems
    assert problem.where == "outcomes.csv"
    assert problem.expected.startswith(before[:12])
    assert "--other-tables" in problem.next_step
    assert open_registry(load_workspace(trained)).find("2") is None, "nothing was trained"

    made = train_like(load_workspace(trained), "1", other_tables=True)
    said = capsys.readouterr()
    assert f"then {before[:12]}" in said.err
    assert "It follows recipe and settings of version 1 on the tables of today." in said.out
    registry = open_registry(load_workspace(trained))
    then = follow_run(registry, "1")
    files = bundle_files(registry.fetch(made))
    verdict = then.verdict(follow_run(registry, "2").bundle, files)
    assert verdict.startswith("It is not the model of version 1:")
    assert f", then {before[:12]})" in verdict


@pytest.mark.parametrize("run", ["9", "0123456789abcdef0123456789abcdef", "' or 1=1", ""])
def test_a_run_that_made_no_version_is_refused(trained_once: Path, run: str) -> None:
    with pytest.raises(UsageError, match="no such run"):
        follow_run(open_registry(load_workspace(trained_once)), run)
