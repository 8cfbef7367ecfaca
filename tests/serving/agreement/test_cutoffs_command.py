"""`propensity cutoffs`, `agree` and `promote` in the terminal, over a really trained workspace."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from features.errors import UsageError
from features.workspace import load_workspace
from serving.agreeing import agree_page
from serving.agreement_versions import versions
from serving.cutoffs_page import cutoffs_page
from serving.moves_page import moves_page
from serving.promoting import promote_challenger
from serving.serving_model import ServingModel
from serving.side_by_side import side_by_side
from serving.store import open_store


def test_training_keeps_lead_times_and_points(trained: Any) -> None:
    backtest = trained.bundle.backtest
    horizon = trained.bundle.manifest["horizon"]
    positive = backtest.label == 1
    assert backtest.lead_time is not None
    assert backtest.points is not None
    assert ((backtest.lead_time >= 0) == positive).all()
    assert (backtest.lead_time[positive] < horizon).all()
    assert len(set(backtest.points.tolist())) > len(backtest) / 4


def test_without_a_pair_there_is_the_table_and_a_suggestion(workspace_folder: Path) -> None:
    said = cutoffs_page(workspace_folder)
    assert "probability from" in said
    assert "A pair to start from: MQL from" in said


def test_a_pair_stands_beside_the_agreement_and_points(workspace_folder: Path) -> None:
    said = cutoffs_page(workspace_folder, mql="8%", sql="0.4")
    assert re.search(r"proposed +today’s agreement +points, as many leads", said)
    assert re.search(r"MQL / SQL from +8% / 40% +10% / 30% +\d+ / \d+ points", said)
    assert re.search(r"SQLs a week +[\d.]+ \[[\d.]+–[\d.]+\]", said)
    assert "mql = 0.08 and sql = 0.4" in said


def test_a_capacity_is_turned_into_a_pair(workspace_folder: Path) -> None:
    said = cutoffs_page(workspace_folder, capacity=2)
    found = re.search(r"SQLs a week +([\d.]+)", said)
    assert found is not None
    assert float(found[1]) <= 2
    assert "no more than the 2 SQLs a week" in said


@pytest.mark.parametrize(
    "asked",
    [{"mql": "0.1"}, {"sql": "0.1"}, {"mql": "0.5", "sql": "0.1"}, {"mql": "0", "sql": "0.1"}, {"sql": "0.1", "capacity": 4.0}],
)  # fmt: skip
def test_half_a_pair_and_pairs_that_are_none_are_refused(workspace_folder: Path, asked: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        cutoffs_page(workspace_folder, **asked)


def test_signing_in_the_terminal_keeps_the_version_with_what_it_gives(workspace_folder: Path) -> None:
    agree_page(workspace_folder, team="sales", name="Jonas Weber")
    with closing(open_store(load_workspace(workspace_folder))) as store, store.reading() as c:
        (version,) = versions(c)
    assert version.by_hand
    assert version.expected is not None
    assert version.expected["sqls_a_week"]["point"] > 0


def test_a_promotion_shows_which_leads_would_change_their_band(
    workspace_folder: Path, trained: Any, register_version: Callable[..., str]
) -> None:
    again = replace(trained.bundle, manifest={**trained.bundle.manifest, "again": True})
    register_version(workspace_folder, again, champion=False)
    said = promote_challenger(workspace_folder)
    assert re.search(r"Of [\d,]+ open leads 0 change their band with version 2:", said)
    assert "then SQL" in said
    assert said.rstrip().endswith("version 2 is champion after version 1.")


def test_a_signature_that_does_not_hold_for_the_challenger_is_warned_of(workspace_folder: Path, trained: Any) -> None:
    workspace = load_workspace(workspace_folder)
    now = ServingModel("b2b", "1", trained.bundle)
    other = ServingModel(
        "b2b", "2", replace(trained.bundle, manifest={**trained.bundle.manifest, "converted": "bought"})
    )
    said = moves_page(side_by_side(workspace, now, other).moves(), "2")
    assert "both teams must sign anew" in str(said[-1])
    (workspace_folder / "agreement.toml").unlink()
    assert side_by_side(workspace, now, other).moves().moving == 0
