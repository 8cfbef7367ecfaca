"""A workspace whose tables are a store reads as one whose tables are files with the same rows: to the last bit."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from features.compute import compute_features
from features.definitions import Definitions
from features.errors import DataError
from features.history import History
from features.moments import Moments
from features.tables import ReadTables, read_history
from features.workspace import Workspace, load_workspace
from features.worlds import make_world
from oracles.filled_stores import fill_store, put, rows_of
from oracles.made_histories import every_definition
from oracles.running_postgres import running_postgres
from oracles.written_workspaces import NOW, TARGET, at, rejected, write_workspace
from serving.store import Store, open_store
from serving.store.opening import open_address
from serving.store.tables import leads, metadata
from training.check_page import check_page

DAY = 86_400_000_000
TOKYO = (
    '[workspace]\ntimezone = "Asia/Tokyo"\n'
    + TARGET
    + '[page]\nname = "担当"\nowner = "owner"\nlink = "/l/{lead_id}"\n'
)
Stored = Callable[..., tuple[Workspace, Store]]


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with running_postgres() as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stored]:
    """Makes a workspace with an empty store; `toml` is what it says beside its tables."""
    opened: list[Store] = []
    address = "sqlite:///kept/leads of 東京.db" if request.param == "sqlite" else request.getfixturevalue("postgres")

    def make(toml: str = TARGET) -> tuple[Workspace, Store]:
        folder = tmp_path / "stored"
        folder.mkdir()
        (folder / "propensity.toml").write_text(f'[tables]\nstore = "{address}"\n{toml}', encoding="utf-8")
        workspace = load_workspace(folder)
        store = open_store(workspace)
        opened.append(store)
        with store.writing() as c:
            for table in metadata.sorted_tables:
                if table.name != "settings":
                    c.execute(sa.delete(table))
        return workspace, store

    yield make
    for each in opened:
        each.close()


def bits(value: Any) -> Any:
    """A history as something that compares to the last bit."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: bits(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, np.ndarray):
        return (str(value.dtype), value.shape, value.tolist() if value.dtype == object else value.tobytes())
    return {name: bits(each) for name, each in value.items()} if isinstance(value, Mapping) else value


def alike(one: History, other: History) -> None:
    """All but the moment of scoring, which is the clock where the tables are a store."""
    first, second = bits(one), bits(other)
    for name in first:
        if name != "now":
            assert first[name] == second[name], name


def read_at_now(workspace: Workspace, **told: Any) -> ReadTables:
    return read_history(workspace, clock=lambda: NOW, **told)


_TIMES = ["2026-01-03", "2026-01-03T00:00:00Z", "2026-01-03 00:00", "2026-01-04T10:00:00+09:00", "2026年2月5日 9時05分",
          "2026/3/1", "２０２６－０４－０１ １０：００", "1767225600"]  # fmt: skip
_CELLS = {
    "size": ["", "3", "１，２００", "1,200", "-4.5", "なし", "0.1", "1e3", " 7 "],
    "sector": ["", "製造", " 製造 ", "IT", "不明", "TRUE", "true", "3"],
    "opt_in": ["", "true", "FALSE", "N/A"],
    "renewal": ["", "2026-05-01", "2026年6月1日", "2026-07-01T12:00:00Z", "不明"],
    "担当": ["山田 太郎", "", "鈴木"],
    "owner": ["o1", "o2", ""],
}


