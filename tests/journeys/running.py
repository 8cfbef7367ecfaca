"""The installed command, run as a person runs it: in a process of its own, with its words and its exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCRIPT = Path(sys.executable).with_name("propensity")


@dataclass(frozen=True)
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str


def environment(**changed: str) -> dict[str, str]:
    """This process's environment, without what would point a command at somebody's store or keys."""
    kept = {
        name: value for name, value in os.environ.items() if name not in ("MLFLOW_TRACKING_URI", "PROPENSITY_API_KEYS")
    }
    return {**kept, "PYTHONUTF8": "1", **changed}


def propensity(
    *arguments: object, code: int = 0, env: Mapping[str, str] = {}, prepare: Callable[[], None] | None = None
) -> Ended:
    """Run a command; it must end with `code`, and never with a traceback.

    Parameters
    ----------
    prepare : runs in the new process before the command (limits of what it may do).
    """
    done = subprocess.run(
        [SCRIPT, *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        env=environment(**env),
        preexec_fn=prepare,
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == code, f"exit {done.returncode}\n{done.stderr}"
    return Ended(done.returncode, done.stdout, done.stderr)


def started(*arguments: object) -> subprocess.Popen[str]:
    """Start a command and go on; Ctrl-C reaches it even where the tests themselves run in the background."""
    return subprocess.Popen(
        [SCRIPT, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=environment(),
        preexec_fn=hear_ctrl_c,
    )


def hear_ctrl_c() -> None:
    """A shell starts background jobs deaf to SIGINT, and their children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def explained(folder: Path, lead_id: str, *arguments: str) -> dict[str, Any]:
    """One lead's score as the service would answer."""
    answer: dict[str, Any] = json.loads(propensity("explain", folder, lead_id, "--json", *arguments).out)
    return answer


def scorer_files(folder: Path) -> dict[str, bytes]:
    """The files of both scorers of the only model that ever served a workspace, by name in its bundle."""
    (bundle,) = (folder / ".propensity" / "bundles").iterdir()
    return {
        str(path.relative_to(bundle)): path.read_bytes()
        for part in ("serving", "evaluated")
        for path in sorted((bundle / part).rglob("*"))
        if path.is_file()
    }
