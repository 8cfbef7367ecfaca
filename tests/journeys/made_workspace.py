"""Small companies whose leads can be learned from: rows made in plain Python, written the way a person's export might be."""

from __future__ import annotations

import csv
import io
import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

Row = dict[str, str]
START = datetime(2025, 1, 6, 0, 0)
CREATED_OVER = timedelta(days=300)
ENDS = START + CREATED_OVER + timedelta(days=30)

EVENT_TYPES = ("email_opened", "page_viewed", "pricing_page_viewed", "call_booked")
JAPANESE = {
    "email_opened": "メール開封",
    "page_viewed": "ページ閲覧",
    "pricing_page_viewed": "価格ページ閲覧",
    "call_booked": "商談予約",
    "fair": "展示会",
    "web": "ウェブ",
    "referral": "紹介",
    "1-50": "50名以下",
    "51-500": "51~500名",
    "501+": "501名以上",
    "converted": "受注",
    "lost": "失注",
}
TOML = """\
[tables]
leads = "leads.csv"
events = "events.csv"
outcomes = "outcomes.csv"

[target]
converted = "converted"
horizon = "30d"
"""
QUICK = (
    TOML
    + """
[moments]
after_creation = ["1d", "7d"]
"""
)
AGREEMENT = """\
version = 1

[cutoffs]
mql = 0.1
sql = 0.3

[fast_lane.call_booked]
respond_within = "4h"
counts_for = "14d"
"""


@dataclass(frozen=True)
class Tables:
    """Three tables as rows of text, a column name a key; times are naive."""

    leads: list[Row]
    events: list[Row]
    outcomes: list[Row] = field(default_factory=list)

    def with_rows(self, **changed: Iterable[Row]) -> Tables:
        """The same tables with some of them exchanged."""
        return replace(self, **{name: list(rows) for name, rows in changed.items()})


def made_tables(leads: int = 600, *, seed: int = 1) -> Tables:
    """Rows of a seller whose larger, more active leads convert more often."""
    random_ = random.Random(seed)
    lead_rows: list[Row] = []
    event_rows: list[Row] = []
    fates: list[tuple[str, timedelta | None]] = []
    created: list[datetime] = []
    for number in range(leads):
        size, source = random_.choice(("1-50", "51-500", "501+")), random_.choice(("fair", "web", "referral"))
        begun = START + CREATED_OVER * random_.random()
        interest = (
            random_.gauss(0.0, 1.0) + {"1-50": -0.5, "51-500": 0.1, "501+": 0.7}[size] + (source == "referral") * 0.6
        )
        wins = random_.random() < 1.0 / (1.0 + math.exp(1.6 - 1.5 * interest))
        ends = timedelta(days=random_.uniform(3.0, 28.0))
        fate = ("converted", ends) if wins else ("lost", ends * 1.5) if random_.random() < 0.5 else ("open", None)
        lead_id = f"L{number:04d}"
        lead_rows.append({"lead_id": lead_id, "created_at": stamp(begun), "company_size": size, "source": source})
        lasts = min((fate[1] or timedelta(days=30)).total_seconds() / 86400, 30.0)
        for _ in range(1 + int(random_.expovariate(1.0) * math.exp(0.6 * interest) * 4)):
            weights = (4.0, 4.0, math.exp(interest), 0.3 * math.exp(interest))
            kind = random_.choices(EVENT_TYPES, weights)[0]
            at = begun + timedelta(days=random_.uniform(0.0, lasts))
            event_rows.append({"lead_id": lead_id, "occurred_at": stamp(at), "event_type": kind})
        fates.append(fate)
        created.append(begun)
    outcome_rows = [
        {"lead_id": row["lead_id"], "occurred_at": stamp(begun + after), "outcome": fate}
        for row, begun, (fate, after) in zip(lead_rows, created, fates, strict=True)
        if after is not None and begun + after < ENDS
    ]
    return Tables(lead_rows, [row for row in event_rows if row["occurred_at"] < stamp(ENDS)], outcome_rows)


def stamp(at: datetime) -> str:
    """A naive time to the second."""
    return at.strftime("%Y-%m-%d %H:%M:%S")


def write(folder: Path, tables: Tables, *, toml: str = TOML) -> Path:
    """Three plain CSV files and the toml of the README's length."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in (("leads", tables.leads), ("events", tables.events), ("outcomes", tables.outcomes)):
        write_csv(folder / f"{name}.csv", rows)
    (folder / "propensity.toml").write_text(toml, encoding="utf-8")
    return folder


def write_csv(
    path: Path,
    rows: Sequence[Row],
    *,
    columns: Sequence[str] = (),
    delimiter: str = ",",
    encoding: str = "utf-8",
    words: Mapping[str, str] = {},
) -> None:
    """Write rows as CSV in any delimiter and encoding; `words` are exchanged wherever a cell holds one."""
    text = io.StringIO(newline="")
    names = list(columns or rows[0])
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(names)
    writer.writerows([words.get(row[name], row[name]) for name in names] for row in rows)
    path.write_bytes(text.getvalue().encode(encoding))
