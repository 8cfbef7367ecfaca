"""The terminal page: what a sales person reads before the call, in both languages and at any width."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console

from features.calendar_days import DAY, HOUR
from features.history import History, Outcomes
from features.moments import Schedule
from features.wording import Lang, percent
from features.workspace import Workspace
from oracles.made_service import HORIZON, NOW, SCHEMA, made_history, made_leads, made_model, moments_now, signed
from serving.cold_start import cold_start, missing_to_train
from serving.decision import Band, DecidedBy
from serving.decision_words import apart, carriers, why_band
from serving.explain_page import explain_page, show
from serving.lead_score import Cutoff, FastLaneHit, LeadScore
from serving.notices import Notice
from serving.scoring import score_leads
from serving.serving_model import ServingModel
from serving.signatures import AgreementState

LEADS, CONVERTED = made_leads(400)
LANGS: tuple[Lang, ...] = get_args(Lang)


@pytest.fixture(scope="module")
def model() -> ServingModel:
    return made_model(LEADS, CONVERTED)


@pytest.fixture(scope="module")
def history() -> History:
    return made_history(LEADS)


@pytest.fixture(scope="module")
def scores(model: ServingModel, history: History) -> list[LeadScore]:
    return list(score_leads(model, signed(), history, moments_now(history), scored_at=NOW))


def first(scores: list[LeadScore], band: Band, decided_by: DecidedBy = DecidedBy.MODEL) -> LeadScore:
    return next(each for each in scores if (each.band, each.decided_by) == (band, decided_by))


def page(score: LeadScore, lang: Lang = "en", width: int = 100) -> str:
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    with console.file:
        show(score, SCHEMA, console, lang=lang)
    return console.export_text()


def test_page_says_how_likely_which_band_and_why(scores: list[LeadScore]) -> None:
    score = first(scores, Band.SQL)
    told = page(score)
    assert f"{score.score}% likely to convert within 90 days" in told
    assert "average 40%" in told
    assert score.similar is not None
    assert score.interval is not None
    low, high = (percent(each, "en") for each in (score.interval.low, score.interval.high))
    assert (
        f"of {score.similar.leads} leads like this one {score.similar.converted} converted: "
        f"a rate between {low} and {high}"
    ) in " ".join(told.split())
    assert "sales-qualified: sales calls" in told
    assert "above the cutoff for SQL, 50%" in told
    assert score.reasons is not None
    for each in score.reasons.speak_for + score.reasons.speak_against:
        assert " ".join(each.text.split()) in " ".join(told.split())
    assert "model b2b, version 3 · agreement version 1, signed by both teams" in told
    assert "as of 2024-10-04 09:00 JST" in told, "in the zone of the workspace"


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_no_line_is_wider_than_the_terminal_or_a_hundred_columns(
    model: ServingModel, history: History, lang: Lang, width: int
) -> None:
    moments = moments_now(history).take(np.arange(0, 400, 31))
    for score in score_leads(model, signed(), history, moments, scored_at=NOW, lang=lang):
        told = page(replace(score, warnings=("w" * 300, "長い文" * 60)), lang, width)
        assert max(cell_len(line) for line in told.splitlines()) <= min(width, 100)
        assert "…" not in told, "nothing is cut off"
        assert len(told.splitlines()) < (60 if width >= 80 else 90)


def test_japanese_page_is_japanese(model: ServingModel, history: History) -> None:
    moments = moments_now(history).take(np.arange(0, 400, 29))
    for score in score_leads(model, signed(), history, moments, scored_at=NOW, lang="ja"):
        told = page(score, "ja")
        assert "90日以内に成約する確率" in told
        assert not any(word in told for word in ("likely", "cutoff", "activity", "converted"))


def test_a_mql_is_told_what_it_reached_and_what_it_lacks(scores: list[LeadScore]) -> None:
    said = " ".join(why_band(first(scores, Band.MQL), SCHEMA, "en"))
    assert "above the cutoff for MQL, 30%" in said
    assert "below the cutoff for SQL, 50%" in said


def test_nurture_is_told_what_it_lacks_to_mql(scores: list[LeadScore]) -> None:
    assert "below the cutoff for MQL, 30%" in " ".join(why_band(first(scores, Band.NURTURE), SCHEMA, "en"))


def test_too_little_evidence_is_told_beside_the_cutoff_that_was_reached(scores: list[LeadScore]) -> None:
    said = why_band(first(scores, Band.MQL, DecidedBy.TOO_LITTLE_EVIDENCE), SCHEMA, "en")
    assert "too little evidence" in said[0]
    assert "above the cutoff for SQL, 50%" in said[1]


def test_fast_lane_names_the_event_and_how_soon_to_answer(scores: list[LeadScore]) -> None:
    score = replace(
        first(scores, Band.SQL, DecidedBy.FAST_LANE), fast_lane=FastLaneHit("call_booked", NOW - 3 * HOUR, 4 * HOUR)
    )
    assert why_band(score, SCHEMA, "en")[1] == "booked a call 3 hours ago: answer within 4 hours"
    assert "4時間以内" in why_band(score, SCHEMA, "ja")[1]


def test_without_these_reasons_the_score_would_be_below_its_cutoff(scores: list[LeadScore]) -> None:
    found = 0
    for score in scores:
        if score.band is not Band.SQL or score.decided_by is not DecidedBy.MODEL or score.cutoffs is None:
            continue
        cutoff, why = score.cutoffs[Band.SQL], score.reasons
        assert why is not None
        assert why.raw_log_odds is not None
        assert cutoff.log_odds is not None
        carried = carriers(score, cutoff)
        shares = [each.log_odds or 0.0 for each in carried]
        if carried:
            assert why.raw_log_odds - sum(shares) < cutoff.log_odds <= why.raw_log_odds - sum(shares[:-1])
        found += bool(carried)
    assert found > 10


def test_a_cutoff_that_no_score_reaches_is_carried_by_nothing(scores: list[LeadScore]) -> None:
    assert carriers(scores[0], Cutoff(0.5, None)) == ()


@pytest.mark.parametrize(
    ("probability", "cutoff", "told"),
    [
        (0.31, 0.30, ("31%", "30%")),
        (0.30, 0.30, ("30%", "30%")),
        (0.2996, 0.30, ("29.96%", "30%")),
        (0.299, 0.30, ("29.9%", "30%")),
        (0.30 - 1e-9, 0.30, ("29.9999999%", "30%")),
        (0.0004, 0.0007, ("0.04%", "0.07%")),
    ],
)
def test_different_probabilities_never_look_the_same(probability: float, cutoff: float, told: tuple[str, str]) -> None:
    assert apart(probability, cutoff, "en") == told


def test_half_a_point_is_not_told_as_nothing(scores: list[LeadScore]) -> None:
    score = first(scores, Band.SQL)
    assert score.cutoffs is not None
    barely = replace(score, probability=0.50001, cutoffs=score.cutoffs)
    assert "0.001 percentage points above" in " ".join(why_band(barely, SCHEMA, "en"))
    exact = replace(score, probability=0.5, cutoffs=score.cutoffs)
    assert "at or above the cutoff for SQL, 50%" in " ".join(why_band(exact, SCHEMA, "en"))


def test_texts_from_the_tables_can_do_nothing_to_the_terminal(scores: list[LeadScore]) -> None:
    score = scores[0]
    assert score.reasons is not None
    bad = "[red]\x1b[2J\x1b]0;x\x07​‮"
    reason = replace(score.reasons.speak_against[0], text=bad)
    told = page(replace(score, lead_id=bad, reasons=replace(score.reasons, speak_for=(reason,)), warnings=(bad,)))
    assert "[red]" in told
    assert not any(letter in told for letter in "\x1b\x07​‮")


def test_an_unsigned_agreement_is_told(model: ServingModel, history: History) -> None:
    moments = moments_now(history).take(np.array([0]))
    (none,) = score_leads(model, AgreementState(), history, moments, scored_at=NOW)
    (unsigned,) = score_leads(model, AgreementState(signed().agreement), history, moments, scored_at=NOW)
    assert "no agreement yet" in page(none)
    assert "agreement version 1, not signed by both teams" in page(unsigned)
    assert "not both signed the agreement" in page(unsigned)


def workspace(**settings: object) -> Workspace:
    told = {"folder": "x", "name": "x", "zone": "UTC", "tables": {}, "converted": "converted", "horizon": HORIZON}
    return Workspace(**(told | settings))  # type: ignore[arg-type]


def with_outcomes(history: History, at: int, converted: list[bool]) -> History:
    instants = np.full(len(history), at, dtype=np.int64)
    outcomes = Outcomes(at=instants, known_at=instants, converted=np.array(converted))
    return replace(history, outcomes=outcomes, data_end=NOW + 400 * DAY)


@pytest.mark.parametrize("lang", LANGS)
def test_points_are_told_as_points_with_what_is_missing(history: History, lang: Lang) -> None:
    cold = cold_start(workspace(), history)
    for score in score_leads(cold, signed(), history, moments_now(history), scored_at=NOW, lang=lang):
        told = page(score, lang, 80)
        assert "%" not in told, "no probability is claimed"
        assert {"en": f"{score.score} points", "ja": f"{score.score}点"}[lang] in told
        assert "30" in told, "so many leads of each label are missing"
        assert explain_page(score, SCHEMA, lang=lang)


def test_what_is_missing_is_counted_on_the_moments_that_training_would_use(history: History) -> None:
    hourly = workspace(schedule=Schedule(after_creation=(HOUR,)))
    lacking = [Notice("missing.converted", {"n": 30}), Notice("missing.lost", {"n": 30})]
    unsettled = missing_to_train(hourly, history)
    assert list(unsettled[:2]) == lacking
    assert unsettled[2].key == "missing.time"
    some = with_outcomes(history, NOW, [True] * 12 + [False] * 388)
    assert missing_to_train(hourly, some) == (Notice("missing.converted", {"n": 18}),)
    enough = with_outcomes(history, NOW, [True] * 200 + [False] * 200)
    assert missing_to_train(hourly, enough) == (Notice("missing.training"),)
