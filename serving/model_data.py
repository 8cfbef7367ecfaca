"""How good the data are: what was read and set aside when the model was trained, and how fresh the tables are now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from features.calendar_days import DAY
from features.history import NEVER, History
from features.wording import Lang
from serving import locales
from serving.page_words import words

STALE = 7 * DAY
"""Events so old, where some came in every week before, say that they don't reach the tables any more."""
TABLES = ("leads", "events", "attributes", "outcomes")


def data_quality(manifest: Mapping[str, Any], history: History, now: int, lang: Lang) -> dict[str, Any]:
    """The content of the page's part on data. Texts that the table reader wrote are in English alone, and say so."""
    report = manifest["tables"]
    newest = _newest(history)
    rows, reasons = [], []
    for name in TABLES:
        table = report["tables"].get(name)
        if table is None:
            continue
        aside = sum(table["rejected"].values())
        rows.append(
            {
                "name": words(f"model.data.{name}", lang),
                "rows": locales.number(table["rows"], lang),
                "used": locales.number(table["accepted"], lang),
                "aside": locales.number(aside, lang),
                "newest": locales.moment(newest[name], history.schema.zone, lang)
                if name in newest
                else words("model.dash", lang),
            }
        )
        reasons += [
            {"of": words("model.data.reason", lang, n=count, table=words(f"model.data.{name}", lang)), "why": reason}
            for reason, count in sorted(table["rejected"].items(), key=lambda each: -each[1])
        ]
    event = newest.get("events")
    behind = None if event is None else now - event
    return {
        "rows": rows,
        "reasons": reasons,
        "left_out": [{"column": column, "why": why} for column, why in sorted(report["left_out"].items())],
        "left_out_text": words("model.data.left_out", lang, n=len(report["left_out"])),
        "warnings": list(dict.fromkeys((*report["warnings"], *manifest.get("warnings", ())))),
        "stale": words("model.data.stale", lang, age=locales.gap(behind, lang))
        if behind is not None and behind > STALE
        else "",
    }


def _newest(history: History) -> dict[str, int]:
    found = {"leads": int(history.created_at.max())} if len(history) else {}
    if len(history.events):
        found["events"] = int(history.events.occurred_at.max())
    if len(history.attributes.valid_from):
        found["attributes"] = int(history.attributes.valid_from.max())
    ended = history.outcomes.at[history.outcomes.at != NEVER]
    return found | ({"outcomes": int(ended.max())} if len(ended) else {})
