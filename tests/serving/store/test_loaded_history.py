"""What is loaded into a store is read from it as from the files, bit for bit."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from features.tables import read_history
from features.workspace import Workspace, load_workspace
from features.worlds import make_world
from oracles.written_workspaces import NOW, at, write_workspace
from serving.store import open_store
from serving.store.loading import load_tables


def differences(one: Any, other: Any, where: str = "history") -> list[str]:
    """Where two values differ, bit by bit."""
    if is_dataclass(one):
        return [
            d
            for f in fields(one)
            for d in differences(getattr(one, f.name), getattr(other, f.name), f"{where}.{f.name}")
        ]
    if isinstance(one, np.ndarray):
        if one.dtype == object:
            return [] if one.tolist() == other.tolist() else [f"{where}: {one.tolist()[:5]} {other.tolist()[:5]}"]
        same = one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
        return [] if same else [f"{where}: {one!r} {other!r}"]
    if isinstance(one, dict):
        keys = [] if one.keys() == other.keys() else [f"{where}: {sorted(one)} {sorted(other)}"]
        return keys + [
            d for key in one.keys() & other.keys() for d in differences(one[key], other[key], f"{where}[{key}]")
        ]
    if isinstance(one, tuple) and len(one) == len(other):
        return [d for i, (a, b) in enumerate(zip(one, other, strict=True)) for d in differences(a, b, f"{where}[{i}]")]
    return [] if one == other else [f"{where}: {one!r} {other!r}"]


def both(files: Workspace, address: str, *, now: int) -> list[str]:
    of_files = read_history(files, clock=lambda: now).history
    of_store = replace(files, store=address)
    store = open_store(of_store)
    load_tables(of_store, store, now=now, progress=lambda *_: None)
    store.close()
    found = read_history(of_store, clock=lambda: now).history
    return differences(of_files, replace(found, now=of_files.now))  # a store's now is the clock


def test_a_whole_world(store_address: str, tmp_path: Path) -> None:
    make_world("b2b", tmp_path / "w", size=300)
    assert both(load_workspace(tmp_path / "w"), store_address, now=NOW * 2) == []


TOML = '[target]\nconverted = "won"\nhorizon = "30d"\n[workspace]\ntimezone = "Asia/Tokyo"\n[page]\nname = "name"\n'


def test_tables_of_many_forms(store_address: str, tmp_path: Path) -> None:
    leads = "lead_id,created_at,name,size,code,seen,flag,recorded_at\n" + "".join(
        f'L{i},2026/1/{i % 28 + 1},Ann {i},"{i},000",0{i % 3},2025-12-{i % 28 + 1:02},{"TRUE" if i % 2 else "no"},不明\n'
        for i in range(60)
    )
    attributes = "lead_id,valid_from,size,level,recorded_at\n" + "".join(
        f"L{i},2026-02-{i % 28 + 1:02},{i + 5},{'manager' if i % 2 else 'staff'},{'2026-03-01' if i % 3 else ''}\n"
        for i in range(0, 60, 2)
    )
    events = "lead_id,occurred_at,event_type,recorded_at,event_id,value,channel,plan,price\n" + "".join(
        f"L{i % 60},2026-02-{i % 28 + 1:02} 0{i % 10}:00,t{i % 4},{'2026-03-02 10:00' if i % 5 else ''},"
        f'{i % 350 if i % 7 else ""},{i / 7 if i % 3 else "x"},{("web", "NA", "メール")[i % 3]},p{i % 6},"1,{i % 10}00.5"\n'
        for i in range(700)
    )
    outcomes = "lead_id,occurred_at,outcome,recorded_at\n" + "".join(
        f"L{i},2026-03-{i % 28 + 1:02},{'won' if i % 3 else 'lost'},{f'2026-04-{i % 28 + 1:02}' if i % 2 else ''}\n"
        for i in range(0, 60, 3)
    )
    files = write_workspace(tmp_path, toml=TOML, leads=leads, attributes=attributes, events=events, outcomes=outcomes)
    assert both(files, store_address, now=NOW) == []


@pytest.mark.parametrize("naive", [True, False])
def test_typed_parquet_cells(store_address: str, tmp_path: Path, naive: bool) -> None:
    drawn = np.random.default_rng(1)
    times = pa.timestamp("ns", tz=None if naive else "UTC")
    n, m = 40, 400
    leads = pa.table(
        {
            "lead_id": list(range(n)),
            "created_at": pa.array([at("2026-01-01") * 1000 + i * 1_000_001 for i in range(n)], times),
            "single": pa.array(drawn.random(n), pa.float32()),
            "double": drawn.random(n) * 1e-9,
            "amount": pa.array([f"{x:.4f}" for x in drawn.random(n) * 1e9], pa.string()).cast(pa.decimal128(20, 4)),
            "big": drawn.integers(-(2**62), 2**62, n),
            "since": pa.array([at("2025-01-01") * 1000 + i * 999 for i in range(n)], times),
            "day": pa.array(drawn.integers(18_000, 19_000, n), pa.int32()).cast(pa.date32()),
            "flag": drawn.random(n) > 0.5,
        }
    )
    events = pa.table(
        {
            "lead_id": drawn.integers(0, n, m),
            "occurred_at": pa.array([at("2026-02-01") * 1000 + int(i) for i in drawn.integers(0, 10**15, m)], times),
            "event_type": drawn.choice(["a", "b"], m),
            "value": pa.array(drawn.random(m), pa.float32()),
            "price": pa.array(drawn.random(m), pa.float32()),
            "seats": drawn.integers(0, 2**60, m),
        }
    )
    outcomes = "lead_id,occurred_at,outcome\n" + "".join(f"{i},2026-03-01T00:00:00Z,won\n" for i in range(0, n, 2))
    files = write_workspace(tmp_path, toml=TOML, leads=leads, events=events, outcomes=outcomes)
    assert both(files, store_address, now=NOW) == []
