"""The queue as a file: every lead once, and no cell that a spreadsheet would run."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.wording import LANGS, Lang
from oracles.filled_queues import fill_queue
from serving.queue import Wanted, every_row
from serving.queue_export import COLUMNS, export, harmless
from serving.store import Store

RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@pytest.mark.parametrize("lang", LANGS)
def test_the_file_holds_every_lead_once_in_order_and_nothing_that_runs(store: Store, lang: Lang) -> None:
    made = fill_queue(store, 1200, state="waiting")
    with store.reading() as c:
        told = b"".join(export(every_row(c, Wanted(band="all")), zone="Asia/Tokyo", lang=lang))
    assert told.startswith("\ufeff".encode())
    heads, *lines = csv.reader(io.StringIO(told.decode("utf-8-sig"), newline=""))
    assert len(heads) == len(set(heads)) == len(COLUMNS)
    ids = [line[COLUMNS.index("lead")] for line in lines]
    assert ids == [harmless(row["lead_id"]) for row in made]
    assert [line[0] for line in lines] == [str(rank) for rank in range(1, 1201)]
    for line, row in zip(lines, made, strict=True):
        ends = [line[COLUMNS.index(name)] for name in ("interval_low", "interval_high")]
        if row["similar_leads"] is None:
            assert ends == ["", ""]
        else:
            low, high = map(float, ends)
            assert low <= row["similar_converted"] / row["similar_leads"] <= high <= low + 0.2
        for name, cell in zip(COLUMNS, line, strict=True):
            if name != "trend":  # a number of ours
                assert not cell.startswith(RUN_BY_SPREADSHEETS), (name, cell)


@given(st.text(max_size=20))
def test_a_harmless_text_starts_with_nothing_that_runs_and_loses_nothing(text: str) -> None:
    told = harmless(text)
    assert told.removeprefix("'") == text or told == text
    assert not told.lstrip(" \u3000\u00a0").startswith(RUN_BY_SPREADSHEETS)


def test_a_name_that_would_run_is_neutralised_wherever_its_first_sign_stands() -> None:
    for text in ('=HYPERLINK("x")', " =1", "\u3000＝1", "\ufeff@x", "'=1"):
        assert harmless(text) == f"'{text}"
    for text in ("a=b", "", "山田", "0", "'tis"):
        assert harmless(text) == text
