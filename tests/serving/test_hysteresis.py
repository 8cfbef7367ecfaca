"""A lead keeps its band for as long as the agreement says, and no longer."""

from __future__ import annotations

import pytest

from features.calendar_days import DAY
from oracles.made_service import NOW
from serving.agreement import Agreement
from serving.agreement_terms import Hysteresis
from serving.decision import Band, DecidedBy
from serving.hysteresis import Standing, settled_band
from serving.lead_score import GroupShare, LeadScore

NURTURE, MQL, SQL = Band
MODEL = DecidedBy.MODEL


def score(band: Band | None, probability: float | None, by: DecidedBy = MODEL) -> LeadScore:
    ungraded = GroupShare(None, None)
    return LeadScore(
        "A", NOW, NOW, 90 * DAY, probability, 0, None, None, None, band, by, None, None, ungraded, ungraded, None, None
    )  # fmt: skip


def settled(
    before: Band | None,
    now: LeadScore,
    *,
    down_by: float = 0.0,
    stays_for: int = 0,
    since: int = NOW - 30 * DAY,
    decided_by: DecidedBy | None = MODEL,
) -> Band | None:
    agreement = Agreement(1, 0.10, 0.30, hysteresis=Hysteresis(down_by, stays_for))
    return settled_band(Standing(before, since, decided_by), now, agreement)


def test_upwards_a_lead_goes_at_once() -> None:
    assert settled(NURTURE, score(SQL, 0.3), down_by=0.05, stays_for=DAY, since=NOW - 1) is SQL


@pytest.mark.parametrize(
    ("probability", "band"),
    [(0.29, SQL), (0.25, SQL), (0.2499, MQL), (0.12, MQL)],
)
def test_a_lead_leaves_its_band_when_it_lies_below_by_more_than_the_margin(probability: float, band: Band) -> None:
    assert settled(SQL, score(MQL, probability), down_by=0.05) is band


def test_from_sql_a_lead_may_come_to_stand_in_mql_although_its_score_says_nurture() -> None:
    assert settled(SQL, score(NURTURE, 0.08), down_by=0.05) is MQL
    assert settled(SQL, score(NURTURE, 0.04), down_by=0.05) is NURTURE
    assert settled(MQL, score(NURTURE, 0.06), down_by=0.05) is MQL


def test_a_lead_stays_for_its_time_whatever_its_probability() -> None:
    assert settled(SQL, score(NURTURE, 0.01), stays_for=3 * DAY, since=NOW - 3 * DAY + 1) is SQL
    assert settled(SQL, score(NURTURE, 0.01), stays_for=3 * DAY, since=NOW - 3 * DAY) is NURTURE


def test_both_rules_together_must_let_go() -> None:
    assert settled(SQL, score(MQL, 0.28), down_by=0.05, stays_for=DAY, since=NOW - 9 * DAY) is SQL
    assert settled(SQL, score(MQL, 0.20), down_by=0.05, stays_for=DAY, since=NOW - 1) is SQL
    assert settled(SQL, score(MQL, 0.20), down_by=0.05, stays_for=DAY, since=NOW - 9 * DAY) is MQL


@pytest.mark.parametrize("by", [DecidedBy.EXCLUDED, DecidedBy.TOO_LITTLE_EVIDENCE])
def test_what_peoples_rules_say_holds_at_once(by: DecidedBy) -> None:
    assert settled(SQL, score(MQL, 0.4, by), down_by=0.05, stays_for=9 * DAY, since=NOW - 1) is MQL


def test_the_end_of_a_fast_lane_holds_at_once() -> None:
    fell = score(NURTURE, 0.01)
    assert settled(SQL, fell, stays_for=99 * DAY, decided_by=DecidedBy.FAST_LANE) is NURTURE


def test_a_trigger_that_lets_go_is_kept_for_its_time() -> None:
    assert settled(MQL, score(NURTURE, 0.01), stays_for=DAY, since=NOW - 1, decided_by=DecidedBy.TRIGGER) is MQL


def test_without_rule_or_agreement_or_past_the_score_decides() -> None:
    now = score(MQL, 0.29)
    bare = Agreement(1, 0.10, 0.30)
    assert settled_band(Standing(SQL, NOW - 1), now, bare) is MQL
    assert settled_band(Standing(SQL, NOW - 1), now, None) is MQL
    assert settled_band(None, now, Agreement(1, 0.1, 0.3, hysteresis=Hysteresis(0.05))) is MQL
    assert settled(None, now, down_by=0.05) is MQL
    assert settled(SQL, score(None, None, DecidedBy.NO_AGREEMENT), down_by=0.05) is None


def test_a_trembling_probability_makes_no_lead_flap() -> None:
    band: Band | None = NURTURE
    agreement = Agreement(1, 0.10, 0.30, hysteresis=Hysteresis(0.03))
    bands = []
    for probability in (0.29, 0.31, 0.29, 0.305, 0.28, 0.31, 0.26, 0.29):
        by_model = SQL if probability >= 0.3 else MQL
        band = settled_band(Standing(band, NOW - DAY), score(by_model, probability), agreement)
        bands.append(band)
    assert bands == [MQL, SQL, SQL, SQL, SQL, SQL, MQL, MQL]
