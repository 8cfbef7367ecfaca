"""A band in plain words: which cutoff was crossed, by how much, what carried it over, or which rule decided."""

from __future__ import annotations

from features.calendar_days import DAY
from features.schema import Schema
from features.wording import Lang, ago, duration, message, percent, topic_label
from features.wording.texts import text
from serving.agreement import Agreement
from serving.decision import Band, DecidedBy
from serving.lead_score import Cutoff, LeadScore, Reason
from serving.page_words import words
from serving.reason_words import event_definition
from serving.rule_words import missing_words, rule_name

MOST_CARRIERS = 3
"""More reasons than this have not carried a score over a cutoff: it is the whole picture that did."""


def why_band(score: LeadScore, schema: Schema, lang: Lang, *, agreement: Agreement | None = None) -> tuple[str, ...]:
    """Why the lead is in its band, or in none, a sentence each.

    Parameters
    ----------
    schema : by which the lead was scored; it has the words for its events.
    agreement : by which the band was decided; it has the names of its rules. None names them as the file does.
    """
    if score.decided_by is DecidedBy.FAST_LANE and score.fast_lane is not None:
        hit = score.fast_lane
        told = message(
            "decision.fast_lane",
            lang,
            event=topic_label(event_definition(hit.event_type), schema, lang),
            time=ago((score.as_of - hit.occurred_at) / DAY, lang),
            respond_within=duration(hit.respond_within, lang),
        )
        return message("decided_by.fast_lane", lang), told
    if score.decided_by is DecidedBy.EXCLUDED:
        return message("decided_by.excluded", lang), _by_rule(score, agreement, lang)
    if score.probability is None or score.cutoffs is None:
        return (message(f"decided_by.{score.decided_by}", lang),)
    mql, sql = score.cutoffs[Band.MQL], score.cutoffs[Band.SQL]
    said: list[str] = []
    if score.decided_by is DecidedBy.TOO_LITTLE_EVIDENCE:
        said = [message("decided_by.too_little_evidence", lang)]
    elif score.decided_by is DecidedBy.TRIGGER:
        said = [message("decided_by.trigger", lang), _by_rule(score, agreement, lang)]
    if score.probability >= sql.probability:
        missing = (missing_words(each, lang) for each in score.missing)
        return (*said, _above(score.probability, Band.SQL, sql, lang), *_carried(score, sql, lang), *missing)
    if score.probability >= mql.probability:
        said.append(_above(score.probability, Band.MQL, mql, lang))
        return (*said, *_carried(score, mql, lang), _below(score.probability, Band.SQL, sql, lang))
    return (*said, _below(score.probability, Band.MQL, mql, lang))


def _by_rule(score: LeadScore, agreement: Agreement | None, lang: Lang) -> str:
    return words(f"rules.decision.{score.decided_by}", lang, rule=rule_name(agreement, score.rule or "", lang))


def carriers(score: LeadScore, cutoff: Cutoff) -> tuple[Reason, ...]:
    """The fewest reasons, the strongest first, without which the score would lie below a cutoff that it reaches.

    Reasons and cutoff are compared as log-odds, which add up. None where it takes more than `MOST_CARRIERS`.
    """
    why = score.reasons
    if why is None or why.raw_log_odds is None or cutoff.log_odds is None:
        return ()
    margin = why.raw_log_odds - cutoff.log_odds
    for count, last in enumerate(why.speak_for[:MOST_CARRIERS], 1):
        margin -= last.log_odds or 0.0
        if margin < 0:
            return why.speak_for[:count]
    return ()


def _carried(score: LeadScore, cutoff: Cutoff, lang: Lang) -> tuple[str, ...]:
    found = carriers(score, cutoff)
    told = " · ".join(each.text for each in found)
    return (message("decision.carried_by", lang, reasons=told),) if found else ()


def _above(probability: float, band: Band, cutoff: Cutoff, lang: Lang) -> str:
    own, other = apart(probability, cutoff.probability, lang)
    name = message(f"band.{band}", lang)
    if probability == cutoff.probability:
        return message("decision.crossed", lang, probability=own, band=name, cutoff=other)
    points = _points(probability - cutoff.probability, lang)
    return message("cli.explain.above", lang, probability=own, points=points, band=name, cutoff=other)


def _below(probability: float, band: Band, cutoff: Cutoff, lang: Lang) -> str:
    own, other = apart(probability, cutoff.probability, lang)
    name, points = message(f"band.{band}", lang), _points(cutoff.probability - probability, lang)
    return message("cli.explain.below", lang, probability=own, points=points, band=name, cutoff=other)


def apart(probability: float, cutoff: float, lang: Lang) -> tuple[str, str]:
    """Two probabilities as percentages, with so many decimals that different ones look different.

    Never "30% is below the cutoff of 30%".
    """
    own, other = percent(probability, lang), percent(cutoff, lang)
    if own != other or probability == cutoff:
        return own, other
    for decimals in range(1, 16):
        own, other = (_percent(each, decimals, lang) for each in (probability, cutoff))
        if own != other and "0" not in (own.rstrip("%"), other.rstrip("%")):
            break
    return own, other


def _percent(share: float, decimals: int, lang: Lang) -> str:
    return text("formats.percent", lang).format(n=f"{100 * share:.{decimals}f}".rstrip("0").rstrip("."))


def _points(difference: float, lang: Lang) -> str:
    """A difference of probabilities in percentage points."""
    size = 100.0 * difference
    shown = round(size) if size >= 10 else round(size, 1) if size >= 0.1 else float(f"{size:.1g}")
    return message("cli.explain.points", lang, n=float(shown))
