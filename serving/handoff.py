"""Hands a lead over to sales: the hand-off and its place in the outbox, in the transaction that made the lead SQL."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from features.durations import duration_text
from serving.agreement import Agreement
from serving.deadlines import deadline_of
from serving.decision import Band
from serving.handoff_rule import Past, PastHandoff, Verdict, held_back, should_hand_over
from serving.handoff_settings import HandoffSettings
from serving.lead_score import LeadScore, interval_json, iso_instant
from serving.store.tables import band_changes, deliveries, feedback, handoffs

EVENT_TYPE = "lead.sql"
PENDING, DELIVERED, DEAD = "pending", "delivered", "dead"
"""The states of a delivery."""
_ONE_AT_A_TIME = 0x68616E64
"""Of PostgreSQL's advisory locks."""


@dataclass(frozen=True)
class People:
    """What people call a lead: its name, else its company, else its id; its company and its owner, "" where unknown."""

    title: str
    company: str = ""
    owner: str = ""


@dataclass(frozen=True)
class HandedOver:
    """A hand-off that was written down.

    Attributes
    ----------
    deadline : until when somebody answers, counted from now: sooner nobody could know. None where nothing was agreed.
    held_back : nothing is sent, and sales is not told.
    """

    handoff_id: str
    deadline: int | None
    held_back: bool


def hand_over(
    c: sa.Connection,
    *,
    score: LeadScore,
    reasons_en: Sequence[str],
    reasons_ja: Sequence[str],
    people: People,
    agreement: Agreement | None,
    settings: HandoffSettings,
    now: int,
    active_again: bool = False,
    because: Mapping[str, str] | None = None,
) -> HandedOver | None:
    """Hand a lead over if it is to be, within the caller's transaction; None where it is not.

    Safe to call whenever a lead is scored: for one time that it became SQL there is one hand-off. One delivery waits
    for each channel of the settings, and none of a hand-off that is held back.

    Parameters
    ----------
    reasons_en, reasons_ja : the same reasons for the lead, the strongest first, as sentences.
    now : by the clock, microseconds.
    active_again : the lead was lost, and has acted since.
    because : by language, a sentence on what put the lead on the fast lane, where the caller has one.
    """
    if agreement is None or score.band is not Band.SQL:
        return None
    if not should_hand_over(past_of(c, score.lead_id), score, agreement=agreement, now=now, active_again=active_again):
        return None
    one_at_a_time(c)
    if not should_hand_over(past_of(c, score.lead_id), score, agreement=agreement, now=now, active_again=active_again):
        return None
    handed = HandedOver(
        handoff_id=f"ho_{secrets.token_hex(16)}",
        deadline=deadline_of(agreement, score, since=now),
        held_back=held_back(score, agreement),
    )
    payload = _payload(handed, score, people, settings, now, active_again, because)
    payload["reasons"] = {"en": list(reasons_en), "ja": list(reasons_ja)}
    c.execute(
        handoffs.insert().values(
            handoff_id=handed.handoff_id,
            lead_id=score.lead_id,
            created_at=now,
            as_of=score.as_of,
            decided_by=score.decided_by.value,
            rule=score.rule,
            probability=score.probability,
            deadline=handed.deadline,
            held_back=handed.held_back,
            active_again=active_again,
            payload=payload,
            model_version=None if score.model is None else score.model.version,
            agreement_version=agreement.version,
        )
    )
    waiting = [] if handed.held_back else [_delivery(handed.handoff_id, each, now) for each in settings.channels]
    if waiting:
        c.execute(deliveries.insert(), waiting)
    return handed


def one_at_a_time(c: sa.Connection) -> None:
    """Let no other transaction hand over until this one ends.

    On SQLite that is so from the start of a writing transaction. Taken before bands are compared it keeps two
    processes from making one lead SQL twice.
    """
    if c.dialect.name == "postgresql":
        c.execute(sa.text("select pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})


def past_of(c: sa.Connection, lead_id: str) -> Past:
    """What has happened to a lead between the two teams, as the store has it."""
    newest = c.execute(
        sa.select(handoffs.c.as_of, handoffs.c.created_at, handoffs.c.held_back, handoffs.c.active_again)
        .where(handoffs.c.lead_id == lead_id)
        .order_by(handoffs.c.created_at.desc(), handoffs.c.as_of.desc())
        .limit(1)
    ).first()
    verdict = c.execute(
        sa.select(feedback.c.at, feedback.c.verdict)
        .where(feedback.c.lead_id == lead_id, feedback.c.verdict.in_(("accepted", "rejected")))
        .order_by(feedback.c.at.desc(), feedback.c.number.desc())
        .limit(1)
    ).first()
    left_at = c.execute(
        sa.select(sa.func.max(band_changes.c.at)).where(
            band_changes.c.lead_id == lead_id,
            band_changes.c.from_band == Band.SQL.value,
            band_changes.c.to_band.in_((Band.MQL.value, Band.NURTURE.value)),
        )
    ).scalar()
    return Past(
        handoff=None if newest is None else PastHandoff(*newest),
        verdict=None if verdict is None else Verdict(verdict.at, verdict.verdict == "rejected"),
        left_at=left_at,
    )


def _payload(
    handed: HandedOver,
    score: LeadScore,
    people: People,
    settings: HandoffSettings,
    now: int,
    active_again: bool,
    because: Mapping[str, str] | None,
) -> dict[str, Any]:
    """What is told of a lead, in our own words; the settings' field map is put over it when it is sent."""
    return {
        "handoff_id": handed.handoff_id,
        "created_at": iso_instant(now),
        "lead_id": score.lead_id,
        "display_name": people.title,
        "company": people.company or None,
        "owner": people.owner or None,
        "as_of": iso_instant(score.as_of),
        "horizon": duration_text(score.horizon),
        "probability": score.probability,
        "interval": interval_json(score.interval),
        "score": score.score,
        "average": score.average,
        "similar": None if score.similar is None else score.similar.to_json(),
        "band": Band.SQL.value,
        "decided_by": score.decided_by.value,
        "rule": score.rule,
        "because": None if because is None else dict(because),
        "reasons": {},
        "fit": score.fit.grade,
        "engagement": score.engagement.grade,
        "stage": score.stage,
        "persona": score.persona,
        "deadline": None if handed.deadline is None else iso_instant(handed.deadline),
        "active_again": active_again,
        "link": lead_link(settings, score.lead_id),
        "model": None if score.model is None else {"name": score.model.name, "version": score.model.version},
        "agreement": None if score.agreement is None else {"version": score.agreement.version},
    }


def lead_link(settings: HandoffSettings, lead_id: str) -> str | None:
    """The address of a lead's page as receivers reach it; None where the settings do not say where that is."""
    return None if settings.public_url is None else f"{settings.public_url}/leads/{quote(lead_id, safe='')}"


def _delivery(handoff_id: str, channel: str, now: int) -> dict[str, Any]:
    return {
        "handoff_id": handoff_id,
        "channel": channel,
        "state": PENDING,
        "attempts": 0,
        "next_attempt_at": now,
        "leased_until": 0,
    }
