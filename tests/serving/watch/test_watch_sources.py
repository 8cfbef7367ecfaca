"""Sources against their own past: what falls silent is found, what always came and went is let be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.calendar_days import DAY, HOUR
from features.history import NEVER, History
from features.one_lead import RawEvent, RawLead, history_of_leads
from features.schema import Schema
from serving.watch_figures import Source
from serving.watch_sources import new_types, sources

SCHEMA = Schema(event_types=("call", "page"), event_categories={"channel": ("web",)})
NOW = 400 * DAY
TRAINED = 300 * DAY


def history(**events: NDArray[np.int64]) -> History:
    """One lead with events of these types at these times."""
    rows = [RawEvent(name, int(at), channel="web") for name, times in events.items() for at in times]
    made = history_of_leads(SCHEMA, [RawLead("a", DAY, events=rows)], as_of=NOW, named_types=tuple(events))
    ended = replace(made.outcomes, at=np.array([NEVER]), known_at=np.array([NEVER]))
    return replace(made, outcomes=ended)


def every(hours: float, until: int = NOW, begin: int = DAY) -> NDArray[np.int64]:
    return np.arange(begin, until, int(hours * HOUR))


def found(history: History) -> dict[str, Source]:
    return {each.name: each for each in sources(history, now=NOW, trained_until=TRAINED)}


def test_a_steady_type_that_goes_on_is_not_quiet() -> None:
    told = found(history(page=every(5), call=every(40)))
    assert not any(each.quiet for each in told.values())
    assert {name: each.kind for name, each in told.items()} == {
        "events": "table",
        "page": "event_type",
        "call": "event_type",
        "web": "channel",
    }


def test_a_type_is_quiet_after_twice_its_longest_pause_and_two_days() -> None:
    # a pause of four days is usual here: eight days of silence are not too long, nine are
    for days, quiet in ((7.9, False), (8.2, True)):
        at = every(96, until=NOW - int(days * DAY) + 1)
        shifted = at + (NOW - int(days * DAY) - int(at[-1]))
        assert found(history(page=every(5), call=shifted))["call"].quiet is quiet
    hourly = every(1, until=NOW - DAY)
    assert not found(history(page=hourly))["page"].quiet
    assert found(history(page=every(1, until=NOW - 3 * DAY)))["page"].quiet


def test_a_week_with_a_trickle_is_quiet_too() -> None:
    full, trickle = every(2, until=NOW - 7 * DAY), every(24, begin=NOW - 7 * DAY)
    told = found(history(page=np.concatenate([full, trickle])))["page"]
    assert (told.recent, told.least) == (7, 84)
    assert told.quiet


def test_a_source_that_had_ended_before_the_training_is_no_news() -> None:
    assert "call" not in found(history(page=every(5), call=every(5, until=TRAINED - 30 * DAY)))
    assert found(history(page=every(5), call=every(5, until=TRAINED + 30 * DAY)))["call"].quiet


def test_rare_sources_have_no_past_to_be_held_against() -> None:
    assert "call" not in found(history(page=every(5), call=every(400)))


def manifest(*types: str) -> dict[str, Any]:
    return {"tables": {"event_types": dict.fromkeys(types, 1)}, "data_end": TRAINED}


def test_types_that_no_table_held_at_the_training_are_new() -> None:
    made = history(page=every(5), pv=every(20, begin=NOW - 20 * DAY), rare=every(300))
    (new,) = new_types(made, manifest("page", "rare"), now=NOW)
    assert (new.name, new.events) == ("pv", 24)
    recent = sum(
        int((each >= NOW - 30 * DAY).sum()) for each in (every(5), every(20, begin=NOW - 20 * DAY), every(300))
    )
    assert new.share == 24 / recent
    assert new_types(made, manifest("page", "rare", "pv"), now=NOW) == ()


def test_a_new_type_that_stopped_long_ago_is_not_told_again() -> None:
    made = history(page=every(5), pv=every(20, begin=TRAINED + DAY, until=TRAINED + 9 * DAY))
    assert new_types(made, manifest("page"), now=NOW) == ()
