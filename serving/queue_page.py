"""What stands on the page of leads to call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

from features.wording import Lang, duration, message, number
from serving.call_list import CallList
from serving.decision import DecidedBy
from serving.lead_score import LeadScore
from serving.people_words import figure, grade, instant_words, made_by, names, share
from serving.scoring import Notice

ROWS = 50


def queue_page(
    leads: CallList, *, page: int, lang: Lang, scored_at: int, notices: Sequence[Notice] = ()
) -> dict[str, Any]:
    """The content of one page of the list; a page after the last one is the last one."""
    pages = max(-(-len(leads) // ROWS), 1)
    page = min(page, pages)
    first = (page - 1) * ROWS
    history = leads.tables.history
    scores = leads.scores(first, first + ROWS, lang=lang, scored_at=scored_at)
    positions = leads.positions[first : first + ROWS]
    rows = [
        _row(score, names(history, int(position)), rank, lang)
        for rank, (score, position) in enumerate(zip(scores, positions, strict=True), first + 1)
    ]
    shown = {text for score in scores for text in score.warnings} if scores else set()
    everywhere = [text for text in shown if all(text in score.warnings for score in scores)]
    zone = history.schema.zone
    summary = message(
        "page.queue.summary",
        lang,
        n=len(leads),
        horizon=duration(leads.snapshot.model.horizon, lang),
        time=instant_words(history.now, zone),
    )
    if leads.too_old:
        summary += " " + message("page.queue.too_old", lang, n=leads.too_old)
    return {
        "summary": summary,
        "notices": sorted({*everywhere, *(notice.said(lang) for notice in notices)}),
        "rows": rows,
        "before": _address(page - 1, lang) if page > 1 else "",
        "after": _address(page + 1, lang) if page < pages else "",
        "position": message("page.queue.position", lang, page=page, pages=pages),
        "footer": made_by(scores[0], zone, lang) if scores else [],
    }


def _row(score: LeadScore, name: tuple[str, str], rank: int, lang: Lang) -> dict[str, Any]:
    decided = message(f"decided_by.{score.decided_by.value}", lang)
    return {
        "rank": rank,
        "rank_text": number(rank, lang),
        "figure": figure(score, lang),
        "width": share(score),
        "href": f"/leads/{quote(score.lead_id, safe='')}?{urlencode({'lang': lang})}",
        "title": name[0],
        "beside": name[1],
        "why": _why(score, decided, lang),
        "band": "" if score.band is None else score.band.value,
        "band_text": "" if score.band is None else message(f"band.{score.band.value}", lang),
        "decided": decided,
        "grade": grade(score),
    }


def _why(score: LeadScore, decided: str, lang: Lang) -> str:
    """What to say of a lead in one line: the rule that put it on the fast lane, else its strongest reason."""
    if score.decided_by is DecidedBy.FAST_LANE:
        return decided
    reasons = score.reasons
    return reasons.speak_for[0].text if reasons and reasons.speak_for else message("reasons.none_for", lang)


def _address(page: int, lang: Lang) -> str:
    return "/?" + urlencode({"page": page, "lang": lang})
