"""What stands on the page of one lead, made to be read in ten seconds: the verdict, why now, why, what to do, the small print."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from features.schema import Schema
from features.wording import Lang, duration, message
from features.wording.subjects import column_text
from features.wording.texts import text
from serving.absent_evidence import absent_evidence
from serving.course_chart import course_chart
from serving.decision import Band
from serving.decision_words import why_band
from serving.lead_events import LeadEvent, attribute_since, visible_events
from serving.lead_people import facts_known, next_to_do, people_said, rejection_reasons, state_said
from serving.lead_reasons import EventRows, event_words, points_words, reason_rows
from serving.lead_score import LeadScore
from serving.lead_source import FoundLead
from serving.locales import date, moment, percentage, relative
from serving.page_words import words
from serving.people_record import PeopleRecord
from serving.people_words import figure, grade, made_by, names
from serving.queue_page import Reader
from serving.score_course import score_course
from serving.serving_model import ServingModel
from serving.waterfall import waterfall
from serving.why_now import WhyNow, why_now

TIMELINE = 12
"""So many of the newest events stand open; the others open below, up to `MOST_EVENTS`."""
MOST_EVENTS = 100


def lead_page(
    score: LeadScore, found: FoundLead, record: PeopleRecord, *, lang: Lang, now: int, link: str | None, live: bool
) -> dict[str, Any]:
    """The content of one lead's page.

    Parameters
    ----------
    now : by the clock.
    live : whether the tables are the store, where nothing lies between an event and the page.
    """
    schema, history = found.history.schema, found.history
    reader = Reader(lang=lang, schema=schema, now=now)
    events = visible_events(history, found.position, score.as_of)
    rows = EventRows(schema, score.as_of, lang)
    title, beside = names(history, found.position)
    agreement, model = found.snapshot.agreement.valid, found.snapshot.model
    calibrator = model.bundle.scorer.calibrator if isinstance(model, ServingModel) else None
    settled = _settled(score, record, found)
    changed = why_now(found, score.as_of, events, last_contact=record.last_contact, lang=lang)
    speak_for, speak_against = (score.reasons.speak_for, score.reasons.speak_against) if score.reasons else ((), ())
    return {
        "title": title,
        "beside": beside,
        "lead_path": f"/leads/{quote(score.lead_id, safe='')}",
        "link": _link(link, score.lead_id),
        "figure": figure(score, lang),
        **_verdict(score, lang),
        **_band(settled, lang),
        "decision": (*_kept(score, settled, lang), *why_band(score, schema, lang, agreement=agreement)),
        "warnings": score.warnings,
        "state": state_said(record, lang),
        "active_again": bool(record.standing and record.standing["active_again"]),
        "next": next_to_do(settled, agreement, record, reader),
        "rejections": rejection_reasons(lang),
        "facts": facts_known(record, () if agreement is None else agreement.facts_required, reader),
        "said": people_said(record, reader),
        "why_now": None if changed is None else _changes(changed, schema, score.as_of, lang),
        "speak_for": reason_rows(score, speak_for, found, events, rows, lang),
        "speak_against": reason_rows(score, speak_against, found, events, rows, lang),
        "absent": absent_evidence(events, schema, score.as_of, lang),
        "waterfall": [] if calibrator is None else waterfall(score, calibrator, lang),
        "grade": grade(score),
        "grades": _grades(score, lang),
        "stage": "" if score.stage is None else text(f"stages.{score.stage}", lang),
        "persona": score.persona or "",
        "course": course_chart(score_course(found, score.as_of, events), score.cutoffs, zone=schema.zone, lang=lang),
        "timeline": rows.of(events[:MOST_EVENTS]),
        "timeline_open": TIMELINE,
        "timeline_left": max(len(events) - MOST_EVENTS, 0),
        "created": _dated(int(history.created_at[found.position]), schema, score.as_of, lang),
        "freshness": _freshness(found, events, score.as_of, live, lang),
        "unknown": _unknown(found, score, live, lang),
        "footer": made_by(score, schema.zone, lang),
    }


def _verdict(score: LeadScore, lang: Lang) -> dict[str, str]:
    if score.probability is None:
        return {
            "headline": message("score.points", lang, score=score.score),
            "compared": message("score.points_help", lang),
            "interval": "",
        }
    parts, interval = [], ""
    if score.average is not None:
        parts.append(message("score.average", lang, average=percentage(score.average, lang)))
    if score.similar is not None and score.similar.leads:
        similar = score.similar
        parts.append(message("score.similar", lang, leads=similar.leads, converted=similar.converted))
        likely = similar.interval
        ends = {"low": percentage(likely.low, lang), "high": percentage(likely.high, lang)}
        interval = words("lead.interval", lang, **ends)
    return {
        "headline": message(
            "score.headline",
            lang,
            probability=percentage(score.probability, lang),
            horizon=duration(score.horizon, lang),
        ),
        "compared": ("、" if lang == "ja" else "; ").join(parts),
        "interval": interval,
    }


def _settled(score: LeadScore, record: PeopleRecord, found: FoundLead) -> LeadScore:
    """The score with the band that the lead stands in, where the agreement keeps it there; else as it is."""
    agreement, standing = found.snapshot.agreement.valid, record.standing
    if agreement is None or agreement.hysteresis is None or standing is None or standing["band"] is None:
        return score
    stands = Band(standing["band"])
    kept = score.band is not None and stands > score.band and standing["agreement_version"] == agreement.version
    return dataclasses.replace(score, band=stands) if kept and score.as_of >= standing["as_of"] else score


def _band(score: LeadScore, lang: Lang) -> dict[str, str]:
    if score.band is None:
        return {"band": "", "band_text": "", "band_help": ""}
    name = score.band.value
    return {"band": name, "band_text": message(f"band.{name}", lang), "band_help": message(f"band.{name}_help", lang)}


def _kept(score: LeadScore, settled: LeadScore, lang: Lang) -> tuple[str, ...]:
    """That a band was kept although the score alone would give a lower one."""
    if settled is score or score.band is None or settled.band is None:
        return ()
    names = (message(f"band.{each.band.value}", lang) for each in (settled, score) if each.band is not None)
    return (words("lead.kept_band", lang, **dict(zip(("band", "lower"), names, strict=True))),)


def _changes(changed: WhyNow, schema: Schema, as_of: int, lang: Lang) -> dict[str, Any]:
    """What changed since the earlier moment, each with the date of what is behind it."""
    since = date(changed.at, schema.zone, lang, now=as_of)
    rows = [
        {
            "text": each.text,
            "points": points_words(each.score_points, lang),
            "behind": words("lead.why_now.by_time", lang)
            if each.newest is None
            else words(
                "lead.why_now.by_event",
                lang,
                event=event_words(each.newest, schema, lang),
                time=moment(each.newest.occurred_at, schema.zone, lang, now=as_of),
            ),
        }
        for each in changed.changes
    ]
    moved = {"before": percentage(changed.before, lang), "after": percentage(changed.after, lang)}
    return {"since": words(f"lead.why_now.since_{changed.since}", lang, date=since), "rows": rows, **moved}


def _grades(score: LeadScore, lang: Lang) -> list[dict[str, str]]:
    if score.fit.grade is None or score.engagement.grade is None:
        return []
    return [
        {
            "name": message(f"score.{group}_name", lang),
            "help": words(f"lead.{group}_help", lang),
            "grade": str(share.grade),
        }
        for group, share in (("fit", score.fit), ("engagement", score.engagement))
    ]


def _dated(instant: int, schema: Schema, as_of: int, lang: Lang) -> dict[str, str]:
    return {"time": date(instant, schema.zone, lang, now=as_of), "ago": relative(instant, as_of, lang)}


def _freshness(found: FoundLead, events: Sequence[LeadEvent], as_of: int, live: bool, lang: Lang) -> list[str]:
    """How old what the score rests on is."""
    schema = found.history.schema
    said = []
    if events:
        event, time = event_words(events[0], schema, lang), relative(events[0].occurred_at, as_of, lang)
        said.append(words("lead.fresh.last_event", lang, event=event, time=time))
    else:
        said.append(words("lead.fresh.no_event", lang))
    end = moment(found.now, schema.zone, lang)
    said.append(words("lead.fresh.live", lang) if live else words("lead.fresh.tables", lang, time=end))
    return said


def _unknown(found: FoundLead, score: LeadScore, live: bool, lang: Lang) -> list[str]:
    """What this score does not know, as far as we know it."""
    schema = found.history.schema
    missing = [
        column_text(name, schema, lang)
        for name in schema.attributes
        if attribute_since(found.history, found.position, name, score.as_of) is None
    ]
    said = [words("lead.unknown.conversations", lang), words("lead.unknown.facts", lang)]
    if missing:
        names = ("、" if lang == "ja" else ", ").join(missing[:8])
        said.append(words("lead.unknown.attributes", lang, names=names))
    if not live:
        said.append(words("lead.unknown.after", lang, time=moment(score.as_of, schema.zone, lang)))
    if score.probability is not None:
        said.append(words("lead.unknown.chance", lang, probability=percentage(score.probability, lang)))
    return said


def _link(template: str | None, lead_id: str) -> str:
    """Where the workspace says that the lead is found elsewhere; only web addresses, whatever the toml holds."""
    if not template:
        return ""
    address = template.replace("{lead_id}", quote(lead_id, safe=""))
    return address if urlsplit(address).scheme in ("http", "https") else ""
