"""The reasons on a lead's page, each with the real events, or the attribute, that it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from features.definitions import ALL, Selector
from features.schema import Schema
from features.wording import Lang, message
from features.wording.subjects import event_text, value_text
from serving.lead_events import LeadEvent, attribute_since, selected, selectors
from serving.lead_score import LeadScore, Reason
from serving.lead_source import FoundLead
from serving.locales import date, machine_time, moment, number
from serving.page_words import words
from serving.serving_model import ServingModel

MOST_BEHIND = 8
"""So many events are shown behind a reason; of more it is said how many there are."""


def reason_rows(
    score: LeadScore,
    reasons: Sequence[Reason],
    found: FoundLead,
    events: Sequence[LeadEvent],
    rows: EventRows,
    lang: Lang,
) -> list[dict[str, Any]]:
    """Reasons with bars on one scale, the longest of both lists filling its track."""
    why = score.reasons
    shown = (*why.speak_for, *why.speak_against) if why else ()
    longest = max((_size(each) for each in shown), default=0.0) or 1.0
    about = _selectors(found)
    return [
        {
            "text": each.text,
            "similar": ""
            if each.similar is None
            else message("reasons.similar", lang, converted=each.similar.converted, leads=each.similar.leads),
            "width": round(100.0 * _size(each) / longest, 2),
            "points": points_words(each.score_points, lang),
            "behind": _behind(each, found, events, rows, about, score.as_of, lang),
        }
        for each in reasons
    ]


def points_words(points: float, lang: Lang) -> str:
    """Points of a score with their sign, as short as they are still told from nothing."""
    if 0 < abs(points) < 0.05:
        return "+<0.1" if points > 0 else "−<0.1"
    return number(points, lang, signed=True, decimals=1)


def _size(reason: Reason) -> float:
    return abs(reason.score_points if reason.log_odds is None else reason.log_odds)


def _selectors(found: FoundLead) -> Mapping[str, Selector]:
    model = found.snapshot.model
    return selectors(model) if isinstance(model, ServingModel) else {}


def _behind(
    reason: Reason,
    found: FoundLead,
    events: Sequence[LeadEvent],
    rows: EventRows,
    about: Mapping[str, Selector],
    as_of: int,
    lang: Lang,
) -> dict[str, Any]:
    """What opens below a reason: its newest events, or since when we know what it says of the lead."""
    schema = found.history.schema
    if reason.group == "fit":
        since = attribute_since(found.history, found.position, reason.feature, as_of)
        if since is None:
            return {"said": words("lead.behind.attribute_unknown", lang), "events": []}
        return {"said": words("lead.behind.attribute", lang, date=date(since, schema.zone, lang)), "events": []}
    if reason.feature == "created":
        created = int(found.history.created_at[found.position])
        return {"said": words("lead.behind.created", lang, date=date(created, schema.zone, lang)), "events": []}
    selector = about.get(reason.feature, Selector("event_type", reason.feature) if not about else ALL)
    own = selected(events, selector, schema)
    if not own:
        return {"said": words("lead.behind.no_event", lang), "events": []}
    more = len(own) - MOST_BEHIND
    return {
        "said": words("lead.behind.more", lang, n=more) if more > 0 else "",
        "events": rows.of(own[:MOST_BEHIND]),
    }


class EventRows:
    """Events in words, each put into words once however many reasons it is behind."""

    def __init__(self, schema: Schema, as_of: int, lang: Lang) -> None:
        self._schema, self._as_of, self._lang = schema, as_of, lang
        self._rows: dict[int, dict[str, str]] = {}

    def of(self, events: Sequence[LeadEvent]) -> list[dict[str, str]]:
        """Events as rows; the events must live as long as this object."""
        return [self._row(each) for each in events]

    def _row(self, event: LeadEvent) -> dict[str, str]:
        found = self._rows.get(id(event))
        if found is None:
            found = self._rows[id(event)] = event_row(event, self._schema, self._as_of, self._lang)
        return found


def event_row(event: LeadEvent, schema: Schema, as_of: int, lang: Lang) -> dict[str, str]:
    """One event in words: what, through which channel, when."""
    return {
        "text": event_words(event, schema, lang),
        "channel": value_text("channel", event.channel, schema, lang) if event.channel else "",
        "time": moment(event.occurred_at, schema.zone, lang, now=as_of),
        "machine": machine_time(event.occurred_at),
    }


def event_words(event: LeadEvent, schema: Schema, lang: Lang) -> str:
    """What happened; a type without a name that can be shown is other activity."""
    printable = event.event_type and event.event_type.isprintable()
    return event_text(event.event_type if printable else "(other)", schema, lang)
