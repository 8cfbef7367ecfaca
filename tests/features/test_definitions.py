"""Definitions as data."""

import json

import pytest

from features.definitions import (
    ALL,
    KINDS,
    CountWithin,
    Definition,
    Definitions,
    Selector,
    Trend,
    definition_from_json,
)
from features.durations import duration_text
from oracles.made_histories import SCHEMA, every_definition


@pytest.mark.parametrize("definition", every_definition(SCHEMA), ids=lambda each: each.name)
def test_a_definition_survives_its_json(definition: Definition) -> None:
    assert definition_from_json(json.loads(json.dumps(definition.to_json()))) == definition


def test_every_kind_stands_among_the_definitions_that_tests_use() -> None:
    assert {type(each) for each in every_definition(SCHEMA)} == set(KINDS.values())


def test_definitions_survive_their_json() -> None:
    definitions = Definitions(SCHEMA, every_definition(SCHEMA))
    assert Definitions.from_json(json.loads(json.dumps(definitions.to_json()))) == definitions


def test_two_definitions_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="share a name"):
        Definitions(SCHEMA, (CountWithin(ALL, None), CountWithin(ALL, None)))


def test_nonsense_is_refused_when_it_is_built() -> None:
    with pytest.raises(ValueError, match="positive"):
        CountWithin(ALL, 0)
    with pytest.raises(ValueError, match="shorter"):
        Trend(ALL, 5, 5)
    with pytest.raises(ValueError, match="a column and a value"):
        Selector("event_type", "")
    with pytest.raises(ValueError, match="not a definition"):
        definition_from_json({"kind": "CountWithin"})


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [(86_400_000_000 * 90, "90d"), (3_600_000_000 * 36, "36h"), (1, "1us"), (60_000_000, "1m")],
)
def test_durations_are_named_in_the_largest_unit_that_divides_them(microseconds: int, text: str) -> None:
    assert duration_text(microseconds) == text
