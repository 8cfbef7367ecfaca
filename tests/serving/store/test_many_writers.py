"""Two workers and a loader that write into one store at once lose nothing and double nothing."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from features.workspace import load_workspace
from oracles.written_workspaces import NOW, write_workspace
from serving.store import Store
from serving.store.behaviour import NewEvent, NewLead, NewOutcome, add_events, add_leads, add_outcomes
from serving.store.erasure import erase_lead
from serving.store.loading import load_tables
from serving.store.opening import open_address
from serving.store.tables import attribute_changes, events, leads, outcomes

LEADS, BATCHES, ROWS = 40, 30, 50


def work(address: str, folder: Path, worker: int) -> None:
    """A worker: all leads, its own events, some that the other worker sends too, and outcomes that both send."""
    store = open_address(address, folder)
    accepted = 0
    for batch in range(BATCHES):
        with store.writing() as c:
            add_leads(c, [NewLead(f"L{i}", NOW - 9, {"size": "10"}) for i in range(LEADS)], now=NOW)
            own = [NewEvent(f"L{i % LEADS}", "visit", NOW - i, f"w{worker}-{batch}-{i}") for i in range(ROWS)]
            both = [NewEvent(f"L{i % LEADS}", "click", NOW - i, f"both-{batch}-{i}") for i in range(ROWS)]
            told = add_events(c, own + both, now=NOW)
            add_outcomes(c, [NewOutcome(f"L{batch}", "lost", NOW - 5)], now=NOW)
        accepted += sum(each.status == "accepted" for each in told[:ROWS])
    store.close()
    assert accepted == BATCHES * ROWS


def load(address: str, folder: Path) -> None:
    store = open_address(address, folder)
    workspace = replace(load_workspace(folder), store=address)
    load_tables(workspace, store, now=NOW, progress=lambda *_: None, rows_at_once=100)
    store.close()


def count(store: Store, table: sa.Table, *where: sa.ColumnElement[bool]) -> int:
    with store.reading() as c:
        return int(c.execute(sa.select(sa.func.count()).select_from(table).where(*where)).scalar_one())


def test_two_workers_and_two_loaders_at_once_lose_and_double_nothing(store_address: str, tmp_path: Path) -> None:
    told = "".join(f"L{i % (2 * LEADS)},2026-01-05,visit\n" for i in range(3000))
    write_workspace(
        tmp_path,
        leads="lead_id,created_at,size\n" + "".join(f"L{i},2026-01-01,10\n" for i in range(2 * LEADS)),
        events=f"lead_id,occurred_at,event_type\n{told}",
        attributes="lead_id,valid_from,size\n" + "".join(f"L{i},2026-02-01,20\n" for i in range(LEADS)),
    )
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=work, args=(store_address, tmp_path, each)) for each in (1, 2)]
    workers += [spawn.Process(target=load, args=(store_address, tmp_path)) for _ in range(2)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    assert [each.exitcode for each in workers] == [0] * 4
    store = open_address(store_address, tmp_path)
    assert count(store, leads) == 2 * LEADS
    assert count(store, events, events.c.event_id.like("w%")) == 2 * BATCHES * ROWS
    assert count(store, events, events.c.event_id.like("both%")) == BATCHES * ROWS
    assert count(store, events, events.c.event_id.like("~%")) == 3000
    assert count(store, outcomes) == BATCHES
    told_again = attribute_changes.c.valid_from == NOW  # by whichever worker met a lead after its change was loaded
    assert count(store, attribute_changes, ~told_again) == LEADS
    store.close()


LOADER = """
import sys
from dataclasses import replace
from pathlib import Path
from features.workspace import load_workspace
from serving.store.loading import load_tables
from serving.store.opening import open_address
folder, address, now = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
def say(what, fraction=0.0):
    print(what, fraction, flush=True)
workspace, store = replace(load_workspace(folder), store=address), open_address(address, folder)
load_tables(workspace, store, now=now, progress=say, rows_at_once=200)
"""


def test_a_loader_that_is_killed_leaves_a_store_that_the_next_one_completes(store_address: str, tmp_path: Path) -> None:
    told = "".join(f"L{i % 2 + 1},2026-01-05,visit\n" for i in range(20_000))
    workspace = replace(
        write_workspace(tmp_path, events=f"lead_id,occurred_at,event_type\n{told}"), store=store_address
    )
    command = [sys.executable, "-c", LOADER, str(tmp_path), store_address, str(NOW)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": "."}) as loader:
        assert loader.stdout is not None
        for line in loader.stdout:
            if "of events" in line and float(line.split()[-1]) > 0.2:
                loader.send_signal(signal.SIGKILL)
                break
    assert loader.returncode == -signal.SIGKILL
    store = open_address(store_address, tmp_path)
    before = count(store, events)
    assert 0 < before < 20_000
    assert before % 200 == 0
    _, loaded, _ = load_tables(workspace, store, now=NOW, progress=lambda *_: None)
    assert (loaded.accepted, loaded.repeated) == (20_000 - before, before)
    assert count(store, events) == 20_000
    store.close()


def send_until_erased(address: str, folder: Path) -> None:
    store = open_address(address, folder)
    ends = time.monotonic() + 60
    for batch in range(100_000):
        with store.writing() as c:
            told = add_events(
                c, [NewEvent("L1", "visit", NOW, f"{os.getpid()}-{batch}-{i}") for i in range(20)], now=NOW
            )
        if told[0].status == "erased":
            break
        assert time.monotonic() < ends
    store.close()


def test_what_is_being_told_while_a_lead_is_erased_does_not_stay(store_address: str, tmp_path: Path) -> None:
    store = open_address(store_address, tmp_path)
    spawn = multiprocessing.get_context("spawn")
    senders = [spawn.Process(target=send_until_erased, args=(store_address, tmp_path)) for _ in range(2)]
    for each in senders:
        each.start()
    while count(store, events) < 200:
        time.sleep(0.05)
    erased = erase_lead(store, "L1", now=NOW)
    assert erased.found
    for each in senders:
        each.join()
    assert [each.exitcode for each in senders] == [0] * 2
    assert count(store, events) == 0
    store.close()
