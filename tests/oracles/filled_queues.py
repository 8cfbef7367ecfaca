"""Queues of made-up standings: every lane, state and odd name, with ties in the order to call."""

from __future__ import annotations

from typing import Any

import numpy as np

from features.calendar_days import DAY, HOUR
from serving.queue import STATES
from serving.settling import FAR_AWAY
from serving.store import Store
from serving.store.tables import standings

NOW = 20_000 * DAY
NASTY = (
    "=cmd|' /C calc'!A0",
    "＝1+1",
    "+81 3",
    "-x",
    "@sum",
    "\tx",
    "100%_sure",
    'a "b", c',
    "<b>山田</b>",
    "  =1",
    "'=1",
)
BANDS = ("SQL", "SQL", "MQL", "nurture")


def made_standing(number: int, draw: np.random.Generator, **told: Any) -> dict[str, Any]:
    """A row of the queue as a sweep would write it."""
    lane = int(draw.integers(0, 4))
    deadline = None if draw.random() < 0.5 else NOW + int(draw.integers(-5, 5)) * HOUR
    probability = round(float(draw.random()), 1)
    title = NASTY[number % len(NASTY)] if number % 5 == 0 else f"Person {number}"
    company = None if number % 7 == 0 else f"Firma {number % 13}"
    owner = None if number % 6 == 0 else f"owner {number % 4}"
    lead_id = f"L/{number:05d}" if number % 3 else f"リード {number}?"
    row = {
        "lead_id": lead_id,
        "as_of": NOW,
        "probability": probability,
        "similar_leads": None if number % 9 == 0 else 200,
        "similar_converted": None if number % 9 == 0 else round(200 * probability),
        "score": round(100 * probability),
        "band": BANDS[lane],
        "band_since": NOW - DAY,
        "decided_by": "fast_lane" if lane == 0 else "model",
        "rule": "call_booked" if lane == 0 else None,
        "grade": "A1",
        "stage": (None, "awareness", "decision")[number % 3],
        "persona": None,
        "trend": (None, -3, 0, 4)[number % 4],
        "reason_feature": "x",
        "reason_en": "viewed the pricing page",
        "reason_ja": "価格ページを閲覧",
        "last_event_at": NOW - HOUR,
        "last_event_type": "mail_opened",
        "deadline": deadline,
        "lane": lane,
        "order_deadline": FAR_AWAY if deadline is None else deadline,
        "order_score": -probability,
        "title": title,
        "company": company,
        "owner": owner,
        "search": "\n".join(filter(None, (lead_id, title, company, owner))).lower(),
        "state": STATES[int(draw.integers(0, len(STATES)))],
        "active_again": bool(draw.random() < 0.2),
        "model_version": "1",
        "agreement_version": 1,
        "kept_at": None,
        "kept_score": None,
    }
    return row | told


def fill_queue(store: Store, count: int, seed: int = 0, **told: Any) -> list[dict[str, Any]]:
    """Put standings into a store; the rows in the order to call."""
    draw = np.random.default_rng(seed)
    rows = [made_standing(number, draw, **told) for number in range(count)]
    with store.writing() as c:
        if rows:
            c.execute(standings.insert(), rows)
    return in_order(rows)


def in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The order to call, in plain Python."""
    return sorted(rows, key=lambda row: (row["lane"], row["order_deadline"], row["order_score"], row["lead_id"]))