def nasty(seed: int) -> dict[str, str]:
    """Tables as CSV text: ties, repeated ids, back-dated rows, full-width digits, days, words that mean missing."""
    draw = random.Random(seed)
    ids = [f"L{i}" for i in range(40)] + ["リード１", "l1"]

    def row(*cells: str) -> str:
        return ",".join(f'"{each}"' for each in cells)

    def cells() -> list[str]:
        return [draw.choice(values) for values in _CELLS.values()]

    lines = {
        "leads": [",".join(["lead_id", "created_at", *_CELLS])],
        "events": ["lead_id,occurred_at,event_type,recorded_at,event_id,value,channel,amount,plan"],
        "attributes": [",".join(["lead_id", "valid_from", "recorded_at", *_CELLS])],
        "outcomes": ["lead_id,occurred_at,outcome,recorded_at"],
    }
    lines["leads"] += [row(each, draw.choice(_TIMES), *cells()) for each in ids]
    later = ["", "", "2026-05-05", "2026-04-04T10:00:00Z", "2026-01-03 09:00"]
    lines["events"] += [
        row(
            draw.choice([*ids, "nobody", ""]), draw.choice([*_TIMES, "bad", ""]),
            draw.choice(["page", "mail", "ページ", " page", ""]), draw.choice(later), draw.choice(["", f"e{i}"]),
            draw.choice(["", "0", "-0.0", "1.5", "１", "x"]),
            draw.choice(["", "web", "ads", "-", "Web"]), draw.choice(["", "3", "４.5", "1,000"]),
            draw.choice(["", "a", "b", "TRUE"]),
        )
        for i in range(600)
    ]  # fmt: skip
    lines["attributes"] += [
        row(draw.choice([*ids, "nobody"]), draw.choice(_TIMES), draw.choice(later), *cells()) for _ in range(80)
    ]
    lines["outcomes"] += [
        row(
            each, draw.choice(_TIMES), draw.choice(["converted", "lost"]), draw.choice(["", "", "2026-06-01T00:00:00Z"])
        )
        for each in draw.sample(ids, 25)
    ]
    return {name: "\n".join(each) + "\n" for name, each in lines.items()}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_store_with_the_rows_of_files_is_the_same_history(stored: Stored, tmp_path: Path, seed: int) -> None:
    written = nasty(seed)
    files = tmp_path / "files"
    files.mkdir()
    of_files = read_at_now(write_workspace(files, toml=TOKYO, encoding="cp932", **written))
    workspace, store = stored(TOKYO)
    fill_store(store, {name: rows_of(text) for name, text in written.items()}, "Asia/Tokyo")
    of_store = read_at_now(workspace)
    alike(of_store.history, of_files.history)
    assert of_store.history.now == NOW
    assert set(of_files.history.schema.attributes.values()) == {"number", "category", "date"}
    assert of_store.report.tables["events"].rejected == {
        "unknown lead": of_files.report.tables["events"].rejected["unknown lead"]
    }
    schema = of_files.history.schema
    alike(
        read_at_now(workspace, schema=schema).history,
        read_at_now(write_workspace(files, toml=TOKYO, encoding="cp932", **written), schema=schema).history,
    )
    names = ("size", "sector", "no such column")
    by_rule = [read_at_now(each, rule_columns=names).history for each in (workspace, load_workspace(files))]
    assert bits(by_rule[0].rule_attributes) == bits(by_rule[1].rule_attributes)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world") / "b2b"
    make_world("b2b", folder, size=300)
    return folder


def toml_of(folder: Path) -> str:
    """What a toml says beside its tables."""
    lines = (folder / "propensity.toml").read_text(encoding="utf-8").splitlines()
    named = ("leads =", "events =", "outcomes =", "attributes =", "[tables]", "#")
    return "\n".join(each for each in lines if not each.startswith(named)) + "\n"


def test_the_b2b_world_in_a_store_is_the_same_history(stored: Stored, world: Path) -> None:
    """Its tables are Parquet: numbers and booleans stand in the store as such."""
    files = load_workspace(world)
    workspace, store = stored(toml_of(world))
    tables = {name: pd.read_parquet(world / f"{name}.parquet").to_dict("records") for name in files.tables}
    fill_store(store, tables, "UTC")
    clock = {"clock": lambda: at("2030-01-01")}
    of_files, of_store = read_history(files, **clock), read_history(workspace, **clock)
    end = of_files.history.data_end
    assert of_store.history.data_end == end
    assert of_store.history.now == at("2030-01-01")
    told = read_history(workspace, data_end=end, **clock)
    alike(told.history, of_files.history)
    assert told.history.now == end
    alike(read_history(workspace, data_end=end, schema=of_files.history.schema, **clock).history, of_files.history)


