"""The README is run as it stands: its files, its commands, its requests; its targets of make are those of the Makefile."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import socket
import subprocess
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from journeys.made_workspace import Row, made_tables, write_csv
from journeys.running import SCRIPT, environment, hear_ctrl_c

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
PORT = "3000"
FOLDER = "mine"


def blocks(language: str) -> list[str]:
    """The README's fenced blocks in a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, flags=re.M | re.S)


def named_blocks(language: str) -> dict[str, str]:
    """Blocks of files: each follows a paragraph that names its file."""
    found = re.findall(rf"`([a-z]+\.[a-z]+)`:[^\n]*\n\n```{language}\n(.*?)^```$", TEXT, flags=re.M | re.S)
    return dict(found)


def test_every_make_target_that_is_named_exists() -> None:
    named = set(re.findall(r"\bmake ([a-z]+)", "\n".join(blocks("sh")) + "\n".join(re.findall(r"`([^`\n]+)`", TEXT))))
    listed = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {"demo", "test", "bench", "ui", "install"} <= named
    assert named <= {line.split()[0] for line in listed.splitlines()}


def test_the_files_and_folders_it_names_exist() -> None:
    for path in re.findall(r"`((?:features|training|serving|tests)/[\w./]*)`", TEXT) + re.findall(
        r"\]\((\w+\.md)\)", TEXT
    ):
        assert (ROOT / path).exists(), path


def test_the_page_is_about_as_long_as_a_person_reads() -> None:
    assert 100 < TEXT.count("\n") < 280


@contextmanager
def serving(command: str, folder: Path, port: str) -> Iterator[None]:
    """Run the README's `serve` on another port until the block ends."""
    process = subprocess.Popen(
        [SCRIPT, *command.split()[1:], "--port", port],
        cwd=folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=hear_ctrl_c,
    )
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
                    break
            except (urllib.error.URLError, OSError):
                assert process.poll() is None, "the service ended"
                assert time.monotonic() < deadline, "the service did not become ready"
                time.sleep(0.3)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def run_block(block: str, folder: Path) -> str:
    """Run a block in a shell that stops at the first command that fails."""
    path = f"{SCRIPT.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=folder,
        env=environment(PATH=path),
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def free_port() -> str:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return str(trial.getsockname()[1])


def shape(value: Any) -> Any:
    """Names and kinds of a reply; of lists the first entry; whole and broken numbers are alike, null fits all."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__


def write_files(folder: Path) -> None:
    """The README's files; of its tables there are more rows, with the same columns."""
    tables = made_tables()
    rows: dict[str, list[Row]] = {
        "leads.csv": tables.leads,
        "events.csv": tables.events,
        "outcomes.csv": tables.outcomes,
    }
    shown = named_blocks("csv")
    assert shown.keys() == rows.keys()
    for name, text in shown.items():
        example = list(csv.DictReader(io.StringIO(text)))
        assert all(None not in row and None not in row.values() for row in example), "as many cells as columns"
        assert list(example[0]) == list(rows[name][0])
        write_csv(folder / name, rows[name])
    settings = named_blocks("toml")
    assert settings.keys() == {"propensity.toml", "agreement.toml"}
    for name, text in settings.items():
        tomllib.loads(text)
        (folder / name).write_text(text, encoding="utf-8")


@pytest.mark.parametrize("folder", [FOLDER])
def test_its_commands_and_requests_run_in_order(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir()
    write_files(tmp_path / folder)
    commands = [block for block in blocks("sh") if re.search(r"^(propensity|curl) ", block, flags=re.M)]
    serve = next(i for i, block in enumerate(commands) if "propensity serve" in block)
    said = [run_block(block, tmp_path) for block in commands[:serve]]
    assert f"{folder} version 1 is the first model of this workspace, and now champion." in said[0]
    assert "It takes effect.\n" in said[1]
    assert f"{folder} version 1 is champion again." in said[2]
    assert (tmp_path / folder / "scores.parquet").exists()

    load = next(i for i, block in enumerate(commands) if "propensity load" in block)
    port = free_port()
    with serving(commands[serve].strip(), tmp_path, port):
        replies = [run_block(block.replace(f":{PORT}/", f":{port}/"), tmp_path) for block in commands[serve + 1 : load]]
    replies = [each for each in replies if each.startswith("{")]  # the leaders' commands answer in words
    decoder = json.JSONDecoder()
    from_tables, end = decoder.raw_decode(replies[0])
    told, _ = decoder.raw_decode(replies[0][end:].lstrip())
    assert from_tables["lead_id"] == "L0007"
    (shown,) = (json.loads(block) for block in blocks("json"))
    assert shape(told) | {"reasons": None} == shape(shown) | {"reasons": None}
    assert told["reasons"].keys() == shown["reasons"].keys()
    reason = next(each for each in told["reasons"]["for"] if each["feature"] == "company_size")
    assert shape(reason) == shape(shown["reasons"]["for"][0])
    assert (told["band"], told["decided_by"], told["fit"]["grade"]) == ("SQL", "model", "A")
    assert '"openapi"' in replies[1]
    _tell_what_happens(tmp_path, folder, commands, load)


def _tell_what_happens(tmp_path: Path, folder: str, commands: list[str], load: int) -> None:
    """The part about a store: one line in the toml, the files loaded, then leads and events are told."""
    toml = tmp_path / folder / "propensity.toml"
    (line,) = (block for block in blocks("toml") if block.startswith("store ="))
    toml.write_text(toml.read_text(encoding="utf-8").replace("[tables]\n", f"[tables]\n{line}"), encoding="utf-8")
    run_block(commands[load], tmp_path)
    port = free_port()
    with serving(f"propensity serve {folder}", tmp_path, port):
        (said,) = (run_block(block.replace(f":{PORT}/", f":{port}/"), tmp_path) for block in commands[load + 1 :])
    decoder, replies = json.JSONDecoder(), []
    while said:
        reply, end = decoder.raw_decode(said)
        replies.append(reply)
        said = said[end:].lstrip()
    leads, events, score, objected, erased = replies
    assert (leads["accepted"], events["accepted"], objected["objected"], erased["erased"]) == (1, 1, True, True)
    assert score["lead_id"] == "N-2"
    assert score["probability"] is not None


def test_the_reply_it_shows_adds_up() -> None:
    (shown,) = (json.loads(block) for block in blocks("json"))
    reasons = shown["reasons"]
    named = sum(each["log_odds"] for side in ("for", "against") for each in reasons[side])
    assert reasons["base_log_odds"] + reasons["other_log_odds"] + named == pytest.approx(
        reasons["raw_log_odds"], abs=0.02
    )
    group = shown["fit"]["log_odds"] + shown["engagement"]["log_odds"]
    assert group == pytest.approx(reasons["raw_log_odds"] - reasons["base_log_odds"], abs=0.02)
