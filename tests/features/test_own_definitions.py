"""Definitions of a workspace's own: through the one catalogue and the one computation, said in their words."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from features.catalogue import build_catalogue
from features.compute import compute_features
from features.definitions import (
    ALL,
    Called,
    CountWithin,
    DaysSinceLast,
    Definition,
    Definitions,
    LastCategory,
    Selector,
    Share,
    SumWithin,
    definition_from_json,
)
from features.errors import UsageError
from features.model_settings import ModelSettings
from features.moments import Schedule
from features.own_definitions import own_definitions
from features.wording import LANGS, label, say, topic_label
from oracles.made_histories import DAY, SCHEMA, MadeAttributes, MadeEvent, MadeLead, every_definition, history_of

PAGE = Selector("event_type", "page")
LATELY = CountWithin(PAGE, 3 * DAY, called=Called("lately", "pages lately", "最近の閲覧"))
RNG = np.random.default_rng(0)


def lead() -> MadeLead:
    events = tuple(
        MadeEvent(int(RNG.integers(-50 * DAY, 60 * DAY)), str(RNG.choice(SCHEMA.event_types)), texts={"channel": "web"})
        for _ in range(int(RNG.integers(2, 20)))
    )
    return MadeLead(0, events, (MadeAttributes(0, texts={"size": "big"}, numbers={"age": float(RNG.integers(9))}),))


HISTORY = replace(history_of({f"L{i:03}": lead() for i in range(80)}), data_end=400 * DAY)
MOMENTS = Schedule(after_creation=(DAY, 20 * DAY)).moments(HISTORY)


def catalogue(*own: Definition, **settings: tuple[str, ...]) -> Definitions:
    return build_catalogue(HISTORY, MOMENTS, 90 * DAY, ModelSettings(definitions=own, **settings))  # type: ignore[arg-type]


def test_without_settings_the_catalogue_is_that_of_today() -> None:
    assert catalogue() == build_catalogue(HISTORY, MOMENTS, 90 * DAY)


@pytest.mark.parametrize("definition", every_definition(SCHEMA)[::7], ids=lambda each: each.name)
def test_a_name_changes_no_bit_of_what_is_computed_and_survives_json(definition: Definition) -> None:
    named = replace(definition, called=Called("mine", "mine too"))
    both = Definitions(SCHEMA, (definition, named))
    values = compute_features(HISTORY, MOMENTS, both)
    assert np.array_equal(values[:, 0].view(np.int64), values[:, 1].view(np.int64))
    assert definition_from_json(json.loads(json.dumps(named.to_json()))) == named
    assert "called" not in definition.to_json()
    assert (named.name, named.topic, named.plain) == ("mine", "mine", definition)
    assert (named.plain_name, named.plain_topic) == (definition.name, definition.topic)


def test_they_stand_behind_the_attributes_whatever_they_say() -> None:
    never = CountWithin(Selector("event_type", "mail"), 1, called=Called("never"))
    definitions = catalogue(LATELY, never)
    names = [each.name for each in definitions]
    assert names[: names.index("lately")] == [each.name for each in definitions if each.group == "fit"]
    assert names[names.index("lately") + 1] == "never"
    assert Definitions.from_json(json.loads(json.dumps(definitions.to_json()))) == definitions


def test_what_is_computed_by_one_of_them_is_not_computed_again() -> None:
    plain = next(each for each in catalogue() if isinstance(each, CountWithin) and each.selector == PAGE)
    named = replace(plain, called=Called("mine"))
    for own in (plain, named):
        definitions = catalogue(own)
        assert [each.plain for each in definitions].count(plain) == 1
        assert own in list(definitions)


def test_a_category_of_their_own_has_the_values_of_the_tables() -> None:
    (found,) = own_definitions(ModelSettings(definitions=(LastCategory("channel", 2, ()),)), SCHEMA)
    assert found == LastCategory("channel", 2, SCHEMA.event_categories["channel"])


def test_features_left_out_are_not_there() -> None:
    definitions = catalogue(LATELY, leave_out=("page", "fit"), groups=("engagement",))
    assert definitions.names[0] == "lately"
    assert not any(str(getattr(each, "selector", "")) == "page" for each in list(definitions)[1:])
    assert not any(each.group == "fit" for each in definitions)


def test_what_the_tables_do_not_have_is_refused_with_its_line() -> None:
    own = (
        CountWithin(Selector("event_type", "pages"), None),
        CountWithin(Selector("stage", "decisions"), None),
        CountWithin(Selector("plam", "team"), None),
        SumWithin(ALL, None, "amounts"),
        LastCategory("chanel", 1, ()),
        DaysSinceLast(ALL, called=Called("age")),
    )
    places = {f"definitions.{each.name}": f"propensity.toml line {i}" for i, each in enumerate(own, start=1)}
    with pytest.raises(UsageError) as error:
        own_definitions(ModelSettings(definitions=own, places=places), SCHEMA)
    assert [f"{p.where[-1]} {p.found} {p.next_step}" for p in error.value.problems] == [
        '1 where event_type "pages" is not in the tables did you mean "page"?',
        '2 where stage "decisions" is not in the tables did you mean "decision"?',
        '3 where "plam" is not in the tables did you mean "plan"?',
        '4 column "amounts" is not in the tables did you mean "amount"?',
        '5 column "chanel" is not in the tables did you mean "channel"?',
        '6 the name "age" is that of an attribute call it otherwise',
    ]


def test_they_are_said_in_their_words() -> None:
    assert say(LATELY, 3.0, SCHEMA, "en") == "pages lately: 3"
    assert say(LATELY, 0.0, SCHEMA, "ja") == "最近の閲覧：0"
    assert label(LATELY, SCHEMA, "en") == topic_label(LATELY, SCHEMA, "en") == "pages lately"
    since = DaysSinceLast(PAGE, called=Called("last_look"))
    assert say(since, 3.2, SCHEMA, "en") == "last look: 3 days ago"
    assert say(since, None, SCHEMA, "en") == "last look: nothing yet"
    assert say(since, None, SCHEMA, "ja") == "last look：まだなし"
    assert say(Share(PAGE, None, called=Called("part")), 0.25, SCHEMA, "en") == "part: 25%"
    assert say(LastCategory("channel", 1, ("web",), called=Called("way")), 0.0, SCHEMA, "en") == "way: web"


@pytest.mark.parametrize("lang", LANGS)
def test_every_kind_says_every_value_under_a_name_of_its_own(lang: str) -> None:
    for each in every_definition(SCHEMA, windows=(DAY, 7 * DAY)):
        named = replace(each, called=Called("mine"))
        for value in (None, 0.0, 1.0, 0.3):
            if each.categorical and value == 0.3:
                continue
            assert say(named, value, SCHEMA, lang).startswith("mine")  # type: ignore[arg-type]


def test_without_a_name_they_are_said_like_the_others() -> None:
    own = CountWithin(PAGE, 45 * DAY)
    assert own.topic == "page"
    assert "45 days" in say(own, 2.0, SCHEMA, "en")
