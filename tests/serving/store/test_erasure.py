"""An erased lead is gone from all files below the workspace; only a keyed hash stays."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from features.workspace import Workspace, load_workspace
from oracles.written_workspaces import read, write_workspace
from serving.store import Store, open_store
from serving.store.behaviour import (
    NewChange,
    NewEvent,
    NewLead,
    NewOutcome,
    add_attribute_changes,
    add_events,
    add_leads,
    add_outcomes,
)
from serving.store.erasure import erase_lead
from serving.store.opening import open_address
from serving.store.tables import deliveries, facts, feedback, handoffs, metadata, scores, standings

NOW = 1_800_000_000_000_000
WHO = "LEAD-9f3c-Okada"
TOLD = (WHO, "岡田 花子", "hanako.okada@example.test", "岡田商店")
PERSON = {"contact_name": "岡田 花子", "email": "hanako.okada@example.test", "company_name": "岡田商店"}


def tell_all(store: Store, lead_id: str, attributes: dict[str, str]) -> None:
    """A row in every table that has rows about leads."""
    name = attributes["contact_name"]
    with store.writing() as c:
        add_leads(c, [NewLead(lead_id, NOW - 9, attributes)], now=NOW)
        add_attribute_changes(c, [NewChange(lead_id, NOW - 5, attributes)], now=NOW)
        add_events(
            c, [NewEvent(lead_id, "visit", NOW - i, f"{lead_id}-{i}", properties=attributes) for i in range(9)], now=NOW
        )
        add_outcomes(c, [NewOutcome(lead_id, "lost", NOW - 3)], now=NOW)
        c.execute(facts.insert().values(lead_id=lead_id, fact="need", known=True, note=name, recorded_at=NOW, by="me"))
        c.execute(feedback.insert().values(lead_id=lead_id, at=NOW, by="me", verdict="rejected", note=f"{name} left"))
        c.execute(scores.insert().values(lead_id=lead_id, as_of=NOW, score=5, decided_by="model"))
        c.execute(
            standings.insert().values(
                lead_id=lead_id, as_of=NOW, score=5, decided_by="model", lane=1, order_deadline=0, order_score=0.0,
                title=name, company=attributes["company_name"], search=name, state="waiting", active_again=False,
            )
        )  # fmt: skip
        c.execute(
            handoffs.insert().values(
                handoff_id=store.hash_of(lead_id), lead_id=lead_id, created_at=NOW, as_of=NOW, decided_by="model",
                held_back=False, active_again=False, payload=attributes,
            )
        )  # fmt: skip
        c.execute(
            deliveries.insert().values(
                handoff_id=store.hash_of(lead_id),
                channel="mail",
                state="dead",
                attempts=1,
                next_attempt_at=NOW,
                leased_until=0,
            )
        )


def rows_naming(store: Store, *texts: str) -> list[str]:
    """Tables of the store, all of them, in which a row holds one of the texts."""
    found = []
    with store.reading() as c:
        for table in metadata.sorted_tables:
            for row in c.execute(sa.select(table)):
                line = json.dumps(list(row), default=str, ensure_ascii=False)
                found += [table.name for text in texts if text in line]
    return found


def files_naming(folder: Path, *texts: str) -> list[str]:
    """Files below a folder whose bytes hold one of the texts, as they are or as JSON or UTF-16 write them."""
    bytes_ = {
        code for each in texts for code in (each.encode(), json.dumps(each)[1:-1].encode(), each.encode("utf-16-le"))
    }
    return [path.name for path in folder.rglob("*") if path.is_file() and any(b in path.read_bytes() for b in bytes_)]


def test_nothing_in_any_table_names_an_erased_lead_and_the_others_stay(store: Store) -> None:
    tell_all(store, WHO, PERSON)
    tell_all(store, "L2", {"contact_name": "Ann Other", "company_name": "Other"})
    before = rows_naming(store, "L2")
    erased = erase_lead(store, WHO, now=NOW)
    assert erased.found
    assert erased.wiped
    assert rows_naming(store, *TOLD) == []
    assert rows_naming(store, "L2") == before
    with store.reading() as c:
        assert c.execute(sa.select(deliveries.c.handoff_id)).scalars().all() == [store.hash_of("L2")]
        assert c.execute(sa.text("select lead_hash from tombstones")).scalars().all() == [store.hash_of(WHO)]


def test_an_erased_lead_does_not_come_back_and_erasing_again_finds_nothing(store: Store) -> None:
    tell_all(store, WHO, PERSON)
    erase_lead(store, WHO, now=NOW)
    with store.writing() as c:
        told = add_leads(c, [NewLead(WHO, NOW)], now=NOW) + add_events(c, [NewEvent(WHO, "visit", NOW)], now=NOW)
    assert [each.status for each in told] == ["erased", "erased"]
    assert not erase_lead(store, WHO, now=NOW).found
    assert rows_naming(store, WHO) == []


def test_who_is_unknown_is_kept_out_all_the_same(store: Store) -> None:
    assert not erase_lead(store, "never seen", now=NOW).found
    with store.writing() as c:
        assert [each.status for each in add_leads(c, [NewLead("never seen", NOW)], now=NOW)] == ["erased"]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Its tables lie elsewhere, so that no file of the customer's stands below the folder."""
    folder, elsewhere = tmp_path / "w", tmp_path / "tables"
    folder.mkdir()
    elsewhere.mkdir()
    write_workspace(elsewhere)
    toml = (elsewhere / "propensity.toml").read_text().replace(' = "', f' = "{elsewhere}/', 3)
    (folder / "propensity.toml").write_text(toml)
    return load_workspace(folder)


