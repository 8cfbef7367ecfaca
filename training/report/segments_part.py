"""Does one model hold for every country, language, company size, stage and age? Figures a segment."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from features.schema import Schema
from features.wording.subjects import column_text
from training.intervals import rate
from training.report.written import DASH, count, share, share_spread, spread
from training.segment_names import off_summary, segment_name
from training.segments import BEST, Segment

_TOPICS = ("country", "language", "company size")


def segments_part(about: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """The segments of the test block in groups, and what to make of them; `counted` is False for models of before."""
    found = [Segment.from_json(each) for each in about.get("segments", ())]
    everyone = next((each for each in found if each.by == "all"), None)
    rows = [each for each in found if each.by != "all"]
    top = max((max(each.expected.high, each.converted) / each.leads for each in found), default=1.0) or 1.0
    return {
        "counted": "segments" in about,
        "everyone": None if everyone is None else _row(everyone, "All of them", top),
        "leads": "" if everyone is None else count(everyone.leads),
        "top": share(top),
        "summary": off_summary(found, schema),
        "groups": [
            {"name": _group(next(iter(each)), schema), "rows": [_row(one, _short(one, schema), top) for one in each]}
            for each in (_in_order(list(some)) for _, some in groupby(rows, key=lambda each: (each.by, each.column)))
        ],
        "lacking": _lacking(rows),
        "best": f"{BEST:.0%}",
    }


def _row(each: Segment, name: str, top: float) -> dict[str, Any]:
    came, chosen = rate(each.converted, each.leads), rate(each.best, each.leads)
    said = each.expected.point / each.leads
    low, high = each.expected.low / each.leads, each.expected.high / each.leads
    return {
        "name": name,
        "leads": count(each.leads),
        "said": share(said),
        "came": share(came.point),
        "converted": count(each.converted),
        "expected": f"{count(each.expected.low)} to {count(each.expected.high)}",
        "off": ("more than said" if came.point > said else "fewer than said") if each.off else "",
        "x": round(100 * low / top, 2),
        "width": round(100 * max(high - low, 0.002 * top) / top, 2),
        "at": round(100 * came.point / top, 2),
        "mean": round(100 * said / top, 2),
        "described": f"{share(came.point)} converted; {share(low)} to {share(high)} if the probabilities are true",
        "chosen": share(chosen.point),
        "chosen_range": share_spread(chosen),
        "caught": DASH if not each.converted else share(each.caught / each.converted),
        "caught_of": f"{count(each.caught)} of {count(each.converted)}" if each.converted else "",
        "ranking": DASH if each.ranking is None else f"{each.ranking.point:.2f}",
        "ranking_range": spread(each.ranking, ".2f"),
        "blind": each.ranking is not None and each.ranking.low <= 0.5,
    }


def _in_order(rows: list[Segment]) -> list[Segment]:
    """Values that begin with a number, as sizes do, in the order of these numbers; others as they come, commonest first."""
    begins = {each.value: re.match(r"\d+", each.value.replace(",", "")) for each in rows}
    if rows[0].by != "attribute" or any(value and found is None for value, found in begins.items()):
        return rows
    return sorted(rows, key=lambda each: math.inf if (found := begins[each.value]) is None else int(found[0]))


def _short(each: Segment, schema: Schema) -> str:
    """The segment's name below the name of its group."""
    told = segment_name(each.by, each.column, each.value, schema, "en")
    _, colon, rest = told.partition(": ")
    return rest if colon and each.by in ("attribute", "stage") else told


def _group(each: Segment, schema: Schema) -> str:
    if each.by == "stage":
        return "Furthest stage, last 90 days"
    if each.by == "age":
        return "Time since the lead came in"
    named = column_text(each.column, schema, "en")
    return named[:1].upper() + named[1:]


def _lacking(rows: Sequence[Segment]) -> str:
    """Which of country, language and company size no column tells."""
    missing = [topic for topic in _TOPICS if not any(each.topic == topic for each in rows)]
    if not missing or not rows:
        return ""
    named = missing[0] if len(missing) == 1 else f"{', '.join(missing[:-1])} and {missing[-1]}"
    return f"No column with enough leads tells {named}: of that nothing can be said."
