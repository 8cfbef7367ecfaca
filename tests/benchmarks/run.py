"""Speed and memory beside the peers: ``make bench`` prints one table.

    make bench                            everything, about seven minutes on two cores
    make bench ARGS=--quick               small sizes, to see that it works; the figures mean little
    make bench ARGS="--only features"     one of: features, one_lead, training, scoring, http, pages, truth, calibration

Every ratio comes from one run on one machine: our side and the peer's run in turn, each heavy one in a process of its
own, so that its seconds and its peak memory (all of the process, input included) are its own. A ratio above 1 is in our
favour. Figures of different machines, or of different runs, are not comparable; ratios nearly are.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from measuring import Line
from rich import box
from rich.console import Console
from rich.table import Table

BENCHMARKS = {
    "features": "features_against_polars",
    "one_lead": "one_lead_latency",
    "training": "training_time",
    "scoring": "scoring_time",
    "http": "http_latency",
    "pages": "people_pages",
    "truth": "b2b_truth",
    "calibration": "living_calibration",
}
"""What ``--only`` takes, and the file that measures it: each has a function ``measure(*, quick) -> list[Line]``."""

PACKAGES = ("numpy", "numba", "polars", "lightgbm", "shap", "mlflow", "bentoml", "starlette", "uvicorn")


def machine() -> str:
    """Processor, cores and memory; no host name, no user, no paths."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [
            line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")
        ]
        model = names[0] if names else model
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}"


def versions() -> str:
    found = []
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            found.append(f"{package} missing")
    return f"Python {platform.python_version()}, " + ", ".join(found)


def figure(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    return f"{value:,.0f} {unit}" if value >= 1000 else f"{value:.3g} {unit}"


def show(console: Console, name: str, lines: Sequence[Line]) -> None:
    table = Table(box=box.SIMPLE, title=f"make bench ARGS='--only {name}'", title_justify="left", title_style="bold")
    for heading in ("what", "ours", "peer", "", "ratio", "peak memory, ours / peer", "note"):
        table.add_column(heading, justify="left" if heading in ("what", "", "note") else "right", overflow="fold")
    for line in lines:
        memory = ""
        if line.our_memory is not None:
            memory = " / ".join(f"{each:,.0f} MiB" for each in (line.our_memory, line.peer_memory) if each is not None)
        table.add_row(
            line.what,
            figure(line.ours, line.unit),
            figure(line.peer, line.unit),
            line.peer_name,
            "" if line.ratio is None else f"{line.ratio:.2f}x",
            memory,
            line.note,
        )
    console.print(table)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make bench", description="Speed and memory beside the peers.")
    parser.add_argument("--only", action="append", choices=sorted(BENCHMARKS), help="only this one; may be repeated")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it works")
    options = parser.parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(f"{machine()}\n{versions()}\nload before: {os.getloadavg()[0]:.1f}", highlight=False)
    if options.quick:
        console.print("quick: small sizes, the figures mean little")
    failed = []
    for name, module in BENCHMARKS.items():
        if options.only and name not in options.only:
            continue
        try:
            show(console, name, importlib.import_module(module).measure(quick=options.quick))
        except Exception as problem:  # one benchmark that fails must not take the figures of the others with it
            failed.append(name)
            console.print(f"{name} failed: {type(problem).__name__}: {problem}", markup=False)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
