"""Reasons told to people: what the explanation, or the points, found, with its sentence in one language."""

from __future__ import annotations

from collections.abc import Sequence

from features.definitions import (
    OTHER,
    AttributeAge,
    AttributeCategory,
    AttributeNumber,
    CountWithin,
    Definition,
    Selector,
)
from features.schema import Schema
from features.wording import Lang, say
from serving.lead_score import Reason, Reasons
from training import explanation
from training.explanation import Explanation
from training.points import PointsReason


def tell(why: Explanation, schema: Schema, lang: Lang) -> Reasons:
    """The reasons of a model's score."""
    return Reasons(
        speak_for=tuple(_reason(each, schema, lang) for each in why.for_),
        speak_against=tuple(_reason(each, schema, lang) for each in why.against),
        other_log_odds=why.other_log_odds,
        base_log_odds=why.base,
        raw_log_odds=why.raw,
    )


def tell_points(points: Sequence[PointsReason], schema: Schema, lang: Lang, *, shown: int) -> Reasons:
    """What points are made of: those given speak for the lead, those taken off against it, the largest first."""
    given = sorted((each for each in points if each.points > 0), key=lambda each: (-each.points, each.feature))
    taken = sorted((each for each in points if each.points < 0), key=lambda each: (each.points, each.feature))
    return Reasons(
        speak_for=tuple(_points_reason(each, schema, lang) for each in given[:shown]),
        speak_against=tuple(_points_reason(each, schema, lang) for each in taken[:shown]),
        other_log_odds=None,
        base_log_odds=None,
        raw_log_odds=None,
    )


def event_definition(event_type: str) -> Definition:
    """All events of a type. A request's types that no rule names come as one type without a printable name."""
    return CountWithin(Selector("event_type", event_type if event_type.isprintable() else OTHER), None)


def _reason(each: explanation.Reason, schema: Schema, lang: Lang) -> Reason:
    return Reason(
        feature=each.feature,
        group=each.group,
        text=say(each.leading, each.value, schema, lang),
        value=each.value,
        log_odds=each.log_odds,
        score_points=each.score_points,
        similar=each.similar,
    )


def _points_reason(each: PointsReason, schema: Schema, lang: Lang) -> Reason:
    definition: Definition
    if each.group == "engagement":
        definition = event_definition(each.feature)
    elif isinstance(each.value, str):
        definition = AttributeCategory(each.feature, schema.categories.get(each.feature, ()))
    elif schema.attributes.get(each.feature) == "date":
        definition = AttributeAge(each.feature)
    else:
        definition = AttributeNumber(each.feature)
    return Reason(
        feature=definition.topic,
        group=each.group,
        text=say(definition, each.value, schema, lang),
        value=each.value,
        log_odds=None,
        score_points=each.points,
        similar=None,
    )
