"""Events of one instant stand in the canonical order, whatever the order they were told in.

Random histories seldom hold two events that differ in nothing but a late part of the key, so that the order of ties
needs a test that lays them out.
"""

from __future__ import annotations

from itertools import permutations

import numpy as np

from features.one_lead import RawEvent, RawLead, history_of_leads
from features.schema import Schema

SCHEMA = Schema(
    event_types=("call", "page"),
    event_numbers=("value", "amount"),
    event_categories={"channel": ("mail", "web"), "plan": ("pro", "team")},
)

# in canonical order: recorded_at, event_type, channel, value, amount, plan; missing before known. Each event stands
# before the next by one part of the key alone, and every later part would put it behind.
IN_ORDER = [
    RawEvent("page", 10, 11, 2.0, "web", {"amount": 2.0, "plan": "team"}),
    RawEvent("call", 10, 12, 2.0, "web", {"amount": 2.0, "plan": "team"}),
    RawEvent("page", 10, 12, 2.0, None, {"amount": 2.0, "plan": "team"}),
    RawEvent("page", 10, 12, 2.0, "mail", {"amount": 2.0, "plan": "team"}),
    RawEvent("page", 10, 12, None, "web", {"amount": 2.0, "plan": "team"}),
    RawEvent("page", 10, 12, 1.0, "web", {"amount": 1.0, "plan": "team"}),
    RawEvent("page", 10, 12, 1.0, "web", {"amount": 2.0, "plan": "pro"}),
    RawEvent("page", 10, 12, 1.0, "web", {"amount": 2.0, "plan": "team"}),
]


def test_events_of_one_instant_stand_in_canonical_order() -> None:
    as_told = [_told(event) for event in IN_ORDER]
    shifts = [IN_ORDER[i:] + IN_ORDER[:i] for i in range(len(IN_ORDER))]
    for events in [*shifts, *(each[::-1] for each in shifts), *map(list, permutations(IN_ORDER[2:6]))]:
        history = history_of_leads(SCHEMA, [RawLead("a", 0, events=events)], as_of=100)
        found = history.events
        rows = [
            (
                int(found.known_at[i]),
                *found.codes[:, i].tolist(),
                *np.nan_to_num(found.numbers[:, i], nan=-1.0).tolist(),
            )
            for i in range(len(found))
        ]
        assert rows == [row for row in as_told if row in rows]


def _told(event: RawEvent) -> tuple[float, ...]:
    types, channels, plans = SCHEMA.event_types, SCHEMA.event_categories["channel"], SCHEMA.event_categories["plan"]
    channel = -1 if event.channel is None else channels.index(event.channel)
    plan, amount = event.properties["plan"], event.properties["amount"]
    value = -1.0 if event.value is None else event.value
    assert isinstance(plan, str)
    assert isinstance(amount, float)
    assert event.recorded_at is not None
    return (event.recorded_at, types.index(event.event_type), channel, plans.index(plan), value, amount)
