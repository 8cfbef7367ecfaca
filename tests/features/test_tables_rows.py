"""Which rows count, which are set aside, and what the history says of them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from features.errors import DataError
from features.history import NEVER
from features.tables import read_history
from features.workspace import load_workspace
from oracles.written_workspaces import (
    EVENTS,
    LEADS,
    NOW,
    OUTCOMES,
    TARGET,
    at,
    events_of,
    read,
    rejected,
    write_workspace,
)

DAY = 86_400_000_000


def test_three_bare_tables_become_a_history(tmp_path: Path) -> None:
    got = read(
        tmp_path,
        events=EVENTS + "L2,2026-01-05T10:00:00Z,page_viewed\nL1,2026-01-03T10:00:00Z,page_viewed\n",
        outcomes=OUTCOMES + "L1,2026-02-01T00:00:00Z,converted\n",
    )
    history = got.history
    assert list(history.lead_ids) == ["L1", "L2"]
    assert list(history.created_at) == [at("2026-01-01"), at("2026-01-02")]
    assert events_of(history, "L1") == [(at("2026-01-03T10:00"), "page_viewed")]
    assert list(history.outcomes.at) == [at("2026-02-01"), NEVER]
    assert list(history.outcomes.converted) == [True, False]
    assert history.outcomes.delay == 0
    assert history.data_end == history.now == at("2026-02-01") + 1
    assert not (tmp_path / "rejected").exists()
    assert not list((tmp_path / ".propensity").glob("scratch/*"))


def test_rows_that_cannot_be_used_are_set_aside_with_reason_and_line(tmp_path: Path) -> None:
    got = read(
        tmp_path,
        events=EVENTS
        + "L1,2026-01-03T10:00:00Z,page_viewed\n"
        + ",2026-01-03T10:00:00Z,page_viewed\n"
        + "L1,yesterday,page_viewed\n"
        + "L1,,page_viewed\n"
        + "L9,2026-01-03T10:00:00Z,page_viewed\n"
        + "L1,2026-01-03T10:00:00Z,\n"
        + "L1,2027-01-03T10:00:00Z,page_viewed\n"
        + "L1,0000-01-03T10:00:00Z,page_viewed\n",
    )
    reasons = {row["line"]: row["reason"] for row in rejected(tmp_path, "events")}
    assert reasons == {
        3: "missing lead_id",
        4: "unreadable occurred_at",
        5: "missing occurred_at",
        6: "unknown lead",
        7: "missing event_type",
        8: "in the future",
        9: "unreadable occurred_at",
    }
    assert rejected(tmp_path, "events")[1] == {
        "lead_id": "L1", "occurred_at": "yesterday", "event_type": "page_viewed",
        "reason": "unreadable occurred_at", "line": 4, "file": "events.csv",
    }  # fmt: skip
    table = got.report.tables["events"]
    assert (table.rows, table.accepted) == (8, 1)
    assert table.rejected == {
        "in the future": 1, "missing event_type": 1, "missing lead_id": 1, "missing occurred_at": 1,
        "unknown lead": 1, "unreadable occurred_at": 2,
    }  # fmt: skip


def test_what_an_earlier_run_set_aside_goes_when_the_table_is_mended(tmp_path: Path) -> None:
    read(tmp_path, events=EVENTS + "L9,2026-01-03T10:00:00Z,x\n")
    assert rejected(tmp_path, "events")
    read(tmp_path, events=EVENTS + "L1,2026-01-03T10:00:00Z,x\n")
    assert not (tmp_path / "rejected" / "events.parquet").exists()


def test_of_leads_with_one_id_the_earliest_stays(tmp_path: Path) -> None:
    got = read(
        tmp_path,
        leads="lead_id,created_at,size\nL1,2026-01-05T00:00:00Z,9\nL1,2026-01-01T00:00:00Z,7\nL2,2026-01-02T00:00:00Z,8\n",
    )
    assert list(got.history.created_at) == [at("2026-01-01"), at("2026-01-02")]
    assert list(got.history.attributes.numbers[0]) == [7.0, 8.0]
    (row,) = rejected(tmp_path, "leads")
    assert (row["line"], row["reason"], row["size"]) == (2, "repeated lead_id", "9")
    assert got.report.tables["leads"].accepted == 2


def test_a_told_data_end_sets_later_rows_aside(tmp_path: Path) -> None:
    got = read(
        tmp_path,
        toml=TARGET + "data_end = 2026-02-01T00:00:00Z\n",
        leads=LEADS + "L3,2026-03-01T00:00:00Z\n",
        events=EVENTS + "L1,2026-01-31T23:59:59.999999Z,x\nL1,2026-02-01T00:00:00Z,x\n",
        outcomes="lead_id,occurred_at,outcome,recorded_at\nL1,2026-01-20T00:00:00Z,converted,2026-02-03T00:00:00Z\n",
    )
    assert got.history.data_end == got.history.now == at("2026-02-01")
    assert [table.rejected for table in got.report.tables.values()] == [{"after data_end": 1}] * 3
    assert list(got.history.lead_ids) == ["L1", "L2"]
    assert len(got.history.events) == 1


def test_now_follows_a_lead_that_is_younger_than_all_events(tmp_path: Path) -> None:
    history = read(tmp_path, events=EVENTS + "L1,2026-01-01T05:00:00Z,x\n").history
    assert history.data_end == at("2026-01-01T05:00") + 1
    assert history.now == at("2026-01-02") + 1


def test_data_end_follows_a_late_recorded_time_and_never_passes_the_clock(tmp_path: Path) -> None:
    history = read(
        tmp_path, events="lead_id,occurred_at,event_type,recorded_at\nL1,2026-01-03T00:00:00Z,x,2026-01-09T00:00:00Z\n"
    ).history
    assert history.data_end == at("2026-01-09") + 1
    assert list(history.events.known_at) == [at("2026-01-09")]
    history = read(tmp_path, events=EVENTS + "L1,2026-11-19T00:00:00Z,x\nL1,2026-11-20,x\n").history
    assert history.data_end == at("2026-11-19") + 1
    history = read(tmp_path, toml=TARGET + "data_end = 2030-01-01\n").history
    assert history.data_end == NOW


def test_a_date_without_time_is_known_at_the_end_of_the_local_day(tmp_path: Path) -> None:
    toml = '[workspace]\ntimezone = "Asia/Tokyo"\n' + TARGET
    got = read(tmp_path, toml=toml, events=EVENTS + "L1,2026-03-14,x\n", outcomes=OUTCOMES + "L1,2026-03-15,lost\n")
    events = got.history.events
    assert list(events.occurred_at) == [at("2026-03-14T00:00+09:00")]
    assert list(events.known_at) == [at("2026-03-14T23:59:59.999999+09:00")]
    assert got.history.outcomes.known_at[0] == at("2026-03-15T23:59:59.999999+09:00")
    assert got.report.tables["events"].times == {"occurred_at": {"date without time": 1}}


def test_a_recorded_time_before_the_own_time_does_not_make_a_row_known_early(tmp_path: Path) -> None:
    history = read(
        tmp_path, events="lead_id,occurred_at,event_type,recorded_at\nL1,2026-01-09T00:00:00Z,x,2026-01-03T00:00:00Z\n"
    ).history
    assert list(history.events.known_at) == [at("2026-01-09")]


def test_of_events_with_one_id_the_first_recorded_counts(tmp_path: Path) -> None:
    got = read(
        tmp_path,
        events="lead_id,occurred_at,event_type,recorded_at,event_id\n"
        "L1,2026-01-03T00:00:00Z,late,2026-01-09T00:00:00Z,e1\n"
        "L1,2026-01-03T00:00:00Z,early,2026-01-04T00:00:00Z,e1\n"
        "L2,2026-01-03T00:00:00Z,other,2026-01-09T00:00:00Z,e1\n"
        "L1,2026-01-05T00:00:00Z,no_id,,\nL1,2026-01-05T00:00:00Z,no_id,,\n",
    )
    assert [name for _, name in events_of(got.history, "L1")] == ["early", "no_id", "no_id"]
    assert [name for _, name in events_of(got.history, "L2")] == ["other"]
    assert got.report.repeated_event_ids == 1
    assert got.report.alike_events == 0


def test_without_event_id_alike_rows_all_count_and_are_reported(tmp_path: Path) -> None:
    got = read(tmp_path, events=EVENTS + "L1,2026-01-03T00:00:00Z,x\n" * 3)
    assert len(got.history.events) == 3
    assert got.report.alike_events == 2
    assert any("alike" in warning for warning in got.report.warnings)


def test_only_the_first_outcome_counts_and_converted_wins_a_tie(tmp_path: Path) -> None:
    got = read(
        tmp_path,
        outcomes="lead_id,occurred_at,outcome,recorded_at\n"
        "L1,2026-02-01T00:00:00Z,lost,2026-02-02T00:00:00Z\nL1,2026-02-01T00:00:00Z,converted,2026-02-05T00:00:00Z\n"
        "L2,2026-02-01T00:00:00Z,lost,2026-02-09T00:00:00Z\nL2,2026-03-01T00:00:00Z,converted,2026-03-01T00:00:00Z\n",
    )
    outcomes = got.history.outcomes
    assert list(outcomes.converted) == [True, False]
    assert list(outcomes.known_at) == [at("2026-02-02"), at("2026-02-09")]
    assert outcomes.delay == 8 * DAY
    assert got.report.outcomes == {"converted": 1, "lost": 1}
    assert got.report.later_outcomes == 2


def test_an_outcome_that_is_never_converted_is_warned_of(tmp_path: Path) -> None:
    got = read(tmp_path, outcomes=OUTCOMES + "L1,2026-02-01T00:00:00Z,won\n")
    assert any('no outcome is "converted"' in warning and "won" in warning for warning in got.report.warnings)


def test_empty_events_and_outcomes_are_valid_and_so_is_a_workspace_without_events(tmp_path: Path) -> None:
    assert len(read(tmp_path).history.events) == 0
    history = read(tmp_path, events=None).history
    assert len(history) == 2
    assert len(history.events) == 0
    assert history.data_end == history.now == at("2026-01-02") + 1


def test_a_changed_attribute_follows_the_leads_row_of_the_same_instant(tmp_path: Path) -> None:
    history = read(
        tmp_path,
        leads="lead_id,created_at,size\nL1,2026-01-01T00:00:00Z,10\nL2,2026-01-01T00:00:00Z,5\n",
        attributes="lead_id,valid_from,size,score\n"
        "L1,2026-02-01T00:00:00Z,30,\nL1,2026-01-01T00:00:00Z,20,1.5\nL9,2026-01-01T00:00:00Z,20,2.5\n",
    ).history
    attributes = history.attributes
    assert history.schema.attribute_numbers == ("score", "size")
    assert list(attributes.offsets) == [0, 3, 4]
    np.testing.assert_array_equal(attributes.numbers[0], [np.nan, 1.5, np.nan, np.nan])
    assert list(attributes.numbers[1]) == [10.0, 20.0, 30.0, 5.0]
    assert list(attributes.valid_from) == [at("2026-01-01"), at("2026-01-01"), at("2026-02-01"), at("2026-01-01")]
    assert [row["reason"] for row in rejected(tmp_path, "attributes")] == ["unknown lead"]


def test_columns_of_the_page_are_kept_for_people_and_are_no_features(tmp_path: Path) -> None:
    got = read(
        tmp_path,
        toml=TARGET + '[page]\nname = "who"\nlink = "https://crm.example/{lead_id}"\n',
        leads="lead_id,created_at,who\na/1,2026-01-01,Ann\nb,2026-01-01,\n",
    )
    assert {key: list(column) for key, column in got.history.labels.items()} == {
        "name": ["Ann", ""],
        "link": ["https://crm.example/a%2F1", "https://crm.example/b"],
    }
    assert got.report.left_out["leads.who"] == "shown on the page"


def test_a_leads_table_without_a_usable_row_is_an_error_that_counts_the_reasons(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        read(tmp_path, leads="lead_id,created_at\nL1,soon\n,2026-01-01\n")
    assert "1 missing lead_id, 1 unreadable created_at" in str(error.value)
    assert error.value.exit_code == 3


@pytest.mark.parametrize("table", ["leads", "events", "outcomes"])
def test_a_missing_column_is_named_with_those_found_and_the_nearest(tmp_path: Path, table: str) -> None:
    content = {"leads": LEADS, "events": EVENTS, "outcomes": OUTCOMES}[table].replace("lead_id", "leadid", 1)
    with pytest.raises(DataError) as error:
        read(tmp_path, **{table: content})
    told = str(error.value)
    assert f"the {table} table has no column lead_id; its columns are leadid," in told
    assert 'rename "leadid" to "lead_id"' in told


def test_a_missing_file_is_an_error_that_names_what_lies_there(tmp_path: Path) -> None:
    workspace = write_workspace(tmp_path)
    (tmp_path / "events.csv").rename(tmp_path / "event.csv")
    with pytest.raises(DataError, match=r"event\.csv"):
        read_history(workspace)
    (tmp_path / "propensity.toml").write_text('[tables]\nleads="leads.csv"\noutcomes="x/*.csv"\n' + TARGET)
    with pytest.raises(DataError, match="no file matches"):
        read_history(load_workspace(tmp_path))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    workspace = write_workspace(tmp_path, events=EVENTS + "L9,2026-01-03T10:00:00Z,x\n")
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        with pytest.raises(DataError, match="can't be written"):
            read_history(workspace, clock=lambda: NOW)
    finally:
        tmp_path.chmod(stat.S_IRWXU)


def test_a_rejected_folder_that_cannot_be_made_is_said_so_and_can_be_gone_without(tmp_path: Path) -> None:
    workspace = write_workspace(tmp_path, events=EVENTS + "L9,2026-01-03T10:00:00Z,x\n")
    (tmp_path / "rejected").write_text("in the way")
    with pytest.raises(DataError, match="can't be written"):
        read_history(workspace, clock=lambda: NOW)
    got = read_history(workspace, clock=lambda: NOW, set_aside=False)
    assert got.report.tables["events"].rejected == {"unknown lead": 1}


def test_a_tail_of_wrong_dates_is_warned_of(tmp_path: Path) -> None:
    rows = "".join(f"L1,2026-01-{1 + i % 28:02d}T00:00:00Z,x\n" for i in range(300))
    assert not any("1%" in each for each in read(tmp_path, events=EVENTS + rows).report.warnings)
    got = read(tmp_path, events=EVENTS + rows + "L1,2026-06-01T00:00:00Z,x\n")
    assert any("the last 1%" in each for each in got.report.warnings)


def test_parquet_times_of_any_unit_are_read_exactly_and_never_rounded_up(tmp_path: Path) -> None:
    nanoseconds = (at("2026-01-03") * 1000) + 1_999
    for unit, tz, told in [
        (pa.timestamp("ns", "Asia/Tokyo"), "UTC", nanoseconds),
        (pa.timestamp("ns"), "UTC", nanoseconds),
        (pa.timestamp("us"), "UTC", nanoseconds // 1000),
        (pa.timestamp("ms", "UTC"), "UTC", nanoseconds // 1_000_000),
        (pa.timestamp("s"), "UTC", nanoseconds // 1_000_000_000),
        (pa.int64(), "UTC", nanoseconds // 1_000_000_000),
        (pa.int64(), "UTC", nanoseconds // 1_000_000),
    ]:
        events = pa.table({"lead_id": ["L1"], "occurred_at": pa.array([told], unit), "event_type": ["x"]})
        (got,) = read(tmp_path, events=events).history.events.occurred_at
        step = {"ns": 1, "us": 1, "ms": 1_000, "s": 1_000_000}.get(getattr(unit, "unit", ""), 1_000)
        assert got == (nanoseconds // 1000) // step * step, (unit, tz)


def test_ids_are_one_text_from_any_source(tmp_path: Path) -> None:
    leads = pa.table(
        {"lead_id": pa.array([7, 8, None], pa.int64()), "created_at": pa.array([0, 0, 0], pa.timestamp("us"))}
    )
    events = pa.table(
        {"lead_id": [7.0, 8.0], "occurred_at": pa.array([9, 9], pa.timestamp("us")), "event_type": ["x", "y"]}
    )
    got = read(
        tmp_path, leads=leads, events=events, outcomes=OUTCOMES + "7,2026-02-01,converted\n007,2026-02-01,converted\n"
    )
    assert list(got.history.lead_ids) == ["7", "8"]
    assert len(got.history.events) == 2
    assert got.report.tables["outcomes"].rejected == {"unknown lead": 1}
    assert got.report.tables["leads"].rejected == {"missing lead_id": 1}


def test_values_are_finite_and_zero_has_no_sign(tmp_path: Path) -> None:
    events = pa.table(
        {
            "lead_id": ["L1"] * 5,
            "occurred_at": pa.array([1, 2, 3, 4, 5], pa.timestamp("us")),
            "event_type": ["x"] * 5,
            "value": [-0.0, float("inf"), float("nan"), 2.5, None],
        }
    )
    history = read(tmp_path, events=events).history
    values = history.events.numbers[0]
    np.testing.assert_array_equal(values, [0.0, np.nan, np.nan, 2.5, np.nan])
    assert not np.signbit(values[0])
