"""One side of a comparison, run in a process of its own: its seconds and its peak memory are nobody else's.

Run as a script it is that process: ``python measuring.py MODULE FUNCTION JSON`` calls ``MODULE.FUNCTION(**JSON)`` and
prints what it returns as one line of JSON.
"""

from __future__ import annotations

import importlib
import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

HERE = Path(__file__).resolve().parent
MARK = "measured: "


@dataclass(frozen=True)
class Line:
    """One line of the table: the same work by us and by a peer, in one unit, measured in the same run.

    `ratio` says how many times as good we are: above 1 is in our favour, whether the unit is better low or high.
    """

    what: str
    unit: str
    ours: float
    peer_name: str = ""
    peer: float | None = None
    better: str = "low"
    our_memory: float | None = None
    peer_memory: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        if self.peer is None or not self.ours or not self.peer:
            return None
        return self.peer / self.ours if self.better == "low" else self.ours / self.peer


def peak_memory() -> float:
    """Most MiB this process ever held. Not ``ru_maxrss`` on Linux: that one remembers the parent from before exec."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # macOS counts bytes


def seconds_of(work: Callable[[], Any], *, at_least: float = 0.0, most_runs: int = 1) -> float:
    """Median seconds of a call, repeated until `at_least` seconds or `most_runs` are used up."""
    taken: list[float] = []
    while not taken or (sum(taken) < at_least and len(taken) < most_runs):
        started = perf_counter()
        work()
        taken.append(perf_counter() - started)
    return statistics.median(taken)


def in_own_process(module: str, function: str, *, timeout: float = 3600, **arguments: Any) -> dict[str, Any]:
    """Call a function of a benchmark file in a fresh interpreter; what it returned (JSON)."""
    command = [sys.executable, str(HERE / "measuring.py"), module, function, json.dumps(arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    for line in done.stdout.splitlines():
        if line.startswith(MARK):
            return dict(json.loads(line.removeprefix(MARK)))
    raise RuntimeError(f"{module}.{function} ended with {done.returncode}:\n{done.stderr[-3000:]}")


def in_turn(sides: Sequence[Callable[[], dict[str, Any]]], *, runs: int) -> list[dict[str, Any]]:
    """Run the sides one after the other, `runs` rounds of it; of each side the run with the median seconds.

    In turn, because a machine that slows down for a minute should slow down both.
    """
    results: list[list[dict[str, Any]]] = [[] for _ in sides]
    for _ in range(runs):
        for result, side in zip(results, sides, strict=True):
            result.append(side())
    return [sorted(result, key=lambda each: each["seconds"])[len(result) // 2] for result in results]


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    returned = getattr(importlib.import_module(sys.argv[1]), sys.argv[2])(**json.loads(sys.argv[3]))
    print(MARK + json.dumps(returned), flush=True)
