"""What did not happen, where that says something: mails without an answer, silence, no step towards a decision."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from features.calendar_days import DAY
from features.schema import STAGES, Schema
from features.wording import Lang
from features.wording.texts import known_key, text
from serving.lead_events import LeadEvent
from serving.locales import date, gap
from serving.page_words import words

WITHIN = 90 * DAY
SILENT_AFTER = 30 * DAY
_SENT = "mail_sent"
_ANSWERS = ("mail_replied", "mail_clicked", "mail_opened")
"""What people do with a mail, the strongest sign first."""


def absent_evidence(events: Sequence[LeadEvent], schema: Schema, as_of: int, lang: Lang) -> list[str]:
    """Sentences on what is missing.

    Parameters
    ----------
    events : visible at `as_of`, the newest first.
    """
    if not events:
        return [words("lead.absent.everything", lang)]
    said = _mails(events, schema, as_of, lang)
    if as_of - events[0].occurred_at > SILENT_AFTER:
        said.append(words("lead.absent.silent", lang, time=gap(as_of - events[0].occurred_at, lang)))
    reached = {schema.stages.get(each.event_type) for each in events}
    late = [stage for stage in STAGES[2:] if stage in schema.stages.values()]
    if late and not reached.intersection(late):
        said.append(words("lead.absent.stage", lang, stage=text(f"stages.{late[0]}", lang)))
    return said


def _mails(events: Sequence[LeadEvent], schema: Schema, as_of: int, lang: Lang) -> list[str]:
    """Mails that were sent since the last answer of any kind, within the last 90 days.

    Only answers whose kind the tables record at all can be missed: a workspace that records no opening misses none.
    """
    kinds = [(_kind(each.event_type), each) for each in events if as_of - each.occurred_at <= WITHIN]
    answered = next((each.occurred_at for kind, each in kinds if kind in _ANSWERS), None)
    sent = [each for kind, each in kinds if kind == _SENT and (answered is None or each.occurred_at > answered)]
    recorded = {_kind(name) for name in schema.event_types}
    weakest = next((each for each in reversed(_ANSWERS) if each in recorded), None)
    if not sent or weakest is None:
        return []
    since = date(sent[-1].occurred_at, schema.zone, lang, now=as_of)
    return [words(f"lead.absent.{weakest}", lang, n=len(sent), date=since)]


@lru_cache(maxsize=4096)
def _kind(event_type: str) -> str | None:
    """Which of the common event types a workspace's own is."""
    return known_key("events", event_type)
