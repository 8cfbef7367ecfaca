"""Leads found for their pages: real scores of a really trained model, and a store for what people say of them."""

from __future__ import annotations

from dataclasses import replace

from features.history import History
from features.one_lead import RawEvent, RawLead
from features.wording import Lang
from oracles.made_service import NOW, SCHEMA, made_history, made_leads, made_model, signed
from serving.champion import Snapshot
from serving.lead_score import LeadScore
from serving.lead_source import FoundLead
from serving.scoring import score_leads
from serving.serving_model import ColdStart, ServingModel
from serving.store import Store

LEADS, CONVERTED = made_leads(300)
MODEL = made_model(LEADS, CONVERTED)


def found_lead(
    store: Store, lead: RawLead, *, model: ServingModel | ColdStart = MODEL, history: History | None = None
) -> FoundLead:
    """A lead alone in its history, as a workspace on a store finds it."""
    snapshot = Snapshot(model, SCHEMA, signed(), ())
    return FoundLead(history or made_history([lead]), 0, snapshot, NOW, (), store)


def score_of(found: FoundLead, as_of: int = NOW, lang: Lang = "en") -> LeadScore:
    """What `score_leads` says of it."""
    snapshot = found.snapshot
    moments = found.moments(as_of)
    (score,) = score_leads(snapshot.model, snapshot.agreement, found.history, moments, scored_at=NOW, lang=lang)
    return score


def busiest() -> RawLead:
    """The lead with the most events."""
    return max(LEADS, key=lambda lead: len(lead.events))


def with_event(lead: RawLead, event_type: str, occurred_at: int) -> RawLead:
    """The lead with one event more."""
    return replace(lead, events=[*lead.events, RawEvent(event_type, occurred_at)])
