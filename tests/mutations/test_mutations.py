"""A test that no fault turns red proves nothing: each patch here makes one fault, and one named test must see it.

A patch starts with ``# turns red: FILE::TEST``. It is applied to a copy of the source, and that test alone is run there.
That the test is green on the source as it is, the suite itself says. Context is one line, so that patches survive the
formatter; where one no longer applies, make the same fault anew.
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

    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment |= {
        "NUMBA_CACHE_DIR": str(tmp_path / "numba"),  # what was compiled from the source as it is must not answer
        "PYTHONPATH": str(copy),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HYPOTHESIS_STORAGE_DIRECTORY": str(tmp_path / "hypothesis"),
    }
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "witness", "-p", "no:cacheprovider", "-p", "no:xdist", "-rf", named[1]],
        cwd=copy,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
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
