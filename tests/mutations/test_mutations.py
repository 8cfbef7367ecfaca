"""A test that no fault turns red proves nothing: each patch here makes one fault, and one named test must see it.

A patch starts with ``# turns red: FILE::TEST``. It is applied to a copy of the source, and that test alone is run there.
Context is one line, so that patches survive the formatter; where one no longer applies, make the same fault anew.

The tests run uncompiled here: a fault of the source is one of the plain functions too, and to compile the kernel anew for
each of its faults takes half a minute. That they are green on the source as it is, compiled, the suite itself says.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATCHES = sorted(Path(__file__).parent.glob("*.patch"))
FAULTS = {
    "lt_to_le_at_as_of", "recorded_time_ignored", "window_off_by_a_microsecond", "tie_order", "calibrator_skipped",
    "categories_shifted", "rules_see_the_moment_itself", "trigger_window_open_below", "exclusion_after_fast_lane",
    "newest_value_is_the_first",
}  # fmt: skip

WITNESS = """
import json, sys
from pathlib import Path

def pytest_sessionfinish(session):
    files = {name: getattr(module, "__file__", None) for name, module in list(sys.modules.items())}
    Path("imported.json").write_text(json.dumps({name: file for name, file in files.items() if file}))
"""
"""A plugin that says from where the tested modules came: the installed package is this source, not the copy."""


def test_there_is_a_patch_for_each_of_the_faults() -> None:
    assert {path.stem for path in PATCHES} == FAULTS


def run_tests(source: Path, scratch: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run tests on a folder's packages, uncompiled."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment |= {
        "NUMBA_DISABLE_JIT": "1",
        "PYTHONPATH": str(source),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HYPOTHESIS_STORAGE_DIRECTORY": str(scratch / "hypothesis"),
    }
    without = [
        word for name in ("cacheprovider", "xdist", "schemathesis", "playwright") for word in ("-p", f"no:{name}")
    ]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *without, *arguments],
        cwd=source,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_a_fault_the_tests_are_green(tmp_path: Path) -> None:
    """Uncompiled too: else they would be red for that."""
    named = {name for path in PATCHES for name in re.findall(r"^# turns red: (\S+)", path.read_text())}
    run = run_tests(ROOT, tmp_path, *sorted(named))
    assert run.returncode == 0, run.stdout[-3000:]
    assert f"{len(named)} passed" in run.stdout


@pytest.mark.parametrize("patch", PATCHES, ids=lambda path: path.stem)
def test_the_fault_turns_its_test_red(patch: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for folder in ("features", "training", "serving", "tests"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__", "*.patch"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    (copy / "witness.py").write_text(WITNESS)
    text = patch.read_text()
    named = re.match(r"# turns red: (tests/\S+\.py::test_\w+)\n", text)
    assert named, "a patch must start with '# turns red: tests/FILE.py::test_NAME'"
    changed = re.findall(r"^\+\+\+ b/(\S+)\.py$", text, flags=re.MULTILINE)
    applied = subprocess.run(
        ["git", "apply", "-C1", "--whitespace=nowarn", str(patch)],
        cwd=copy,
        env={**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert applied.returncode == 0, f"the patch no longer applies: {applied.stderr}"
    assert changed
    for module in changed:
        before, after = ((folder / f"{module}.py").read_text() for folder in (ROOT, copy))
        assert before != after, "git apply left the copy as it was"
    run = run_tests(copy, tmp_path, "-p", "witness", "-rf", named[1])
    said = run.stdout[-3000:] + run.stderr[-1000:]
    imported = json.loads((copy / "imported.json").read_text())
    for module in changed:
        assert imported.get(module.replace("/", ".")) == str(copy / f"{module}.py"), (
            f"the copy was not imported: {said}"
        )
    assert run.returncode == 1, f"{named[1]} does not see the fault {patch.stem}: {said}"
    assert re.search(r"^E\s+(assert |AssertionError)", run.stdout, flags=re.MULTILINE), (
        f"red for another reason: {said}"
    )
