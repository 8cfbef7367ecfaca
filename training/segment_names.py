"""What segments are called, in reports and on pages."""

from __future__ import annotations

from collections.abc import Sequence

from features.schema import Schema
from features.wording import Lang, duration, message, number, value_text
from features.wording.subjects import column_text
from training.segments import By, Segment


def segment_name(by: By, column: str, value: str, schema: Schema, lang: Lang) -> str:
    """A segment in words: "country: Japan", "Furthest stage: decision". Its parts are those of `training.segments.Segment`."""
    if by == "all":
        return message("segment.all", lang)
    if by == "attribute":
        told = value_text(column, value, schema, lang) if value else message("value.unknown", lang)
        return message("segment.attribute", lang, column=column_text(column, schema, lang), value=told)
    if by == "age":
        return message("segment.age", lang, age=duration(int(value), lang))
    if not value:
        return message("segment.no_stage", lang)
    return message("segment.stage", lang, stage=value_text("stage", value, schema, lang))


def off_summary(found: Sequence[Segment], schema: Schema) -> str:
    """Which segments converted otherwise than said, beyond chance: a sentence or two; "" where none was looked at."""
    told = [
        f"{segment_name(each.by, each.column, each.value, schema, 'en')} ({number(each.converted, 'en')} converted, "
        f"{number(round(each.expected.point, 1), 'en')} expected)"
        for each in found
        if each.off
    ]
    if not found:
        return ""
    if not told:
        return f"Each of the {len(found)} segments converted as its probabilities allow for."
    named = "; ".join(told[:3]) + (f"; and {len(told) - 3} more" if len(told) > 3 else "")
    return f"{len(told)} of the {len(found)} segments did not convert as said, beyond chance: {named}."
