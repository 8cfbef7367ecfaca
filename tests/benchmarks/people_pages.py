"""The pages of sales and the taking of events, over a store of 10,000 and of 100,000 leads, asked by 8 at once.

The leads are those of the simulated seller, each copied some times and moved to today. The queue's peer is the same
queue over a tenth of the leads (a ratio near 1: it does not grow); that of taking events is SQLite taking the bare rows
in transactions of the same size, without scoring anybody.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import tempfile
import time
from contextlib import closing
from pathlib import Path
from time import perf_counter
from typing import Any

from http_latency import free_port, running
from measuring import Line, in_own_process
from trained_world import PROPENSITY, environment

WORLD_LEADS = 4_000
COPIES = {"10,000 leads": 3, "100,000 leads": 25}
EVENTS_A_BATCH = 500
CONCURRENCY = 8
SWEPT_WITHIN = 900.0


def measure(*, quick: bool) -> list[Line]:
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(prefix="propensity-bench-") as name:
        folder = Path(name) / "b2b"
        size = 800 if quick else WORLD_LEADS
        _propensity("demo", "--world", "b2b", "--folder", str(folder), "--size", str(size), "--no-serve")
        toml = folder / "propensity.toml"
        toml.write_text(toml.read_text().replace("[tables]", '[tables]\nstore = "sqlite:///.propensity/store.db"'))
        _propensity("load", str(folder))
        pristine = (folder / ".propensity" / "store.db").read_bytes()
        for what, copies in COPIES.items():
            _fill(folder, pristine, 1 if quick else copies)
            found[what] = _asked(folder, quick)
    small, large = found.values()
    lines = []
    for what, name in (("queue", "queue page"), ("lead", "lead page")):
        ours, peer = large[what], small[what]
        note = f"{large['leads']:,} / {small['leads']:,} standing leads, concurrency {CONCURRENCY}, {ours['requests']:,} requests"
        lines += [
            Line(f"{name}, {each}", "ms", ours=ours[each], peer_name="a tenth of the leads", peer=peer[each], note=note)
            for each in ("p50", "p99")
        ]
    note = f"batches of {EVENTS_A_BATCH}, each event's lead scored anew; the peer only inserts"
    lines.append(
        Line("POST /events, events a second", "/s", ours=large["events"], peer_name="bare inserts into SQLite",
             peer=large["bare"], better="high", note=note)
    )  # fmt: skip
    return lines


def _propensity(*arguments: str) -> None:
    done = subprocess.run([*PROPENSITY, *arguments], env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"propensity {arguments[0]} ended with {done.returncode}: {done.stderr[-2000:]}")


def _fill(folder: Path, pristine: bytes, copies: int) -> None:
    """Copies of all leads with all that is known of them, the newest thing just now."""
    path = folder / ".propensity" / "store.db"
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    path.write_bytes(pristine)
    with closing(sqlite3.connect(path)) as store, store:
        for table in ("standings", "scores", "band_changes", "handoffs", "deliveries", "feedback", "facts"):
            store.execute(f"delete from {table}")
        store.execute("delete from settings where name = 'swept'")
        (newest,) = store.execute("select max(recorded_at) from events").fetchone()
        move = time.time_ns() // 1000 - int(newest) - 1_000_000
        for table, times in _TIMES.items():
            columns = [row[1] for row in store.execute(f"pragma table_info({table})") if row[1] != "number"]
            store.execute(f"update {table} set " + ", ".join(f"{each} = {each} + {move}" for each in times))
            for copy in range(1, copies):
                cells = ", ".join(f"lead_id || '-{copy}'" if each == "lead_id" else f'"{each}"' for each in columns)
                names = ", ".join(f'"{each}"' for each in columns)
                own = "where lead_id not like 'L-%-%'"
                store.execute(f"insert into {table} ({names}) select {cells} from {table} {own}")


_TIMES = {
    "leads": ("created_at", "recorded_at"),
    "attribute_changes": ("valid_from", "recorded_at"),
    "events": ("occurred_at", "recorded_at"),
    "outcomes": ("occurred_at", "recorded_at"),
}


def _asked(folder: Path, quick: bool) -> dict[str, Any]:
    port = free_port()
    path = folder / ".propensity" / "store.db"
    with running([*PROPENSITY, "serve", str(folder), "--port", str(port)], port, "/readyz", {}):
        _until_swept(path)
        with closing(sqlite3.connect(path)) as store:
            (leads,) = store.execute("select count(*) from standings").fetchone()
            called = [row[0] for row in store.execute("select lead_id from standings order by lane limit 200")]
            active = [row[0] for row in store.execute("select lead_id from standings order by lead_id limit 4000")]
        queues = ["/?lang=en", "/?lang=ja", "/?lang=en&band=all", "/?lang=en&q=foods"]
        asked: dict[str, Any] = {"leads": leads}
        how = {"port": port, "concurrency": CONCURRENCY, "most_requests": 200 if quick else 4_000, "warm": 40}
        for what, gets in (("queue", queues), ("lead", [f"/leads/{each}?lang=en" for each in called])):
            asked[what] = in_own_process("load_generator", "generate", gets=gets, most_seconds=10.0, **how)
        bodies = folder / "bodies.txt"
        bodies.write_text("\n".join(_batches(active, 4 if quick else 40)))
        how |= {"concurrency": 2, "warm": 2, "most_requests": 4 if quick else 38}
        taken = in_own_process(
            "load_generator", "generate", path="/events", bodies_file=str(bodies), most_seconds=60.0, **how
        )
    asked["events"] = taken["a_second"] * EVENTS_A_BATCH
    asked["bare"] = _bare(folder, bodies)
    return asked


def _until_swept(path: Path) -> None:
    until = time.monotonic() + SWEPT_WITHIN
    while time.monotonic() < until:
        with closing(sqlite3.connect(path)) as store:
            if store.execute("select 1 from settings where name = 'swept'").fetchone():
                return
        time.sleep(1.0)
    raise RuntimeError("the leads were not swept in time")


def _batches(leads: list[str], count: int) -> list[str]:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 3600))
    return [
        json.dumps(
            {
                "events": [
                    {
                        "lead_id": leads[(batch * EVENTS_A_BATCH + each) % len(leads)],
                        "event_type": "page_viewed",
                        "occurred_at": now,
                        "event_id": f"bench-{batch}-{each}",
                        "channel": "web",
                    }
                    for each in range(EVENTS_A_BATCH)
                ]
            }
        )
        for batch in range(count)
    ]


def _bare(folder: Path, bodies: Path) -> float:
    """Events a second that the same database takes as bare rows."""
    batches = [json.loads(each)["events"] for each in bodies.read_text().splitlines()]
    bare = folder / "bare.db"
    bare.unlink(missing_ok=True)
    with closing(sqlite3.connect(bare, isolation_level=None)) as store:
        store.execute("pragma journal_mode = wal")
        store.execute(
            "create table events (lead_id text, event_id text, event_type text, occurred_at text, channel text)"
        )
        store.execute("create unique index once on events (lead_id, event_id)")
        started = perf_counter()
        for batch in batches:
            store.execute("begin immediate")
            rows = [
                tuple(each[name] for name in ("lead_id", "event_id", "event_type", "occurred_at", "channel"))
                for each in batch
            ]
            store.executemany("insert into events values (?, ?, ?, ?, ?)", rows)
            store.execute("commit")
        return sum(map(len, batches)) / (perf_counter() - started)
