"""The tables that the service holds, while their files change under it."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.schema import Schema
from features.workspace import Workspace, load_workspace
from serving.champion import Snapshot
from serving.live_tables import LiveTables, state_of
from serving.problems import Refused
from serving.serving_model import ColdStart
from serving.signatures import AgreementState
from training.points import PointsRules

TOML = """
[workspace]
name = "small"
[tables]
leads = "leads.csv"
events = "events-*.csv"
outcomes = "outcomes.csv"
[target]
converted = "won"
horizon = "30d"
"""
LEADS = "lead_id,created_at,size\na,2026-01-01T00:00:00Z,3\nb,2026-01-02T00:00:00Z,5\n"
EVENTS = "lead_id,occurred_at,event_type\na,2026-01-03T00:00:00Z,visit\nb,2026-01-04T00:00:00Z,pricing\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "propensity.toml").write_text(TOML)
    (tmp_path / "leads.csv").write_text(LEADS)
    (tmp_path / "events-1.csv").write_text(EVENTS)
    (tmp_path / "outcomes.csv").write_text("lead_id,occurred_at,outcome\n")
    return load_workspace(tmp_path)


def hold(workspace: Workspace) -> tuple[LiveTables, list[bool], Snapshot]:
    stale: list[bool] = []
    points = ColdStart(PointsRules.of(workspace, Schema()), workspace.horizon)
    snapshot = Snapshot(points, Schema(), AgreementState())
    return LiveTables(workspace, lambda: snapshot, stale.append), stale, snapshot


def leads_of(tables: LiveTables) -> list[str]:
    return list(tables.current(patience=0).history.lead_ids)


def test_before_the_first_reading_there_are_no_tables(workspace: Workspace) -> None:
    tables, _, _ = hold(workspace)
    assert not tables.looked
    with pytest.raises(Refused) as caught:
        tables.current(patience=0)
    assert caught.value.status == 503
    assert "Retry-After" in caught.value.headers


def test_the_tables_are_read_at_the_first_look(workspace: Workspace) -> None:
    tables, stale, _ = hold(workspace)
    tables.look()
    assert tables.looked
    assert leads_of(tables) == ["a", "b"]
    assert tables.age is not None
    assert stale == [False]


def test_tables_that_did_not_change_are_not_read_again(workspace: Workspace) -> None:
    tables, _, _ = hold(workspace)
    tables.look()
    before = tables.current()
    tables.look()
    assert tables.current() is before


def test_a_changed_table_is_read_once_it_rests(workspace: Workspace) -> None:
    tables, _, _ = hold(workspace)
    tables.look()
    with (workspace.folder / "leads.csv").open("a") as file:
        file.write("c,2026-01-03T00:00:00Z,1\n")
    tables.look()
    assert leads_of(tables) == ["a", "b"], "it may still be being written"
    tables.look()
    assert leads_of(tables) == ["a", "b", "c"]


def test_a_new_file_of_a_glob_is_a_change(workspace: Workspace) -> None:
    before = state_of(workspace)
    (workspace.folder / "events-2.csv").write_text(EVENTS)
    assert len(state_of(workspace)) == len(before) + 1


def test_an_unreadable_set_keeps_the_old_one_with_a_warning(workspace: Workspace) -> None:
    tables, stale, _ = hold(workspace)
    tables.look()
    (workspace.folder / "leads.csv").write_text("nothing,of,use\n1,2,3\n")
    for _ in range(3):
        tables.look()
    assert leads_of(tables) == ["a", "b"]
    assert [each.key for each in tables.notices] == ["warning.tables_unreadable"]
    assert stale == [False, True], "the same unreadable files are not read again and again"
    (workspace.folder / "leads.csv").write_text(LEADS)
    for _ in range(2):
        tables.look()
    assert tables.notices == ()


def test_tables_that_were_never_readable_say_so(workspace: Workspace) -> None:
    (workspace.folder / "leads.csv").unlink()
    tables, _, _ = hold(workspace)
    tables.look()
    assert tables.looked
    with pytest.raises(Refused) as caught:
        tables.current(patience=0)
    assert "can't be read" in caught.value.faults[0].found
