"""What people say of a lead: kept with who and when, told to the queue and the audit trail in the same transaction."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from oracles.filled_queues import NOW, fill_queue
from serving.actor import Actor
from serving.agreement_terms import FACTS
from serving.feedback import VERDICTS, give_feedback, record_fact
from serving.known_facts import facts_of
from serving.people_record import people_record
from serving.problems import Refused
from serving.settling import FAR_AWAY
from serving.store import Store
from serving.store.tables import REJECTION_REASONS, audit, feedback, standings

MORI = Actor("mori", "sales")


def say(store: Store, lead_id: str, verdict: str, **told: Any) -> None:
    with store.writing() as c:
        give_feedback(c, store, lead_id=lead_id, actor=MORI, verdict=verdict, now=NOW, **told)


def rows(store: Store, table: sa.Table) -> list[dict[str, Any]]:
    with store.reading() as c:
        return [dict(row) for row in c.execute(sa.select(table)).mappings()]


@pytest.mark.parametrize("verdict", VERDICTS)
def test_an_answer_changes_the_standing_ends_the_waiting_and_leaves_a_trail(store: Store, verdict: str) -> None:
    lead_id = fill_queue(store, 1, state="waiting")[0]["lead_id"]
    say(store, lead_id, verdict, reason="no_budget" if verdict == "rejected" else "", note="met at a fair")
    (standing,) = rows(store, standings)
    assert standing["state"] == ("rejected" if verdict == "rejected" else "accepted")
    assert (standing["deadline"], standing["order_deadline"]) == (None, FAR_AWAY)
    (kept,) = rows(store, feedback)
    assert (kept["lead_id"], kept["by"], kept["at"], kept["note"]) == (lead_id, "mori", NOW, "met at a fair")
    assert kept["reason"] == ("no_budget" if verdict == "rejected" else None)
    (trail,) = rows(store, audit)
    assert trail["subject"] == store.hash_of(lead_id)
    assert "met at a fair" not in str(trail)


@pytest.mark.parametrize(
    "told",
    [
        {"verdict": "no such"},
        {"verdict": "rejected"},
        {"verdict": "rejected", "reason": "no such"},
        {"verdict": "rejected", "reason": "other"},
        {"verdict": "accepted", "note": "x" * 2001},
    ],
)
def test_an_answer_that_says_too_little_is_refused_and_changes_nothing(store: Store, told: dict[str, str]) -> None:
    lead_id = fill_queue(store, 1, state="waiting")[0]["lead_id"]
    with pytest.raises(Refused):
        say(store, lead_id, **told)
    assert rows(store, standings)[0]["state"] == "waiting"
    assert rows(store, feedback) == rows(store, audit) == []


@pytest.mark.parametrize("reason", REJECTION_REASONS)
def test_every_reason_can_be_given(store: Store, reason: str) -> None:
    lead_id = fill_queue(store, 1)[0]["lead_id"]
    say(store, lead_id, "rejected", reason=reason, note="because")
    assert rows(store, feedback)[0]["reason"] == reason


def test_the_newest_entry_about_a_fact_counts_and_older_ones_stay(store: Store) -> None:
    for step, known in enumerate((True, False, True)):
        with store.writing() as c:
            record_fact(c, store, lead_id="a", actor=MORI, fact="budget", known=known, now=NOW + step, note=f"n{step}")
    with store.reading() as c:
        assert facts_of(c, ["a"], as_of=NOW + 9) == {"a": frozenset({"budget"})}
        record = people_record(c, "a")
    assert record.facts["budget"]["note"] == "n2"
    assert len(rows(store, audit)) == 3


def test_a_fact_that_is_none_of_the_four_is_refused(store: Store) -> None:
    with store.writing() as c, pytest.raises(Refused):
        record_fact(c, store, lead_id="a", actor=MORI, fact="shoe_size", known=True, now=NOW)
    assert set(FACTS) == {"budget", "authority", "need", "timeline"}


def test_the_record_of_a_lead_holds_its_own_rows_alone_newest_first(store: Store) -> None:
    first, second = (row["lead_id"] for row in fill_queue(store, 2))
    say(store, first, "accepted")
    say(store, second, "contacted")
    say(store, first, "rejected", reason="too_early")
    with store.reading() as c:
        record, nobody = people_record(c, first), people_record(c, "nobody")
    assert [row["verdict"] for row in record.feedback] == ["rejected", "accepted"]
    assert record.standing is not None
    assert record.last_contact == NOW
    assert (nobody.standing, nobody.feedback, nobody.last_contact) == (None, (), None)
