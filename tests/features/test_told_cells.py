"""A cell that came without a table is read as the database reads the same cell in a table: text, number, category, time."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from features.tables.cell_times import instant, plain_time, wall_and_form
from features.tables.cell_values import category, number, text
from features.tables.database import open_database
from features.tables.json_columns import spread
from features.tables.sql_text import Column, Connection
from features.told_cells import cell_number, cell_text, raw_text
from features.told_times import cell_time

_CELL = Column("cell", "cell", "VARCHAR")


@pytest.fixture(scope="module")
def database() -> Iterator[Connection]:
    with tempfile.TemporaryDirectory() as folder, open_database(Path(folder)) as connection:
        yield connection


def _asked(database: Connection, cells: Sequence[str], *queries: str) -> list[tuple[Any, ...]]:
    """What the database makes of texts, in their order."""
    database.run("drop table if exists cells")
    database.bring("cells", pa.table({"row": range(len(cells)), "cell": pa.array(cells, pa.string())}))
    return [row[1:] for row in database.rows(f"select row, {', '.join(queries)} from cells order by row")]


_AROUND = st.sampled_from(["", " ", "\t", "\u3000", "\ufeff", "\n", "\xa0", "\x01"])
_DIGITS = st.text("0123456789０１２３", min_size=1, max_size=4)
_NUMBERS = st.one_of(
    st.builds(
        lambda sign, whole, part, power: sign + whole + part + power,
        st.sampled_from(["", "-", "+", "−", "－", "＋"]), _DIGITS,
        st.sampled_from(["", ".", ".5", "．５", ",500", "，１２３", ",12", ".1,2", ",000,000.25"]),
        st.sampled_from(["", "e3", "E+2", "Ｅ-3", "e999", "e-400", "e", " "]),
    ),
    st.floats().map(repr), st.integers().map(str),
    st.sampled_from([".5", "-.5", "1.", "nan", "inf", "-Infinity", "0x10", "1_000", "１２", "१२", "", "1 000", "1e5", "007"]),
)  # fmt: skip
_WORDS = st.sampled_from(
    ["NA", "n/a", "Null", "-", "不明", "なし", "TRUE", "False", "team", "チーム", "ＮＡ", "İ", "ſ"]
)
_TEXTS = st.one_of(_NUMBERS, _WORDS, st.text(max_size=6).filter(lambda told: "\0" not in told))


@settings(max_examples=60)
@given(cells=st.lists(st.builds(lambda a, b, c: a + b + c, _AROUND, _TEXTS, _AROUND), min_size=1, max_size=30))
def test_texts_numbers_and_categories_read_alike(database: Connection, cells: list[str]) -> None:
    found = _asked(database, cells, text(_CELL), category(_CELL), number(_CELL))
    for cell, row in zip(cells, found, strict=True):
        assert (raw_text(cell), cell_text(cell), cell_number(cell)) == row, repr(cell)
        assert str(cell_number(cell)) == str(row[2]), "to the sign of a zero"


_DAYS = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(["2026", "1999", "0001", "9999", "0000", "２０２６", "26", "2024"]),
    st.sampled_from(["-", "/", ".", "年", "年 "]), st.sampled_from(["1", "03", "12", "13", "2", "02", "１１", "10"]),
    st.sampled_from(["-", "/", ".", "月"]), st.sampled_from(["1", "29", "30", "31", "32", "05", "1日", "29日", "25"]),
)  # fmt: skip
_CLOCKS = st.builds(
    "{}{}{}".format,
    st.sampled_from([" ", "T", "  ", "TT", "T ", " T", ""]),
    st.sampled_from(
        ["9:05", "09:05", "23:59:59", "24:00", "24:00:00", "24:00:01", "25:00", "9時", "9時5分", "9時05分", "9時05分30秒",
         "12:60", "23:59:60", "1:30", "01:30:00", "02:30:00", "９：０５", "00:00:00"]
    ),
    st.sampled_from(["", "", ".5", ".123456", ".1234567", ".999999999", ",25", ".", ":", " "]),
)  # fmt: skip
_ZONES = st.sampled_from(
    [
        "",
        "",
        "Z",
        " Z",
        "z",
        "UTC",
        " GMT",
        "+09:00",
        "+0900",
        "-08",
        " +05:30",
        "+24:00",
        "+99:99",
        "-23:59",
        "+9",
        "JST",
    ]
)
_TIMES = st.one_of(
    st.builds("{}{}{}".format, _DAYS, _CLOCKS, _ZONES),
    _DAYS,
    st.datetimes().map(lambda when: when.isoformat()),
    st.datetimes().map(lambda when: when.isoformat(" ") + "+09:00"),
    st.dates().map(lambda day: day.isoformat()),
    st.dates().map(lambda day: day.strftime("%Y%m%d")),
    st.sampled_from(["20260314", "20261301", "1767225600", "1767225600000", "0767225600", "176722560000", "-", "不明"]),
    st.integers(0, 10**17).map(str),
)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "Europe/Berlin", "America/St_Johns"])
@settings(max_examples=20)
@given(cells=st.lists(_TIMES, min_size=1, max_size=40))
@example(
    cells=[
        "2026-03-29 02:30",
        "2026-10-25 02:30",
        "2026-03-29T02:30:00+02:00",
        "2026年3月14日 9時05分",
        "2010-11-07",
        "2026-1-1T 9:05",
        "2026-1-1 T9:05",
        "2026-1-1TT9:05",
    ]
)
def test_times_read_alike(database: Connection, zone: str, cells: list[str]) -> None:
    wall, form = wall_and_form(_CELL, "plain")
    database.run("drop table if exists cells")
    database.bring("cells", pa.table({"row": range(len(cells)), "cell": pa.array(cells, pa.string())}))
    found = database.rows(
        f"select row, {instant('wall', 'form', zone)} from (select row, {wall} as wall, {form} as form from"
        f" (select row, cell, {plain_time(_CELL)} as plain from cells)) order by row"
    )
    for cell, (_, told) in zip(cells, found, strict=True):
        assert cell_time(cell, zone) == told, repr(cell)


_NAMES = st.sampled_from(["size", "plan", "a/b", "~0", 'q"', "x.y", "*", "業種", " spaced ", "Size", "$.a", "0"])
_VALUES = st.one_of(
    _TEXTS, st.booleans(), st.none(), st.integers(), st.integers(-(2**66), 2**66),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, -0.0, 3.0, 1e17, 1e18, 1e22, 1.5e-7, 2.0**53, 5e-324]), st.sampled_from([[1], {"a": 1}]),
)  # fmt: skip


@pytest.mark.parametrize("numbers", [True, False])
@settings(max_examples=40)
@given(rows=st.lists(st.dictionaries(_NAMES, _VALUES, max_size=4), min_size=1, max_size=8))
def test_cells_of_objects_read_alike(database: Connection, numbers: bool, rows: list[dict[str, Any]]) -> None:
    """As text in a column of texts, and in one that holds numbers alone: what a cell says is its own affair."""
    database.run("drop table if exists objects")
    told = pa.array([json.dumps(each, ensure_ascii=bool(i % 2)) for i, each in enumerate(rows)], pa.string())
    database.bring("objects", pa.table({"row": range(len(rows)), "told": told}))
    found = spread(database, "objects", "told", taken=("Size",), numbers=numbers)
    assert set(found.names) == {name for each in rows for name in each} - {"Size"}
    for i, name in enumerate(found.names):
        column = Column(name, "cell", found.types[i])
        read = database.rows(
            f"select row, {category(column)}, {number(column)} from (select row, {found.cells[i]} as cell"
            f" from (select *, {found.lists} from objects)) order by row"
        )
        for row, (_, as_category, as_number) in zip(rows, read, strict=True):
            cell = row.get(name)
            assert (cell_text(cell), cell_number(cell)) == (as_category, as_number), (name, cell)
            assert str(cell_number(cell)) == str(as_number)


def test_too_many_names_are_no_columns(database: Connection) -> None:
    database.run("drop table if exists objects")
    told = pa.array([json.dumps({f"n{i}": 1, "common": 2}) for i in range(1_200)], pa.string())
    database.bring("objects", pa.table({"told": told}))
    found = spread(database, "objects", "told", taken=(), wanted=("n1199",), numbers=True)
    assert len(found.names) == 1_000
    assert found.passed_over == 201
    assert {"common", "n1199"} <= set(found.names)
