"""Features of many moments: ours against polars computing the same columns, with peak memory; results compared.

Both sides read the same sorted arrays before the clock starts, are warmed on a hundred moments, and use all cores.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from bulk_history import (
    EVENTS_A_LEAD,
    MOMENTS_A_LEAD,
    SCHEMA,
    bulk_definitions,
    bulk_history,
    bulk_moments,
    load,
    load_columns,
    save,
)
from measuring import Line, in_own_process, in_turn, peak_memory

SIZES = (1_000_000, 10_000_000)
"""Events; a tenth as many moments."""
QUICK_SIZES = (100_000,)
ROWS_COMPARED_AT_ONCE = 50_000


def measure(*, quick: bool) -> list[Line]:
    lines = []
    for n_events in QUICK_SIZES if quick else SIZES:
        n_moments = n_events // EVENTS_A_LEAD * MOMENTS_A_LEAD
        with tempfile.TemporaryDirectory(prefix="propensity-bench-") as name:
            in_own_process("features_against_polars", "make_input", folder=name, n_events=n_events)
            sides: list[Callable[[], dict[str, Any]]] = [
                partial(in_own_process, "features_against_polars", side, folder=name) for side in ("ours", "polars")
            ]
            ours, polars = in_turn(sides, runs=3 if n_events <= 1_000_000 else 1)
            assert_equal(Path(name))
        lines.append(
            Line(
                what=f"features: {n_events:,} events x {n_moments:,} moments x {len(bulk_definitions())} columns",
                unit="s",
                ours=ours["seconds"],
                peer_name="polars",
                peer=polars["seconds"],
                our_memory=ours["peak_memory"],
                peer_memory=polars["peak_memory"],
                note=f"input alone {ours['input_memory']:,.0f} / {polars['input_memory']:,.0f} MiB; all values equal",
            )
        )
    return lines


def make_input(folder: str, n_events: int) -> dict[str, Any]:
    (Path(folder) / "input").mkdir()
    history = bulk_history(n_events)
    save(history, bulk_moments(history), Path(folder) / "input")
    return {}


def ours(folder: str) -> dict[str, Any]:
    from features.compute import compute_features

    history, moments = load(Path(folder) / "input")
    definitions = bulk_definitions()
    compute_features(history, moments.take(np.arange(100)), definitions)
    input_memory = peak_memory()
    started = perf_counter()
    values = compute_features(history, moments, definitions)
    seconds, peak = perf_counter() - started, peak_memory()
    np.save(Path(folder) / "ours.npy", values)
    return {"seconds": seconds, "peak_memory": peak, "input_memory": input_memory}


def polars(folder: str) -> dict[str, Any]:
    import polars_features as peer

    columns = load_columns(Path(folder) / "input")
    definitions = bulk_definitions()
    events, moments = peer.event_frame(columns, SCHEMA), peer.moment_frame(columns)
    del columns
    peer.compute(events, moments[:100], definitions)
    input_memory = peak_memory()
    started = perf_counter()
    frame = peer.compute(events, moments, definitions)
    seconds, peak = perf_counter() - started, peak_memory()
    out = np.lib.format.open_memmap(
        Path(folder) / "polars.npy", mode="w+", dtype=np.float64, shape=(len(frame), len(definitions))
    )
    for start in range(0, len(frame), ROWS_COMPARED_AT_ONCE):
        out[start : start + ROWS_COMPARED_AT_ONCE] = frame[start : start + ROWS_COMPARED_AT_ONCE].to_numpy()
    out.flush()
    return {"seconds": seconds, "peak_memory": peak, "input_memory": input_memory}


def assert_equal(folder: Path) -> None:
    """Counts and days to the bit; whatever divides or adds floats within 1e-9 (orders of addition differ)."""
    ours, theirs = (np.load(folder / f"{side}.npy", mmap_mode="r") for side in ("ours", "polars"))
    definitions = bulk_definitions()
    exact = np.array([type(each).__name__ in ("CountWithin", "DistinctDays") for each in definitions])
    assert ours.shape == theirs.shape == (len(ours), len(definitions))
    assert exact.sum() > 50
    for start in range(0, len(ours), ROWS_COMPARED_AT_ONCE):
        a, b = (np.asarray(side[start : start + ROWS_COMPARED_AT_ONCE]) for side in (ours, theirs))
        same = np.where(exact, a == b, np.isclose(a, b, rtol=1e-9, atol=1e-9, equal_nan=True))
        if not same.all():
            row, column = np.argwhere(~same)[0]
            raise AssertionError(
                f"{definitions.names[column]} of moment {start + row}: {a[row, column]} by us, {b[row, column]} by polars"
            )
