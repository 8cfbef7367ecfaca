"""Promotion by gates or by force, the way back, and champion and challenger compared over the open leads."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from math import log
from pathlib import Path
from typing import Any

import pytest

from features.errors import GateRefused, UsageError
from features.workspace import load_workspace
from serving.audit import trail
from serving.compare_page import COLUMNS, compare_page
from serving.promoting import promote_challenger, roll_back
from serving.serving_model import ServingModel
from serving.side_by_side import side_by_side
from serving.store import open_store
from serving.two_models import two_models
from training.calibration import Calibrator
from training.registry import open_registry

LEAK = {"severity": "certain", "subject": "duration", "left_out": False, "trusted": None}


@pytest.fixture
def with_leak(workspace_folder: Path, trained: Any, register_version: Callable[..., str]) -> Path:
    """A workspace whose challenger is the champion, but for a leak that the guard is said to have found."""
    leaking = replace(trained.bundle, manifest={**trained.bundle.manifest, "guard": [LEAK]})
    register_version(workspace_folder, leaking, champion=False)
    return workspace_folder


def decisions(folder: Path) -> list[tuple[str, str | None, dict[str, Any]]]:
    with closing(open_store(load_workspace(folder))) as store, store.reading() as c:
        return [(each.action, each.subject, dict(each.detail or {})) for each in trail(c, store)]


def test_a_refused_model_serves_only_by_force_with_a_reason_that_is_kept(with_leak: Path) -> None:
    registry = open_registry(load_workspace(with_leak))
    with pytest.raises(GateRefused) as refused:
        promote_challenger(with_leak)
    assert [each.where for each in refused.value.problems] == ["no leakage left"]
    assert "--force REASON" in refused.value.problems[0].next_step
    assert registry.champion().number == "1"  # type: ignore[union-attr]
    assert decisions(with_leak) == []

    for nothing in ("", "  ", "x" * 2001):
        with pytest.raises(UsageError):
            promote_challenger(with_leak, force=nothing)
    said = promote_challenger(with_leak, force="known before the call, see ticket 12")
    assert "refused: no leakage left. Still among the features: duration." in said
    assert "passed: reasons add up." in said
    assert "passed: answers in time." in said
    assert "is champion after version 1, by force: known before the call, see" in " ".join(said.split())
    kept = json.loads(registry.versions()[0].forced or "")
    assert (kept["reason"], kept["refused"]) == ("known before the call, see ticket 12", ["no leakage left"])
    (decision,) = decisions(with_leak)
    assert decision == (
        "force_promotion",
        "model 2",
        {"before": "1", "reason": "known before the call, see ticket 12", "refused": "no leakage left"},
    )

    assert "version 1 is champion again" in roll_back(with_leak)
    assert registry.champion().number == "1"  # type: ignore[union-attr]
    assert decisions(with_leak)[-1] == ("rollback", "model 1", {"before": "2"})
    with pytest.raises(UsageError, match="no champion before"):
        roll_back(with_leak)
    assert len(decisions(with_leak)) == 2, "what was not done is not written down"


def test_a_model_that_passes_has_nothing_forced(
    workspace_folder: Path, trained: Any, register_version: Callable[..., str]
) -> None:
    honest = replace(trained.bundle, manifest={**trained.bundle.manifest, "guard": []})
    register_version(workspace_folder, honest, champion=False)
    registry = open_registry(load_workspace(workspace_folder))
    registry.set_champion("2", forced="{}")
    roll_back(workspace_folder)
    assert "nothing had to be forced" in promote_challenger(workspace_folder, force="to be sure")
    assert registry.versions()[0].forced is None, "it passes now"
    assert decisions(workspace_folder)[-1][0] == "promote"


def test_who_moves_is_explained_to_the_last_part_and_written_whole(
    workspace_folder: Path, trained: Any, register_version: Callable[..., str], tmp_path: Path
) -> None:
    bolder = replace(trained.bundle.scorer, calibrator=Calibrator("beta", 1.4, 1.4, 0.8))
    other = replace(trained.bundle, scorer=bolder)
    register_version(workspace_folder, other, champion=False)
    workspace = load_workspace(workspace_folder)
    both = side_by_side(workspace, ServingModel("b2b", "1", trained.bundle), ServingModel("b2b", "2", other))
    found = two_models(both)
    assert found.by_band
    moved = {a.lead_id for a, b in zip(found.now, found.then, strict=True) if a.band is not b.band}
    assert {each.now.lead_id for each in found.movers} == moved
    assert len(moved) == found.moves.moving > 0
    for each in found.movers:
        rise = _logit(each.then.probability) - _logit(each.now.probability)
        assert sum(change.log_odds for change in each.changes) == pytest.approx(rise, abs=1e-9)
        assert each.changes[0].text == each.why[0].text == "calibration", "nothing else differs between the two"
        assert all(abs(change.log_odds) < 1e-12 for change in each.changes[1:])

    out = tmp_path / "compared.csv"
    said = compare_page(workspace_folder, out=out)
    assert f"Of {len(found.now):,} open leads {len(moved):,} change their band with version 2:" in said
    assert "Why, over those who move" in said
    assert found.movers[0].now.lead_id in said
    with out.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == list(COLUMNS)
    assert [row["lead_id"] for row in rows] == [each.lead_id for each in found.now]
    assert {row["lead_id"] for row in rows if row["band_now"] != row["band_then"]} == moved
    assert [float(row["probability_then"]) for row in rows] == [each.probability for each in found.then]
    assert all(("calibration" in row["why"]) is (row["lead_id"] in moved) for row in rows)


def test_without_an_agreement_the_largest_changes_are_shown(
    workspace_folder: Path, trained: Any, register_version: Callable[..., str]
) -> None:
    (workspace_folder / "agreement.toml").unlink()
    evaluated = replace(trained.bundle, scorer=trained.bundle.evaluated_scorer)
    register_version(workspace_folder, evaluated, champion=False)
    said = compare_page(workspace_folder, version="2")
    assert "No agreement is signed by both teams" in said
    assert "no band" not in said
    assert said.count("% → ") == 20


@pytest.mark.parametrize(("asked", "why"), [({"version": "7"}, "no version 7"), ({"version": "1"}, "champion itself")])
def test_there_must_be_two_models_to_compare(workspace_folder: Path, asked: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        compare_page(workspace_folder, **asked)
    with pytest.raises(UsageError, match="--out"):
        compare_page(workspace_folder, out=workspace_folder / "compared.xlsx")


def _logit(p: float | None) -> float:
    assert p is not None
    return log(p / (1 - p))
