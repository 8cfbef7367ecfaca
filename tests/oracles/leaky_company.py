"""A small company whose tables hold every kind of leak, beside columns that look like one and are none."""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from journeys.made_workspace import ENDS, QUICK, Row, made_tables, stamp, write, write_csv

LEAKS = {
    "amount_signed": "known_when_converted",
    "loss_reason": "known_when_lost",
    "closed_by": "known_when_ended",
    "trial_feedback": "empty_when_lost",
    "lead_status": "field_of_sales",
    "call_duration": "length_of_contact",
    "x7": "too_good",
    "was_bought": "label_twin",
    "closed_at": "date_of_outcome",
    "last_modified_at": "date_after_moment",
    "record_no": "id_like",
    "imported_epoch": "time_like",
    "plan": "snapshot",
    "onboarding": "changed_after_outcome",
}
"""Attribute to the check that must find it; all of them are left out."""
LEAKING_EVENT = "contract_archived"
"""Dated back to the day on which the lead came, as bookkeeping might."""
WARNED = {"owner": "field_of_sales", "renewal_at": "date_after_moment", "thank_you_sent": "event_at_outcome"}
"""What may be honest, or is seen too seldom to be used, and is only warned of."""
TRUSTED = {"thank_you_sent": "sent by ourselves, on a day that we choose"}
"""What the toml trusts; the others have no reason."""
HONEST = (
    "company_size", "source", "marital_status", "contract_duration_days", "revenue", "phone_kind", "birth_date", "industry",
)  # fmt: skip
TABLES = QUICK.replace('outcomes = "outcomes.csv"', 'outcomes = "outcomes.csv"\nattributes = "attributes.csv"')


@dataclass(frozen=True)
class _Lead:
    created: datetime
    fate: str
    ended: datetime | None


def leaky_workspace(folder: Path, *, leads: int = 700, seed: int = 5, columns: Collection[str] = ()) -> Path:
    """Write the company's tables and toml; of the leads table these attributes alone, where any are named."""
    tables, draw = made_tables(leads, seed=seed), random.Random(seed)
    fates = {row["lead_id"]: row for row in tables.outcomes}
    changes: list[Row] = []
    events = list(tables.events)
    trust = "".join(f'[attributes.trust]\n{name} = "{reason}"\n' for name, reason in TRUSTED.items())
    for number, row in enumerate(sorted(tables.leads, key=lambda each: each["created_at"])):
        created, outcome = datetime.fromisoformat(row["created_at"]), fates.get(row["lead_id"])
        ended = datetime.fromisoformat(outcome["occurred_at"]) if outcome else None
        lead = _Lead(created, outcome["outcome"] if outcome else "open", ended)
        row |= _leaks(lead, number, draw) | _honest(lead, number, draw)
        changes += _changes(row, lead, draw)
        for name in {*row} - {"lead_id", "created_at", *(columns or row)}:
            del row[name]
        events += [{"lead_id": row["lead_id"], **each} for each in _events(lead, draw)]
    write(
        folder,
        tables.with_rows(events=[each for each in events if each["occurred_at"] < stamp(ENDS)]),
        toml=TABLES + trust,
    )
    write_csv(folder / "attributes.csv", changes, columns=["lead_id", "valid_from", "plan", "onboarding", "industry"])
    return folder


def _leaks(lead: _Lead, number: int, draw: random.Random) -> Row:
    won, lost = lead.fate == "converted", lead.fate == "lost"
    seconds = draw.gauss(900 if won else 400, 220)
    return {
        "amount_signed": str(draw.randint(10, 99) * 100) if won else "",
        "loss_reason": draw.choice(("price", "timing")) if lost and draw.random() < 0.8 else "",
        "closed_by": draw.choice(("A", "B", "C")) if lead.ended else "",
        "trial_feedback": "" if lost else draw.choice(("good", "fair")),
        "lead_status": draw.choice(("working", "new"))
        if draw.random() < 0.3
        else {"open": "new"}.get(lead.fate, lead.fate),
        "call_duration": f"{max(seconds, 5.0):.1f}",
        "x7": draw.choice("ab") if draw.random() < 0.03 else ("a" if won else "b"),
        "was_bought": "yes" if won else "no",
        "closed_at": lead.ended.strftime("%Y-%m-%d") if lead.ended else "",
        "last_modified_at": stamp(lead.created + timedelta(days=draw.uniform(35, 60))),
        "record_no": str(50_000 + 3 * number),
        "imported_epoch": str(int(lead.created.timestamp()) // 86400 * 86400),
    }


def _honest(lead: _Lead, number: int, draw: random.Random) -> Row:
    recent = lead.created > datetime(2025, 7, 1)
    return {
        "marital_status": draw.choice(("married", "single", "divorced")),
        "contract_duration_days": draw.choice(("30", "90", "365")),
        "revenue": str(draw.randint(1_000_000, 90_000_000)),
        "phone_kind": draw.choice(("mobile", "office")) if recent else "",
        "birth_date": f"{draw.randint(1950, 2004)}-0{draw.randint(1, 9)}-1{draw.randint(0, 9)}",
        "owner": draw.choice(("east", "west", "north")),
        "renewal_at": stamp(lead.created + timedelta(days=draw.uniform(100, 400))),
    }


def _changes(row: Row, lead: _Lead, draw: random.Random) -> list[Row]:
    """Rows of the attributes table; fills in the cells of the leads table that an export of today would hold."""
    nothing = {"lead_id": row["lead_id"], "plan": "", "onboarding": "", "industry": ""}
    first, second = draw.sample(("free", "team", "business"), 2)
    row |= {"plan": second, "industry": draw.choice(("retail", "software")) if draw.random() < 0.5 else ""}
    made = [
        {**nothing, "valid_from": stamp(lead.created + timedelta(days=draw.uniform(0.5, 4))), "plan": first},
        {**nothing, "valid_from": stamp(lead.created + timedelta(days=draw.uniform(5, 20))), "plan": second},
    ]
    if not row["industry"]:
        enriched = lead.created + timedelta(days=draw.uniform(0.1, 6))
        made.append({**nothing, "valid_from": stamp(enriched), "industry": draw.choice(("retail", "software"))})
    if lead.ended:
        after = lead.ended + timedelta(hours=draw.uniform(0, 40))
        made.append({**nothing, "valid_from": stamp(after), "onboarding": draw.choice(("kit", "call"))})
    return made


def _events(lead: _Lead, draw: random.Random) -> list[Row]:
    made = []
    if draw.random() < (0.95 if lead.fate == "converted" else 0.02):  # dated back to the day on which the lead came
        at = lead.created + timedelta(hours=draw.uniform(0.5, 12))
        made.append({"occurred_at": stamp(at), "event_type": "contract_archived"})
    if lead.ended:
        made.append({"occurred_at": stamp(lead.ended + timedelta(minutes=1)), "event_type": "thank_you_sent"})
    return made
