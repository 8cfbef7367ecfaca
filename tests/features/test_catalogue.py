"""The definitions that a workspace gives rise to."""

from dataclasses import replace

import numpy as np
import pytest

from features.catalogue import MOST, build_catalogue, choose_windows
from features.definitions import CountWithin, Definitions
from features.history import History
from features.moments import Schedule
from oracles.made_histories import SCHEMA, MadeAttributes, MadeEvent, MadeLead, history_of

HOUR = 3_600_000_000
DAY = 24 * HOUR


def made(n_leads: int = 60, *, types: int = 3, days: int = 120, seed: int = 0) -> History:
    rng = np.random.default_rng(seed)
    names = [f"type_{i}" for i in range(types)]
    schema = replace(
        SCHEMA, event_types=tuple(names), stages={names[0]: "awareness", names[-1]: "decision"}, zone="UTC"
    )

    def lead() -> MadeLead:
        events = tuple(
            MadeEvent(
                int(rng.integers(-days * DAY, 60 * DAY)),
                names[int(rng.integers(types))],
                texts={"channel": str(rng.choice(["mail", "web"]))},
                numbers={"value": float(rng.integers(1, 9))},
            )
            for _ in range(int(rng.integers(5, 30)))
        )
        attributes = (MadeAttributes(0, texts={"segment": str(rng.choice(["a", "b"]))}),)
        return MadeLead(created_at=0, events=events, attributes=attributes)

    return replace(history_of({f"L{i:04}": lead() for i in range(n_leads)}, schema), data_end=400 * DAY)


def catalogue(history: History, horizon: int) -> Definitions:
    return build_catalogue(history, Schedule.silent(horizon, has_events=True).moments(history), horizon)


@pytest.mark.parametrize("horizon", [3 * HOUR, 7 * DAY, 90 * DAY, 365 * DAY])
def test_windows_follow_the_horizon_and_what_histories_span(horizon: int) -> None:
    history = made()
    windows = choose_windows(history, Schedule.silent(horizon, has_events=True).moments(history), horizon)
    assert 1 <= len(windows) <= 7
    assert list(windows) == sorted(set(windows))
    assert windows[0] >= min(horizon // 90, HOUR)
    assert catalogue(history, horizon)


def test_windows_longer_than_the_histories_are_left_out() -> None:
    history = made(days=5)
    moments = Schedule(after_creation=(HOUR,)).moments(history)
    assert max(choose_windows(history, moments, 30 * DAY)) <= 5 * DAY


def test_however_many_types_there_are_the_catalogue_stays_bounded_and_all_attributes_stand_in_it() -> None:
    definitions = catalogue(made(n_leads=200, types=60), 90 * DAY)
    fit = [each for each in definitions if each.group == "fit"]
    assert len(definitions) - len(fit) <= MOST
    assert {each.name for each in fit} == set(SCHEMA.attributes)


def test_the_plain_ones_come_before_the_fine_ones() -> None:
    definitions = catalogue(made(n_leads=200, types=60), 90 * DAY)
    assert "any.count.ever" in definitions.names
    assert "any.since_last" in definitions.names


def test_what_is_constant_or_known_for_few_leads_is_left_out() -> None:
    history = made(n_leads=600)
    rare = history.events.codes.copy()
    rare[0][rare[0] == 2] = 1
    rare[0][:3] = 2  # type_2 now stands for at most three leads
    history = replace(history, events=replace(history.events, codes=rare))
    names = catalogue(history, 90 * DAY).names
    assert any(name.startswith("type_1.") for name in names)
    assert not any(name.startswith("type_2.") for name in names)


def test_one_type_alone_is_named_and_not_said_twice() -> None:
    definitions = catalogue(made(types=1), 90 * DAY)
    assert "type_0.count.ever" in definitions.names
    assert "any.count.ever" not in definitions.names


def test_a_history_without_events_has_its_attributes() -> None:
    history = history_of({f"L{i}": MadeLead(0, attributes=(MadeAttributes(0),)) for i in range(30)}, SCHEMA)
    history = replace(history, data_end=400 * DAY)
    moments = Schedule.silent(90 * DAY, has_events=False).moments(history)
    definitions = build_catalogue(history, moments, 90 * DAY)
    assert {each.name for each in definitions} == set(SCHEMA.attributes)


def test_labels_and_the_order_of_rows_play_no_part() -> None:
    history = made()
    won = replace(history.outcomes, converted=np.ones(len(history), dtype=np.bool_))
    assert catalogue(history, 90 * DAY) == catalogue(replace(history, outcomes=won), 90 * DAY)
    assert any(isinstance(each, CountWithin) for each in catalogue(history, 90 * DAY))
