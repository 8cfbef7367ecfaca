"""The part of a lead's page that belongs to people: the facts they know, what they said, what is to do next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from features.wording import Lang
from serving.agreement import Agreement
from serving.agreement_terms import FACTS
from serving.lead_score import LeadScore
from serving.locales import machine_time, moment
from serving.next_step import next_step
from serving.page_words import words
from serving.people_record import PeopleRecord
from serving.queue_page import Reader, deadline_words
from serving.store.tables import REJECTION_REASONS

DONE = ("accepted", "contacted", "rejected", "found", "fact")
"""What a form has just done, as the address says after it."""


def facts_known(record: PeopleRecord, required: tuple[str, ...], reader: Reader) -> list[dict[str, Any]]:
    """The four BANT facts: known, known to be missing, or never asked; by whom and when."""
    return [_fact(fact, record.facts.get(fact), fact in required, reader) for fact in FACTS]


def _fact(fact: str, row: Mapping[str, Any] | None, required: bool, reader: Reader) -> dict[str, Any]:
    lang = reader.lang
    known = row is not None and bool(row["known"])
    time = "" if row is None else moment(row["recorded_at"], reader.zone, lang, now=reader.now)
    return {
        "key": fact,
        "name": words(f"lead.fact.{fact}", lang),
        "question": words(f"lead.fact_question.{fact}", lang),
        "known": known,
        "said": words("lead.facts.known" if known else "lead.facts.unknown", lang),
        "required": required,
        "note": "" if row is None else row["note"] or "",
        "by": "" if row is None else words("lead.facts.by", lang, who=row["by"], time=time),
    }


def people_said(record: PeopleRecord, reader: Reader) -> list[dict[str, str]]:
    """What sales said, and what was handed over, the newest first."""
    lang = reader.lang
    told = [(row["at"], _feedback(row, lang), row["note"] or "") for row in record.feedback]
    told += [
        (row["created_at"], words("lead.said.held_back" if row["held_back"] else "lead.said.handed_over", lang), "")
        for row in record.handoffs
    ]
    return [
        {
            "text": said,
            "note": note,
            "time": moment(at, reader.zone, lang, now=reader.now),
            "machine": machine_time(at),
        }
        for at, said, note in sorted(told, key=lambda each: -each[0])
    ]


def _feedback(row: Mapping[str, Any], lang: Lang) -> str:
    said = words(f"lead.said.{row['verdict']}", lang, who=row["by"])
    if row["reason"] is None:
        return said
    return words("lead.said.because", lang, said=said, reason=words(f"lead.rejection.{row['reason']}", lang))


def rejection_reasons(lang: Lang) -> list[tuple[str, str]]:
    """What can be chosen as the reason of a rejection."""
    return [(reason, words(f"lead.rejection.{reason}", lang)) for reason in REJECTION_REASONS]


def state_said(record: PeopleRecord, lang: Lang) -> str:
    """What people have done about the lead so far, as one word; empty where nothing."""
    state = record.standing["state"] if record.standing is not None else "waiting"
    return "" if state == "waiting" else words(f"queue.state.{state}", lang)


def next_to_do(score: LeadScore, agreement: Agreement | None, record: PeopleRecord, reader: Reader) -> dict[str, Any]:
    """What is to do next, and until when: as agreed, unless somebody has already dealt with the lead."""
    lang, standing = reader.lang, record.standing
    deadline = None if standing is None else standing["deadline"]
    if standing is not None and standing["state"] in ("accepted", "rejected", "held_back"):
        return {"text": words(f"lead.next.{standing['state']}", lang), "link": None, "deadline": None}
    step = next_step(score, agreement, deadline=deadline, lang=lang, zone=reader.zone)
    return {"text": step.text, "link": step.link, "deadline": deadline_words(step.deadline, reader)}
