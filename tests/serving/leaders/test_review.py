"""Reviews of small tables, drawn as text, against figures counted by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from features.calendar_days import DAY, HOUR
from serving.review import make_review
from serving.review_figures import Alarm, Answer, Case, Clock, Ends, Kind, Review, Row
from training.intervals import difference, how_many

HORIZON = 90 * DAY
NOW = 1000 * DAY
KINDS = {"SQL": Kind.SQL, "fast": Kind.FAST_LANE, "MQL": Kind.MQL, "nurture": Kind.NURTURE}


def rows_of(drawing: str) -> list[dict[str, str]]:
    head, *rows = (line.split() for line in drawing.strip().splitlines())
    return [dict(zip(head, row, strict=True)) for row in rows]


def cases_of(drawing: str) -> list[Case]:
    """Columns: lead, band, day (of 1000), p, and where they matter due (hours after), held."""
    return [
        Case(
            lead_id=row["lead"],
            kind=KINDS[row["band"]],
            at=int(row["day"]) * DAY,
            since=int(row["day"]) * DAY,
            probability=None if row["p"] == "-" else float(row["p"]),
            deadline=int(row["day"]) * DAY + int(row["due"]) * HOUR if row.get("due", "-") != "-" else None,
            handoff_id=f"{row['lead']}@{row['day']}" if row["band"] in ("SQL", "fast") else None,
            held_back=row.get("held") == "yes",
        )
        for row in rows_of(drawing)
    ]


def answers_of(drawing: str) -> list[Answer]:
    """Columns: lead, hours (after day 1000 less 30), verdict, reason."""
    return [
        Answer(
            row["lead"],
            970 * DAY + int(row["hours"]) * HOUR,
            row["verdict"],
            None if row["reason"] == "-" else row["reason"],
        )
        for row in rows_of(drawing)
    ]


def reviewed(
    cases: Sequence[Case],
    *,
    answers: Sequence[Answer] = (),
    converted: Mapping[str, int] | None = None,
    days: int = 30,
    **other: Any,
) -> Review:
    ends = Ends({lead: day * DAY for lead, day in (converted or {}).items()}, NOW, other.pop("delay", 0))
    told: dict[str, Any] = {"reached_at": {}, "watched_from": 0} | other
    return make_review(cases, answers, ends, Clock(days * DAY, NOW, NOW), horizon=HORIZON, **told)


def row(review: Review, kind: Kind) -> Row:
    return next(each for each in review.rows if each.kind is kind)


def test_what_was_handed_over_accepted_and_rejected_is_counted_once_a_lead() -> None:
    found = row(
        reviewed(
            cases_of("""
            lead band day p
            a    SQL  970 0.4
            b    SQL  970 0.4
            c    SQL  970 0.4
            d    SQL  970 0.4
            e    SQL  970 0.4
            a    SQL  990 0.5
            f    SQL  969 0.4
            g    fast 970 0.4
            """),
            answers=answers_of("""
            lead hours verdict   reason
            a    1     contacted -
            a    2     rejected  too_early
            b    1     rejected  no_budget
            b    9     accepted  -
            c    1     contacted -
            d    5     rejected  -
            f    1     accepted  -
            """),
        ),
        Kind.SQL,
    )
    assert (found.leads, found.accepted, found.rejected, found.contacted, found.unanswered) == (5, 1, 2, 1, 1)
    assert dict(found.reasons) == {"too_early": 1, "": 1}


def test_an_answer_without_a_hand_offs_name_belongs_to_the_newest_before_it() -> None:
    review = reviewed(
        [
            *cases_of("""
            lead band day p
            a    SQL  970 0.4
            b    SQL  970 0.4
            """),
            Case("a", Kind.SQL, 980 * DAY, 980 * DAY, 0.5, None, "second"),
        ],
        answers=[
            Answer("a", 981 * DAY, "accepted"),
            Answer("b", 999 * DAY, "accepted", None, "another hand-off"),
        ],
    )
    assert row(review, Kind.SQL).accepted == 0


def test_rates_are_of_those_whose_horizon_ended_in_the_period() -> None:
    # settled in the last 30 days: handed over after day 880 up to day 910
    found = row(
        reviewed(
            cases_of("""
            lead band day p
            old  SQL  880 0.9
            a    SQL  881 0.4
            b    SQL  900 0.3
            c    SQL  910 0.2
            d    SQL  911 0.6
            e    SQL  999 0.5
            """),
            converted={"old": 881, "a": 970, "b": 989, "c": 909, "d": 950, "e": 1200},
        ),
        Kind.SQL,
    )
    # a converts in its 90 days, b on the 89th; c before it was handed over
    assert (found.realised.leads, found.realised.converted) == (3, 2)
    assert found.realised.expected == how_many([0.4, 0.3, 0.2])
    assert (found.pending.leads, found.pending.converted_so_far) == (2, 1)
    assert found.pending.expected is not None
    assert found.pending.expected.point == pytest.approx(1.1)


def test_the_day_the_horizon_ends_does_not_count_any_more() -> None:
    drawing = """
    lead band day p
    a    SQL  900 0.4
    """
    assert row(reviewed(cases_of(drawing), converted={"a": 990}), Kind.SQL).realised.converted == 0
    assert row(reviewed(cases_of(drawing), converted={"a": 900}), Kind.SQL).realised.converted == 1


def test_outcomes_that_are_recorded_late_settle_later() -> None:
    drawing = """
    lead band day p
    a    SQL  901 0.4
    b    SQL  899 0.4
    """
    found = row(reviewed(cases_of(drawing), delay=10 * DAY), Kind.SQL)
    assert (found.realised.leads, found.pending.leads) == (1, 1)


def test_a_lead_without_a_probability_is_told_and_counts_in_no_rate() -> None:
    found = row(
        reviewed(
            cases_of("""
            lead band day p
            a    fast 900 -
            b    fast 900 0.5
            """),
            converted={"a": 901},
        ),
        Kind.FAST_LANE,
    )
    assert (found.realised.leads, found.realised.converted, found.realised.unscored) == (1, 0, 1)


def test_the_alarm_goes_off_just_outside_of_the_interval_and_not_on_its_ends() -> None:
    cases = [Case(f"{n}", Kind.SQL, 900 * DAY, 900 * DAY, 0.3, None, f"h{n}") for n in range(100)]
    expected = how_many([0.3] * 100)
    assert (expected.low, expected.high) == (21, 39)
    said = {
        count: row(reviewed(cases, converted={f"{n}": 901 for n in range(count)}), Kind.SQL).realised.alarm
        for count in (20, 21, 39, 40)
    }
    assert said == {20: Alarm.BELOW, 21: None, 39: None, 40: Alarm.ABOVE}


def test_true_probabilities_raise_a_false_alarm_as_rarely_as_said() -> None:
    generator = np.random.default_rng(11)
    alarms = 0
    for _ in range(400):
        p = generator.beta(2, 5, 60)
        cases = [Case(f"{n}", Kind.SQL, 900 * DAY, 900 * DAY, float(each), None, f"h{n}") for n, each in enumerate(p)]
        won = {f"{n}": 901 for n in np.flatnonzero(generator.random(60) < p)}
        alarms += row(reviewed(cases, converted=won), Kind.SQL).realised.alarm is not None
    assert alarms / 400 <= 0.05
    assert alarms > 0


def test_probabilities_twice_too_high_do_raise_the_alarm() -> None:
    generator = np.random.default_rng(5)
    cases = [Case(f"{n}", Kind.SQL, 900 * DAY, 900 * DAY, 0.4, None, f"h{n}") for n in range(150)]
    won = {f"{n}": 901 for n in np.flatnonzero(generator.random(150) < 0.2)}
    review = reviewed(cases, converted=won)
    assert review.alarms == ((Kind.SQL, Alarm.BELOW),)


def test_too_many_conversions_raise_the_alarm_before_the_horizon_is_over_too_few_do_not() -> None:
    cases = [Case(f"{n}", Kind.SQL, 990 * DAY, 990 * DAY, 0.1, None, f"h{n}") for n in range(50)]
    assert reviewed(cases).alarms == ()
    assert reviewed(cases, converted={f"{n}": 991 for n in range(20)}).alarms == ((Kind.SQL, Alarm.ABOVE),)


def test_answers_are_held_against_their_deadlines() -> None:
    found = row(
        reviewed(
            cases_of("""
            lead band day due p
            a    SQL  970 4   0.4
            b    SQL  970 4   0.4
            c    SQL  970 4   0.4
            d    SQL  970 -   0.4
            e    SQL  999 48  0.4
            f    SQL  970 8   0.4
            """),
            answers=answers_of("""
            lead hours verdict   reason
            a    4     contacted -
            b    5     rejected  other
            d    1     accepted  -
            f    2     accepted  -
            f    99    rejected  other
            """),
        ),
        Kind.SQL,
    ).response
    counts = (found.in_time, found.late, found.overdue, found.waiting, found.without_deadline)
    assert counts == (2, 1, 1, 1, 1)
    assert found.share_in_time is not None
    assert found.share_in_time.point == 0.5
    assert found.median == 4 * HOUR  # of 1, 2, 4 and 5 hours, and of one that was never answered


def test_where_most_were_never_answered_the_median_says_so() -> None:
    found = row(
        reviewed(
            cases_of("""
            lead band day due p
            a    SQL  970 4   0.4
            b    SQL  970 4   0.4
            """)
        ),
        Kind.SQL,
    ).response
    assert found.median == math.inf
    assert row(reviewed([]), Kind.SQL).response.median is None


def test_leads_found_without_us_are_told_by_sales_or_converted_without_ever_being_mql() -> None:
    found = reviewed(
        [],
        answers=answers_of("""
        lead hours verdict reason
        x    1     found   -
        y    -1    found   -
        z    9     found   -
        """),
        converted={"a": 975, "b": 980, "c": 985, "d": 960, "e": 990},
        reached_at={"a": 900 * DAY, "b": 980 * DAY, "e": 995 * DAY},
    ).found
    assert found.told == ("z", "x")
    assert found.conversions == 4
    assert found.missed == ("e", "c", "b")


def test_conversions_from_before_anyone_was_scored_were_not_missed() -> None:
    assert reviewed([], converted={"a": 975, "b": 985}, watched_from=980 * DAY).found.missed == ("b",)
    assert reviewed([], converted={"a": 975}, watched_from=None).found.conversions == 0


def test_those_held_back_are_compared_with_those_handed_over_in_the_same_time() -> None:
    cases = [
        Case(f"{'held' if held else 'handed'}{n}", Kind.SQL, day * DAY, day * DAY, 0.3, None, f"{held}{n}", held)
        for held, days in ((True, (800, 850)), (False, (799, 820, 851)))
        for n, day in ((100 * day + n, day) for day in days for n in range(20))
    ]
    won = {each.lead_id: 860 for each in cases if each.at == 820 * DAY} | {"held80000": 801}
    found = reviewed(cases, converted=won).held_back
    assert (found.handed_over, found.handed_over_converted) == (20, 20)
    assert (found.held_back, found.held_back_converted) == (40, 1)
    assert found.difference is None  # 20 are too few
    more = [Case(f"more{n}", Kind.SQL, 830 * DAY, 830 * DAY, 0.3, None, f"more{n}") for n in range(20)]
    assert reviewed([*cases, *more], converted=won).held_back.difference == difference(20, 40, 1, 40)


def test_who_asked_for_a_person_is_not_compared_with_those_held_back() -> None:
    cases = [
        Case(f"{kind.value}-{held}-{n}", kind, 800 * DAY, 800 * DAY, 0.3, None, f"{kind.value}{held}{n}", held)
        for kind, held in ((Kind.SQL, True), (Kind.SQL, False), (Kind.FAST_LANE, False))
        for n in range(40)
    ]
    won = {each.lead_id: 801 for each in cases if each.kind is Kind.FAST_LANE}
    found = reviewed(cases, converted=won).held_back
    assert (found.handed_over, found.handed_over_converted, found.held_back) == (40, 0, 40)


def test_leads_held_back_are_in_no_other_figure() -> None:
    found = row(
        reviewed(
            cases_of("""
            lead band day p   held
            a    SQL  970 0.4 yes
            b    SQL  900 0.4 yes
            """),
            converted={"b": 901},
        ),
        Kind.SQL,
    )
    assert (found.leads, found.held_back, found.realised.leads, found.pending.leads) == (0, 1, 0, 0)


def test_nothing_at_all_is_a_review_too() -> None:
    review = reviewed([])
    assert review.handed_over == 0
    assert review.alarms == ()
    assert review.held_back.difference is None


def test_what_is_said_of_a_hand_off_is_not_said_of_the_mql_before_it() -> None:
    cases = cases_of("""
    lead band    day due p
    a    MQL     970 48  0.2
    a    SQL     971 4   0.4
    b    MQL     970 48  0.2
    b    SQL     975 4   0.4
    c    MQL     970 48  0.2
    n    nurture 970 -   0.1
    """)
    review = reviewed(
        cases,
        answers=answers_of("""
        lead hours verdict   reason
        a    25    accepted  -
        b    1     contacted -
        b    130   rejected  no_need
        c    9     rejected  no_budget
        n    9     rejected  no_budget
        """),
    )
    mql, sql = row(review, Kind.MQL), row(review, Kind.SQL)
    assert (sql.accepted, sql.rejected) == (1, 1)
    assert (mql.accepted, mql.rejected, mql.contacted, mql.unanswered) == (0, 1, 1, 1)
    # a was handed over before its answer as an MQL was due
    assert (mql.response.in_time, mql.response.late, mql.response.overdue) == (2, 0, 0)
    assert row(review, Kind.NURTURE).rejected == 0
