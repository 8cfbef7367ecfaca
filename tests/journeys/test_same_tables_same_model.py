"""The same tables give the same model, whatever the machine is doing and however the rows are ordered."""

from __future__ import annotations

import random
from pathlib import Path

from journeys.made_workspace import QUICK, Tables, made_tables, write
from journeys.running import explained, propensity, scorer_files


def test_neither_the_number_of_threads_nor_the_order_of_rows_changes_a_bit(trained_once: Path, tmp_path: Path) -> None:
    """The shared workspace was trained from rows in order, with one thread."""
    tables, shuffle = made_tables(), random.Random(7).shuffle
    for rows in (tables.leads, tables.events, tables.outcomes):
        shuffle(rows)
    other = write(tmp_path / "company", Tables(tables.leads, tables.events, tables.outcomes), toml=QUICK)
    propensity("train", other, env={"OMP_NUM_THREADS": "2"})
    first, second = explained(trained_once, "L0007"), explained(other, "L0007")
    ours, theirs = scorer_files(trained_once), scorer_files(other)
    assert "serving/trees.txt" in ours
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if ours[name] != theirs[name]] == []
    assert [first[key] for key in ("probability", "reasons", "percentile", "similar")] == [
        second[key] for key in ("probability", "reasons", "percentile", "similar")
    ]
