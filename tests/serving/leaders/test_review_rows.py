"""A review read from a real store, on SQLite and PostgreSQL, against figures counted by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from features.calendar_days import DAY, HOUR
from oracles.made_histories import MadeLead, history_of
from serving.agreement import Agreement
from serving.agreement_terms import Sla
from serving.review_figures import Clock, Ends, Kind, Row
from serving.review_rows import ends_of_history, ends_of_store, read_review
from serving.store import Store
from serving.store.tables import band_changes, feedback, handoffs, outcomes

HORIZON, NOW = 90 * DAY, 1000 * DAY
CLOCK = Clock(30 * DAY, NOW, NOW)


def put_handoff(c: Any, lead: str, day: int, *, by: str = "model", held: bool = False, p: float | None = 0.4) -> None:
    c.execute(
        handoffs.insert().values(
            handoff_id=f"{lead}@{day}",
            lead_id=lead,
            created_at=day * DAY + HOUR,
            as_of=day * DAY,
            decided_by=by,
            probability=p,
            deadline=day * DAY + 5 * HOUR,
            held_back=held,
            active_again=False,
            payload={},
        )
    )


def put_change(c: Any, lead: str, day: int, change: str, p: float = 0.15) -> None:
    old, _, new = change.partition(">")
    c.execute(
        band_changes.insert().values(
            lead_id=lead, at=day * DAY, from_band=old or None, to_band=new, decided_by="model", probability=p
        )
    )


def put_answer(c: Any, lead: str, at: int, verdict: str, **told: Any) -> None:
    c.execute(feedback.insert().values(lead_id=lead, at=at, by="someone", verdict=verdict, **told))


def put_outcome(c: Any, lead: str, day: int, outcome: str, *, recorded: int | None = None) -> None:
    at = day * DAY
    c.execute(
        outcomes.insert().values(
            lead_id=lead,
            occurred_at=at,
            recorded_at=at if recorded is None else recorded,
            outcome=outcome,
            told=recorded is not None,
        )
    )


def rows_of(store: Store, ends: Ends, agreement: Agreement | None = None) -> Mapping[Kind, Row]:
    with store.reading() as c:
        return {row.kind: row for row in read_review(c, ends, CLOCK, horizon=HORIZON, agreement=agreement).rows}


def test_hand_offs_and_bands_are_read_as_they_were_kept(store: Store) -> None:
    with store.writing() as c:
        put_handoff(c, "a", 975)
        put_handoff(c, "b", 976, by="fast_lane", p=None)
        put_handoff(c, "c", 977, held=True)
        put_handoff(c, "old", 900)
        put_change(c, "m1", 980, "nurture>MQL")
        put_change(c, "m2", 981, ">MQL")
        put_change(c, "m3", 982, "SQL>MQL")  # fell: no new MQL
        put_change(c, "n1", 983, ">nurture")
        put_change(c, "n2", 984, "MQL>nurture")
        put_change(c, "s", 985, "MQL>SQL")  # handed over or not: that is said by the hand-off
        put_answer(c, "a", 975 * DAY + 2 * HOUR, "rejected", reason="no_need", handoff_id="a@975")
        put_answer(c, "b", 976 * DAY + 2 * HOUR, "accepted")
    rows = rows_of(store, Ends({"old": 901 * DAY}, NOW))
    assert {kind: row.leads for kind, row in rows.items()} == {
        Kind.FAST_LANE: 1,
        Kind.SQL: 1,
        Kind.MQL: 2,
        Kind.NURTURE: 2,
    }
    sql = rows[Kind.SQL]
    assert (sql.held_back, sql.rejected, dict(sql.reasons)) == (1, 1, {"no_need": 1})
    assert sql.response.in_time == 1
    assert sql.response.median == HOUR  # from when the hand-off was made
    assert (sql.realised.leads, sql.realised.converted) == (1, 1)
    assert rows[Kind.FAST_LANE].accepted == 1


def test_mqls_are_held_against_the_deadline_of_the_agreement(store: Store) -> None:
    with store.writing() as c:
        put_change(c, "m1", 980, "nurture>MQL")
        put_change(c, "m2", 980, "nurture>MQL")
        put_answer(c, "m1", 981 * DAY, "contacted")
    agreed = Agreement(version=1, mql=0.1, sql=0.3, sla=Sla(mql=2 * DAY))
    response = rows_of(store, Ends({}, NOW), agreed)[Kind.MQL].response
    assert (response.in_time, response.overdue, response.without_deadline) == (1, 1, 0)
    assert rows_of(store, Ends({}, NOW))[Kind.MQL].response.without_deadline == 2


def test_leads_that_converted_without_ever_being_mql_are_named(store: Store) -> None:
    with store.writing() as c:
        put_change(c, "first", 900, ">nurture")
        put_change(c, "reached", 975, "nurture>MQL")
        put_change(c, "late", 990, "nurture>MQL")
        put_handoff(c, "fast", 970, by="fast_lane", p=None)
        put_answer(c, "found", 999 * DAY, "found")
    ends = Ends(dict.fromkeys(("reached", "late", "never", "fast"), 985 * DAY), NOW)
    with store.reading() as c:
        found = read_review(c, ends, CLOCK, horizon=HORIZON).found
    assert (found.told, found.conversions, found.missed) == (("found",), 4, ("late", "never"))


def test_of_a_leads_outcomes_the_first_counts_and_at_one_instant_the_conversion(store: Store) -> None:
    with store.writing() as c:
        put_outcome(c, "won", 900, "won")
        put_outcome(c, "won", 950, "lost")
        put_outcome(c, "lost", 900, "lost")
        put_outcome(c, "lost", 950, "won")
        put_outcome(c, "both", 900, "lost")
        put_outcome(c, "both", 900, "won")
        put_outcome(c, "later", 1001, "won")
    with store.reading() as c:
        ends = ends_of_store(c, converted="won", now=NOW)
    assert ends == Ends({"won": 900 * DAY, "both": 900 * DAY}, NOW, 0)


def test_how_late_outcomes_are_recorded_is_told_by_those_that_say_so(store: Store) -> None:
    with store.writing() as c:
        for n in range(50):
            put_outcome(c, f"a{n}", 900, "won", recorded=903 * DAY)
            put_outcome(c, f"b{n}", 900, "won")
    with store.reading() as c:
        assert ends_of_store(c, converted="won", now=NOW).delay == 3 * DAY


def test_files_tell_the_same_ends() -> None:
    history = history_of({"a": MadeLead(0), "b": MadeLead(0), "c": MadeLead(0)})
    found = history.outcomes
    found.at[:2], found.known_at[:2] = (5, 6), (50, 60)
    found.converted[0] = True
    ended = replace(history, data_end=100, now=100)
    assert ends_of_history(ended) == Ends({"a": 5}, 100, 0)
    assert ends_of_history(replace(ended, now=50)).converted_at == {}


@pytest.mark.parametrize("agreement", [None, Agreement(version=1, mql=0.1, sql=0.3, sqls_a_week=40)])
def test_an_empty_store_gives_an_empty_review(store: Store, agreement: Agreement | None) -> None:
    with store.reading() as c:
        review = read_review(c, Ends({}, NOW), CLOCK, horizon=HORIZON, agreement=agreement)
    assert review.handed_over == 0
    assert review.alarms == ()
    assert review.capacity == (None if agreement is None else 40)
