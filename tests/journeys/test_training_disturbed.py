"""Training stopped, killed, out of room, or started twice: what was there goes on, and the next training works."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
from pathlib import Path

import pytest

from journeys.running import explained, propensity, started


def disturb(folder: Path, step: str, with_signal: signal.Signals) -> tuple[int, str]:
    """Start a training and send it a signal when it says that it begins a step; exit code and standard error."""
    training = started("train", folder)
    assert training.stderr is not None
    said = []
    for line in training.stderr:
        said.append(line)
        if line.startswith(f"{step} ..."):
            training.send_signal(with_signal)
            break
    out, rest = training.communicate(timeout=120)
    assert out == "", "no page about a model that is none"
    return training.returncode, "".join(said) + rest


def visible(folder: Path) -> dict[str, bytes]:
    """What a person sees in the workspace."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_ctrl_c_ends_a_training_without_a_trace_and_the_champion_serves_on(trained: Path) -> None:
    before, answer = visible(trained), explained(trained, "L0001")
    code, error = disturb(trained, "choosing for the evaluated model", signal.SIGINT)
    assert code == 130
    assert "interrupted: nothing half-done was kept" in error
    assert "Traceback" not in error
    assert visible(trained) == before
    assert not (trained / ".propensity" / "scratch").exists()
    assert "company version 1 is already champion." in propensity("promote", trained).out
    assert explained(trained, "L0001")["probability"] == answer["probability"]


def test_a_training_killed_while_it_registers_leaves_no_version_and_the_next_one_works(untrained: Path) -> None:
    before = visible(untrained)
    code, _ = disturb(untrained, "registering", signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert visible(untrained) == before
    assert "no trained model" in propensity("promote", untrained, code=2).err
    assert explained(untrained, "L0001")["decided_by"] == "points"
    assert "version 1 is the first model of this workspace" in propensity("train", untrained).out
    assert explained(untrained, "L0001")["model"]["version"] == "1"


@pytest.mark.parametrize("kibibytes", [64, 700])
def test_a_full_disk_is_said_to_be_one(untrained: Path, kibibytes: int) -> None:
    """A limit on the size of files stands in for the full disk: it needs no rights to set, and each writer meets it
    (DuckDB while the tables are read, SQLite when the run is logged) as it would meet the end of the disk."""

    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (kibibytes * 1024, kibibytes * 1024))

    before = visible(untrained)
    error = propensity("train", untrained, code=3, prepare=no_room).err
    assert "expected" in error
    assert "room" in error
    assert visible(untrained) == before
    assert explained(untrained, "L0001")["decided_by"] == "points"


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_scores_that_cannot_be_written_are_said_so(trained: Path) -> None:
    place = trained / "read-only"
    place.mkdir(mode=0o555)
    assert "Permission denied" in propensity("score", trained, "--out", place / "scores.parquet", code=3).err


def test_scores_into_a_folder_that_is_none_are_refused(trained: Path) -> None:
    error = propensity("score", trained, "--out", trained / "nowhere" / "scores.parquet", code=2).err
    assert "scores.parquet cannot be written" in error
    assert "name another file with --out" in error


def test_two_trainings_at_once_both_register(untrained: Path) -> None:
    trainings: list[subprocess.Popen[str]] = [started("train", untrained) for _ in range(2)]
    ended = [each.communicate(timeout=300) for each in trainings]
    for training, (_, error) in zip(trainings, ended, strict=True):
        assert training.returncode == 0, error
    said = "".join(out for out, _ in ended)
    assert "company version 1" in said
    assert "company version 2" in said
    assert explained(untrained, "L0001")["model"]["version"] in ("1", "2")
