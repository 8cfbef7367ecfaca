"""What the model learned from, and what the guard made of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from features.wording import duration
from training.bundle import Bundle
from training.report.written import count, day, share

MOST = 30
"""Of a long list so many are named."""


def data_part(bundle: Bundle) -> dict[str, Any]:
    """Counts, times, tables, what was set aside and left out."""
    about, evaluation, scorer = bundle.manifest, bundle.evaluation, bundle.scorer
    zone = scorer.definitions.schema.zone
    parts = about.get("split", {})
    tables = about.get("tables", {})
    left_out = sorted(tables.get("left_out", {}).items())
    return {
        "facts": _facts(bundle, zone),
        "tested": f"Tested on {count(evaluation.moments)} moments of {count(evaluation.leads)} leads, "
        f"{count(evaluation.converted_leads)} of which converted. Conversion rate before the test: "
        f"{share(evaluation.base_rate)}; in it: {share(evaluation.converted / evaluation.moments)}.",
        "split": list(parts.get("words", ())),
        "span": _span(about, zone),
        "tables": [_table(name, each) for name, each in tables.get("tables", {}).items()],
        "aside": [
            {"n": count(n), "table": name, "why": why}
            for name, each in tables.get("tables", {}).items()
            for why, n in sorted(each["rejected"].items(), key=lambda pair: -pair[1])
        ],
        "left_out": [{"column": column, "why": why} for column, why in left_out[:MOST]],
        "left_out_more": len(left_out) - MOST if len(left_out) > MOST else 0,
        "left_out_all": len(left_out),
        "warnings": list(dict.fromkeys((*about.get("warnings", ()), *tables.get("warnings", ())))),
    }


def guard_part(about: Mapping[str, Any]) -> dict[str, Any]:
    """What the guard found, the weightiest first; `looked` is False for models of before there was one."""
    found = about.get("guard")
    rows = [
        {
            "severity": each["severity"],
            "subject": each["subject"],
            "about": each.get("about", ""),
            "sentence": each["sentence"],
            "setting": each.get("setting", ""),
            "left_out": each.get("left_out", False),
            "trusted": each.get("trusted") or "",
        }
        for each in found or ()
    ]
    subjects = {
        "left out of the features": [each["subject"] for each in rows if each["left_out"]],
        "used since the workspace trusts it": [each["subject"] for each in rows if each["trusted"]],
        "used, and worth a look": [each["subject"] for each in rows if not each["left_out"] and not each["trusted"]],
    }
    told = [f"{what}: {_named(list(dict.fromkeys(names)))}" for what, names in subjects.items() if names]
    return {
        "looked": found is not None,
        "rows": rows,
        "summary": f"Of what smells of the future is {'; '.join(told)}." if told else "Nothing smells of the future.",
    }


def _named(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _facts(bundle: Bundle, zone: str) -> list[tuple[str, str]]:
    about, scorer = bundle.manifest, bundle.scorer
    facts = [("Converted means", f"“{about.get('converted', '?')}” within {duration(scorer.horizon, 'en')}")]
    if "settled_moments" in about:
        text = count(about["settled_moments"])
        if "first_moment" in about:
            text += f" settled ones, {day(about['first_moment'], zone)} to {day(about['last_moment'], zone)}"
        facts.append(("Moments", text))
    if "unsettled_moments" in about:
        facts.append(("Not settled yet", f"{count(about['unsettled_moments'])} moments, left for later"))
    if about.get("before_recording"):
        facts.append(("Before recording", f"{count(about['before_recording'])} moments, left out"))
    if "leads" in about:
        facts.append(("Leads", f"{count(about['leads'])}, of which {count(about['converted_leads'])} converted"))
    facts.append(("Average rate", f"{share(scorer.average)} of the moments were followed by a conversion"))
    facts.append(("Features", f"{len(scorer.definitions)}, from attributes and events"))
    facts.append(("Tables complete until", day(about["data_end"], zone)) if "data_end" in about else ("Zone", zone))
    return facts


def _table(name: str, each: Mapping[str, Any]) -> dict[str, str]:
    return {
        "name": name,
        "files": ", ".join(each["files"][:3])
        + (f" and {len(each['files']) - 3} more" if len(each["files"]) > 3 else ""),
        "rows": count(each["rows"]),
        "used": count(each["accepted"]),
        "aside": count(sum(each["rejected"].values())),
    }


def _span(about: Mapping[str, Any], zone: str) -> list[dict[str, Any]]:
    """Where fitted and tested moments lie between the first and the last one, in hundredths; nothing by lead alone."""
    parts = about.get("split", {})
    if parts.get("kind") not in ("time", "time and lead"):
        return []
    begin, end = int(parts["first_fit"]), int(parts["last_test"])
    width = max(end - begin, 1)

    def place(instant: int) -> float:
        return round(100 * (int(instant) - begin) / width, 2)

    return [
        {
            "name": name,
            "kind": kind,
            "x": place(parts[first]),
            "width": max(place(parts[last]) - place(parts[first]), 0.5),
            "said": f"{day(parts[first], zone)} to {day(parts[last], zone)}",
        }
        for name, kind, first, last in (
            ("fitted", "is-fit", "first_fit", "last_fit"),
            ("tested", "is-test", "first_test", "last_test"),
        )
    ]
