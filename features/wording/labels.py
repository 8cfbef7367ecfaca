"""What features and topics are called, in plots, tables and above pooled reasons."""

from __future__ import annotations

from collections.abc import Mapping

from features.definitions import (
    AttributeAge,
    CountWithin,
    DaysSinceCreation,
    DaysSinceFirst,
    DaysSinceLast,
    DecayedCount,
    Definition,
    DistinctDays,
    DistinctValues,
    LastCategory,
    LastGap,
    LastNumber,
    MaxWithin,
    MeanGap,
    MeanWithin,
    Sessions,
    Share,
    SumWithin,
    Trend,
)
from features.schema import Schema
from features.wording import formats
from features.wording.sentences import position, span
from features.wording.subjects import called_text, column_text, fill, subject
from features.wording.texts import Lang, text

_KEYS: Mapping[type[Definition], str] = {
    CountWithin: "count",
    DistinctDays: "days",
    Sessions: "sessions",
    Share: "share",
    SumWithin: "sum",
    MeanWithin: "mean",
    MaxWithin: "max",
    LastNumber: "last_number",
    DaysSinceLast: "since_last",
    DaysSinceFirst: "since_first",
    MeanGap: "mean_gap",
    LastGap: "last_gap",
    Trend: "trend",
    DecayedCount: "decayed",
    AttributeAge: "attribute_age",
    DaysSinceCreation: "created",
}


def label(definition: Definition, schema: Schema, lang: Lang) -> str:
    """Name of a feature: "viewed the pricing page: count, last 7 days"."""
    if definition.called:
        return called_text(definition.called, lang)
    words: dict[str, str] = {}
    column = getattr(definition, "column", "")
    if column:
        words["column"] = words["name"] = column_text(column, schema, lang)
    if hasattr(definition, "selector"):
        words["topic"] = subject(definition.selector, schema, lang)[1]["topic"]
    if hasattr(definition, "window"):
        words["span"] = span(definition.window, lang, "label")
    key = _KEYS.get(type(definition), "attribute")
    match definition:
        case Trend(_, short, long):
            words |= {"short": formats.window(short, lang), "long": formats.window(long, lang)}
        case DecayedCount(_, half_life):
            words["half_life"] = formats.duration(half_life, lang)
        case LastCategory(_, nth, _):
            words["position"] = position(nth, lang)
            key = "last_event" if column == "event_type" else "last_column"
        case DistinctValues():
            key = _distinct_key(column)
    return fill(text(f"label.{key}", lang), words)


def topic_label(definition: Definition, schema: Schema, lang: Lang) -> str:
    """What a definition's topic is about, the same for all definitions of one topic: "viewed the pricing page"."""
    if definition.called:
        return called_text(definition.called, lang)
    column = getattr(definition, "column", "")
    words = {"column": column_text(column, schema, lang) if column else ""}
    match definition:
        case DaysSinceCreation():
            return text("topic.created", lang)
        case LastCategory():
            return fill(text("topic.last_event" if column == "event_type" else "topic.last_column", lang), words)
        case DistinctValues():
            return fill(text(f"topic.{_distinct_key(column)}", lang), words)
    if not hasattr(definition, "selector"):
        return words["column"]
    topic = subject(definition.selector, schema, lang)[1]["topic"]
    if column and column != "value":  # as `Definition.topic`: the value belongs to the event itself
        return fill(text("topic.of_column", lang), words | {"topic": topic})
    return topic


def _distinct_key(column: str) -> str:
    return {"event_type": "distinct_types", "channel": "distinct_channels"}.get(column, "distinct_column")
