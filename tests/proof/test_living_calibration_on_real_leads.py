"""Rates of a real bank's campaigns rise fivefold after the training: followed as outcomes settle, probabilities stay true."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.catalogue import build_catalogue
from features.tables import read_history
from features.workspace import load_workspace
from training.dataset import TrainingSet
from training.evaluation import evaluate
from training.follow import follow
from training.labelled import settled_moments
from training.living_calibration import Outcomes, walk_on
from training.recipe import Recipe

BANK = Path(__file__).parents[2].parent / "shared" / "data" / "bank_marketing" / "bank-additional-full.csv.gz"
MINUTE = 60_000_000


def test_probabilities_stay_true_while_the_rate_rises(tmp_path: Path, quick: Recipe) -> None:
    """Trained on the first 70% in row order; an outcome is known 250 rows later. The issue asks for ECE .07 and AUC .73."""
    if not BANK.exists():
        pytest.skip(f"{BANK.name} is not beside this checkout")
    with gzip.open(BANK, "rt", encoding="utf-8") as text:
        table = pd.read_csv(text, sep=";")
    created = 1_700_000_000_000_000 + np.arange(len(table)) * MINUTE
    ids = [f"B{row:05}" for row in range(len(table))]
    leads = table.drop(columns=["y", "duration"]).assign(lead_id=ids, created_at=pd.to_datetime(created, unit="us"))
    leads.to_parquet(tmp_path / "leads.parquet", index=False)
    ended = pd.to_datetime(created + MINUTE // 2, unit="us")
    pd.DataFrame({"lead_id": ids, "occurred_at": ended, "outcome": table["y"]}).to_parquet(
        tmp_path / "outcomes.parquet", index=False
    )
    end = pd.Timestamp(created[-1] + 251 * MINUTE, unit="us", tz="UTC").isoformat()
    (tmp_path / "propensity.toml").write_text(
        '[tables]\nleads = "leads.parquet"\noutcomes = "outcomes.parquet"\n'
        f'[target]\nconverted = "yes"\nhorizon = "250m"\ndata_end = {end}\n',
        encoding="utf-8",
    )
    workspace = load_workspace(tmp_path)
    history = read_history(workspace, set_aside=False).history
    labelled = settled_moments(history, None, workspace.horizon)
    definitions = build_catalogue(history, labelled.moments, workspace.horizon)
    whole = TrainingSet.build(history, labelled.moments, labelled.labels, definitions, workspace.horizon)
    cut = int(whole.as_of[int(0.7 * len(whole))])
    fitted, later = np.flatnonzero(whole.as_of + workspace.horizon <= cut), np.flatnonzero(whole.as_of >= cut)
    done = follow(quick, whole, fitted, what="the bank", progress=lambda what, part: None)
    values = np.ascontiguousarray(done.choices.reduce(whole).values[later])
    told = done.scorer.calibrator.log_odds(done.scorer.score(values)[0])
    label = whole.label[later]
    outcomes = Outcomes(told, label, whole.lead_hash[later], whole.as_of[later], workspace.horizon)
    first, followed = walk_on(outcomes, int(whole.as_of[-1]) + workspace.horizon, steps=25)
    followed = np.concatenate([told[:first], followed])
    probabilities = {"followed": 1 / (1 + np.exp(-followed)), "left alone": 1 / (1 + np.exp(-told))}
    figures = evaluate(label, np.arange(len(label)), probabilities, base_rate=float(label.mean()), draws=2).models
    metrics = {name: {key: each.point or 0.0 for key, each in got.metrics.items()} for name, got in figures.items()}
    assert metrics["left alone"]["ece"] > 0.14
    assert metrics["followed"]["ece"] < 0.07
    assert metrics["followed"]["log_loss"] < metrics["left alone"]["log_loss"] - 0.1
    assert metrics["followed"]["log_loss"] < 0.53
    assert metrics["followed"]["roc_auc"] > 0.73
