"""An example workspace, made and trained once a run: what training, scoring and HTTP are measured on."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from measuring import in_own_process

if TYPE_CHECKING:
    from features.history import History

WORLD = "completejourney"
PROPENSITY = (sys.executable, "-c", "from serving.cli import main; main()")
"""The console script, whatever it is called in this environment."""
_kept: list[tempfile.TemporaryDirectory[str]] = []


@lru_cache(maxsize=2)
def trained(quick: bool) -> tuple[Path, dict[str, Any]]:
    """Folder of the trained workspace, with its champion, and seconds and peak memory of the training."""
    holder = tempfile.TemporaryDirectory(prefix="propensity-bench-")
    _kept.append(holder)  # goes away with the process
    folder = Path(holder.name) / WORLD
    figures = in_own_process("trained_world", "make_and_train", folder=str(folder), quick=quick)
    return folder, figures


def make_and_train(folder: str, quick: bool) -> dict[str, Any]:
    """The seconds are those of the command, its start included; the memory is the command's alone."""
    made = "from pathlib import Path; import sys; from features.worlds import make_world\n"
    made += "make_world(sys.argv[1], Path(sys.argv[2]), size=int(sys.argv[3]) or None)"
    size = "800" if quick else "0"
    world = "b2b" if quick else WORLD
    before = environment()
    subprocess.run([sys.executable, "-c", made, world, folder, size], check=True, env=before)
    made_peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    started = perf_counter()
    done = subprocess.run([*PROPENSITY, "train", folder], env=before, capture_output=True, text=True, check=False)
    seconds = perf_counter() - started
    if done.returncode:
        raise RuntimeError(f"propensity train ended with {done.returncode}: {done.stdout[-1500:]}{done.stderr[-1500:]}")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    unit = 1024 if sys.platform == "linux" else 2**20
    return {"seconds": seconds, "peak_memory": peak / unit if peak > made_peak else None}


def environment() -> dict[str, str]:
    """This one, without a registry of the user's: a benchmark writes to its own folder alone."""
    kept = {
        name: value for name, value in os.environ.items() if name not in ("MLFLOW_TRACKING_URI", "PROPENSITY_API_KEYS")
    }
    kept["PATH"] = os.pathsep.join(
        [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
    )  # for uvicorn
    return {**kept, "MLFLOW_DISABLE_TELEMETRY": "true", "BENTOML_DO_NOT_TRACK": "true"}


def told_lead(history: History, at: int, *, events: int = 100) -> dict[str, Any]:
    """The open lead with about so many events, as the body of ``POST /score`` tells it."""
    told_events, schema = history.events, history.schema
    open_leads = history.open_leads(at)
    counts = np.diff(told_events.offsets)[open_leads]
    lead = int(open_leads[np.argmin(np.abs(counts - events))])
    rows = range(int(told_events.offsets[lead]), int(told_events.offsets[lead + 1]))
    categories, numbers = schema.event_code_columns, schema.event_numbers

    def text(column: int, row: int) -> str | None:
        code = int(told_events.codes[column, row])
        return told_events.vocabularies[column][code] if code >= 0 else None

    def number(column: int, row: int) -> float | None:
        cell = float(told_events.numbers[column, row])
        return None if np.isnan(cell) else cell

    attributes: dict[str, Any] = {}
    last = int(history.attributes.offsets[lead + 1]) - 1
    for row, column in enumerate(schema.attribute_categories):
        code = int(history.attributes.codes[row, last])
        attributes[column] = history.attributes.vocabularies[row][code] if code >= 0 else None
    for row, column in enumerate(schema.attribute_numbers):
        cell = float(history.attributes.numbers[row, last])
        if schema.attributes[column] == "number":
            attributes[column] = None if np.isnan(cell) else cell
    return {
        "lead_id": str(history.lead_ids[lead]),
        "created_at": _iso(int(history.created_at[lead])),
        "as_of": _iso(at),
        "attributes": attributes,
        "events": [
            {
                "event_type": text(0, row),
                "occurred_at": _iso(int(told_events.occurred_at[row])),
                "recorded_at": _iso(int(told_events.known_at[row])),
                "channel": text(1, row),
                "value": number(0, row),
                "properties": {column: text(i, row) for i, column in enumerate(categories) if i > 1}
                | {column: number(i, row) for i, column in enumerate(numbers) if i > 0},
            }
            for row in rows
        ],
    }


def _iso(instant: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant)).isoformat()


def body_of(lead: dict[str, Any]) -> bytes:
    return json.dumps(lead, ensure_ascii=False).encode()