def test_no_byte_of_any_file_below_the_workspace_names_an_erased_lead(workspace: Workspace) -> None:
    store = open_store(workspace)
    tell_all(store, WHO, PERSON)
    for i in range(300):
        tell_all(store, f"other-{i:04}", {"contact_name": f"Ann {i}", "company_name": "Other"})
    rejected_rows(workspace.rejected_folder)
    pq.write_table(scored("L1", WHO, "L2"), workspace.folder / "scores.parquet")
    pq.write_table(scored(WHO), workspace.folder / "monday.parquet")
    assert {"store.db-wal", "leads.parquet", "scores.parquet"} <= set(files_naming(workspace.folder, *TOLD))
    erased = erase_lead(store, WHO, now=NOW, workspace=workspace)
    assert erased.wiped
    assert files_naming(workspace.folder, *TOLD) == []
    assert erased.rewritten == ("rejected/events.parquet", "rejected/leads.parquet", "monday.parquet", "scores.parquet")
    assert sorted(Path(each).name for each in erased.yours) == ["events.csv", "leads.csv", "outcomes.csv"]
    assert pq.read_table(workspace.folder / "scores.parquet")["lead_id"].to_pylist() == ["L1", "L2"]
    assert pq.read_table(workspace.rejected_folder / "events.parquet")["lead_id"].to_pylist() == ["L1", "L3"]
    assert not (workspace.rejected_folder / "leads.parquet").exists()
    store.close()
    assert files_naming(workspace.folder, *TOLD) == []


def rejected_rows(folder: Path) -> None:
    folder.mkdir()
    # Plain pages, so that a search of bytes sees what stands in them.
    plain = {"compression": "none", "use_dictionary": False}
    leads = {
        "lead_id": [f" {WHO}", None],
        "contact_name": ["岡田 花子", "岡田 花子"],
        "reason": ["missing created_at", "no id"],
    }
    pq.write_table(pa.table({**leads, "line": [2, 3]}), folder / "leads.parquet", **plain)
    events = {
        "lead_id": ["L1", WHO, "L3", f'"{WHO}', "x"],
        "referrer": [None, None, "web", None, f"a {WHO} b"],
        "cells_beyond": [None, None, None, None, None],
        "reason": [
            "unknown lead",
            "unknown lead",
            "unknown lead",
            "broken line: a quote is not closed",
            "in the future",
        ],
    }
    types = pa.schema([(name, pa.string()) for name in events])
    pq.write_table(pa.table(events, schema=types), folder / "events.parquet", **plain)


