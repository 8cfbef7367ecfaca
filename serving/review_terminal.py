"""A review for the terminal: as text, and as plain JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table

from features.wording import Lang
from serving.page_words import words
from serving.review_figures import Review


def review_text(page: dict[str, Any], lang: Lang) -> list[str | Table]:
    """What `review_page` made, as lines and tables."""

    def heads(*keys: str) -> list[str]:
        return [words(f"review.{key}", lang) for key in keys]

    said: list[str | Table] = [page["lead_in"], "", *(page["alarms"] or [page["calm"]]), ""]
    done = [
        [row["kind"], row["leads"], *(row[name] for name in ("accepted", "rejected", "contacted", "unanswered"))]
        for row in page["done"]
    ]
    said += [words("review.done.title", lang)]
    said += _table(
        heads("band", "leads", "done.accepted", "done.rejected", "done.contacted", "done.unanswered"), done
    ) or [words("review.done.empty", lang)]
    said += [f"  {row['kind']}: {', '.join(row['reasons'])}" for row in page["done"] if row["reasons"]]
    said += [f"  {row['kind']}: {row['held_back']}" for row in page["done"] if row["held_back"]]
    true = [
        [row["kind"], row["leads"], row["expected"], row["converted"], row["rate"], row["alarm"]]
        for row in page["came_true"]
    ]
    said += ["", f"{words('review.true.title', lang)} ({page['true_aside']})"]
    said += _table([*heads("band", "leads", "true.expected", "true.converted", "true.rate"), ""], true) or [
        page["true_empty"]
    ]
    pending = [[row["kind"], row["leads"], row["so_far"], row["by_end"]] for row in page["pending"]]
    said += ["", f"{words('review.pending.title', lang)} ({page['pending_aside']})"]
    said += _table(heads("band", "leads", "pending.so_far", "pending.by_end"), pending) or [
        words("review.pending.empty", lang)
    ]
    names = ("due", "in_time", "late", "overdue", "waiting", "median")
    response = [[row["kind"], *(row[name] for name in names)] for row in page["response"]]
    said += ["", words("review.response.title", lang)]
    said += _table(heads("band", *(f"response.{name}" for name in names)), response) or [
        words("review.response.empty", lang)
    ]
    said += ["", words("review.found.title", lang), *page["found"]["said"]]
    said += ["", words("review.held_back.title", lang), *page["held_back"]]
    return [*said, "", *page["notes"]]


def review_json(review: Review) -> dict[str, Any]:
    """All figures as plain JSON; what has no value, or is infinite, is null."""
    told = asdict(review)
    for row, figures in zip(told["rows"], review.rows, strict=True):
        row |= {"kind": figures.kind.value, "reasons": dict(figures.reasons), "unanswered": figures.unanswered}
        row["realised"]["alarm"] = figures.realised.alarm
        row["pending"]["alarm"] = figures.pending.alarm
        share = figures.response.share_in_time
        row["response"]["share_in_time"] = None if share is None else asdict(share)
        if row["response"]["median"] is not None and math.isinf(row["response"]["median"]):
            row["response"]["median"] = None
    return told | {
        "handed_over": review.handed_over,
        "alarms": [{"kind": kind.value, "alarm": alarm.value} for kind, alarm in review.alarms],
    }


def _table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str | Table]:
    if not rows:
        return []
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for place, head in enumerate(heads):
        table.add_column(head, justify="right" if place else "left")
    for row in rows:
        table.add_row(*(str(each) for each in row))
    return [table]
