"""Where leads stand now, given how they stood: put into a band that holds, queued in the order to call, handed over.

Scores come made (`serving.standing`), since only what is here needs the store's lock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from features.calendar_days import DAY
from features.history import NEVER
from serving.agreement import Agreement
from serving.deadlines import deadline_of
from serving.decision import Band, DecidedBy
from serving.handoff import HandedOver, People, hand_over, one_at_a_time
from serving.handoff_settings import HandoffSettings
from serving.hysteresis import Standing, settled_band
from serving.lead_score import LeadScore
from serving.people_words import grade
from serving.standing import Scored
from serving.store.erased import erased_among, objected_among
from serving.store.lead_rows import in_parts
from serving.store.tables import band_changes, scores, standings

FAR_AWAY = NEVER
"""The deadline, in the order, of what has none."""
LANE_FAST, LANE_SQL, LANE_MQL, LANE_OTHER = range(4)
"""The first part of the order to call."""


def settle(
    c: sa.Connection,
    scored: Sequence[Scored],
    *,
    agreement: Agreement | None,
    settings: HandoffSettings,
    now: int,
) -> int:
    """Write where leads stand now, and all that follows from how they stood before; how many were written.

    A lead that was settled at a later moment is left alone: a sweep that read the tables earlier does not undo what an
    event has changed since. At the same moment it is settled anew: the model, the agreement or a fact may be another one.
    Nor is a lead written that was erased or has objected while it was scored. Changes of bands and hand-offs are written
    in the same transaction.

    Parameters
    ----------
    agreement : valid for both teams; None where none is.
    settings : of hand-offs.
    now : by the clock, microseconds.
    """
    one_at_a_time(c)
    ids = [each.score.lead_id for each in scored]
    withheld, before = erased_among(c, ids) | objected_among(c, ids).keys(), _before(c, ids)
    rows, kept, changes = [], [], []
    for each in scored:
        old = before.get(each.score.lead_id)
        if each.score.lead_id in withheld or (old is not None and old["as_of"] > each.score.as_of):
            continue
        row = _settled(each, old, agreement)
        handed = None
        if _may_be_handed_over(each, old):
            handed = hand_over(
                c,
                score=each.score,
                reasons_en=each.reasons_en,
                reasons_ja=each.reasons_ja,
                people=People(each.title, each.company, each.owner),
                agreement=agreement,
                settings=settings,
                now=now,
                active_again=each.active_again,
                because=each.because,
            )
        if handed is not None:
            row["state"] = "held_back" if handed.held_back else "handed_over"
        row["deadline"] = _deadline(each.score, row, old, handed, agreement)
        row["order_deadline"] = FAR_AWAY if row["deadline"] is None else row["deadline"]
        if row["band"] != (None if old is None else old["band"]):
            changes.append(_change(row, old))
        if _worth_keeping(row, old):
            row |= {"kept_at": row["as_of"], "kept_score": row["score"]}
            kept.append({name: row[name] for name in _KEPT})
        rows.append(row)
    leave(c, [row["lead_id"] for row in rows])
    for table, written in ((standings, rows), (scores, kept), (band_changes, changes)):
        if written:
            c.execute(table.insert(), written)
    return len(rows)


def _may_be_handed_over(each: Scored, old: Mapping[str, Any] | None) -> bool:
    """Whether it is worth asking what has happened to a lead between the two teams, which takes some look-ups.

    Nobody calls a lead that is too old, unless it asks for it; and who sales has already is not handed over again.
    """
    if each.too_old and each.because is None:
        return False
    has_it = old is not None and old["band"] == Band.SQL.value and old["state"] in ("handed_over", "accepted")
    return not (has_it and old is not None and old["active_again"] == each.active_again)


_KEPT = ("lead_id", "as_of", "probability", "score", "band", "decided_by", "model_version", "agreement_version")


def leave(c: sa.Connection, lead_ids: Sequence[str]) -> None:
    """Leads that have ended, or object to profiling, stand nowhere any more."""
    for some in in_parts(lead_ids):
        c.execute(sa.delete(standings).where(standings.c.lead_id.in_(some)))


def _before(c: sa.Connection, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for some in in_parts(ids):
        query = sa.select(standings).where(standings.c.lead_id.in_(some))
        found |= {row["lead_id"]: row for row in c.execute(query).mappings()}
    return found


def _settled(each: Scored, old: Mapping[str, Any] | None, agreement: Agreement | None) -> dict[str, Any]:
    score = each.score
    band = score.band
    if old is not None and agreement is not None and old["agreement_version"] == agreement.version:
        stood_in = None if old["band"] is None else Band(old["band"])
        stood = Standing(stood_in, old["band_since"], DecidedBy(old["decided_by"]))
        band = settled_band(stood, score, agreement)
    name = None if band is None else band.value
    same = old is not None and old["band"] == name
    why = score.reasons
    best = why.speak_for[0] if why is not None and why.speak_for else None
    return {
        "lead_id": score.lead_id,
        "as_of": score.as_of,
        "probability": score.probability,
        "similar_leads": None if score.similar is None else score.similar.leads,
        "similar_converted": None if score.similar is None else score.similar.converted,
        "score": score.score,
        "band": name,
        "band_since": old["band_since"] if same and old is not None else score.as_of,
        "decided_by": score.decided_by.value,
        "rule": score.rule,
        "grade": grade(score) or None,
        "stage": score.stage,
        "persona": score.persona,
        "trend": each.trend,
        "reason_feature": None if best is None else best.feature,
        "reason_en": None if best is None else best.text,
        "reason_ja": each.reasons_ja[0] if each.reasons_ja else None,
        "last_event_at": None if each.last_event is None else each.last_event[0],
        "last_event_type": None if each.last_event is None else each.last_event[1],
        "title": each.title,
        "company": each.company or None,
        "owner": each.owner or None,
        "search": "\n".join(filter(None, (score.lead_id, each.title, each.company, each.owner))).lower(),
        "active_again": each.active_again,
        "model_version": None if score.model is None else score.model.version,
        "agreement_version": None if score.agreement is None else score.agreement.version,
        "order_score": -(score.score / 100 if score.probability is None else score.probability),
        "lane": lane_of(name, score.decided_by),
        "state": "too_old" if each.too_old and each.because is None else _state(old),
        "kept_at": None if old is None else old["kept_at"],
        "kept_score": None if old is None else old["kept_score"],
    }


def _state(old: Mapping[str, Any] | None) -> str:
    """What people did about a lead holds until it is handed over anew, whatever its band does meanwhile."""
    return str(old["state"]) if old is not None and old["state"] != "too_old" else "waiting"


def lane_of(band: str | None, decided_by: DecidedBy | str) -> int:
    """The first part of the order to call: fast lane, SQL, MQL, all others."""
    if band == Band.SQL.value:
        return LANE_FAST if decided_by == DecidedBy.FAST_LANE else LANE_SQL
    return LANE_MQL if band == Band.MQL.value else LANE_OTHER


ANSWERED = ("accepted", "rejected", "held_back", "too_old")
"""States in which nobody waits for an answer."""


def _deadline(
    score: LeadScore,
    row: Mapping[str, Any],
    old: Mapping[str, Any] | None,
    handed: HandedOver | None,
    agreement: Agreement | None,
) -> int | None:
    """Until when somebody answers; a deadline that was given stays while the lead stands in its band."""
    if row["state"] in ANSWERED or row["band"] is None:
        return None
    if handed is not None and handed.deadline is not None:
        return handed.deadline
    if old is not None and old["band"] == row["band"] and old["deadline"] is not None:
        return int(old["deadline"])
    return deadline_of(agreement, score, since=row["band_since"])


def _change(row: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        "lead_id": row["lead_id"],
        "at": row["as_of"],
        "from_band": None if old is None else old["band"],
        "to_band": row["band"],
        "decided_by": row["decided_by"],
        "probability": row["probability"],
        "model_version": row["model_version"],
        "agreement_version": row["agreement_version"],
    }


def _worth_keeping(row: Mapping[str, Any], old: Mapping[str, Any] | None) -> bool:
    """A score is kept where the band changes, where it moved by a point, and once a day: enough to see it decay."""
    if old is None or old["kept_at"] is None or old["band"] != row["band"]:
        return True
    return bool(row["score"] != old["kept_score"] or row["as_of"] - old["kept_at"] >= DAY)
