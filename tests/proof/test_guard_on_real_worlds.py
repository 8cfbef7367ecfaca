"""The leakage guard on honest histories: nothing is left out, and what is warned of did happen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from features.tables import read_history
from features.workspace import load_workspace
from training.check_page import check_page


def test_nothing_of_complete_journey_is_left_out(completejourney: Any) -> None:
    """Campaigns did become longer: those of the tested moments are told from the others by their length alone."""
    findings = completejourney.bundle.manifest["guard"]
    assert [(each["code"], each["subject"], each["left_out"]) for each in findings] == [
        ("drift", "duration_days", False)
    ]


def test_cdnow_and_the_simulated_seller_raise_no_alarm_at_all(cdnow: Any, b2b: Any) -> None:
    assert cdnow.bundle.manifest["guard"] == []
    assert b2b.bundle.manifest["guard"] == []


def test_check_finds_what_training_found(cdnow: Any, tmp_path: Path) -> None:
    """A column is planted into a copy of CDNOW: what each lead bought after the moment, known for buyers alone."""
    for name in ("events.parquet", "propensity.toml"):
        (tmp_path / name).write_bytes((cdnow.folder / name).read_bytes())
    leads, outcomes = (pd.read_parquet(cdnow.folder / f"{name}.parquet") for name in ("leads", "outcomes"))
    leads["next_purchase"] = leads["lead_id"].map(outcomes.set_index("lead_id")["occurred_at"])
    leads.to_parquet(tmp_path / "leads.parquet", index=False)
    outcomes.to_parquet(tmp_path / "outcomes.parquet", index=False)
    workspace = load_workspace(tmp_path)
    read = read_history(workspace, set_aside=False)
    said = " ".join(check_page(workspace, read.history, read.report).split())
    assert "next_purchase (certain): for 100% of" in said
