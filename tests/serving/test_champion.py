"""What answers: the champion, followed in its registry, and the agreement, followed in its files."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from features.workspace import load_workspace
from oracles.made_champions import Away, follow
from serving.serving_model import ColdStart, ServingModel
from training.registry import RegistryAway, open_registry


def test_the_champion_and_the_signed_agreement_answer(workspace_folder: Path) -> None:
    champion = follow(workspace_folder)
    champion.look()
    snapshot = champion.snapshot
    assert isinstance(snapshot.model, ServingModel)
    assert snapshot.version == "1"
    assert snapshot.agreement.signed
    assert snapshot.named_types == ("contact_sales",)


def test_nothing_new_keeps_the_very_same_snapshot(workspace_folder: Path) -> None:
    champion = follow(workspace_folder)
    champion.look()
    before = champion.snapshot
    champion.look()
    assert champion.snapshot is before


def test_a_promotion_swaps_the_model(
    workspace_folder: Path, trained: Any, register_version: Callable[..., str]
) -> None:
    champion = follow(workspace_folder)
    champion.look()
    version = register_version(workspace_folder, trained.bundle, champion=True)
    champion.look()
    assert champion.snapshot.version == version == "2"
    assert champion.snapshot.agreement.signed, "the same horizon, conversion and stages: the signatures still hold"


def test_another_horizon_makes_the_signatures_void(
    workspace_folder: Path, trained: Any, register_version: Callable[..., str]
) -> None:
    champion = follow(workspace_folder)
    longer = dataclasses.replace(trained.bundle.scorer, horizon=trained.bundle.scorer.horizon * 2)
    register_version(workspace_folder, dataclasses.replace(trained.bundle, scorer=longer), champion=True)
    champion.look()
    assert not champion.snapshot.agreement.signed


def test_while_the_registry_is_away_the_champion_stays(workspace_folder: Path) -> None:
    workspace = load_workspace(workspace_folder)
    registry = Away(open_registry(workspace))
    champion = follow(workspace_folder, registry)
    champion.look()
    before = champion.snapshot
    registry.away = True
    with pytest.raises(RegistryAway):
        champion.look()
    assert champion.snapshot is before
    registry.away = False
    champion.look()
    assert champion.snapshot is before


def test_after_a_restart_without_registry_the_last_champion_serves(workspace_folder: Path) -> None:
    follow(workspace_folder).look()
    workspace = load_workspace(workspace_folder)
    registry = Away(open_registry(workspace))
    registry.away = True
    champion = follow(workspace_folder, registry)
    with pytest.raises(RegistryAway):
        champion.look()
    assert champion.snapshot.version == "1"
    registry.away = False
    champion.look()
    assert champion.snapshot.version == "1"


def test_without_a_champion_points_answer(workspace_folder: Path) -> None:
    shutil.rmtree(workspace_folder / ".propensity")
    champion = follow(workspace_folder)
    champion.look()
    assert isinstance(champion.snapshot.model, ColdStart)
    assert champion.snapshot.version is None


def test_an_agreement_that_changed_is_read_again_and_unsigned(
    workspace_folder: Path, sign_both: Callable[[Path], None]
) -> None:
    champion = follow(workspace_folder)
    champion.look()
    path = workspace_folder / "agreement.toml"
    path.write_text(path.read_text().replace("0.30", "0.4").replace("version = 1", "version = 2"))
    champion.look()
    state = champion.snapshot.agreement
    assert state.agreement is not None
    assert (state.agreement.sql, state.signed) == (0.4, False)
    sign_both(workspace_folder)
    champion.look()
    assert champion.snapshot.agreement.signed


def test_a_broken_agreement_keeps_the_one_before_and_says_so(workspace_folder: Path) -> None:
    champion = follow(workspace_folder)
    champion.look()
    path = workspace_folder / "agreement.toml"
    text = path.read_text()
    path.write_text("version = ")
    champion.look()
    assert champion.snapshot.agreement.signed
    assert [each.key for each in champion.snapshot.notices] == ["warning.agreement_unreadable"]
    path.write_text(text)
    champion.look()
    assert champion.snapshot.notices == ()


def test_an_agreement_that_goes_away_is_no_agreement(workspace_folder: Path) -> None:
    champion = follow(workspace_folder)
    champion.look()
    (workspace_folder / "agreement.toml").unlink()
    champion.look()
    assert champion.snapshot.agreement.agreement is None
