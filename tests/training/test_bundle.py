"""Bundles: whole or not at all, the same bits again, and nothing changed unnoticed."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from oracles.made_scorers import made_bundle
from training.bundle import MANIFEST, Bundle, BundleBroken, bundle_digest, load_bundle, save_bundle
from training.dataset import TrainingSet
from training.explanation import Explainer


@pytest.fixture(scope="module")
def made() -> tuple[Bundle, TrainingSet]:
    return made_bundle()


def test_a_bundle_comes_back_with_the_same_bits(made: tuple[Bundle, TrainingSet], tmp_path: Path) -> None:
    bundle, train_set = made
    digest = save_bundle(bundle, tmp_path / "bundle")
    found = load_bundle(tmp_path / "bundle", digest=digest)
    assert found.digest == digest == bundle_digest(tmp_path / "bundle")
    assert found.manifest == bundle.manifest
    assert found.evaluation == bundle.evaluation
    for ours, theirs in ((bundle.scorer, found.scorer), (bundle.evaluated_scorer, found.evaluated_scorer)):
        assert theirs.definitions == ours.definitions
        assert (theirs.horizon, theirs.average, theirs.provisional) == (ours.horizon, ours.average, ours.provisional)
        for one, other in zip(ours.score(train_set.values), theirs.score(train_set.values), strict=True):
            assert one.tobytes() == other.tobytes()
        assert ours.explain(train_set.values)[1].tobytes() == theirs.explain(train_set.values)[1].tobytes()
    assert found.backtest.pair(0.2, 0.4, draws=9) == bundle.backtest.pair(0.2, 0.4, draws=9)
    raw, _ = bundle.scorer.score(train_set.values)
    ours_told = Explainer.of(bundle.scorer, bundle.reference).explain(train_set.values, raw)
    theirs_told = Explainer.of(found.scorer, found.reference).explain(train_set.values, raw)
    assert list(ours_told) == list(theirs_told)


def test_the_same_bundle_gives_the_same_digest(made: tuple[Bundle, TrainingSet], tmp_path: Path) -> None:
    digest = save_bundle(made[0], tmp_path / "one")
    assert save_bundle(load_bundle(tmp_path / "one"), tmp_path / "other") == digest
    changed = replace(made[0], manifest={**made[0].manifest, "converted": "other"})
    assert save_bundle(changed, tmp_path / "changed") != digest


def test_a_bundle_is_text_json_and_plain_arrays(made: tuple[Bundle, TrainingSet], tmp_path: Path) -> None:
    save_bundle(made[0], tmp_path / "bundle")
    files = [path for path in (tmp_path / "bundle").rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".json", ".txt", ".npy"}
    for path in files:
        if path.suffix == ".npy":
            np.load(path, allow_pickle=False)
        else:
            path.read_text(encoding="utf-8")


def test_others_may_read_a_bundle(made: tuple[Bundle, TrainingSet], tmp_path: Path) -> None:
    save_bundle(made[0], tmp_path / "bundle")
    assert stat.S_IMODE(os.stat(tmp_path / "bundle").st_mode) == 0o755


@pytest.mark.parametrize("name", ["serving/trees.txt", "reference/edges.npy", "evaluation.json", "backtest/label.npy"])
@pytest.mark.parametrize("deed", ["changed", "missing"])
def test_a_file_changed_or_gone_is_named(
    made: tuple[Bundle, TrainingSet], tmp_path: Path, name: str, deed: str
) -> None:
    save_bundle(made[0], tmp_path / "bundle")
    path = tmp_path / "bundle" / name
    if deed == "changed":
        content = path.read_bytes()
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    else:
        path.unlink()
    with pytest.raises(BundleBroken, match=name.replace(".", r"\.")):
        load_bundle(tmp_path / "bundle")


def test_a_changed_manifest_does_not_have_the_digest(made: tuple[Bundle, TrainingSet], tmp_path: Path) -> None:
    digest = save_bundle(made[0], tmp_path / "bundle")
    path = tmp_path / "bundle" / MANIFEST
    path.write_text(path.read_text(encoding="utf-8").replace("b2b", "b2c"), encoding="utf-8")
    assert load_bundle(tmp_path / "bundle").manifest["workspace"] == "b2c"
    with pytest.raises(BundleBroken, match=digest[:12]):
        load_bundle(tmp_path / "bundle", digest=digest)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}"])
def test_a_folder_without_a_readable_manifest_is_no_bundle(tmp_path: Path, text: str) -> None:
    with pytest.raises(BundleBroken, match="no readable manifest"):
        load_bundle(tmp_path)
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(BundleBroken, match="no readable manifest"):
        load_bundle(tmp_path)


def test_a_bundle_of_another_format_is_refused(made: tuple[Bundle, TrainingSet], tmp_path: Path) -> None:
    save_bundle(made[0], tmp_path / "bundle")
    path = tmp_path / "bundle" / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | {"format": 99}))
    with pytest.raises(BundleBroken, match="format 99"):
        load_bundle(tmp_path / "bundle")


def test_saving_that_fails_leaves_nothing(made: tuple[Bundle, TrainingSet], tmp_path: Path) -> None:
    broken = replace(made[0], manifest={"not": float("nan")})
    with pytest.raises(ValueError, match="JSON compliant"):
        save_bundle(broken, tmp_path / "bundle")
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_is_never_written_over_another(made: tuple[Bundle, TrainingSet], tmp_path: Path) -> None:
    digest = save_bundle(made[0], tmp_path / "bundle")
    with pytest.raises(OSError, match="not empty"):
        save_bundle(replace(made[0], manifest={}), tmp_path / "bundle")
    assert load_bundle(tmp_path / "bundle").digest == digest
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]
