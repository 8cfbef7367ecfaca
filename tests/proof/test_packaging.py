"""What is installed is this checkout, from pins that can be checked, and starts without waiting for what it doesn't need."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("features", "training", "serving")
HEAVY = ("mlflow", "bentoml", "matplotlib", "lightgbm", "sklearn", "shap", "scipy", "numba", "duckdb", "pandas")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def _python(program: str, folder: Path) -> str:
    """What a program prints that runs elsewhere, with nothing but what is installed."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_each_package_is_the_one_of_this_checkout(tmp_path: Path) -> None:
    program = f"import json, {', '.join(PACKAGES)}\nprint(json.dumps([{', '.join(f'{p}.__file__' for p in PACKAGES)}]))"
    found = [Path(each).resolve() for each in json.loads(_python(program, tmp_path))]
    assert found == [(ROOT / name / "__init__.py").resolve() for name in PACKAGES]


def test_no_folder_of_tests_is_a_package() -> None:
    """One under tests/features would shadow the package."""
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_names_of_test_files_are_unique() -> None:
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert len(names) == len(set(names))


def _pins() -> dict[str, str]:
    """Each requirement of the lock with all that belongs to it."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {re.split(r"==", line, maxsplit=1)[0].strip(): line for line in lines}


def test_every_pin_has_its_hashes_and_none_names_an_address() -> None:
    pins = _pins()
    assert len(pins) > 50
    for name, pin in pins.items():
        assert re.match(r"^[A-Za-z0-9._-]+(\[[a-z0-9,-]+\])?==[^\s;]+ ", pin), pin[:80]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}(\s|$)", pin), name
        assert re.fullmatch(r"(--hash=sha256:[0-9a-f]{64}\s*)+", pin[pin.index("--hash") :]), name
    whole = "\n".join(pins.values())
    assert not re.search(r"://|@ |file:|git\+|--?(extra-)?index-url|--find-links|-i ", whole)


def test_every_requirement_of_the_project_is_pinned() -> None:
    extras = PROJECT["optional-dependencies"]
    asked = [*PROJECT["dependencies"], *(each for extra in extras.values() for each in extra)]
    pinned = {re.sub(r"\[.*|[-_.]+", lambda found: "" if found[0][0] == "[" else "-", name).lower() for name in _pins()}
    names = {re.sub(r"[-_.]+", "-", re.split(r"[><=!~;\[ ]", each, maxsplit=1)[0]).lower() for each in asked}
    assert names <= pinned, names - pinned


@pytest.mark.parametrize("script", sorted(PROJECT["scripts"]))
def test_a_console_script_works_and_so_does_the_help_of_each_command(script: str, tmp_path: Path) -> None:
    path = Path(sys.executable).with_name(script)
    assert path.exists(), f"{script} is not installed: pip install --no-deps --editable ."
    for arguments, said in ((["--help"], "Usage: propensity"), (["--version"], PROJECT["version"])):
        done = subprocess.run([path, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert said in done.stdout
    unknown = subprocess.run([path, "scor"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert unknown.returncode == 2
    assert "Traceback" not in unknown.stderr
    assert list(tmp_path.iterdir()) == []


def test_help_waits_for_no_heavy_package(tmp_path: Path) -> None:
    """Of no command; a person who mistyped an option shall not wait for what only a training needs."""
    program = f"""
import json, sys
import {", ".join(PACKAGES)}
from click.testing import CliRunner
from serving.cli import commands
for name in [None, *commands.commands]:
    done = CliRunner().invoke(commands, ["--help"] if name is None else [name, "--help"], prog_name="propensity")
    assert done.exit_code == 0 and "Usage" in done.output, (name, done.output)
print(json.dumps([sorted(commands.commands), sorted(set({HEAVY!r}) & set(sys.modules))]))
"""
    commands, heavy = json.loads(_python(program, tmp_path))
    assert heavy == []
    assert set(commands) >= {
        "demo", "check", "train", "promote", "rollback", "cutoffs", "agree", "score", "explain", "serve",
    }  # fmt: skip
