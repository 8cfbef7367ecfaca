"""What stands on the page of one lead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlsplit

import numpy as np

from features.history import History
from features.wording import Lang, duration, message, number, percent
from serving.champion import Snapshot
from serving.decision_words import why_band
from serving.lead_score import LeadScore, Reason
from serving.people_words import figure, made_by, names


def lead_page(
    score: LeadScore, history: History, snapshot: Snapshot, lang: Lang, *, link: str | None
) -> dict[str, Any]:
    """The content of one lead's page: the verdict first, then why, then the small print."""
    position = int(history.positions(np.array([score.lead_id], dtype=object))[0])
    title, beside = names(history, position)
    return {
        "title": title,
        "beside": beside,
        "link": _link(link, score.lead_id),
        "figure": figure(score, lang),
        **_verdict(score, lang),
        "band": "" if score.band is None else score.band.value,
        "band_text": "" if score.band is None else message(f"band.{score.band.value}", lang),
        "band_help": "" if score.band is None else message(f"band.{score.band.value}_help", lang),
        "decision": why_band(score, snapshot.schema, lang),
        "warnings": score.warnings,
        "speak_for": _reasons(score, score.reasons.speak_for if score.reasons else (), lang),
        "speak_against": _reasons(score, score.reasons.speak_against if score.reasons else (), lang),
        "grades": _grades(score, lang),
        "sums": _sums(score, lang),
        "footer": made_by(score, history.schema.zone, lang),
    }


def _verdict(score: LeadScore, lang: Lang) -> dict[str, str]:
    if score.probability is None:
        return {
            "headline": message("score.points", lang, score=score.score),
            "compared": message("score.points_help", lang),
        }
    horizon = duration(score.horizon, lang)
    parts = []
    if score.average is not None:
        parts.append(message("score.average", lang, average=percent(score.average, lang)))
    if score.similar is not None:
        similar = score.similar
        parts.append(message("score.similar", lang, leads=similar.leads, converted=similar.converted))
    if score.percentile is not None:
        parts.append(message("score.percentile", lang, percentile=percent(score.percentile, lang)))
    separator = "、" if lang == "ja" else "; "
    return {
        "headline": message("score.headline", lang, probability=percent(score.probability, lang), horizon=horizon),
        "compared": separator.join(parts),
    }


def _reasons(score: LeadScore, reasons: Sequence[Reason], lang: Lang) -> list[dict[str, Any]]:
    """Bars on one scale, the longest of both lists filling its track."""
    shown = (*score.reasons.speak_for, *score.reasons.speak_against) if score.reasons else ()
    longest = max((_size(each) for each in shown), default=0.0) or 1.0
    return [
        {
            "text": each.text,
            "similar": ""
            if each.similar is None
            else message("reasons.similar", lang, converted=each.similar.converted, leads=each.similar.leads),
            "width": round(100.0 * _size(each) / longest, 2),
            "points": f"{'+' if each.score_points > 0 else '−'}{number(abs(round(each.score_points, 1)), lang)}",
        }
        for each in reasons
    ]


def _size(reason: Reason) -> float:
    return abs(reason.score_points if reason.log_odds is None else reason.log_odds)


def _grades(score: LeadScore, lang: Lang) -> list[dict[str, str]]:
    if score.fit.grade is None or score.engagement.grade is None:
        return []
    return [
        {"name": message("score.fit_name", lang), "grade": str(score.fit.grade)},
        {"name": message("score.engagement_name", lang), "grade": str(score.engagement.grade)},
    ]


def _sums(score: LeadScore, lang: Lang) -> list[dict[str, str]]:
    """The log-odds that add up to the score: where every score starts, each reason, everything else."""
    reasons = score.reasons
    if (
        reasons is None
        or reasons.base_log_odds is None
        or reasons.other_log_odds is None
        or reasons.raw_log_odds is None
    ):
        return []
    lines = [(message("reasons.base", lang), reasons.base_log_odds)]
    lines += [(each.text, each.log_odds or 0.0) for each in (*reasons.speak_for, *reasons.speak_against)]
    lines += [
        (message("reasons.other", lang), reasons.other_log_odds),
        (message("reasons.total", lang), reasons.raw_log_odds),
    ]
    return [{"name": name, "amount": f"{amount:+.2f}".replace("-", "−")} for name, amount in lines]


def _link(template: str | None, lead_id: str) -> str:
    """Where the workspace says that the lead is found elsewhere; only web addresses, whatever the toml holds."""
    if not template:
        return ""
    address = template.replace("{lead_id}", quote(lead_id, safe=""))
    return address if urlsplit(address).scheme in ("http", "https") else ""