def scored(*lead_ids: str) -> pa.Table:
    n = len(lead_ids)
    return pa.table(
        {
            "lead_id": list(lead_ids),
            "as_of": [1] * n,
            "probability": [0.1] * n,
            "decided_by": ["model"] * n,
            "reasons": [""] * n,
        }
    )


def test_copies_that_moving_rows_left_in_pages_are_gone_too(tmp_path: Path) -> None:
    """Pages that split keep copies in their gaps, which `secure_delete` alone does not zero."""
    drawn = random.Random(1)
    ids = [f"LEAD-{drawn.getrandbits(48):012x}-SECRET" for _ in range(3000)]
    store = open_address(f"sqlite:///{tmp_path / 'store.db'}", tmp_path)
    for _ in range(60):
        with store.writing() as c:
            add_leads(c, [NewLead(each, 1, {"name": f"Taro {each}"}) for each in drawn.sample(ids, 200)], now=5)
            events = [
                NewEvent(
                    drawn.choice(ids), "visit", drawn.randrange(10**6), f"{drawn.getrandbits(40)}",
                    properties={"page": "x" * drawn.randrange(300)},
                )
                for _ in range(500)
            ]  # fmt: skip
            add_events(c, events, now=7)
    gone = drawn.sample(ids, 60)
    for each in gone:
        assert erase_lead(store, each, now=9).wiped
    content = b"".join(path.read_bytes() for path in tmp_path.glob("store.db*"))
    assert [each for each in gone if each.encode() in content] == []
    store.close()


def test_a_reader_that_ends_in_time_does_not_keep_the_log(tmp_path: Path) -> None:
    store = open_address(f"sqlite:///{tmp_path / 'store.db'}", tmp_path)
    tell_all(store, WHO, PERSON)
    reader = sqlite3.connect(tmp_path / "store.db", check_same_thread=False, isolation_level=None)
    reader.execute("begin")
    assert reader.execute("select count(*) from leads").fetchone() == (1,)
    ending = threading.Timer(1.5, reader.rollback)
    ending.start()
    assert erase_lead(store, WHO, now=NOW).wiped
    ending.join()
    assert files_naming(tmp_path, *TOLD) == []
    reader.close()
    store.close()


def test_rows_that_the_reader_of_tables_set_aside_are_erased(tmp_path: Path) -> None:
    events = f"lead_id,occurred_at,event_type\n{WHO},2026-01-05,visit\nL9,2026-01-05,visit\nL1,2026,visit,{WHO}\n"
    read(tmp_path, events=events)
    workspace = write_workspace(tmp_path, events=events)
    store = open_store(workspace)
    assert erase_lead(store, WHO, now=NOW, workspace=workspace).rewritten == ("rejected/events.parquet",)
    assert pq.read_table(tmp_path / "rejected" / "events.parquet")["lead_id"].to_pylist() == ["L9"]
    store.close()


def test_tables_of_the_customer_are_named_and_never_rewritten(tmp_path: Path) -> None:
    workspace = write_workspace(tmp_path, leads=scored(WHO).append_column("created_at", [["2026-01-01"]]))
    before = (tmp_path / "leads.parquet").read_bytes()
    store = open_store(workspace)
    erased = erase_lead(store, WHO, now=NOW, workspace=workspace)
    assert (erased.rewritten, erased.yours) == ((), ("leads.parquet", "events.csv", "outcomes.csv"))
    assert (tmp_path / "leads.parquet").read_bytes() == before
    store.close()


def test_what_killed_runs_left_half_written_goes_and_what_is_being_written_stays(workspace: Workspace) -> None:
    left = [
        workspace.state_folder / "scratch" / "reading-abc" / "tables.duckdb",
        workspace.rejected_folder / ".events.77.tmp",
        workspace.folder / ".scores.parquet.77",
    ]
    fresh = workspace.rejected_folder / ".leads.78.tmp"
    for path in (*left, fresh):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(WHO)
    for path in (*left, left[0].parent):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    store = open_store(workspace)
    erase_lead(store, WHO, now=NOW, workspace=workspace)
    assert files_naming(workspace.folder, WHO) == [fresh.name]
    store.close()
