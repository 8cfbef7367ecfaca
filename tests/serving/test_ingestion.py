"""Leads, events and outcomes as they happen: kept, scored and handed over in one transaction, on both databases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from features.calendar_days import DAY, HOUR
from features.workspace import Workspace, load_workspace
from oracles.made_service import NOW, SCHEMA, made_leads, made_model, signed
from serving.answers import Answers
from serving.champion import Snapshot
from serving.handoff_settings import HandoffSettings
from serving.ingestion import Ingestion
from serving.lead_score import iso_instant
from serving.lead_source import StoredLeads
from serving.metrics import Metrics
from serving.problems import Refused
from serving.restanding import Restanding
from serving.store import Store
from serving.store.tables import events, handoffs, standings
from serving.withheld import Withheld, object_to

MODEL = made_model(*made_leads(300))
TOML = """
[tables]
store = "sqlite:///unused.db"
[target]
converted = "converted"
horizon = "90d"
[page]
name = "contact_name"
"""


class Seller:
    """The parts of the service that take behaviour and answer about it, with a clock that is put forward by hand."""

    def __init__(self, store: Store, workspace: Workspace) -> None:
        self.store = store
        self.now = NOW
        self.withheld = Withheld(store)
        snapshot = Snapshot(MODEL, SCHEMA, signed(), ())
        clock = lambda: self.now  # noqa: E731
        leads = StoredLeads(store, workspace, lambda: snapshot, clock)
        restanding = Restanding(workspace=workspace, snapshot=lambda: snapshot, settings=HandoffSettings(), clock=clock)
        self.ingestion = Ingestion(store=store, workspace=workspace, restanding=restanding, clock=clock)
        self.answers = Answers(
            snapshot=lambda: snapshot, leads=leads, facts=lambda ids, as_of: {}, withheld=self.withheld,
            metrics=Metrics(), clock=clock,
        )  # fmt: skip

    def take(self, name: str, *rows: Any) -> dict[str, Any]:
        self.now += 1000
        taken: dict[str, Any] = json.loads(self.ingestion.take(name, json.dumps({name: rows}).encode()))
        self.now += 1000
        return taken

    def score(self, lead_id: str) -> Any:
        return self.answers.of_tables(lead_id, None, "en")[0]

    def rows(self, table: sa.Table) -> list[Any]:
        with self.store.reading() as c:
            return list(c.execute(sa.select(table)))


@pytest.fixture
def seller(store: Store, tmp_path: Path) -> Seller:
    (tmp_path / "propensity.toml").write_text(TOML)
    return Seller(store, load_workspace(tmp_path))


def lead(lead_id: str, *, days: int = 20, **attributes: Any) -> dict[str, Any]:
    return {"lead_id": lead_id, "created_at": iso_instant(NOW - days * DAY), "attributes": attributes}


def event(lead_id: str, event_type: str, *, hours: float = 1, **more: Any) -> dict[str, Any]:
    return {"lead_id": lead_id, "event_type": event_type, "occurred_at": iso_instant(NOW - int(hours * HOUR)), **more}


def test_the_next_read_after_an_event_includes_it(seller: Seller) -> None:
    seller.take("leads", lead("A", company_size=40, job_level="director"))
    before = seller.score("A")
    taken = seller.take("events", *(event("A", "pricing_page_viewed", hours=h, event_id=f"e{h}") for h in (30, 20, 2)))
    assert [each["status"] for each in taken["results"]] == ["accepted"] * 3
    after = seller.score("A")
    assert after.probability > before.probability
    (standing,) = seller.rows(standings)
    assert standing.score == after.score
    assert standing.last_event_type == "pricing_page_viewed"


def test_an_event_sent_again_is_not_counted_twice(seller: Seller) -> None:
    seller.take("leads", lead("A"))
    sent = event("A", "mail_opened", event_id="e1")
    assert seller.take("events", sent, sent)["accepted"] == 1
    once = seller.score("A").probability
    assert seller.take("events", sent)["repeated"] == 1
    assert len(seller.rows(events)) == 1
    assert seller.score("A").probability == pytest.approx(once, abs=1e-3)


def test_a_request_to_be_called_makes_sql_and_hands_over_in_the_same_transaction(seller: Seller) -> None:
    seller.take("leads", lead("A"))
    assert seller.rows(handoffs) == []
    seller.take("events", event("A", "call_booked", hours=0.1))
    (handed,) = seller.rows(handoffs)
    assert (handed.lead_id, handed.decided_by, handed.rule) == ("A", "fast_lane", "call_booked")
    (standing,) = seller.rows(standings)
    assert (standing.band, standing.state, standing.lane) == ("SQL", "handed_over", 0)
    seller.take("events", event("A", "mail_opened", hours=0.01))
    assert len(seller.rows(handoffs)) == 1


def test_a_row_with_faults_is_named_in_its_place_and_the_others_are_taken(seller: Seller) -> None:
    seller.take("leads", lead("A"))
    wrong = [
        {"lead_id": "A", "event_type": "x"},
        event("A", "x") | {"recorded_at": iso_instant(NOW)},
        event("A", "x") | {"occurred_at": iso_instant(NOW + DAY)},
        event("A", "x") | {"occurred_at": "yesterday, noon"},
        7,
    ]
    taken = seller.take("events", wrong[0], event("A", "mail_opened"), *wrong[1:])
    assert [each["status"] for each in taken["results"]] == ["refused", "accepted", *["refused"] * 4]
    fields = [each["errors"][0]["field"] for each in taken["results"] if each["status"] == "refused"]
    assert fields == ["occurred_at", "recorded_at", "occurred_at", "occurred_at", "body"]
    assert (taken["accepted"], taken["refused"]) == (1, 5)


def test_events_before_their_lead_wait_for_it(seller: Seller) -> None:
    taken = seller.take("events", event("A", "pricing_page_viewed", hours=50))
    assert taken["results"] == [{"status": "accepted", "known_lead": False}]
    with pytest.raises(Refused, match="404"):
        seller.score("A")
    seller.take("leads", lead("A"))
    assert seller.rows(standings)[0].last_event_type == "pricing_page_viewed"


def test_a_lead_that_ended_stands_nowhere(seller: Seller) -> None:
    seller.take("leads", lead("A"), lead("B"))
    outcome = {"lead_id": "A", "outcome": "converted", "occurred_at": iso_instant(NOW - HOUR)}
    assert seller.take("outcomes", outcome, outcome)["accepted"] == 1
    assert {row.lead_id for row in seller.rows(standings)} == {"B"}


def test_who_objects_is_not_scored_from_then_on(seller: Seller) -> None:
    seller.take("leads", lead("A"), lead("B"))
    with seller.store.writing() as c:
        assert object_to(c, seller.store, "A", now=seller.now)
        assert not object_to(c, seller.store, "C", now=seller.now)
    seller.withheld.look()
    assert {row.lead_id for row in seller.rows(standings)} == {"B"}
    seller.take("events", event("A", "call_booked"))
    seller.take("leads", lead("C"))
    assert {row.lead_id for row in seller.rows(standings)} == {"B"}
    for lead_id in ("A", "C"):
        with pytest.raises(Refused, match="403"):
            seller.score(lead_id)
    told = json.dumps({"lead_id": "A", "created_at": iso_instant(NOW - DAY), "events": []}).encode()
    with pytest.raises(Refused, match="403"):
        seller.answers.score_body(told)


def test_attributes_that_change_count_from_when_we_learned_of_it(seller: Seller) -> None:
    seller.take("leads", lead("A", job_level="student", contact_name="山田 花子"))
    first, then = seller.score("A"), seller.now
    taken = seller.take("leads", {"lead_id": "A", "attributes": {"job_level": "director"}})
    assert taken["results"] == [{"status": "changed"}]
    assert seller.score("A").probability > first.probability
    assert seller.answers.of_tables("A", then, "en")[0].probability == first.probability
    assert seller.rows(standings)[0].title == "山田 花子"


def test_a_workspace_of_files_says_where_its_rows_come_from(store: Store, tmp_path: Path) -> None:
    (tmp_path / "propensity.toml").write_text(
        TOML.replace('store = "sqlite:///unused.db"', 'leads = "l.csv"\noutcomes = "o.csv"')
    )
    seller = Seller(store, load_workspace(tmp_path))
    with pytest.raises(Refused, match="409"):
        seller.take("events", event("A", "x"))
