"""Files as people bring them: other delimiters, encodings and times, broken lines, several files for one table."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import DataError
from features.tables import read_history
from features.tables.encodings import detect_encoding
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

TOKYO = '[workspace]\ntimezone = "Asia/Tokyo"\n' + TARGET
JAPANESE_LEADS = (
    "lead_id;created_at;業種;従業員数\r\n"
    + "".join(
        f"見込{i:02d};2026/01/{1 + i:02d} 9:05;{'製造業;１，２００' if i % 2 else '小売業;80'}\r\n" for i in range(12)
    )
)  # fmt: skip
JAPANESE_EVENTS = (
    "lead_id;occurred_at;event_type;channel\r\n"
    "見込00;2026年3月14日;資料請求;展示会\r\n見込00;2026年3月14日 9時05分;料金ページ閲覧;ウェブ\r\n"
    "見込01;2026/3/15 18:30;料金ページ閲覧;ウェブ\r\n"
)
JAPANESE_OUTCOMES = "lead_id;occurred_at;outcome\r\n見込00;2026-04-01;受注\r\n"


@pytest.mark.parametrize("encoding", ["cp932", "euc_jp", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_semicolons_japanese_and_local_times_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    got = read(
        tmp_path, toml=TOKYO.replace('"converted"', '"受注"', 1), encoding=encoding,
        leads=JAPANESE_LEADS, events=JAPANESE_EVENTS, outcomes=JAPANESE_OUTCOMES,
    )  # fmt: skip
    history = got.history
    assert list(history.lead_ids[:2]) == ["見込00", "見込01"]
    assert history.created_at[0] == at("2026-01-01T09:05+09:00")
    assert events_of(history, "見込00") == [
        (at("2026-03-14T00:00+09:00"), "資料請求"),
        (at("2026-03-14T09:05+09:00"), "料金ページ閲覧"),
    ]
    assert events_of(history, "見込01") == [(at("2026-03-15T18:30+09:00"), "料金ページ閲覧")]
    assert history.events.vocabularies[1] == ("ウェブ", "展示会")
    assert history.schema.attributes == {"従業員数": "number", "業種": "category"}
    assert list(history.attributes.numbers[0][:2]) == [80.0, 1200.0]
    assert history.schema.categories == {"業種": ("小売業", "製造業")}
    assert history.schema.stages["料金ページ閲覧"] == "decision"
    assert history.outcomes.converted[0]
    assert got.report.tables["events"].times == {"occurred_at": {"date without time": 1, "naive": 2}}
    assert got.report.zone == "Asia/Tokyo"
    assert all(table.rejected == {} for table in got.report.tables.values())


def test_western_text_is_not_taken_for_japanese(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("lead_id,name\n1,Café Müller\n2,Señor Núñez\n3,Straße\n".encode("cp1252"))
    assert detect_encoding(path).name == "cp1252"
    path.write_bytes("lead_id,name\n1,Łódź\n2,Kraków świętość żółć\n3,Częstochowa źródło\n".encode("cp1250"))
    assert detect_encoding(path).name not in ("cp932", "euc_jp", "utf-8")


def test_one_broken_byte_does_not_make_a_utf8_file_another_encoding(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(("名前,値\n" + "東京,1\n" * 50).encode() + b"\xff,2\n")
    found = detect_encoding(path)
    assert (found.name, found.broken) == ("utf-8", True)
    got = read(
        tmp_path,
        leads=(
            LEADS.replace("created_at\n", "created_at,town\n").replace("Z\n", "Z,東京大阪京都名古屋札幌福岡仙台\n")
        ).encode()
        + b"L3,2026-01-01,\xff\n",
    )
    assert len(got.history) == 3
    assert got.report.tables["leads"].notes == ("leads.csv was read as utf-8; some bytes are not of it",)


def test_half_width_katakana_are_cp932(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("id,ｶﾅ\n1,ﾔﾏﾀﾞ ﾀﾛｳ\n2,ｽｽﾞｷ\n".encode("cp932"))
    assert detect_encoding(path).name == "cp932"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_every_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    got = read(tmp_path, events=(EVENTS + "L1,2026-01-03T10:00:00Z,x\n").replace(",", delimiter))
    assert events_of(got.history, "L1") == [(at("2026-01-03T10:00"), "x")]


def test_quotes_hold_delimiters_line_ends_and_quotes(tmp_path: Path) -> None:
    events = (
        EVENTS
        + 'L1,2026-01-03T10:00:00Z,"a, ""b""\nc"\n\nL9,2026-01-03T10:00:00Z,x\n"L1",2026-01-04T10:00:00Z,5\'10" tall\n'
    )
    got = read(tmp_path, events=events)
    assert [name for _, name in events_of(got.history, "L1")] == ['a, "b"\nc', "5'10\" tall"]
    assert [(row["line"], row["reason"]) for row in rejected(tmp_path, "events")] == [(5, "unknown lead")]


def test_a_quote_in_the_header_and_a_sep_line_of_a_spreadsheet(tmp_path: Path) -> None:
    got = read(
        tmp_path, events='sep=;\r\n"lead_id";"occurred_at";"event_type"\r\nL1;2026-01-03 10:00;x\r\nL9;2026-01-03;x\r\n'
    )
    assert len(got.history.events) == 1
    assert rejected(tmp_path, "events")[0]["line"] == 4


def test_broken_lines_are_set_aside_and_the_others_count(tmp_path: Path) -> None:
    got = read(
        tmp_path,
        events=EVENTS
        + "L1,2026-01-03T10:00:00Z,a\n"
        + "L1,2026-01-03T10:00:00Z\n"
        + "L1,2026-01-03T10:00:00Z,b,extra,more\n"
        + 'L1,2026-01-03T10:00:00Z,"open\n'
        + "L1,2026-01-05T10:00:00Z,c\n"
        + "L9,2026-01-05T10:00:00Z,c\n",
    )
    assert [name for _, name in events_of(got.history, "L1")] == ["a", "c"]
    rows = rejected(tmp_path, "events")
    assert [(row["line"], row["reason"]) for row in rows] == [
        (3, "broken line: fewer cells than the header"),
        (4, "broken line: more cells than the header"),
        (5, "broken line: a quote is not closed"),
        (7, "unknown lead"),
    ]
    assert rows[1]["cells_beyond"] == "extra,more"
    assert rows[1]["lead_id"] == "L1"
    assert got.report.tables["events"].rows == 6
    assert got.report.tables["events"].rejected["broken line: a quote is not closed"] == 1


def test_mixed_line_ends_and_old_ones_are_read(tmp_path: Path) -> None:
    for ends in ("\r\n", "\r"):
        got = read(
            tmp_path, events=(EVENTS + "L1,2026-01-03T10:00:00Z,a\nL1,2026-01-04T10:00:00Z,b\n").replace("\n", ends)
        )
        assert len(got.history.events) == 2
    got = read(tmp_path, events="lead_id,occurred_at,event_type\r\nL1,2026-01-03,a\nL1,2026-01-04,b\r\n")
    assert [name for _, name in events_of(got.history, "L1")] == ["a", "b"]


def test_zero_padded_ids_stay_text(tmp_path: Path) -> None:
    got = read(
        tmp_path,
        leads="lead_id,created_at,code\n007,2026-01-01,0012\n7,2026-01-02,0013\n",
        events=EVENTS + "007,2026-01-03,x\n",
    )
    assert list(got.history.lead_ids) == ["007", "7"]
    assert list(got.history.events.offsets) == [0, 1, 1]
    assert "code" not in got.history.schema.attribute_numbers


def test_times_with_offset_naive_and_epoch_stand_side_by_side(tmp_path: Path) -> None:
    got = read(
        tmp_path,
        toml=TOKYO,
        events=EVENTS
        + "L1,2026-03-14T09:05:00+09:00,a\nL1,2026-03-14T00:05:00Z,b\nL1,2026-03-14 09:05,c\n"
        + f"L1,{at('2026-03-14T00:05') // 1_000_000},d\nL1,{at('2026-03-14T00:05') // 1_000},e\n"
        + "L1,２０２６／３／１４　９：０５,f\n",
    )
    assert set(got.history.events.occurred_at) == {at("2026-03-14T00:05")}
    assert got.report.tables["events"].times["occurred_at"] == {"epoch": 2, "naive": 2, "with offset": 2}


def test_files_of_different_columns_are_one_table(tmp_path: Path) -> None:
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "b.csv").write_text("event_type,occurred_at,lead_id,value\nx,2026-01-04,L1,2\n")
    pq.write_table(
        pa.table(
            {
                "lead_id": ["L1"],
                "event_type": ["y"],
                "occurred_at": pa.array([at("2026-01-05")], pa.timestamp("us", "UTC")),
                "value": [3],
            }
        ),
        tmp_path / "events" / "a.parquet",
    )
    (tmp_path / "events" / "c.csv").write_text(
        "lead_id;occurred_at;event_type;channel\nL1;2026-01-06;z;web\nL9;2026-01-06;z;web\n"
    )
    write_workspace(tmp_path, events=None, toml='events = "events/*"\n' + TARGET)
    from features.workspace import load_workspace

    got = read_history(load_workspace(tmp_path), clock=lambda: NOW)
    events = got.history.events
    assert [name for _, name in events_of(got.history, "L1")] == ["x", "y", "z"]
    np.testing.assert_array_equal(events.numbers[0], [2.0, 3.0, np.nan])
    assert list(events.codes[1]) == [-1, -1, 0]
    assert [(row["line"], row["file"]) for row in rejected(tmp_path, "events")] == [(3, "c.csv")]
    assert len(got.report.tables["events"].digests) == 3


def test_a_folder_with_pattern_characters_is_no_pattern(tmp_path: Path) -> None:
    odd = tmp_path / "data [1]*'; drop"
    odd.mkdir()
    table = pa.table({"lead_id": ["L1"], "occurred_at": ["2026-01-05"], "event_type": ["y"], "a'b\"; --": [1.5]})
    got = read(odd, leads=LEADS + "L3,2026-01-01,x\n", events=table)
    assert len(got.history.events) == 1
    assert rejected(odd, "leads")[0]["line"] == 4


def test_gzip_and_a_parquet_file_of_another_name_are_read(tmp_path: Path) -> None:
    (tmp_path / "e.csv.gz").write_bytes(gzip.compress((EVENTS + "L1,2026-01-03,x\n").encode("cp932")))
    pq.write_table(
        pa.table({"lead_id": ["L1"], "occurred_at": ["2026-02-05"], "outcome": ["converted"]}), tmp_path / "o.dat"
    )
    (tmp_path / "leads.csv").write_text(LEADS)
    (tmp_path / "propensity.toml").write_text(
        '[tables]\nleads="leads.csv"\nevents="e.csv.gz"\noutcomes="o.dat"\n' + TARGET
    )
    from features.workspace import load_workspace

    history = read_history(load_workspace(tmp_path), clock=lambda: NOW).history
    assert len(history.events) == 1
    assert history.outcomes.converted[0]


def test_a_file_that_is_no_table_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is empty"):
        read(tmp_path, events="")
    workspace = write_workspace(tmp_path)
    (tmp_path / "events.csv").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(DataError, match="no Parquet file"):
        read_history(workspace, clock=lambda: NOW)


def test_columns_that_differ_by_case_or_have_no_name_do_no_harm(tmp_path: Path) -> None:
    got = read(
        tmp_path,
        leads=",lead_id,created_at,Size,size,size\n0,L1,2026-01-01,1,5,7\n1,L2,2026-01-02,2,6,8\n2,,2026-01-02,2,6,8\n",
    )
    assert got.history.schema.attribute_numbers == ("Size", "size")
    np.testing.assert_array_equal(got.history.attributes.numbers, [[1.0, 2.0], [5.0, 6.0]])
    assert rejected(tmp_path, "leads")[0]["reason"] == "missing lead_id"


def test_a_name_in_rejected_rows_does_not_clash_with_a_column(tmp_path: Path) -> None:
    read(tmp_path, events="lead_id,occurred_at,event_type,reason,line\nL9,2026-01-03,x,because,straight\n")
    (row,) = rejected_rows = pq.read_table(tmp_path / "rejected" / "events.parquet").to_pylist()
    assert len(rejected_rows) == 1
    assert (row["reason"], row["line"], row["reason_"], row["line_"]) == ("because", "straight", "unknown lead", 2)


def test_an_outcome_of_a_later_first_row_is_no_problem(tmp_path: Path) -> None:
    got = read(tmp_path, outcomes=OUTCOMES + "L1,2026-02-01,lost\nL1,2026-01-15,converted\n")
    assert got.history.outcomes.at[0] == at("2026-01-15")
    assert got.history.outcomes.converted[0]
