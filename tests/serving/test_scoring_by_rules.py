"""Scores under an agreement with every kind of rule: what decided, what is missing, who the lead is and what comes next."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from features.calendar_days import DAY, HOUR
from features.history import History
from features.moments import Moments
from features.one_lead import RawEvent, RawLead, history_of_leads
from features.schema import Words
from oracles.made_service import AGREED, HORIZON, NOW, SCHEMA, made_leads, made_model, moments_now, signed
from serving.agreement import Agreement
from serving.agreement_rules import AttributeCondition, EventCount, Exclusion, Nurture, Persona, Trigger
from serving.agreement_terms import Hours, Sla
from serving.deadlines import deadline_of
from serving.decision import Band, DecidedBy
from serving.decision_words import why_band
from serving.lead_score import LeadScore, Missing
from serving.next_step import next_step
from serving.scoring import score_leads
from serving.serving_model import ColdStart, ServingModel
from serving.signatures import AgreementState
from training.points import PointsRules

LEADS, CONVERTED = made_leads(300)
RULES = replace(
    AGREED,
    exclude={
        "students": Exclusion(Words("students", "学生"), {"job_level": AttributeCondition(one_of=("student",))}),
        "free_mail": Exclusion(attributes={"mail": AttributeCondition(free_mail=True)}),
    },
    triggers={
        "mails": Trigger(EventCount(("mail_opened",), 2, 30 * DAY), Words("reads our mails", "メールをよく開封"))
    },
    personas=(Persona("boss", {"job_level": AttributeCondition(one_of=("director",))}, Words("director", "部長")),),
    nurture={
        "boss": {"decision": Nurture(Words("business case", "費用対効果の資料"), "https://example.com/case")},
        "any": {"any": Nurture(Words("newsletter", "ニュースレター"))},
    },
    facts_required=("budget", "need"),
    sla=Sla(mql=3 * DAY, sql=DAY),
)
TYPES = tuple(sorted(RULES.rule_types()))


def mailed(leads: list[RawLead]) -> list[RawLead]:
    """Every fifth lead has a free-mail address, which no model learns from."""
    return [
        replace(each, attributes={**each.attributes, "mail": f"a{i}@{'gmail.com' if i % 5 == 0 else 'corp.example'}"})
        for i, each in enumerate(leads)
    ]


def told(leads: list[RawLead]) -> History:
    return history_of_leads(SCHEMA, leads, as_of=NOW, named_types=TYPES, rule_columns=RULES.rule_columns())


@pytest.fixture(scope="module")
def model() -> ServingModel:
    return made_model(LEADS, CONVERTED)


@pytest.fixture(scope="module")
def history() -> History:
    return told(mailed(LEADS))


def scored(model: ServingModel | ColdStart, history: History, **how: Any) -> list[LeadScore]:
    state = how.pop("state", signed(RULES))
    return list(score_leads(model, state, history, how.pop("moments", moments_now(history)), scored_at=NOW, **how))


@pytest.fixture(scope="module")
def scores(model: ServingModel, history: History) -> list[LeadScore]:
    known = [("budget", "need") if row % 2 else ("need",) for row in range(len(LEADS))]
    return scored(model, history, facts=known)


def test_every_lead_is_decided_by_the_first_rule_that_speaks(scores: list[LeadScore]) -> None:
    seen = set()
    for row, each in enumerate(scores):
        lead = mailed(LEADS)[row]
        visible = [e for e in lead.events if max(e.occurred_at, e.recorded_at or 0) < NOW]
        called = any(e.event_type == "call_booked" and e.occurred_at >= NOW - 2 * DAY for e in visible)
        reads = sum(e.event_type == "mail_opened" and e.occurred_at >= NOW - 30 * DAY for e in visible) >= 2
        student, free = lead.attributes["job_level"] == "student", row % 5 == 0
        assert each.probability is not None
        if student or free:
            expected: tuple[Any, ...] = (Band.NURTURE, DecidedBy.EXCLUDED, "free_mail" if free else "students")
        elif called:
            expected = (Band.SQL, DecidedBy.FAST_LANE, "call_booked")
        elif each.probability < AGREED.mql:
            expected = (Band.MQL, DecidedBy.TRIGGER, "mails") if reads else (Band.NURTURE, DecidedBy.MODEL, None)
        elif each.probability < AGREED.sql:
            expected = (Band.MQL, DecidedBy.MODEL, None)
        else:
            expected = (
                (Band.MQL, DecidedBy.TOO_LITTLE_EVIDENCE, None) if each.missing else (Band.SQL, DecidedBy.MODEL, None)
            )
            assert (Missing("fact", "budget") in each.missing) is (row % 2 == 0)
        assert (each.band, each.decided_by, each.rule) == expected
        assert (each.fast_lane is not None) is (each.decided_by is DecidedBy.FAST_LANE)
        assert bool(each.missing) is (each.decided_by is DecidedBy.TOO_LITTLE_EVIDENCE)
        assert each.persona == ("boss" if lead.attributes["job_level"] == "director" else None)
        seen.add((each.band, each.decided_by))
    assert len(seen) == 7, "the made leads show every case"


def test_facts_nobody_told_are_facts_nobody_knows(model: ServingModel, history: History) -> None:
    for each in scored(model, history):
        if each.decided_by is DecidedBy.TOO_LITTLE_EVIDENCE:
            assert set(each.missing) >= {("fact", "budget", None), ("fact", "need", None)}
        assert (each.band, each.decided_by) != (Band.SQL, DecidedBy.MODEL)
    with pytest.raises(ValueError, match="facts of 1"):
        scored(model, history, facts=[()])


def test_one_lead_alone_and_slices_say_what_all_together_say(
    model: ServingModel, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = scored(model, history)
    for row in range(0, len(LEADS), 37):
        alone = told([mailed(LEADS)[row]])
        assert scored(model, alone) == [together[row]]
    monkeypatch.setattr("serving.scoring.LEADS_AT_ONCE", 7)
    monkeypatch.setattr("features.visible_rows._PAIRS", 5)
    facts = [("need",) if row % 3 else ("need", "budget") for row in range(len(LEADS))]
    for row, each in enumerate(scored(model, history, facts=facts)):
        assert each.missing == tuple(lack for lack in together[row].missing if lack.asked not in facts[row])
    assert scored(model, history) == together


def test_what_happens_at_the_moment_or_later_changes_nothing(model: ServingModel, history: History) -> None:
    poison = [
        replace(
            lead,
            events=[
                *lead.events,
                RawEvent("call_booked", NOW),
                RawEvent("pricing_page_viewed", NOW - DAY, NOW),
                RawEvent("pricing_page_viewed", NOW + DAY, NOW - 9 * DAY),
            ],
        )
        for lead in mailed(LEADS)
    ]
    assert scored(model, told(poison)) == scored(model, history)


def test_unsigned_rules_decide_nothing_and_name_nobody(model: ServingModel, history: History) -> None:
    for each in scored(model, history, state=AgreementState(RULES)):
        assert (each.band, each.decided_by, each.rule, each.persona, each.missing) == (
            None, DecidedBy.NO_AGREEMENT, None, None, (),
        )  # fmt: skip
    assert any(each.stage for each in scored(model, history, state=AgreementState())), "a stage needs no agreement"


def test_without_a_champion_exclusions_and_the_fast_lane_speak(history: History) -> None:
    cold = ColdStart(PointsRules(stages=SCHEMA.stages), HORIZON)
    by = {(each.band, each.decided_by) for each in scored(cold, history)}
    assert by == {
        (Band.NURTURE, DecidedBy.EXCLUDED), (Band.SQL, DecidedBy.FAST_LANE), (None, DecidedBy.POINTS),
    }  # fmt: skip


def test_nothing_of_this_is_in_the_reply(scores: list[LeadScore]) -> None:
    assert not {"rule", "stage", "persona", "missing", "fast_lane"} & set(scores[0].to_json())


def first(scores: list[LeadScore], by: DecidedBy, **wanted: object) -> LeadScore:
    return next(
        each for each in scores
        if each.decided_by is by and all(getattr(each, name) == value for name, value in wanted.items())
    )  # fmt: skip


def test_words_name_the_rule_that_decided_and_what_is_missing(scores: list[LeadScore]) -> None:
    by_rule = first(scores, DecidedBy.EXCLUDED, rule="students")
    assert "the rule “students”" in why_band(by_rule, SCHEMA, "en", agreement=RULES)[1]
    assert "「学生」" in why_band(by_rule, SCHEMA, "ja", agreement=RULES)[1]
    assert "“free mail”" in why_band(first(scores, DecidedBy.EXCLUDED, rule="free_mail"), SCHEMA, "en")[1]
    raised = why_band(first(scores, DecidedBy.TRIGGER), SCHEMA, "en", agreement=RULES)
    assert "“reads our mails”" in raised[1]
    assert "below the cutoff for MQL" in raised[2]
    lacking = next(each for each in scores if Missing("fact", "budget") in each.missing)
    assert "not known yet: budget" in why_band(lacking, SCHEMA, "en")
    assert "予算がまだ分かっていません" in why_band(lacking, SCHEMA, "ja")


def test_next_step_is_a_call_content_a_question_or_to_wait(scores: list[LeadScore]) -> None:
    def step(score: LeadScore, agreement: Agreement | None = RULES, lang: Any = "en") -> tuple[str, str, str | None]:
        found = next_step(
            score, agreement, deadline=deadline_of(agreement, score, since=NOW), lang=lang, zone="Asia/Tokyo"
        )
        return found.kind, found.text, found.link

    assert step(first(scores, DecidedBy.FAST_LANE)) == ("call", "Call by Oct 4, 13:00.", None)
    assert step(first(scores, DecidedBy.MODEL, band=Band.SQL))[1] == "Call by Oct 5, 09:00."
    assert step(first(scores, DecidedBy.MODEL, band=Band.SQL), lang="ja")[1] == "10月5日 09:00までにお電話ください。"
    asks = first(scores, DecidedBy.TOO_LITTLE_EVIDENCE, missing=(Missing("fact", "budget"),))
    assert step(asks) == ("facts", "By Oct 7, 09:00 find out, and enter: budget.", None)
    boss = replace(first(scores, DecidedBy.MODEL, band=Band.NURTURE), persona="boss", stage="decision")
    assert step(boss) == ("nurture", "Send: business case.", "https://example.com/case")
    assert step(replace(boss, stage="interest"))[1:] == ("Send: newsletter.", None)
    assert step(replace(boss, persona=None), lang="ja")[1] == "「ニュースレター」をご案内ください。"
    by_trigger = first(scores, DecidedBy.TRIGGER, persona=None)
    assert step(by_trigger)[1] == "Follow up by Oct 7, 09:00; send: newsletter."
    assert step(first(scores, DecidedBy.EXCLUDED, rule="students"))[:2] == (
        "wait",
        "Not for sales, by the rule “students”.",
    )
    assert step(boss, replace(RULES, nurture={}))[0] == "wait"
    assert step(boss, None)[0] == "wait"


def test_deadlines_follow_the_band_and_the_office(scores: list[LeadScore]) -> None:
    lane = first(scores, DecidedBy.FAST_LANE)
    assert deadline_of(RULES, lane, since=NOW) == NOW + 4 * HOUR
    office = replace(RULES, hours=Hours(540, 1080, "Asia/Tokyo"))
    assert deadline_of(office, lane, since=NOW) == NOW + 4 * HOUR, "NOW is nine o'clock on a Friday in Tokyo"
    sql = first(scores, DecidedBy.MODEL, band=Band.SQL)
    assert deadline_of(office, sql, since=NOW + HOUR) == NOW + HOUR + 3 * DAY, "a working day on is Monday"
    assert deadline_of(RULES, first(scores, DecidedBy.MODEL, band=Band.NURTURE), since=NOW) is None
    assert deadline_of(replace(RULES, sla=None), sql, since=NOW) is None


def test_a_moment_of_the_past_sees_the_stage_of_the_past(model: ServingModel) -> None:
    twice = [RawEvent("mail_opened", NOW - 41 * DAY), RawEvent("pricing_page_viewed", NOW - 40 * DAY)]
    lead = RawLead("A", NOW - 60 * DAY, {"mail": "a@corp.example"}, twice)
    table = told([lead])
    moments = Moments(np.zeros(3, np.int64), np.array([NOW - 40 * DAY, NOW - 40 * DAY + 1, NOW], dtype=np.int64))
    stages = [each.stage for each in scored(model, table, moments=moments)]
    assert stages == ["awareness", "decision", "decision"]
