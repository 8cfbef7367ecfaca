"""What sales says of a lead, and the facts that people learned about it: written down with who said so and when."""

from __future__ import annotations

import sqlalchemy as sa

from serving import audit
from serving.actor import Actor
from serving.agreement_terms import FACTS
from serving.problems import Fault, Refused
from serving.settling import FAR_AWAY
from serving.store import Store
from serving.store.tables import REJECTION_REASONS, facts, feedback, handoffs, standings

VERDICTS = ("accepted", "contacted", "rejected", "found")
"""Taken on; spoken to; turned down with a reason; known to sales without us."""
LONGEST_NOTE = 2000
_STATE_AFTER = {"accepted": "accepted", "contacted": "accepted", "found": "accepted", "rejected": "rejected"}
"""Who has spoken to a lead has taken it on. In neither state does anybody wait for an answer."""
_ACTION = {"accepted": "accept", "contacted": "contact", "rejected": "reject", "found": "find"}


def give_feedback(
    c: sa.Connection,
    store: Store,
    *,
    lead_id: str,
    actor: Actor,
    verdict: str,
    now: int,
    reason: str = "",
    note: str = "",
) -> None:
    """Write down what sales says of a lead, within the caller's transaction: feedback, standing and audit together.

    Parameters
    ----------
    reason : of a rejection, one of `REJECTION_REASONS`; "other" asks for a note.

    Raises
    ------
    Refused
        422 where the verdict is none, or a rejection doesn't say why.
    """
    faults = []
    if verdict not in VERDICTS:
        faults.append(Fault("verdict", "something else", "one of " + ", ".join(VERDICTS)))
    if verdict == "rejected" and reason not in REJECTION_REASONS:
        faults.append(Fault("reason", "no reason", "one of " + ", ".join(REJECTION_REASONS)))
    if verdict == "rejected" and reason == "other" and not note:
        faults.append(Fault("note", "nothing", "a few words on the reason"))
    if len(note) > LONGEST_NOTE:
        faults.append(Fault("note", f"{len(note)} characters", f"at most {LONGEST_NOTE}"))
    if faults:
        raise Refused(422, faults)
    newest = sa.select(handoffs.c.handoff_id).where(handoffs.c.lead_id == lead_id)
    handoff_id = c.execute(newest.order_by(handoffs.c.created_at.desc()).limit(1)).scalar()
    kept_reason = reason if verdict == "rejected" else None
    c.execute(
        feedback.insert().values(
            lead_id=lead_id,
            handoff_id=handoff_id,
            at=now,
            by=actor.name,
            verdict=verdict,
            reason=kept_reason,
            note=note or None,
        )
    )
    c.execute(
        sa.update(standings)
        .where(standings.c.lead_id == lead_id)
        .values(state=_STATE_AFTER[verdict], deadline=None, order_deadline=FAR_AWAY)
    )
    audit.record(
        c, store, actor=actor, action=_ACTION[verdict], now=now, subject_lead=lead_id, detail={"reason": kept_reason}
    )


def record_fact(
    c: sa.Connection, store: Store, *, lead_id: str, actor: Actor, fact: str, known: bool, now: int, note: str = ""
) -> None:
    """Write down that a BANT fact is known, or is not, within the caller's transaction. Nothing is ever overwritten.

    Raises
    ------
    Refused
        422 where there is no such fact.
    """
    if fact not in FACTS:
        raise Refused(422, [Fault("fact", "something else", "one of " + ", ".join(FACTS))])
    if len(note) > LONGEST_NOTE:
        raise Refused(422, [Fault("note", f"{len(note)} characters", f"at most {LONGEST_NOTE}")])
    c.execute(
        facts.insert().values(
            lead_id=lead_id, fact=fact, known=known, note=note or None, recorded_at=now, by=actor.name
        )
    )
    detail: audit.Detail = {"fact": fact, "known": known}
    audit.record(c, store, actor=actor, action="fact", now=now, subject_lead=lead_id, detail=detail)
