"""`propensity load` fills the store from files of any kind; loaded again, nothing changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from features.errors import UsageError
from features.workspace import Workspace
from oracles.written_workspaces import NOW, OUTCOMES, at, rejected, write_workspace
from serving.cli import _run as cli_run
from serving.store import Store
from serving.store.behaviour import NewLead, add_leads
from serving.store.erasure import erase_lead
from serving.store.lead_rows import LeadRows, lead_rows
from serving.store.loading import Loaded, load_tables, required_store
from serving.store.tables import events, metadata

LEADS = """
lead_id,created_at,size,contact_name,memo
L1,2026-01-01T00:00:00Z,10,岡田 花子,"a ""quoted"", word"
L2,2026-01-02T00:00:00Z, 0７ ,,不明
"""
EVENTS = """
lead_id,occurred_at,event_type,recorded_at,event_id,value,channel,plan
L1,2026-01-05T10:00:00Z,visit,2026-01-06T00:00:00Z,e1,"1,000",web,team
L1,2026-01-05T10:00:00Z,visit,2026-01-05T12:00:00Z,e1,7,web,team
L2,2026-01-07,click,,,,不明,
L2,2026-01-07,click,,,,,
L2,soon,click,,,,,
Lx,2026-01-08T00:00:00Z,visit,,e1,,,
"""


def load(store: Store, workspace: Workspace, now: int = NOW) -> dict[str, Loaded]:
    workspace = replace(workspace, store="the one given")
    return {each.table: each for each in load_tables(workspace, store, now=now, progress=lambda *_: None)}


def rows_of(store: Store, *lead_ids: str) -> dict[str, LeadRows]:
    with store.reading() as c:
        return lead_rows(c, lead_ids)


def content(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables but their numbers."""
    with store.reading() as c:
        return {
            table.name: sorted(
                tuple(str(cell) for cell in row)
                for row in c.execute(sa.select(*[x for x in table.c if x.name != "number"]))
            )
            for table in metadata.sorted_tables
        }


def counts(loaded: Loaded) -> tuple[int, int, int, int, int]:
    return loaded.accepted, loaded.changed, loaded.repeated, sum(loaded.rejected.values()), loaded.erased


def test_cells_come_as_the_text_they_had_with_the_times_of_the_files(store: Store, tmp_path: Path) -> None:
    workspace = write_workspace(tmp_path, leads=LEADS.strip(), events=EVENTS.strip())
    loaded = load(store, workspace)
    assert counts(loaded["leads"]) == (2, 0, 0, 0, 0)
    assert counts(loaded["events"]) == (4, 0, 1, 1, 0)
    found = rows_of(store, "L1", "L2")
    assert found["L1"].attributes == {"size": "10", "contact_name": "岡田 花子", "memo": 'a "quoted", word'}
    assert found["L2"].attributes == {"size": "0７", "memo": "不明"}
    (event,) = found["L1"].events
    assert (event.event_id, event.value, event.channel, event.properties) == ("e1", 7.0, "web", {"plan": "team"})
    assert (event.occurred_at, event.recorded_at) == (at("2026-01-05T10:00"), at("2026-01-05T12:00"))
    days = {(each.occurred_at, each.recorded_at, each.channel) for each in found["L2"].events}
    assert days == {(at("2026-01-07"), at("2026-01-08") - 1, None)}
    assert len(found["L2"].events) == 2
    assert [row["reason"] for row in rejected(tmp_path, "events")] == ["unreadable occurred_at"]


def test_the_same_files_loaded_again_change_nothing(store: Store, tmp_path: Path) -> None:
    attributes = "lead_id,valid_from,size\n" + "L1,2026-02-01T00:00:00Z,20\n" * 2
    outcomes = OUTCOMES + "L1,2026-03-01,converted\n" * 2
    workspace = write_workspace(
        tmp_path, leads=LEADS.strip(), events=EVENTS.strip(), attributes=attributes, outcomes=outcomes
    )
    assert load(store, workspace)["attributes"].accepted == 2
    before = content(store)
    again = load(store, workspace, NOW + 1)
    assert content(store) == before
    assert {table: counts(loaded)[:3] for table, loaded in again.items()} == {
        "leads": (0, 0, 2), "events": (0, 0, 5), "attributes": (0, 0, 2), "outcomes": (0, 0, 2)
    }  # fmt: skip


def test_rows_of_a_lead_that_no_table_has_wait_for_it(store: Store, tmp_path: Path) -> None:
    workspace = write_workspace(tmp_path, leads=LEADS.strip(), events=EVENTS.strip())
    assert load(store, workspace)["events"].waiting == 1
    workspace = write_workspace(tmp_path, leads="lead_id,created_at\nLx,2026-01-09\n", events=EVENTS.strip())
    assert load(store, workspace)["events"].waiting == 0
    assert len(rows_of(store, "Lx")["Lx"].events) == 1


def test_attributes_of_a_newer_file_count_from_the_load_on(store: Store, tmp_path: Path) -> None:
    first, newer = (f"lead_id,created_at,size\nL1,2026-01-01,{size}\n" for size in (10, 20))
    for now, leads in enumerate((first, newer, newer, first, first)):
        load(store, write_workspace(tmp_path, leads=leads), NOW + now)
    found = rows_of(store, "L1")["L1"]
    assert found.attributes == {"size": "10"}
    assert [(each.valid_from, each.attributes) for each in found.changes] == [
        (NOW + 1, {"size": "20"}),
        (NOW + 3, {"size": "10"}),
    ]


def test_an_unchanged_file_does_not_undo_what_programs_told_since(store: Store, tmp_path: Path) -> None:
    workspace = write_workspace(tmp_path, leads="lead_id,created_at,size\nL1,2026-01-01,10\n")
    load(store, workspace)
    with store.writing() as c:
        add_leads(c, [NewLead("L1", NOW, {"size": "20"})], now=NOW + 1)
    assert counts(load(store, workspace, NOW + 2)["leads"]) == (0, 0, 1, 0, 0)


