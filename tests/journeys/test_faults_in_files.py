"""One mistake at a time, made as people make them: what is found, what is expected, what to do, and the exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from journeys.made_workspace import made_tables, write_csv
from journeys.running import propensity


def edit(path: Path, old: str, new: str) -> None:
    """Exchange the first `old` in a file, which must be there."""
    text = path.read_bytes().decode()
    assert old in text
    path.write_bytes(text.replace(old, new, 1).encode())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("horizon =", "horizn =", ["line 8", '"target.horizn"', 'did you mean "horizon"?']),
        ("events =", "evnts =", ["line 3", '"tables.evnts"', 'did you mean "events"?']),
        ('"30d"', '"30 dayz"', ["line 8", "30 dayz", '"90d"']),
        ("[target]", "[target", ["line 6"]),
    ],
)
def test_a_typo_in_the_toml_is_named_with_its_line(untrained: Path, old: str, new: str, said: list[str]) -> None:
    edit(untrained / "propensity.toml", old, new)
    error = propensity("train", untrained, code=2).err
    assert all(words in error for words in said), error


def test_all_faults_of_a_toml_are_told_at_once(untrained: Path) -> None:
    edit(untrained / "propensity.toml", "leads =", "leeds =")
    edit(untrained / "propensity.toml", "converted =", "convrted =")
    error = propensity("check", untrained, code=2).err
    assert 'did you mean "leads"?' in error
    assert 'did you mean "converted"?' in error


def test_a_folder_without_a_toml_is_wrong_usage(tmp_path: Path) -> None:
    assert "a folder with a propensity.toml" in propensity("check", tmp_path / "nowhere", code=2).err


def test_a_missing_column_is_named_beside_those_that_are_there(untrained: Path) -> None:
    edit(untrained / "leads.csv", "created_at", "created")
    error = propensity("check", untrained, code=3).err
    assert "leads.csv: the leads table has no column created_at" in error
    assert "its columns are lead_id, created, company_size, source" in error
    assert 'rename "created" to "created_at"' in error


def test_a_missing_file_is_named_beside_those_that_are_there(untrained: Path) -> None:
    (untrained / "events.csv").rename(untrained / "evnts.csv")
    error = propensity("check", untrained, code=3).err
    assert 'events = "events.csv"' in error
    assert "evnts.csv" in error


def test_rows_that_cannot_be_used_are_counted_by_reason_and_set_aside(untrained: Path) -> None:
    tables = made_tables()
    again = [row | {"created_at": "2026-01-01 00:00:00"} for row in tables.leads[:3]]
    write_csv(untrained / "leads.csv", [*tables.leads, *again])
    event = tables.events[0]
    odd = [
        event | {"lead_id": "L9998"},
        event | {"lead_id": "L9999"},
        event | {"occurred_at": "2095-01-01 00:00:00"},
        event | {"occurred_at": "soon"},
        event | {"occurred_at": ""},
        event | {"lead_id": ""},
    ]
    write_csv(untrained / "events.csv", [*tables.events, *odd])
    said = propensity("check", untrained).out
    assert "3 rows of leads: repeated lead_id" in said
    assert "2 rows of events: unknown lead" in said
    for reason in ("in the future", "unreadable occurred_at", "missing occurred_at", "missing lead_id"):
        assert f"1 row of events: {reason}" in said
    assert f"{len(tables.leads):,} leads, {len(tables.events):,} events" in said
    assert sorted(path.name for path in (untrained / "rejected").iterdir()) == ["events.parquet", "leads.parquet"]
    assert "L9999" not in said, "no cell of a lead is printed"


@pytest.mark.parametrize("fate", ["converted", "lost"])
def test_outcomes_that_are_all_alike_are_too_little_to_train_on(untrained: Path, fate: str) -> None:
    tables = made_tables()
    write_csv(
        untrained / "outcomes.csv",
        [row | {"outcome": fate} for row in tables.outcomes] if fate == "lost" else tables.outcomes,
    )
    if fate == "converted":  # of every lead
        everyone = [
            {"lead_id": row["lead_id"], "occurred_at": "2025-12-04 00:00:00", "outcome": fate} for row in tables.leads
        ]
        write_csv(untrained / "outcomes.csv", everyone)
        edit(untrained / "propensity.toml", '"30d"', '"400d"')
    error = propensity("train", untrained, code=4).err
    assert "0 leads that converted" in error or "0 that did not" in error or "not settled" in error
    assert "at least 30 leads of each: 20 to train on and 10 to test" in error
    assert "no model yet" in propensity("explain", untrained, "L0001").out


def test_too_few_outcomes_are_counted_with_what_is_needed(untrained: Path) -> None:
    few = [row for row in made_tables().outcomes if row["outcome"] == "converted"][:12]
    write_csv(untrained / "outcomes.csv", few)
    error = propensity("train", untrained, code=4).err
    assert "of 12 leads that converted" in error or "of 11 leads that converted" in error
    assert "at least 30 leads of each" in error
    assert "more leads that converted" in error
    checked = propensity("check", untrained).out
    assert "Not enough to train on:" in checked


def test_without_an_events_table_a_model_learns_from_the_attributes(untrained: Path) -> None:
    edit(untrained / "propensity.toml", 'events = "events.csv"\n', "")
    (untrained / "events.csv").unlink()
    assert "version 1 is the first model" in propensity("train", untrained).out
    assert "company size" in propensity("explain", untrained, "L0001").out