def test_rows_that_come_later_change_no_byte_of_earlier_moments(stored: Stored) -> None:
    written = nasty(4)
    workspace, store = stored(TOKYO)
    fill_store(store, {name: rows_of(text) for name, text in written.items()}, "Asia/Tokyo")
    before = read_at_now(workspace).history
    definitions = Definitions(before.schema, every_definition(before.schema))
    times = [before.now - 30 * DAY, before.now]
    moments = Moments(
        np.repeat(np.arange(len(before), dtype=np.int64), 2), np.array(times * len(before), dtype=np.int64)
    )
    expected = compute_features(before, moments, definitions)
    later = NOW + DAY
    for recorded, own in ((NOW, NOW), (NOW + 5, NOW - 60 * DAY), (NOW + 6, before.created_at[0] - DAY)):
        for lead_id in before.lead_ids[::3]:
            row = {"lead_id": lead_id, "recorded_at": recorded}
            event = {
                "occurred_at": int(own),
                "event_type": "page",
                "value": 9.0,
                "channel": "web",
                "properties": {"new": True},
            }
            put(store, "events", [row | event])
            put(
                store,
                "attributes",
                [row | {"valid_from": int(own), "attributes": {"size": 99, "sector": "new", "担当": "新"}}],
            )
            put(store, "outcomes", [row | {"occurred_at": int(own), "outcome": "lost", "told": True}])
    after = read_history(workspace, schema=before.schema, clock=lambda: later).history
    assert len(after.events) > len(before.events)
    assert compute_features(after, moments, definitions).tobytes() == expected.tobytes()
    assert after.open_leads(NOW).tolist() == before.open_leads(NOW).tolist()
    assert len(after.open_leads(later)) < len(before.open_leads(NOW))


def test_leads_that_objected_to_profiling_are_left_out_with_all_their_rows(stored: Stored) -> None:
    workspace, store = stored()
    written = nasty(5)
    fill_store(store, {name: rows_of(text) for name, text in written.items()}, "UTC")
    with store.writing() as c:
        c.execute(sa.update(leads).where(leads.c.lead_id.in_(["L3", "L5"])).values(objected_at=NOW - DAY))
    read = read_at_now(workspace)
    assert read.report.objected == 2
    assert not {"L3", "L5"} & set(read.history.lead_ids)
    assert {row["lead_id"] for row in rejected(workspace.folder, "events")} == {"nobody"}
    assert "2 leads object to profiling and are left out." in check_page(workspace, read.history, read.report)


def test_events_of_unknown_leads_are_set_aside_with_the_number_of_their_row(stored: Stored) -> None:
    workspace, store = stored()
    put(store, "leads", [{"lead_id": "L1", "created_at": at("2026-01-01"), "recorded_at": 0, "attributes": {}}])
    times = {"occurred_at": at("2026-02-01"), "recorded_at": at("2026-02-01"), "event_type": "page"}
    put(store, "events", [{"lead_id": "L2", "number": 77, "properties": {"plan": "a"}, "value": 1.25, **times}])
    put(store, "events", [{"lead_id": "L1", "number": 78, **times}])
    read = read_at_now(workspace)
    assert read.report.tables["events"].rejected == {"unknown lead": 1}
    (row,) = rejected(workspace.folder, "events")
    assert (row["lead_id"], row["plan"], row["value"], row["reason"]) == ("L2", "a", "1.25", "unknown lead")
    assert (row["line"], row["file"]) == (77, "the store")
    assert len(read.history.events) == 1


def test_what_is_told_in_the_toml_ends_learning_and_hides_nothing(stored: Stored) -> None:
    workspace, store = stored(TARGET + "data_end = 2026-02-01T00:00:00Z\n")
    put(store, "leads", [{"lead_id": "L1", "created_at": at("2026-01-01"), "recorded_at": 0, "attributes": {}}])
    for day in ("2026-01-15", "2026-03-15"):
        put(store, "events", [{"lead_id": "L1", "occurred_at": at(day), "recorded_at": at(day), "event_type": "page"}])
    history = read_at_now(workspace).history
    assert (history.data_end, history.now, len(history.events)) == (at("2026-02-01"), NOW, 2)
    history = read_at_now(workspace, data_end=at("2026-02-01")).history
    assert (history.data_end, history.now, len(history.events)) == (at("2026-02-01"), at("2026-02-01"), 1)