def test_rows_of_erased_leads_are_refused_and_not_even_set_aside(store: Store, tmp_path: Path) -> None:
    told = "lead_id,occurred_at,event_type\nL1,2026-01-05,visit\nL1,soon,visit\nL2,soon,visit\nL1,1\n"
    workspace = write_workspace(tmp_path, events=told, outcomes=OUTCOMES + "L1,2026-01-09,lost\n")
    erase_lead(store, "L1", now=NOW)
    loaded = load(store, workspace)
    assert counts(loaded["leads"]) == (1, 0, 0, 0, 1)
    assert counts(loaded["events"]) == (0, 0, 0, 1, 2)
    assert counts(loaded["outcomes"]) == (0, 0, 0, 0, 1)
    assert [row["lead_id"] for row in rejected(tmp_path, "events")] == ["L2"]


def test_parquet_cells_come_as_texts_that_read_alike(store: Store, tmp_path: Path) -> None:
    leads = pa.table(
        {
            "lead_id": [1, 2],
            "created_at": pa.array([at("2026-01-01"), at("2026-01-02")], pa.timestamp("us", tz="UTC")),
            "single": pa.array([0.1, None], pa.float32()),
            "double": [5.0, float("inf")],
            "flag": [True, None],
            "nanos": pa.array([1_767_225_600_000_000_999, None], pa.timestamp("ns")),
            "Name": ["a\tb", "日本"],
            "tags": [["a"], []],
        }
    )
    workspace = write_workspace(tmp_path, leads=leads)
    loaded = load(store, workspace)["leads"]
    assert loaded.notes == ("column tags holds no plain values",)
    found = rows_of(store, "1", "2")
    assert found["1"].attributes == {
        "single": "0.10000000149011612", "double": "5", "flag": "true", "nanos": "2026-01-01 00:00:00", "Name": "a\tb"
    }  # fmt: skip
    assert found["2"].attributes == {"Name": "日本"}


def test_exports_in_cp932_come_as_they_are(store: Store, tmp_path: Path) -> None:
    workspace = write_workspace(
        tmp_path, leads="lead_id,created_at,氏名\nリード1,2026年1月5日,髙橋 一郎\n", encoding="cp932"
    )
    assert load(store, workspace)["leads"].notes == ("leads.csv was read as cp932",)
    assert rows_of(store, "リード1")["リード1"].attributes == {"氏名": "髙橋 一郎"}


def test_names_that_differ_by_case_or_hold_quotes_stay_apart(store: Store, tmp_path: Path) -> None:
    load(store, write_workspace(tmp_path, leads='lead_id,created_at,Size,size,"it\'s ""so"""\nL1,2026-01-01,a,b,c\n'))
    assert rows_of(store, "L1")["L1"].attributes == {"Size": "a", "size": "b", 'it\'s "so"': "c"}


def test_a_load_that_is_interrupted_is_finished_by_the_next(store: Store, tmp_path: Path) -> None:
    told = "lead_id,occurred_at,event_type\n" + "".join(f"L{i % 2 + 1},2026-01-05,visit\n" for i in range(95))
    workspace = replace(write_workspace(tmp_path, events=told), store="the one given")

    def interrupt(what: str, fraction: float = 0.0) -> None:
        if fraction > 0.5 and "events" in what:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_tables(workspace, store, now=NOW, progress=interrupt, rows_at_once=10)
    assert load(store, workspace)["events"].repeated == 50
    with store.reading() as c:
        assert c.execute(sa.select(sa.func.count()).select_from(events)).scalar() == 95


def test_a_workspace_of_files_is_told_which_line_to_add(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r'store = "sqlite:///.propensity/store.db"'):
        required_store(write_workspace(tmp_path))


def test_a_store_without_files_is_told_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r'leads = "leads.csv"'):
        required_store(replace(write_workspace(tmp_path), store="sqlite:///s.db", tables={}))


def test_events_of_parquet_files_are_told_apart_by_content_too(store: Store, tmp_path: Path) -> None:
    told = pa.table(
        {"lead_id": ["L1"] * 3, "occurred_at": ["2026-01-05"] * 3, "event_type": ["visit"] * 3, "n": [1, 1, 2]}
    )
    workspace = write_workspace(tmp_path, events=told)
    assert load(store, workspace)["events"].accepted == 3
    pq.write_table(pa.concat_tables([told, told.slice(1)]), tmp_path / "events.parquet")
    assert counts(load(store, workspace)["events"])[:3] == (2, 0, 3)


def test_the_command_says_what_became_of_the_rows(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_workspace(tmp_path, leads=LEADS.strip(), events=EVENTS.strip())
    toml = tmp_path / "propensity.toml"
    assert cli_run(["load", str(tmp_path)]) == 2
    assert 'store = "sqlite:///.propensity/store.db"' in capfd.readouterr().err
    toml.write_text(toml.read_text().replace("[tables]", '[tables]\nstore = "sqlite:///.propensity/store.db"'))
    assert cli_run(["load", str(tmp_path)]) == 0
    told = capfd.readouterr()
    assert told.out.splitlines() == [
        "leads: 2 loaded, 0 repeated, 0 set aside",
        "events: 4 loaded, 1 repeated, 1 set aside",
        "  set aside in rejected/events.parquet: 1 unreadable occurred_at",
        "  1 row in the store waits for a lead that is not known yet",
        "outcomes: 0 loaded, 0 repeated, 0 set aside",
    ]
    assert "loading 5 rows of events" in told.err or "loading 4 rows of events" in told.err
