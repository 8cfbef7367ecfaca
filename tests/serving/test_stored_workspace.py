"""The commands take a workspace whose tables are a store as they take one of files."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from features.tables import read_history
from features.workspace import load_workspace
from oracles.filled_stores import fill_store, put
from serving.scoring_run import explain_lead, score_workspace
from serving.store import open_store
from serving.store.lead_rows import lead_rows
from training.cli import check_workspace

DAY = 86_400_000_000


@pytest.fixture
def folder(workspace_folder: Path) -> Path:
    """The trained world with its tables loaded into a store, and the files gone."""
    toml, files = workspace_folder / "propensity.toml", load_workspace(workspace_folder)
    told = toml.read_text(encoding="utf-8")
    toml.write_text(told.replace("[tables]", '[tables]\nstore = "sqlite:///leads.db"'), encoding="utf-8")
    store = open_store(load_workspace(workspace_folder))
    tables = {name: pd.read_parquet(workspace_folder / path).to_dict("records") for name, path in files.tables.items()}
    fill_store(store, tables, "UTC")
    store.close()
    for path in files.tables.values():
        (workspace_folder / path).unlink()
    return workspace_folder


def test_check_score_and_explain_read_the_store(folder: Path) -> None:
    workspace = load_workspace(folder)
    assert "the store" in check_workspace(workspace)
    assert "scores by b2b version 1" in score_workspace(folder, moments_file=None, as_of=None, out=None, lang="en")
    scores = pq.read_table(folder / "scores.parquet").to_pylist()
    history = read_history(workspace, set_aside=False).history
    assert {each["lead_id"] for each in scores} == set(history.lead_ids[history.open_leads(history.now)])
    first = scores[0]
    told = explain_lead(folder, first["lead_id"], as_of=None, lang="en", as_json=True)
    assert first["lead_id"] in told

    asked = folder / "asked.csv"
    asked.write_text(f"lead_id,as_of\n{first['lead_id']},2026-11-01\nnobody,2026-11-01\n", encoding="utf-8")
    said = score_workspace(folder, moments_file=asked, as_of=None, out=folder / "asked.parquet", lang="en")
    assert "1 row of asked.csv set aside" in said
    assert [each["lead_id"] for each in pq.read_table(folder / "asked.parquet").to_pylist()] == [first["lead_id"]]


def test_what_happens_in_the_store_is_in_the_next_score(folder: Path) -> None:
    workspace = load_workspace(folder)
    score_workspace(folder, moments_file=None, as_of=None, out=None, lang="en")
    before = {each["lead_id"]: each["probability"] for each in pq.read_table(folder / "scores.parquet").to_pylist()}
    lead_id = min(before, key=lambda each: before[each])
    now = read_history(workspace, set_aside=False).history.now
    store = open_store(workspace)
    kinds = ("pricing_page_viewed", "contact_sales")
    put(store, "events", [
        {"lead_id": lead_id, "event_type": kind, "occurred_at": now - i, "recorded_at": now - i, "properties": {}}
        for i, kind in enumerate(kinds * 5)
    ])  # fmt: skip
    with store.reading() as c:
        assert len(lead_rows(c, [lead_id])[lead_id].events) >= 10
    store.close()
    score_workspace(folder, moments_file=None, as_of=None, out=None, lang="en")
    after = {each["lead_id"]: each["probability"] for each in pq.read_table(folder / "scores.parquet").to_pylist()}
    assert after[lead_id] > before[lead_id]
