"""Commands as a person runs them: each in a process of its own, with its words and its exit code."""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
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
    *arguments: object,
    code: int = 0,
    env: Mapping[str, str] = {},
    prepare: Callable[[], None] | None = None,
    script: bool = False,
) -> Ended:
    """Run a command; it must end with `code`, and never with a traceback.

    It runs in a fork of a process that has loaded what commands load (`forked_commands`). The installed script, which
    takes seconds more, is run where the process itself is what matters, and once for each command: the README's by the
    test of the README, `started` what it starts, and those with `script=True`.

    Parameters
    ----------
    env : changes of the environment; what libraries read of it when they are loaded must reach them, so that the
        installed script is run.
    prepare : runs in the new process before the command (limits of what it may do); likewise.
    """
    told = [str(each) for each in arguments]
    if script or env or prepare or sys.platform != "linux":
        done = subprocess.run(
            [SCRIPT, *told], capture_output=True, encoding="utf-8", env=environment(**env), preexec_fn=prepare
        )
        ended = Ended(done.returncode, done.stdout, done.stderr)
    else:
        ended = _forked(told)
    assert "Traceback" not in ended.err, ended.err
    assert ended.code == code, f"exit {ended.code}\n{ended.err}"
    return ended


def _forked(arguments: Sequence[str]) -> Ended:
    forking = _forking()
    assert forking.stdin is not None
    assert forking.stdout is not None
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        asked = {
            "arguments": arguments,
            "environment": environment(),
            "cwd": os.getcwd(),
            "out": str(out),
            "err": str(err),
        }
        forking.stdin.write(json.dumps(asked) + "\n")
        forking.stdin.flush()
        code = forking.stdout.readline()
        assert code, "the process that forks has ended"
        return Ended(int(code), out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8"))


@cache
def _forking() -> subprocess.Popen[str]:
    """The process that forks, started by the first command of these tests' process, and ended with it."""
    process = subprocess.Popen(
        [sys.executable, "-P", Path(__file__).with_name("forked_commands.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=environment(),
        preexec_fn=hear_ctrl_c,
    )

    def end() -> None:
        process.communicate()

    atexit.register(end)
    return process


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
