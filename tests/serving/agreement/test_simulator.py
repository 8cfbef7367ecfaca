"""The simulator: a suggested pair follows its rule, a capacity is kept, and all of it can be said in both languages."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.wording import LANGS, Lang
from oracles.made_backtests import made_backtest
from serving.page_words import words
from serving.simulated import ROWS, cells, count, cutoff_text, sentence
from serving.simulator import CAUGHT, LEADS_TO_JUDGE, TIMES_THE_AVERAGE, Simulator, Simulators
from serving.simulator_page import Proposal, cutoff_of, proposal_of, simulated_json, simulator_part
from training.cutoffs_table import WEEK, Backtest
from training.outlook import ROUND, Outlooks


def simulator(backtest: Backtest) -> Simulator:
    return Simulator(Outlooks.of(backtest, draws=5))


def plain_suggestion(backtest: Backtest, capacity: float | None) -> tuple[float, float] | None:
    """The rule once more, one cutoff after another."""
    best: dict[int, float] = {}
    coming: dict[int, float] = {}
    for p, label, lead in zip(backtest.probability, backtest.label, backtest.lead, strict=True):
        best[int(lead)] = max(best.get(int(lead), 0.0), float(p))
        if label:
            coming[int(lead)] = max(coming.get(int(lead), 0.0), float(p))
    average = float(backtest.label.mean())
    if average == 0:
        return None
    reached = {cutoff: sum(each >= cutoff for each in best.values()) for cutoff in ROUND.tolist()}
    judged = [cutoff for cutoff, leads in reached.items() if leads >= LEADS_TO_JUDGE]
    if not judged:
        return None
    wanted = min(TIMES_THE_AVERAGE * average, (1 + average) / 2)
    likely = [cutoff for cutoff in judged if cutoff >= wanted]
    sql = min(likely) if likely else max(judged)
    if capacity is not None:
        fits = [cutoff for cutoff, leads in reached.items() if leads / (backtest.weeks * backtest.part) <= capacity]
        sql = max(sql, min(fits, default=sql))
    for share in CAUGHT:
        enough = [
            cutoff
            for cutoff in ROUND.tolist()
            if sum(each >= cutoff for each in coming.values()) >= share * len(coming) - 1e-9
        ]
        if enough and max(enough) < sql:
            return max(enough), sql
    return sql, sql


@settings(max_examples=40)
@given(seed=st.integers(0, 10_000), moments=st.integers(20, 400), capacity=st.none() | st.floats(0.5, 60))
def test_the_suggested_pair_follows_the_rule(seed: int, moments: int, capacity: float | None) -> None:
    backtest = made_backtest(moments, 150, seed)
    found = simulator(backtest).suggestion(capacity)
    expected = plain_suggestion(backtest, capacity)
    assert (None if found is None else (found.mql, found.sql)) == expected


def test_with_little_capacity_sql_rises_until_it_fits_and_says_so() -> None:
    made = simulator(made_backtest(2000, 900))
    free, tight = made.suggestion(), made.suggestion(3)
    assert free is not None
    assert tight is not None
    assert free.why_sql == "likely"
    assert tight.why_sql == "capacity"
    assert tight.sql > free.sql
    assert (tight.outlook.sqls_a_week.point or 9) <= 3
    assert "3 SQLs a week" in tight.said("en")[0]


def test_with_much_capacity_the_pair_stays_and_the_room_is_named() -> None:
    made = simulator(made_backtest(2000, 900))
    free, wide = made.suggestion(), made.suggestion(500)
    assert free is not None
    assert wide is not None
    assert (wide.mql, wide.sql) == (free.mql, free.sql)
    assert any("sales can take 500" in each for each in wide.said("en"))
    assert any("週500件" in each for each in wide.said("ja"))


def test_nothing_is_suggested_where_nobody_converted() -> None:
    backtest = replace(made_backtest(), label=np.zeros(600, np.int8), lead_time=np.full(600, -1))
    assert simulator(backtest).suggestion() is None


@pytest.mark.parametrize("lang", LANGS)
def test_every_reason_for_a_suggestion_can_be_said(lang: Lang) -> None:
    suggested = simulator(made_backtest(2000, 900)).suggestion(40)
    assert suggested is not None
    for why_sql in ("likely", "highest", "capacity"):
        for why_mql in ("caught", "same"):
            said = replace(suggested, why_sql=why_sql, why_mql=why_mql).said(lang)  # type: ignore[arg-type]
            assert len(said) == (2 if why_sql == "capacity" else 3)
            assert all("{" not in each for each in said)


def test_a_capacity_gives_the_pair_that_uses_it_up() -> None:
    backtest = made_backtest(2000, 900)
    made = simulator(backtest)
    pair = made.for_capacity(7)
    assert pair is not None
    below = round(pair[1] - 0.001, 4)
    assert (made.outlooks.outlook(*pair).sqls_a_week.point or 9) <= 7
    assert (made.outlooks.outlook(min(pair[0], below), below).sqls_a_week.point or 0) > 7
    assert made.for_capacity(7, mql=0.9) == (pair[1], pair[1]), "MQL never lies above SQL"
    assert made.for_capacity(7, mql=0.02) == (0.02, pair[1])


@pytest.mark.parametrize(
    ("text", "cutoff"),
    [
        ("12%", 0.12), ("0.12", 0.12), ("12", 0.12), ("１２．５％", 0.125), (" 0.5 % ", 0.005), ("1", 0.01), ("0.0005", 0.0005),
        ("0", None), ("100", None), ("100%", None), ("-3%", None), ("nan", None), ("inf", None), ("1e400", None),
        ("twelve", None), ("", None), ("1" * 60, None), ("12%%", None),
    ],
)  # fmt: skip
def test_a_cutoff_is_read_as_people_write_it(text: str, cutoff: float | None) -> None:
    assert cutoff_of(text) == (None if cutoff is None else pytest.approx(cutoff))


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize(
    "asked",
    [
        {"mql": "x", "sql": "30%"},
        {"sql": "150%"},
        {"mql": "40%", "sql": "30%"},
        {"capacity": "none"},
        {"capacity": "-1"},
    ],
)
def test_what_cannot_be_understood_is_named_and_another_pair_is_shown(asked: dict[str, str], lang: Lang) -> None:
    made = simulator(made_backtest(2000, 900))
    found = proposal_of(made, asked, None, lang)
    suggested = made.suggestion()
    assert found is not None
    assert suggested is not None
    assert found.problem
    assert (found.mql, found.sql) == (suggested.mql, suggested.sql)


def test_a_single_cutoff_takes_the_other_from_what_stands() -> None:
    made = simulator(made_backtest(2000, 900))
    suggested = made.suggestion()
    assert suggested is not None
    assert proposal_of(made, {"sql": "50%"}, None, "en") == Proposal(suggested.mql, 0.5)
    assert proposal_of(made, {"mql": "90%"}, None, "en") == Proposal(0.9, 0.9)


def test_a_capacity_where_nothing_lies_in_time_says_that_it_cannot_be_counted() -> None:
    backtest = replace(made_backtest(2000, 900), weeks=0.0)
    found = proposal_of(simulator(backtest), {"capacity": "40"}, None, "en")
    assert found is not None
    assert found.problem == words("agreement.simulator.no_weeks", "en")


@pytest.mark.parametrize("lang", LANGS)
def test_all_figures_have_words_and_the_script_gets_what_the_page_shows(lang: Lang) -> None:
    made = simulator(made_backtest(2000, 900))
    proposal = Proposal(0.05, 0.25)
    part, told = simulator_part(made, proposal, None, lang), simulated_json(made, proposal, None, lang)
    assert [row["key"] for row in part["rows"]] == list(ROWS)
    for row in part["rows"]:
        assert row["name"]
        for column in ("proposed", "points"):
            assert told["cells"][column][row["key"]] == row["cells"][column].to_json()
    assert told["cutoffs"]["proposed"] == "5% / 25%" == part["cutoffs"]["proposed"]
    assert told["sentence"] == part["sentence"] == sentence(made.outlooks.outlook(0.05, 0.25), lang)
    assert told["marks"] == part["chart"]["marks"]


def test_a_backtest_of_before_shows_no_lead_times_and_no_points() -> None:
    old = replace(made_backtest(2000, 900), lead_time=None, points=None)
    part = simulator_part(simulator(old), Proposal(0.05, 0.25), None, "en")
    shown = {row["key"]: row["cells"] for row in part["rows"]}
    assert part["old_bundle"]
    assert shown["days_ahead"]["proposed"].value == "–"
    assert all(each["points"].value == "–" for each in shown.values())
    assert shown["sqls_a_week"]["proposed"].value != "–"


def test_a_handful_of_leads_without_weeks_still_makes_a_page() -> None:
    """Two leads at one instant: no volumes, no suggestion, a drawing of what there is or none."""
    p, label = np.array([0.2, 0.7]), np.array([0, 1], np.int8)
    tiny = Backtest.of(p, label, np.arange(2), np.array([WEEK, WEEK]), lead_time=np.array([-1, 5]), points=p * 10)
    part = simulator_part(simulator(tiny), Proposal(0.5, 0.5), None, "ja")
    assert part["sentence"] == ""
    assert part["chart"] is None
    assert part["suggestion"] is None


def test_the_drawing_keeps_within_its_frame() -> None:
    made = simulator(made_backtest(2000, 900))
    chart = simulator_part(made, Proposal(0.0001, 0.999), None, "en")["chart"]
    for name in ("volume_line", "volume_area", "precision_line", "precision_area"):
        for pair in chart[name].split():
            x, y = map(float, pair.split(","))
            assert chart["left"] <= x <= chart["right"]
            assert chart["volume"]["top"] <= y <= chart["precision"]["bottom"]
    for mark in chart["marks"].values():
        assert chart["left"] <= mark["x"] <= chart["right"]


def test_a_simulator_is_counted_once_a_champion() -> None:
    from oracles.made_agreement_site import model_with

    held = Simulators()
    first = held.of(model_with())
    assert held.of(model_with()) is first
    assert held.of(replace(model_with(), version="4")) is not first


def test_small_numbers_keep_a_decimal_and_cutoffs_all_their_digits() -> None:
    assert (count(7.54, "en"), count(9.97, "en"), count(1234.5, "en")) == ("7.5", "10", "1,234")
    assert (cutoff_text(0.054, "en"), cutoff_text(0.3, "ja"), cutoff_text(0.0005, "en")) == ("5.4%", "30%", "0.05%")
    shown = cells(Outlooks.of(made_backtest(), draws=20).outlook(0.1, 0.3), "en")
    assert "–" in shown["precision_sql"].interval
