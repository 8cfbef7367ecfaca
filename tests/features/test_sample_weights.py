"""Weights of moments: as the toml says, of what was known at them, and of nothing later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.definitions import Called, CountWithin, LastCategory, Selector
from features.errors import UsageError
from features.model_settings import NOTHING_SAID, ModelSettings, SampleWeights
from features.moments import Moments
from features.sample_weights import LEAST_BY_AGE, weigh, weight_rules
from oracles.made_histories import DAY, SCHEMA, MadeAttributes, MadeEvent, MadeLead, history_of, made

LATELY = CountWithin(Selector("event_type", "page"), 3 * DAY, called=Called("lately"))


def weights(lead: MadeLead, as_of: tuple[int, ...], **told: object) -> list[float]:
    history = history_of({"L": lead}, SCHEMA)
    settings = ModelSettings(weights=SampleWeights(**told), definitions=(LATELY,))  # type: ignore[arg-type]
    found = weigh(history, Moments(np.zeros(len(as_of), np.int64), np.array(as_of, dtype=np.int64)), settings)
    assert found is not None
    return found.weight.tolist()


def known(at: int, **cells: float | str) -> MadeAttributes:
    texts = {name: cell for name, cell in cells.items() if isinstance(cell, str)}
    return MadeAttributes(at, texts=texts, numbers={k: float(v) for k, v in cells.items() if not isinstance(v, str)})


def test_silence_weighs_nothing() -> None:
    history = history_of({"L": MadeLead(0)}, SCHEMA)
    assert weigh(history, Moments(np.array([0]), np.array([DAY])), NOTHING_SAID) is None


def test_each_half_life_of_age_halves_the_weight_down_to_a_thousandth() -> None:
    found = weights(MadeLead(0), (1 * DAY, 90 * DAY, 99 * DAY, 100 * DAY), half_life=10 * DAY)
    assert found == pytest.approx([2**-9.9, 0.5, 2**-0.1, 1.0])
    assert weights(MadeLead(0), (DAY, 900 * DAY), half_life=DAY)[0] == LEAST_BY_AGE


def test_a_category_weighs_by_its_value_as_it_was_known_at_the_moment() -> None:
    lead = MadeLead(0, attributes=(known(0, size="small"), known(5 * DAY, size="big")))
    assert weights(lead, (DAY, 9 * DAY), attributes={"size": {"big": 3.0}}) == [1.0, 3.0]
    assert weights(MadeLead(0), (DAY,), attributes={"size": {"big": 3.0}}) == [1.0]


def test_a_number_weighs_from_each_value_on() -> None:
    lead = MadeLead(0, attributes=tuple(known(day * DAY, age=day) for day in range(6)))
    told = {"age": {"4": 4.0, "2": 2.0}}
    as_of = tuple(day * DAY + 1 for day in range(6))
    assert weights(lead, as_of, attributes=told) == [1.0, 1.0, 2.0, 2.0, 4.0, 4.0]
    assert weights(MadeLead(0), (DAY,), attributes=told) == [1.0]


def test_an_event_type_weighs_by_how_often_it_was_done() -> None:
    lead = MadeLead(0, events=(MadeEvent(2 * DAY), MadeEvent(4 * DAY)))
    assert weights(lead, (DAY, 3 * DAY, 5 * DAY), events={"page": {"1": 2.0, "2": 3.0}}) == [1.0, 2.0, 3.0]


def test_a_definition_of_ones_own_weighs_too_and_all_that_applies_is_multiplied() -> None:
    lead = MadeLead(0, events=(MadeEvent(2 * DAY),), attributes=(known(0, size="big"),))
    told = {"definitions": {"lately": {"1": 5.0}}, "attributes": {"size": {"big": 2.0}}}
    assert weights(lead, (DAY, 3 * DAY, 9 * DAY), **told) == [2.0, 10.0, 2.0]


def test_how_many_moments_each_rule_met_and_what_all_are_worth() -> None:
    lead = MadeLead(0, events=(MadeEvent(2 * DAY),))
    history = history_of({"L": lead, "M": MadeLead(0)}, SCHEMA)
    settings = ModelSettings(weights=SampleWeights(events={"page": {"1": 3.0, "7": 9.0}}))
    found = weigh(history, Moments(np.array([0, 0, 1, 1]), np.array([1, 3, 1, 3]) * DAY), settings)
    assert found is not None
    assert found.moments == {"events.page": {"1": 1, "7": 0}}
    assert found.worth == pytest.approx(6.0**2 / (3 + 9))


@settings(max_examples=60)
@given(case=made(max_leads=2), cut=st.integers(0, 400))
def test_what_comes_later_changes_no_weight(case: object, cut: int) -> None:
    """Rows whose own or recorded time is at or after the moment are taken away: all else stays."""
    history, moments = case.history, case.moments  # type: ignore[attr-defined]
    if not len(moments):
        return
    one = moments.take(np.array([cut % len(moments)]))
    as_of, place = int(one.as_of[0]), int(one.lead[0])
    name = history.lead_ids[place]
    old = case.leads[name]  # type: ignore[attr-defined]
    seen = replace(
        old,
        events=tuple(each for each in old.events if max(each.occurred_at, each.recorded) < as_of),
        attributes=tuple(each for each in old.attributes if max(each.valid_from, each.recorded) < as_of),
    )
    steps: Mapping[str, Mapping[str, float]] = {"age": {"0": 2.0, "5": 3.0}, "size": {"big": 1.5}}
    settings = ModelSettings(
        weights=SampleWeights(
            attributes=steps, events={"page": {"1": 2.0, "3": 4.0}}, definitions={"lately": {"1": 7.0}}
        ),
        definitions=(LATELY,),
    )
    before = weigh(history, one, settings)
    after = weigh(history_of({name: seen}, SCHEMA), Moments(np.zeros(1, np.int64), one.as_of), settings)
    assert before is not None
    assert after is not None
    assert before.weight.tolist() == after.weight.tolist()


def test_what_the_tables_do_not_have_is_refused() -> None:
    settings = ModelSettings(
        weights=SampleWeights(
            attributes={"sise": {"big": 2.0}, "size": {"bigg": 2.0}, "age": {"old": 2.0}},
            events={"pages": {"1": 2.0}},
            definitions={"late": {"1": 2.0}, "way": {"x": 2.0}},
        ),
        definitions=(LATELY, LastCategory("channel", 1, (), called=Called("way"))),
        places={"weights.attributes.size": "propensity.toml line 7"},
    )
    with pytest.raises(UsageError) as error:
        weight_rules(settings, SCHEMA)
    assert [f"{p.where} {p.found} {p.next_step}".strip() for p in error.value.problems] == [
        'weights for "sise", which is not in the tables did you mean "size"?',
        'propensity.toml line 7 no "bigg" of "size" in the tables did you mean "big"?',
        '"old" of "age" is no number',
        'weights for "pages", which is not in the tables did you mean "page"?',
        'weights for "late", which is not in the tables did you mean "lately"?',
        'no "x" of "way" in the tables',
    ]
