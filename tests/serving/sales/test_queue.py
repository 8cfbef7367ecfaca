"""The queue: every lead exactly once over all its pages, in the order to call, whatever is asked for."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.schema import Schema
from features.wording import Lang
from oracles.filled_queues import NOW, fill_queue, made_standing
from serving.problems import Refused
from serving.queue import LANES, OPEN_STATES, STATES, Part, Place, Wanted, every_row, read_part
from serving.queue_counts import Counts, KeptCounts, count
from serving.queue_page import Reader, queue_page
from serving.store import Store

Row = dict[str, Any]


def walked(store: Store, wanted: Wanted, rows: int) -> list[str]:
    """The ids of all pages, one page after the other; ranks must count on."""
    found: list[str] = []
    place: Place | None = None
    while True:
        with store.reading() as c:
            part = read_part(c, wanted, after=place, rows=rows)
        assert part.rank == len(found) + 1
        found += [row["lead_id"] for row in part.rows]
        place = part.after
        if place is None:
            return found


@pytest.mark.parametrize("rows", [1, 7, 50, 500])
def test_every_lead_stands_exactly_once_over_all_pages(store: Store, rows: int) -> None:
    made = fill_queue(store, 240)
    assert walked(store, Wanted(band="all", state="all"), rows) == [row["lead_id"] for row in made]


CASES: dict[str, tuple[Wanted, Callable[[Row], bool]]] = {
    "to call": (Wanted(), lambda row: row["lane"] <= 2 and row["state"] in OPEN_STATES),
    "SQLs of any state": (Wanted(band="SQL", state="all"), lambda row: row["lane"] <= 1),
    "MQLs": (Wanted(band="MQL"), lambda row: row["lane"] == 2 and row["state"] in OPEN_STATES),
    "the rejected": (Wanted(band="all", state="rejected"), lambda row: row["state"] == "rejected"),
    "of an owner": (Wanted(band="all", state="all", owner="owner 2"), lambda row: row["owner"] == "owner 2"),
    "of a stage": (Wanted(band="all", state="all", stage="decision"), lambda row: row["stage"] == "decision"),
    "of a company": (
        Wanted(band="all", state="all", company="FIRMA 1"),
        lambda row: row["company"] is not None and "Firma 1" in row["company"],
    ),
    "by several words": (
        Wanted(band="all", state="all", search="person  OWNER"),
        lambda row: "person" in row["search"] and "owner" in row["search"],
    ),
    "by signs that SQL knows": (Wanted(band="all", state="all", search="100%_"), lambda row: "100%_" in row["search"]),
    "by Japanese": (Wanted(band="all", state="all", search="リード 3"), lambda row: {"リ", "ー", "ド", "3"} <= {*row["search"]}),
    "without a hit": (Wanted(band="all", state="all", search="%%%"), lambda row: False),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_is_asked_for_is_found_in_order_on_every_page(store: Store, case: str) -> None:
    wanted, holds = CASES[case]
    made = fill_queue(store, 240)
    expected = [row["lead_id"] for row in made if holds(row)]
    assert expected or case == "without a hit"
    assert walked(store, wanted, 11) == expected
    with store.reading() as c:
        assert [row["lead_id"] for row in every_row(c, wanted)] == expected


def test_going_back_shows_what_was_shown_before(store: Store) -> None:
    fill_queue(store, 60)
    wanted = Wanted(band="all", state="all")
    with store.reading() as c:
        pages = [read_part(c, wanted, rows=9)]
        while pages[-1].after is not None:
            pages.append(read_part(c, wanted, after=pages[-1].after, rows=9))
        for earlier, later in pairwise(pages):
            back = read_part(c, wanted, before=later.before, rows=9)
            assert [row["lead_id"] for row in back.rows] == [row["lead_id"] for row in earlier.rows]
            assert back.rank == earlier.rank
            assert (back.before is None) == (earlier.rank == 1)


def test_a_queue_without_leads_has_one_empty_page(store: Store) -> None:
    with store.reading() as c:
        part = read_part(c, Wanted())
        assert (part.rows, part.before, part.after) == ([], None, None)
        counted = count(c)
    assert (counted.leads, counted.owners, set(counted.bands.values())) == (0, (), {0})


def test_counts_are_those_of_the_open_leads_by_band(store: Store) -> None:
    made = fill_queue(store, 240)
    with store.reading() as c:
        counted = count(c)
    for band, (first, last) in LANES.items():
        assert counted.bands[band] == sum(first <= row["lane"] <= last and row["state"] in OPEN_STATES for row in made)
    assert counted.leads == 240
    assert counted.owners == tuple(sorted({row["owner"] for row in made if row["owner"]}))


def test_counts_are_kept_for_a_moment_and_then_counted_anew(store: Store, eventually: Callable[..., float]) -> None:
    kept = KeptCounts(store)
    assert kept.current().leads == 0
    fill_queue(store, 5)
    assert kept.current().leads == 0
    eventually(lambda: kept.current().leads == 5, within=20.0)


def test_a_page_deep_in_a_long_queue_costs_what_the_first_costs(store: Store) -> None:
    fill_queue(store, 8_000, state="waiting")
    wanted = Wanted(band="all")

    def seconds(after: Place | None) -> float:
        begun = time.perf_counter()
        with store.reading() as c:
            assert len(read_part(c, wanted, after=after).rows) == 50
        return time.perf_counter() - begun

    with store.reading() as c:
        deep = Place.of(list(every_row(c, wanted))[7_500], 7_501)
    first, last = (min(seconds(after) for _ in range(15)) for after in (None, deep))
    assert last < 5 * first + 0.01


@given(st.integers(0, 3), st.integers(0, 2**63 - 1), st.floats(-1e6, 0.0), st.text(), st.integers(1, 10**9))
def test_a_place_survives_its_way_through_an_address(
    lane: int, deadline: int, score: float, lead_id: str, rank: int
) -> None:
    try:
        lead_id.encode()
    except UnicodeEncodeError:
        return
    lead_id = lead_id.replace("\x00", "")
    place = Place(lane, deadline, score, lead_id, rank)
    assert Place.read(place.written()) == place


@given(st.text())
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        Place.read(text)


FORGED = (
    "[]", "{}", "null", "[[[[", '[1,2,-0.5,1,1]', '[1,2,NaN,"a",1]', '[1e99,2,0.5,"a",1]', '[true,2,-0.5,"a",1]',
    '[1,99999999999999999999,-0.5,"a",1]', '[1,2,-0.5,"\\u0000",1]', '[1,2,-0.5,"\\ud800",1]',
)  # fmt: skip


@pytest.mark.parametrize("packed", FORGED)
def test_a_forged_place_is_refused(packed: str) -> None:
    with pytest.raises(Refused):
        Place.read(base64.urlsafe_b64encode(packed.encode()).decode())


def test_an_address_asks_for_what_there_is_or_is_refused() -> None:
    assert Wanted.of_query({}, band="call") == Wanted()
    assert Wanted.of_query({"band": "SQL", "search": " a\x00 "}, band="call") == Wanted(band="SQL", search="a")
    for wrong in ({"band": "x"}, {"state": "x"}, {"stage": "x"}, {"search": "x" * 201}):
        with pytest.raises(Refused):
            Wanted.of_query(wrong, band="call")


@pytest.mark.parametrize("state", ["open", "all", *STATES])
def test_what_is_wanted_survives_its_way_through_an_address(state: str) -> None:
    wanted = Wanted(band="MQL", state=state, owner="A & B", stage="decision", company="山", search="x y")
    assert Wanted.of_query(wanted.query(), band="call") == wanted


@pytest.mark.parametrize(
    ("lang", "short", "said"),
    [
        ("en", "23–36%", "of 200 leads like this one 58 converted: a rate between 23% and 36%"),
        ("ja", "23〜36%", "似たリード200件のうち58件が成約（成約率23%〜36%）"),
    ],
)
def test_a_probability_stands_with_its_interval_where_there_are_leads_to_judge_it_by(
    lang: Lang, short: str, said: str
) -> None:
    draw = np.random.default_rng(0)
    told = [{"similar_leads": 200, "similar_converted": 58}, {"similar_leads": None, "similar_converted": None}]
    rows = [made_standing(number, draw, **each) for number, each in enumerate(told)]
    rows.append(made_standing(2, draw, **told[0], probability=None))
    counts = Counts(bands=dict.fromkeys(LANES, 3), leads=3, owners=())
    page = queue_page(Part(rows, 1, None, None), Wanted(), counts, Reader(lang, Schema(), NOW))
    assert [each["interval"] for each in page["rows"]] == [{"short": short, "said": said}, None, None]