def test_the_digest_of_a_table_is_that_of_its_rows_whatever_their_order(stored: Stored) -> None:
    workspace, store = stored()
    written = {name: rows_of(text) for name, text in nasty(6).items()}
    fill_store(store, written, "UTC")
    first = read_at_now(workspace).report.digests
    with store.writing() as c:
        for table in metadata.sorted_tables:
            if table.name in ("leads", "events", "outcomes", "attribute_changes"):
                c.execute(sa.delete(table))
    fill_store(store, {name: rows[::-1] for name, rows in written.items()}, "UTC")
    assert read_at_now(workspace).report.digests == first
    assert len(first) == 4
    put(store, "outcomes", [{"lead_id": "L1", "occurred_at": 5, "recorded_at": 5, "outcome": "lost", "told": True}])
    changed = read_at_now(workspace).report.digests
    assert {name for name in first if changed[name] != first[name]} == {"the store: outcomes"}


def test_a_store_of_one_state_is_read_while_others_write(stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    """An event whose lead was read before the event came is no event of an unknown lead."""
    workspace, store = stored()
    lead = {"created_at": at("2026-01-01"), "recorded_at": at("2026-01-01"), "attributes": {}}
    event = {"occurred_at": at("2026-02-01"), "recorded_at": at("2026-02-01"), "event_type": "page"}
    put(store, "leads", [{"lead_id": "L1", **lead}])
    from features.tables import store_tables

    bring = store_tables._bring

    def write_between(connection: Any, snapshot: Any, table: str, source: Any) -> None:
        bring(connection, snapshot, table, source)
        if table == "leads":
            put(store, "leads", [{"lead_id": "L2", **lead}])
            put(store, "events", [{"lead_id": "L2", **event}])

    monkeypatch.setattr(store_tables, "_bring", write_between)
    read = read_at_now(workspace)
    assert (len(read.history), len(read.history.events)) == (1, 0)
    assert not read.report.tables["events"].rejected
    monkeypatch.undo()
    assert len(read_at_now(workspace).history.events) == 1


def test_an_empty_store_says_how_to_fill_it(stored: Stored) -> None:
    workspace, _ = stored()
    with pytest.raises(DataError, match="the leads table has no usable row") as error:
        read_at_now(workspace)
    assert "propensity load" in str(error.value)


@pytest.mark.parametrize("address", ["sqlite:///nothing/here.db", "postgresql://someone:sesame@127.0.0.1:1/none"])
def test_a_store_that_cannot_be_reached_is_a_fault_of_the_data_without_its_password(
    tmp_path: Path, address: str
) -> None:
    (tmp_path / "propensity.toml").write_text(f'[tables]\nstore = "{address}"\n{TARGET}', encoding="utf-8")
    with pytest.raises(DataError) as error:
        read_at_now(load_workspace(tmp_path))
    assert "the store can't be read" in str(error.value)
    assert "sesame" not in str(error.value)
    assert not (tmp_path / "nothing").exists()


def test_cells_far_down_a_table_are_read_whatever_stood_before(tmp_path: Path) -> None:
    """A driver may take the type of a column from its first rows."""
    store = open_address("sqlite:///late.db", tmp_path)
    (tmp_path / "propensity.toml").write_text(f'[tables]\nstore = "sqlite:///late.db"\n{TARGET}', encoding="utf-8")
    put(store, "leads", [{"lead_id": "L1", "created_at": at("2026-01-01"), "recorded_at": 0, "attributes": {}}])
    put(store, "events", [
        {"lead_id": "L1", "event_type": "page", "occurred_at": at("2026-02-01") + i, "recorded_at": at("2026-02-01") + i,
         "value": None if i < 5_000 else 1.5, "channel": None if i < 5_000 else "web", "event_id": None if i < 5_000 else f"e{i}",
         "properties": None if i < 5_000 else {"plan": "a"}}
        for i in range(6_000)
    ])  # fmt: skip
    store.close()
    events = read_at_now(load_workspace(tmp_path)).history.events
    assert np.nansum(events.numbers[0]) == 1_500.0
    assert np.count_nonzero(events.codes[1] == 0) == 1_000
