"""A history made of what a request tells is the history that the same rows make."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from features.compute import compute_features
from features.definitions import CountWithin, Definitions, Selector
from features.moments import Moments
from features.one_lead import RawEvent, RawLead, history_of_leads
from oracles.made_histories import SCHEMA, Made, MadeLead, every_definition, made

ALL_OF_THEM = Definitions(SCHEMA, every_definition(SCHEMA))


def told(lead_id: str, lead: MadeLead) -> RawLead:
    """The made lead as a request would tell it: without attribute changes, which a request has no place for."""
    return RawLead(
        lead_id=lead_id,
        created_at=lead.created_at,
        events=[
            RawEvent(
                event_type=event.event_type,
                occurred_at=event.occurred_at,
                recorded_at=event.recorded_at,
                value=event.numbers.get("value"),
                channel=event.texts.get("channel"),
                properties={
                    **{name: text for name, text in event.texts.items() if name != "channel"},
                    **{name: number for name, number in event.numbers.items() if name != "value"},
                },
            )
            for event in lead.events
        ],
    )


def plain(case: Made) -> Made:
    """Without what a request cannot tell: changes of attributes, and a zero with a sign."""

    def lead(old: MadeLead) -> MadeLead:
        events = tuple(
            replace(event, numbers={k: v + 0.0 for k, v in event.numbers.items() if v == v}) for event in old.events
        )
        return replace(old, events=events, attributes=())

    return replace(case, leads={each: lead(old) for each, old in case.leads.items()})


@given(case=made(max_leads=3))
def test_told_leads_have_the_features_of_the_same_rows_in_tables(case: Made) -> None:
    case = plain(case)
    history, moments = case.history, case.moments
    from_request = history_of_leads(SCHEMA, [told(each, lead) for each, lead in case.leads.items()], as_of=0)
    expected = compute_features(history, moments, ALL_OF_THEM)
    found = compute_features(from_request, moments, ALL_OF_THEM)
    assert (found.view(np.int64) == expected.view(np.int64)).all()


@given(order=st.permutations(range(4)))
def test_of_events_with_one_id_the_first_recorded_counts_in_any_order(order: list[int]) -> None:
    events = [
        RawEvent("page", 10, recorded_at=40, event_id="e1", value=1.0),
        RawEvent("page", 10, recorded_at=20, event_id="e1", value=2.0),
        RawEvent("page", 10, recorded_at=30, event_id="e2"),
        RawEvent("page", 10),
    ]
    lead = RawLead("a", created_at=0, events=[events[i] for i in order])
    history = history_of_leads(SCHEMA, [lead], as_of=100)
    assert len(history.events) == 3
    assert sorted(history.events.known_at.tolist()) == [10, 20, 30]
    assert 2.0 in history.events.numbers[0]
    assert 1.0 not in history.events.numbers[0]


def test_leads_are_found_by_their_ids_whatever_their_order() -> None:
    history = history_of_leads(SCHEMA, [RawLead("b", 5), RawLead("a", 7)], as_of=100)
    assert history.positions(np.array(["a", "b", "c"], dtype=object)).tolist() == [0, 1, -1]
    assert history.created_at.tolist() == [7, 5]


def test_a_type_that_only_a_rule_knows_keeps_its_name() -> None:
    lead = RawLead("a", 0, events=[RawEvent("contact_sales", 10), RawEvent("something else", 11)])
    history = history_of_leads(SCHEMA, [lead], as_of=100, named_types=("contact_sales",))
    vocabulary = history.events.vocabularies[0]
    assert next(vocabulary[code] for code in history.events.codes[0]) == "contact_sales"
    assert "something else" not in vocabulary


def test_a_value_that_the_model_never_saw_is_unknown() -> None:
    lead = RawLead("a", 0, attributes={"segment": "never seen", "age": 3}, events=[RawEvent("new", 10, channel="new")])
    history = history_of_leads(SCHEMA, [lead], as_of=100)
    other = Definitions(SCHEMA, (CountWithin(Selector("event_type", "(other)"), None),))
    assert compute_features(history, Moments(np.array([0]), np.array([50])), other).tolist() == [[1.0]]
    assert history.attributes.codes[0].tolist() == [-1]
    assert history.events.codes[1].tolist() == [-1]
