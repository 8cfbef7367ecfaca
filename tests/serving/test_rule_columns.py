"""The columns that rules look at reach every history: told in a request, read from tables, and read anew when they change."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.one_lead import RawLead, history_of_leads
from features.rule_attributes import ToldAttributes, cell_text, rule_attributes
from features.schema import Schema
from features.tables import read_history
from features.workspace import Workspace
from oracles.made_service import NOW, SCHEMA
from oracles.written_workspaces import at as when
from oracles.written_workspaces import write_workspace
from serving.agreeing import in_words
from serving.agreement_file import read_agreement
from serving.agreement_warnings import agreement_warnings
from serving.agreement_words import agreement_words
from serving.champion import Snapshot
from serving.checking import check_with_agreement
from serving.desk import open_desk
from serving.incoming import incoming
from serving.live_tables import LiveTables
from serving.serving_model import ColdStart
from serving.signatures import AgreementState
from serving.wire import Lead
from training.points import PointsRules

CUTOFFS = "version = 1\ncutoffs = { mql = 0.1, sql = 0.3 }\n"
FREE = CUTOFFS + "[exclude.free_mail]\nattributes.mail = { free_mail = true }\n"
LEADS = (
    "lead_id,created_at,mail,seats\nL1,2026-01-01T00:00:00Z,a@gmail.com,5\nL2,2026-01-02T00:00:00Z,b@x.example,1200\n"
)


def test_a_request_may_bring_what_a_rule_looks_at_without_a_warning() -> None:
    lead = Lead.model_validate(
        {
            "lead_id": "A",
            "created_at": "2024-01-01T00:00:00Z",
            "events": [],
            "attributes": {"mail": " a@gmail.com ", "vip": True, "seats": 5.0, "shoe_size": 42, "job_level": "staff"},
        }
    )
    told = incoming(lead, SCHEMA, now=NOW, rule_columns={"mail", "vip", "seats", "job_level", "gone"})
    assert told.ignored == (("attribute", "shoe_size"),)
    assert told.lead.attributes == {"mail": "a@gmail.com", "vip": "true", "seats": "5", "job_level": "staff"}
    assert incoming(lead, SCHEMA, now=NOW).ignored == tuple(
        ("attribute", n) for n in ("mail", "vip", "seats", "shoe_size")
    )


def test_tables_and_requests_say_the_same_to_a_rule(tmp_path: Path) -> None:
    read = read_history(write_workspace(tmp_path, leads=LEADS), rule_columns=("seats", "mail")).history.rule_attributes
    leads = [
        RawLead("L1", when("2026-01-01"), {"mail": "a@gmail.com", "seats": 5.0}),
        RawLead("L2", when("2026-01-02"), {"mail": "b@x.example", "seats": 1200}),
    ]
    told = history_of_leads(Schema(), leads, as_of=NOW, rule_columns=("mail", "seats")).rule_attributes
    assert read is not None
    assert told is not None
    assert read.columns == told.columns == ("mail", "seats")
    assert read.rows.vocabularies == told.rows.vocabularies == (("a@gmail.com", "b@x.example"), ("1200", "5"))
    for name in ("offsets", "valid_from", "known_at", "codes"):
        np.testing.assert_array_equal(getattr(read.rows, name), getattr(told.rows, name))


cells = st.sampled_from(["", "-", "a", " B ", "TRUE", "5", "不明"])
rows = st.lists(
    st.tuples(st.sampled_from(["L1", "L2"]), st.integers(1, 4), st.integers(1, 4), cells, cells), max_size=8
)


@given(rows)
@settings(deadline=None, max_examples=12)
def test_changes_are_laid_out_as_the_table_reader_does(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, int, int, str, str]]
) -> None:
    changes = "lead_id,valid_from,recorded_at,mail,seats\n" + "".join(
        f'{lead},2026-02-0{own}T00:00:00Z,2026-02-0{known}T00:00:00Z,"{a}","{b}"\n' for lead, own, known, a, b in rows
    )
    workspace = write_workspace(tmp_path_factory.mktemp("w"), leads=LEADS, attributes=changes)
    read = read_history(workspace, rule_columns=("seats", "mail"), set_aside=False).history.rule_attributes
    first = {"L1": ("a@gmail.com", 5, "2026-01-01"), "L2": ("b@x.example", 1200, "2026-01-02")}
    told = rule_attributes(
        {"mail", "seats"},
        [
            [
                ToldAttributes(when(day), when(day), {"mail": mail, "seats": seats}),
                *(
                    ToldAttributes(when(f"2026-02-0{own}"), when(f"2026-02-0{known}"), {"mail": a, "seats": b}, True)
                    for lead, own, known, a, b in rows
                    if lead == name
                ),
            ]
            for name, (mail, seats, day) in first.items()
        ],
    )
    assert read is not None
    assert read.rows.vocabularies == told.rows.vocabularies
    for name in ("offsets", "valid_from", "known_at", "codes"):
        np.testing.assert_array_equal(getattr(read.rows, name), getattr(told.rows, name))


def test_cells_that_say_nothing_are_not_known() -> None:
    nothing = [None, "", " ", "NA", "不明", float("nan"), float("inf"), [], {}]
    assert [cell_text(each) for each in nothing] == [None] * len(nothing)


def test_an_agreement_that_asks_for_other_columns_makes_the_tables_read_anew(tmp_path: Path) -> None:
    workspace = write_workspace(tmp_path, leads=LEADS)
    held = [snapshot_of(workspace, CUTOFFS)]
    tables = LiveTables(workspace, lambda: held[-1], lambda _: None)
    tables.look()
    plain = tables.current()
    assert plain.history.rule_attributes is None
    held.append(snapshot_of(workspace, FREE))
    assert plain.snapshot_for(held[-1]) is held[0], "until they are read anew the tables go by the old agreement"
    tables.look()
    anew = tables.current()
    assert anew.history.rule_attributes is not None
    assert anew.history.rule_attributes.columns == ("mail",)
    assert anew.snapshot_for(held[-1]) is held[-1]
    held.append(snapshot_of(workspace, CUTOFFS))
    tables.look()
    assert tables.current() is anew, "what was read for more rules serves fewer as well"
    assert anew.snapshot_for(held[-1]) is held[-1]


def snapshot_of(workspace: Workspace, agreement: str) -> Snapshot:
    points = ColdStart(PointsRules.of(workspace, Schema()), workspace.horizon)
    return Snapshot(points, Schema(), AgreementState(read_agreement(agreement)))


ASKS = (
    FREE
    + """[exclude.rivals]
