"""Which features go with an attribute, an event type or a column of events."""

from __future__ import annotations

import pytest

from features.calendar_days import DAY
from features.definitions import (
    ALL,
    AttributeNumber,
    Called,
    CountWithin,
    DaysSinceCreation,
    Definition,
    Definitions,
    DistinctValues,
    LastCategory,
    LastNumber,
    Selector,
    Share,
    SumWithin,
    Trend,
)
from oracles.leaky_company import LEAKING_EVENT
from training.leakage.sight import Sight
from training.leakage.subjects import Subject, made_of, reading, subject_of, without

PAGE, LEAK = Selector("event_type", "page_viewed"), Selector("event_type", LEAKING_EVENT)
ITEMS: dict[str, Definition] = {
    "attribute": AttributeNumber("revenue"),
    "attribute of their own": AttributeNumber("revenue", called=Called("worth")),
    "pages": CountWithin(PAGE, None),
    "leak": CountWithin(LEAK, 7 * DAY),
    "leak of their own": CountWithin(LEAK, 3 * DAY, called=Called("papers")),
    "items of a leak": LastNumber(LEAK, "items"),
    "items of pages": SumWithin(PAGE, None, "items"),
    "all": CountWithin(ALL, None),
    "trend of all": Trend(ALL, DAY, 7 * DAY),
    "its stage": CountWithin(Selector("stage", "action"), None),
    "another stage": CountWithin(Selector("stage", "awareness"), None),
    "part of all": Share(PAGE, None),
    "last type": LastCategory("event_type", 1, ("page_viewed", LEAKING_EVENT)),
    "types": DistinctValues("event_type", None),
    "age": DaysSinceCreation(),
}


@pytest.mark.parametrize(
    ("subject", "made", "more"),
    [
        (Subject("attribute", "revenue"), {"attribute", "attribute of their own"}, set()),
        (Subject("column of events", "items"), {"items of a leak", "items of pages"}, set()),
        (
            Subject("event type", LEAKING_EVENT),
            {"leak", "leak of their own", "items of a leak"},
            {"all", "trend of all", "its stage", "part of all", "last type", "types"},
        ),
        (Subject("event type", "never seen"), set(), {"all", "trend of all", "part of all", "last type", "types"}),
    ],
)
def test_what_goes_with_a_subject(leaky: Sight, subject: Subject, made: set[str], more: set[str]) -> None:
    definitions, names = Definitions(leaky.history.schema, tuple(ITEMS.values())), list(ITEMS)
    assert {names[place] for place in made_of(definitions, subject)} == made
    gone = reading(definitions, subject, leaky.history)
    assert {names[place] for place in gone} == made | more
    assert {names[place] for place in without(definitions, gone)} == {*names} - made - more


def test_a_feature_made_of_many_types_is_named_itself() -> None:
    assert subject_of(ITEMS["all"]) == Subject("feature", "any.count.ever")
    assert subject_of(ITEMS["its stage"]).about == "feature"
    assert subject_of(ITEMS["age"]).about == "feature"
