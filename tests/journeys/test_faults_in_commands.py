"""Commands given wrongly, or too early."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from journeys.made_workspace import AGREEMENT
from journeys.running import explained, propensity


def test_an_unknown_lead_is_said_to_be_unknown(trained_once: Path) -> None:
    error = propensity("explain", trained_once, "L9999", code=2).err
    assert "no such lead" in error
    assert "check its spelling" in error


def test_a_time_that_is_none_is_answered_with_an_example(trained_once: Path) -> None:
    assert "2026-11-20T12:00:00Z" in propensity("explain", trained_once, "L0001", "--as-of", "soon", code=2).err


def test_a_time_before_the_lead_came_is_refused(trained_once: Path) -> None:
    assert "was created at" in propensity("explain", trained_once, "L0001", "--as-of", "2020-01-01", code=2).err


def test_a_command_that_is_none_is_answered_with_the_nearest(tmp_path: Path) -> None:
    assert "Did you mean 'train'?" in propensity("trian", tmp_path, code=2).err


def test_pairs_that_cannot_be_scored_are_set_aside_and_counted(trained: Path) -> None:
    pairs = trained / "moments.csv"
    rows = ["L0001,2025-11-20", "L0001,2020-01-01", "L9999,2025-11-20", "L0002,soon", ",2025-11-20"]
    pairs.write_text("\n".join(["lead_id,as_of", *rows]) + "\n")
    said = propensity("score", trained, "--moments", pairs, "--out", trained / "asked.parquet").out
    for reason in ("lead not created yet", "unknown lead", "unreadable as_of", "missing lead_id"):
        assert f"1 row of moments.csv set aside in rejected/moments.parquet: {reason}" in said
    assert "1 scores by company version 1" in said
    (row,) = pq.read_table(trained / "asked.parquet").to_pylist()
    assert row["lead_id"] == "L0001"
    assert pq.read_table(trained / "rejected" / "moments.parquet").num_rows == 4


def test_a_file_of_moments_that_is_missing_or_has_other_columns_is_refused(trained: Path) -> None:
    error = propensity("score", trained, "--moments", trained / "nothing.csv", code=3).err
    assert "nothing.csv" in error
    assert "--moments" in error
    (trained / "moments.csv").write_text("lead,as_of\nL0001,2025-11-20\n")
    assert (
        'rename "lead" to "lead_id"' in propensity("score", trained, "--moments", trained / "moments.csv", code=3).err
    )


def test_before_the_first_training_points_answer_and_say_what_is_missing(untrained: Path) -> None:
    answer = explained(untrained, "L0001")
    assert answer["decided_by"] == "points"
    assert answer["probability"] is None
    assert answer["band"] is None
    assert 0 <= answer["score"] <= 100
    assert any("no model is in use yet" in warning for warning in answer["warnings"])
    assert "scores by points" in propensity("score", untrained).out
    scores = pq.read_table(untrained / "scores.parquet")
    assert scores.num_rows > 0
    assert scores["probability"].null_count == scores["band"].null_count == scores.num_rows


def test_before_the_first_training_there_is_nothing_to_promote_undo_or_cut(untrained: Path) -> None:
    (untrained / "agreement.toml").write_text(AGREEMENT)
    assert "no trained model" in propensity("promote", untrained, code=2).err
    assert "no champion" in propensity("rollback", untrained, code=2).err
    error = propensity("cutoffs", untrained, code=2).err
    assert "no champion yet" in error
    assert "propensity train" in error
