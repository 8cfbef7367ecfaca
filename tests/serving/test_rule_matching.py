"""Exclusions, triggers and personas at a moment: boundaries of windows, and nothing of the future."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.calendar_days import DAY, HOUR
from features.history import History
from features.moments import Moments
from features.one_lead import RawEvent, RawLead, history_of_leads
from features.schema import Schema
from features.stages_reached import furthest_stages
from features.tables import read_history
from oracles.written_workspaces import at as when
from oracles.written_workspaces import write_workspace
from serving.agreement import Agreement, Evidence
from serving.agreement_rules import AttributeCondition, EventCount, Exclusion, OpenedShare, Persona, Trigger
from serving.evidence import missing_evidence
from serving.rule_matching import excluded_by, personas_of, triggered_by

NOW = 20_000 * DAY
SCHEMA = Schema(
    event_types=("mail_opened", "mail_sent", "pricing_viewed"),
    stages={"mail_opened": "awareness", "pricing_viewed": "decision", "call_booked": "action"},
)
WEEK = 7 * DAY
TWICE = {"often": Trigger(EventCount(("pricing_viewed", "spec_viewed"), at_least=2, within=WEEK))}
HALF = {"mails": Trigger(OpenedShare(("mail_opened",), ("mail_sent",), share=0.5, sent_at_least=4, within=WEEK))}
Told = tuple[str, int] | tuple[str, int, int]


def history(*events: Told, **attributes: str) -> History:
    told = [RawEvent(each[0], each[1], each[2] if len(each) == 3 else None) for each in events]
    lead = RawLead("A", NOW - 100 * DAY, dict(attributes), told)
    types = ("spec_viewed", "careers_viewed", "call_booked")
    return history_of_leads(SCHEMA, [lead], as_of=NOW, named_types=types, rule_columns=("mail", "level"))


def at(*as_of: int) -> Moments:
    return Moments(np.zeros(len(as_of), np.int64), np.array(as_of, dtype=np.int64))


def triggered(triggers: dict[str, Trigger], *events: Told) -> str | None:
    return triggered_by(history(*events), at(NOW), triggers)[0]


def test_trigger_counts_events_of_its_types_together_within_its_window() -> None:
    assert triggered(TWICE, ("pricing_viewed", NOW - 1), ("spec_viewed", NOW - WEEK)) == "often", "[as_of - W, as_of)"
    assert triggered(TWICE, ("pricing_viewed", NOW - 1), ("spec_viewed", NOW - WEEK - 1)) is None
    assert triggered(TWICE, ("pricing_viewed", NOW - 1), ("spec_viewed", NOW)) is None, "the moment itself is not seen"
    assert triggered(TWICE, ("pricing_viewed", NOW - 1), ("mail_sent", NOW - 2)) is None
    assert triggered(TWICE) is None


def test_trigger_sees_what_is_recorded_late_only_from_then_on() -> None:
    late = history(("pricing_viewed", NOW - 3 * DAY), ("pricing_viewed", NOW - 2 * DAY, NOW - HOUR))
    assert triggered_by(late, at(NOW - DAY, NOW - HOUR, NOW - HOUR + 1), TWICE) == [None, None, "often"]


def test_share_of_mails_opened_needs_enough_sent_and_enough_opened() -> None:
    sent = [("mail_sent", NOW - DAY - i) for i in range(4)]
    opened = [("mail_opened", NOW - HOUR - i) for i in range(2)]
    assert triggered(HALF, *sent, *opened) == "mails", "exactly half counts"
    assert triggered(HALF, *sent, opened[0]) is None
    assert triggered(HALF, *sent[:3], *opened) is None, "of three sent nothing is said"
    assert triggered(HALF, *sent[:3], ("mail_sent", NOW - WEEK - 1), *opened) is None
    assert triggered(HALF, *sent[:3], ("mail_sent", NOW - WEEK), *opened) == "mails"
    assert triggered(HALF, *sent, opened[0], ("mail_opened", NOW - 9 * DAY)) is None
    assert triggered(HALF, *opened) is None


def test_a_share_that_is_no_binary_fraction_is_met_exactly() -> None:
    seven = {"mails": Trigger(OpenedShare(("mail_opened",), ("mail_sent",), share=0.07, sent_at_least=1, within=WEEK))}
    sent = [("mail_sent", NOW - DAY - i) for i in range(100)]
    assert triggered(seven, *sent, *[("mail_opened", NOW - 1 - i) for i in range(7)]) == "mails"
    assert triggered(seven, *sent, *[("mail_opened", NOW - 1 - i) for i in range(6)]) is None


def excluded(rules: dict[str, Exclusion], *events: Told, **attributes: str) -> str | None:
    agreement = Agreement(1, 0.1, 0.3, exclude=rules)
    return excluded_by(history(*events, **attributes), at(NOW), agreement)[0]


def test_exclusion_needs_all_of_its_conditions() -> None:
    both = {
        "job": Exclusion(
            attributes={"level": AttributeCondition(one_of=("student",)), "mail": AttributeCondition(free_mail=True)},
            events=EventCount(("careers_viewed",)),
        )
    }
    seen = ("careers_viewed", NOW - 1)
    assert excluded(both, seen, level="Student", mail="a@gmail.com") == "job"
    assert excluded(both, level="Student", mail="a@gmail.com") is None
    assert excluded(both, seen, level="Student", mail="a@example.com") is None
    assert excluded(both, seen, level="Student") is None, "an unknown value meets no condition"
    assert excluded(both, ("careers_viewed", NOW - 999 * DAY), level="student", mail="a@gmail.com") == "job", "ever"


def test_a_value_that_is_not_known_is_not_none_of_these_either() -> None:
    rule = {"not_staff": Exclusion(attributes={"level": AttributeCondition(none_of=("staff",))})}
    assert excluded(rule, level="student") == "not_staff"
    assert excluded(rule, level="staff") is None
    assert excluded(rule) is None


def test_of_several_rules_the_first_by_name_is_told_and_of_personas_the_first_of_the_file() -> None:
    student = {"level": AttributeCondition(one_of=("student",))}
    assert excluded({"z": Exclusion(attributes=student), "b": Exclusion(attributes=student)}, level="student") == "b"
    personas = [Persona("z", student), Persona("b", {"level": AttributeCondition(none_of=("staff",))})]
    assert personas_of(history(level="student"), at(NOW), personas) == ["z"]
    assert personas_of(history(level="boss"), at(NOW), personas) == ["b"]
    assert personas_of(history(), at(NOW), personas) == [None]


def test_a_history_without_the_columns_of_the_rules_is_a_fault_of_the_caller() -> None:
    bare = history_of_leads(SCHEMA, [RawLead("A", NOW - DAY)], as_of=NOW)
    agreement = Agreement(1, 0.1, 0.3, exclude={"a": Exclusion(attributes={"x": AttributeCondition(free_mail=True)})})
    with pytest.raises(ValueError, match="without the columns"):
        excluded_by(bare, at(NOW), agreement)


def test_stage_is_the_furthest_with_an_event_in_the_last_90_days() -> None:
    def stage(*events: Told) -> str | None:
        return furthest_stages(history(*events), at(NOW))[0]

    assert stage(("pricing_viewed", NOW - 80 * DAY), ("mail_opened", NOW - 1)) == "decision"
    assert stage(("pricing_viewed", NOW - 90 * DAY), ("mail_opened", NOW - 1)) == "decision", "[as_of - 90d, as_of)"
    assert stage(("pricing_viewed", NOW - 90 * DAY - 1), ("mail_opened", NOW - 1)) == "awareness"
    assert stage(("pricing_viewed", NOW), ("mail_opened", NOW - 1)) == "awareness"
    assert stage(("pricing_viewed", NOW - DAY, NOW), ("mail_opened", NOW - 1)) == "awareness"
    assert stage(("mail_sent", NOW - 1)) is None
    assert stage() is None


def test_what_is_missing_of_the_evidence_is_told_with_counts() -> None:
    asked = Evidence(events=3, days=2, stage="decision")

    def missing(*events: Told) -> list[tuple[object, ...]]:
        return [tuple(each) for each in missing_evidence(history(*events), at(NOW), asked)[0]]

    assert missing() == [("events", 3, 0), ("days", 2, 0), ("stage", "decision", None)]
    assert missing(("mail_opened", NOW - 1), ("pricing_viewed", NOW - 2)) == [("events", 3, 2), ("days", 2, 1)]
    three = [("mail_opened", NOW - 1), ("mail_opened", NOW - 2 * DAY), ("call_booked", NOW - 2)]
    assert missing(*three) == []
    assert missing(*three[:2], ("call_booked", NOW - 2, NOW)) == [("events", 3, 2), ("stage", "decision", None)]


# ---- the tables: values as they were known, and nothing of later


LEADS = "lead_id,created_at,mail,level\nL1,2026-01-01T00:00:00Z,a@gmail.com,\nL2,2026-01-01T00:00:00Z,b@corp.example,staff\n"
CHANGES = """lead_id,valid_from,recorded_at,level,mail
L1,2026-02-01T00:00:00Z,2026-02-01T00:00:00Z,student,
L1,2026-03-01T00:00:00Z,2026-05-01T00:00:00Z,boss,a@corp.example
L2,2026-02-01T00:00:00Z,2026-02-01T00:00:00Z,,b@gmail.com
"""
RULES = Agreement(
    1, 0.1, 0.3,
    exclude={
        "free": Exclusion(attributes={"mail": AttributeCondition(free_mail=True)}),
        "student": Exclusion(attributes={"level": AttributeCondition(one_of=("student",))}),
    },
)  # fmt: skip


def tabled(folder: Path, *, leads: str = LEADS, changes: str = CHANGES, schema: Schema | None = None) -> History:
    folder.mkdir(exist_ok=True)
    workspace = write_workspace(folder, leads=leads, attributes=changes)
    clock = when("2026-11-20")
    return read_history(workspace, schema=schema, rule_columns=RULES.rule_columns(), clock=lambda: clock).history


def excluded_on(history: History, lead: str, *days: str) -> list[str | None]:
    position = list(history.lead_ids).index(lead)
    moments = Moments(np.full(len(days), position), np.array([when(day) for day in days], dtype=np.int64))
    return excluded_by(history, moments, RULES)


def test_rules_see_the_newest_value_known_strictly_before_the_moment(tmp_path: Path) -> None:
    read = tabled(tmp_path)
    days = ["2026-01-01T00:00:00.000001", "2026-02-01", "2026-02-01T00:00:00.000001", "2026-05-01"]
    assert excluded_on(read, "L1", *days) == ["free"] * 4
    assert excluded_on(read, "L1", "2026-05-01T00:00:00.000001") == [None], "both changed in March, and recorded in May"
    assert excluded_on(read, "L2", "2026-02-01", "2026-02-01T00:00:00.000001") == [None, "free"]


def test_rules_see_columns_that_no_model_ever_learns(tmp_path: Path) -> None:
    read = tabled(tmp_path)
    assert "mail" not in read.schema.attributes, "an address is never a feature"
    assert read.rule_attributes is not None
    assert read.rule_attributes.columns == ("level", "mail")
    by_model = tabled(
        tmp_path / "again", schema=Schema(attributes={"level": "category"}, categories={"level": ("staff",)})
    )
    assert excluded_on(by_model, "L1", "2026-03-01") == ["free"], "whatever categories a model knows"


def test_later_and_back_dated_rows_change_nothing_of_a_moment(tmp_path: Path) -> None:
    before = tabled(tmp_path)
    poison = CHANGES + "".join(
        f"{lead},2026-01-15T00:00:00Z,2026-03-01T00:00:00Z,student,x@gmail.com\n"
        f"{lead},2026-03-01T00:00:00Z,,student,x@gmail.com\n"
        for lead in ("L1", "L2")
    )
    after = tabled(tmp_path / "poisoned", changes=poison)
    for lead in ("L1", "L2"):
        days = ["2026-01-20", "2026-02-15", "2026-03-01"]
        assert excluded_on(after, lead, *days) == excluded_on(before, lead, *days)
    assert excluded_on(after, "L2", "2026-03-01T00:00:00.000001") == ["free"]


def test_without_rules_on_attributes_nothing_is_read_for_them(tmp_path: Path) -> None:
    assert read_history(write_workspace(tmp_path), clock=lambda: when("2026-11-20")).history.rule_attributes is None


# ---- against plain loops


TYPES = ("pricing_viewed", "spec_viewed", "mail_opened", "mail_sent", "other")
event = st.tuples(st.sampled_from(TYPES), st.integers(-3, 12), st.integers(0, 2))


@given(st.lists(st.lists(event, max_size=12), min_size=1, max_size=5), st.integers(-2, 3))
@settings(deadline=None, max_examples=200)
def test_many_leads_at_once_say_what_a_plain_loop_says(leads: list[list[tuple[str, int, int]]], shift: int) -> None:
    raw = [
        RawLead(
            f"L{i}", NOW - 50 * DAY, events=[RawEvent(t, NOW - d * DAY, NOW - d * DAY + r * DAY) for t, d, r in events]
        )
        for i, events in enumerate(leads)
    ]
    table = history_of_leads(SCHEMA, raw, as_of=NOW, named_types=("spec_viewed",))
    as_of = NOW + shift * DAY
    rules = TWICE | HALF
    found = triggered_by(table, Moments(np.arange(len(raw)), np.full(len(raw), as_of)), rules)
    for lead, name in zip(raw, found, strict=True):
        seen = [e for e in lead.events if max(e.occurred_at, e.recorded_at or 0) < as_of <= e.occurred_at + WEEK]
        often = sum(e.event_type in ("pricing_viewed", "spec_viewed") for e in seen) >= 2
        sent, opened = (sum(e.event_type == t for e in seen) for t in ("mail_sent", "mail_opened"))
        mails = sent >= 4 and opened / sent >= 0.5
        assert name == ("mails" if mails else "often" if often else None)