attributes.employer = { in = ["rival"] }
[trigger.prices]
events = ["pricing_viewed", "visit"]
at_least = 2
within = "7d"
[evidence]
stage = "action"
[nurture.any.decision]
en = "case study"
[fast_lane.call_bookd]
respond_within = "4h"
counts_for = "14d"
"""
)
EVENTS = "lead_id,occurred_at,event_type\nL1,2026-01-03T00:00:00Z,visit\n"
NAMED = (
    "[fast_lane.call_bookd] looks for the event type “call_bookd”, which the tables do not have; is it spelled so?",
    "[trigger.prices] looks for the event type “pricing_viewed”, which the tables do not have; is it spelled so?",
    "[exclude.rivals] looks at the attribute “employer”, which says nothing of any lead; is it spelled so?",
    "no event type reaches the stage “action”, so the model can make no lead SQL",
    "leads of no persona and stage named get no content; [nurture.any.any] would be for them",
)


def test_check_and_agree_name_what_finds_nothing_in_the_tables(tmp_path: Path) -> None:
    workspace = write_workspace(tmp_path, leads=LEADS, events=EVENTS)
    (tmp_path / "agreement.toml").write_text(ASKS, encoding="utf-8")
    agreement, desk = read_agreement(ASKS), open_desk(workspace)
    found = agreement_warnings(agreement, desk.history, desk.meaning["stages"])
    assert sorted(found) == sorted(NAMED)
    page = " ".join(check_with_agreement(workspace).split())
    assert all(f"agreement.toml: {each}" in page for each in NAMED)
    words = in_words(agreement, desk)
    assert any("e-mail" in line or "mail" in line for line in words)
    assert "  The clock runs day and night, seven days a week: no office hours were agreed." in words
    assert agreement_warnings(read_agreement(CUTOFFS), desk.history, {}) == []


def test_every_part_of_an_agreement_has_words_in_both_languages() -> None:
    full = read_agreement((Path(__file__).parents[2] / "docs" / "agreement.toml").read_text(encoding="utf-8"))
    english, japanese = (agreement_words(full, lang) for lang in ("en", "ja"))
    assert len(english) == len(japanese) == 13
    assert all(sentence for _, sentences in english for sentence in sentences)
    assert all(any(ord(letter) > 0x3000 for letter in heading) for heading, _ in japanese)
    flat = {heading: " ".join(sentences) for heading, sentences in english}
    assert "Only office hours count: Monday" in flat["How soon somebody answers"]
    assert "Public holidays are closed (Japan)." in flat["How soon somebody answers"]
    assert flat["How much sales can take"] == "40 SQLs a week."
    bare = dataclasses.replace(read_agreement(CUTOFFS), mql=0.125)
    assert agreement_words(bare, "en") == [
        ("When a lead is MQL or SQL", ["From a probability of 30% on a lead is SQL, from 12.5% on it is MQL."])
    ]
