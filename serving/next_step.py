"""What to do about a lead next: call it, send it what was agreed, find out what is missing, or wait."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from features.wording import Lang
from serving import locales
from serving.agreement import Agreement
from serving.decision import Band, DecidedBy
from serving.lead_score import LeadScore
from serving.page_words import words
from serving.rule_words import fact_name, listed, own_name, rule_name

Kind = Literal["call", "nurture", "facts", "wait"]


@dataclass(frozen=True)
class NextStep:
    """One thing to do.

    Attributes
    ----------
    kind : call, nurture (send content), facts (ask for what must be known before SQL), or wait.
    text : a sentence in the language asked for.
    link : of the content; None where there is none.
    deadline : until when, UTC microseconds; None where it may wait.
    """

    kind: Kind
    text: str
    link: str | None = None
    deadline: int | None = None


def next_step(
    score: LeadScore, agreement: Agreement | None, *, deadline: int | None, lang: Lang, zone: str | None = None
) -> NextStep:
    """What the agreement says to do about a lead.

    An SQL is called. An MQL that lacks nothing but facts is asked for them. Any other lead gets the content agreed for its
    persona and stage.

    Parameters
    ----------
    score : by whose band it goes; where a band was kept (hysteresis), a score with that band.
    agreement : valid for both teams; None where none is.
    deadline : until when somebody answers, see `serving.deadlines`; None where it may wait.
    zone : of the deadline in the text; None takes that of the office hours, else UTC.
    """
    if agreement is None or score.band is None:
        return NextStep("wait", words("rules.next.no_agreement" if agreement is None else "rules.next.no_model", lang))
    if score.decided_by is DecidedBy.EXCLUDED:
        name = rule_name(agreement, score.rule or "", lang)
        return NextStep("wait", words("rules.next.excluded", lang, rule=name))
    zone = zone or (agreement.hours.timezone if agreement.hours is not None else "UTC")
    time = None if deadline is None else locales.moment(deadline, zone, lang, now=score.as_of)
    if score.band is Band.SQL:
        return NextStep("call", _by("call", time, lang), deadline=deadline)
    facts = [str(each.asked) for each in score.missing if each.what == "fact"]
    if facts and len(facts) == len(score.missing):
        told = listed([fact_name(each, lang) for each in facts], lang)
        return NextStep("facts", _by("facts", time, lang, facts=told), deadline=deadline)
    content = agreement.nurture_for(score.persona, score.stage)
    if content is None:
        text = (
            words("rules.next.no_content", lang) if time is None else words("rules.next.answer_until", lang, time=time)
        )
        return NextStep("wait", text, deadline=deadline)
    told = own_name(content.words, "", lang)
    return NextStep("nurture", _by("content", time, lang, content=told), content.link or None, deadline)


def _by(key: str, time: str | None, lang: Lang, **values: object) -> str:
    if time is None:
        return words(f"rules.next.{key}", lang, **values)
    return words(f"rules.next.{key}_until", lang, time=time, **values)
