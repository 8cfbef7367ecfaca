"""The compiled pass and the plain Python oracle agree bit for bit, and nothing that is not known changes a bit."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from features.compute import LEADS_A_CHUNK, compute_features
from features.definitions import (
    ALL,
    KINDS,
    CountWithin,
    DaysSinceLast,
    DecayedCount,
    Definitions,
    DistinctDays,
    Selector,
)
from features.history import History
from features.moments import Moments
from oracles.made_histories import (
    DAY,
    HOUR,
    SCHEMA,
    WINDOWS,
    YEAR_1,
    YEAR_9999,
    Made,
    MadeAttributes,
    MadeEvent,
    MadeLead,
    busy_lead,
    chosen_definitions,
    every_definition,
    history_of,
    instants,
    made,
    made_attributes,
    made_events,
    moments_of,
)
from oracles.plain_features import HALF_POWERS, half_power, plain_features

ALL_DEFINITIONS = Definitions(SCHEMA, every_definition(SCHEMA))
calmly = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def bits(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """The 64 bits of each float, all NaN made one: a computed NaN's sign and payload are the processor's business."""
    return np.where(np.isnan(values), np.nan, values).view(np.int64)


def computed(
    history: History, moments: Moments, definitions: Definitions, threads: int | None = 1
) -> NDArray[np.float64]:
    values = compute_features(history, moments, definitions, threads=threads)
    assert values.shape == (len(moments), len(definitions))
    assert values.dtype == np.float64
    assert values.flags.c_contiguous
    return values


def assert_same_bits(found: NDArray[np.float64], expected: NDArray[np.float64], definitions: Definitions) -> None:
    different = np.argwhere(bits(found) != bits(expected))
    assert not len(different), [
        (int(row), definitions.names[column], float(found[row, column]), float(expected[row, column]))
        for row, column in different[:5]
    ]


def expected_of(history: History, moments: Moments, definitions: Definitions) -> NDArray[np.float64]:
    rows = plain_features(history, moments, definitions)
    return np.array(rows, dtype=np.float64).reshape(len(moments), len(definitions))


def agree(one: Made, definitions: Definitions) -> None:
    history, moments = one.history, one.moments
    assert_same_bits(computed(history, moments, definitions), expected_of(history, moments, definitions), definitions)


# ---- kernel = oracle


def test_every_kind_of_definition_is_among_those_compared() -> None:
    assert {type(each).__name__ for each in ALL_DEFINITIONS} == set(KINDS)


@settings(calmly, max_examples=150)
@given(made(), chosen_definitions())
def test_kernel_equals_the_oracle_on_made_histories(one: Made, definitions: Definitions) -> None:
    agree(one, definitions)


@settings(calmly, max_examples=25)
@given(made(max_leads=2, max_events=12, max_moments=3))
def test_kernel_equals_the_oracle_on_all_definitions_at_once(one: Made) -> None:
    agree(one, ALL_DEFINITIONS)


@settings(calmly, max_examples=60)
@given(
    made(max_leads=1, max_events=15, max_moments=3),
    st.lists(st.one_of(st.integers(1, 800 * DAY), st.sampled_from([1, 2, HOUR])), min_size=2, max_size=4, unique=True),
    st.data(),
)
def test_kernel_equals_the_oracle_for_windows_of_any_length(one: Made, windows: list[int], data: st.DataObject) -> None:
    everything = every_definition(SCHEMA, sorted(windows))
    items = data.draw(st.lists(st.sampled_from(everything), min_size=1, max_size=40, unique_by=lambda each: each.name))
    agree(one, Definitions(SCHEMA, tuple(items)))


@pytest.mark.parametrize(("n_events", "seed"), [(1, 0), (300, 1), (3000, 2)])
def test_kernel_equals_the_oracle_on_a_lead_with_thousands_of_events(n_events: int, seed: int) -> None:
    some = ALL_DEFINITIONS if n_events < 1000 else ALL_DEFINITIONS.take(range(0, len(ALL_DEFINITIONS), 7))
    agree(busy_lead(n_events, seed), some)


def test_kernel_equals_the_oracle_from_the_year_1_to_the_year_9999() -> None:
    lead = MadeLead(YEAR_1, (MadeEvent(YEAR_1), MadeEvent(YEAR_1, "mail"), MadeEvent(YEAR_9999 - 1)))
    agree(Made({"old": lead}, ((0, YEAR_9999), (0, YEAR_1 + 1), (0, 0))), ALL_DEFINITIONS)


def test_a_history_without_events_attributes_or_moments_is_computed() -> None:
    agree(Made({"silent": MadeLead(0)}, ((0, DAY), (0, 1))), ALL_DEFINITIONS)
    agree(Made({"silent": MadeLead(0)}, ()), ALL_DEFINITIONS)
    agree(Made({"silent": MadeLead(0, (MadeEvent(1),))}, ((0, DAY),)), Definitions(SCHEMA, ()))


def test_half_powers_are_the_roots_of_one_half() -> None:
    with localcontext(prec=60):
        exact = [float(Decimal(2) ** -(Decimal(2) ** -(i + 1))) for i in range(16)]
    assert exact == HALF_POWERS
    assert [half_power(0, 1), half_power(7 * DAY, 7 * DAY), half_power(63, 1)] == [1.0, 0.5, 2.0**-63]
    assert half_power(64, 1) == 0.0
    for age in (1, HOUR, 3 * DAY, 100 * DAY):
        assert half_power(age, 30 * DAY) == pytest.approx(2.0 ** -(age / (30 * DAY)), rel=2e-5)


# ---- what is not known yet changes nothing


POISON = instants([1_700_000_000_000_000])


@settings(calmly, max_examples=80)
@given(made(one_instant=True), chosen_definitions(), st.data())
def test_rows_that_are_not_known_yet_change_no_bit(one: Made, definitions: Definitions, data: st.DataObject) -> None:
    as_of = one.pairs[0][1]

    def unseen(time: int, way: str) -> tuple[int, int | None]:
        """Own and recorded time of a row that nobody may see at `as_of`."""
        return {
            "at": (as_of, None),
            "after": (as_of + abs(time - as_of), None),
            "back-dated": (min(time, as_of - 1), as_of),
            "recorded later": (min(time, as_of - 1), as_of + abs(time - as_of)),
            "recorded before it happened": (as_of, as_of - 1),
        }[way]

    ways = st.sampled_from(["at", "after", "back-dated", "recorded later", "recorded before it happened"])
    poisoned = {}
    for name, lead in one.leads.items():
        events, rows = list(lead.events), list(lead.attributes)
        for event in data.draw(st.lists(made_events(POISON), max_size=5)):
            own, recorded = unseen(event.occurred_at, data.draw(ways))
            events.append(replace(event, occurred_at=own, recorded_at=recorded))
        for row in data.draw(st.lists(made_attributes(POISON), max_size=3)):
            own, recorded = unseen(row.valid_from, data.draw(ways))
            rows.append(replace(row, valid_from=own, recorded_at=recorded))
        poisoned[name] = replace(lead, events=tuple(events), attributes=tuple(rows))
    assert_same_bits(
        computed(history_of(poisoned), one.moments, definitions),
        computed(one.history, one.moments, definitions),
        definitions,
    )


def test_event_at_the_moment_itself_is_not_counted() -> None:
    counts = Definitions(SCHEMA, (CountWithin(ALL, None), CountWithin(ALL, HOUR), DaysSinceLast(ALL)))
    history = history_of({"L": MadeLead(0, (MadeEvent(5 * DAY),))})
    before, after = computed(history, moments_of([(0, 5 * DAY), (0, 5 * DAY + 1)]), counts)
    assert before[:2].tolist() == [0.0, 0.0]
    assert math.isnan(before[2])
    assert after[:2].tolist() == [1.0, 1.0]


def test_event_recorded_at_the_moment_is_not_counted() -> None:
    counts = Definitions(SCHEMA, (CountWithin(ALL, None), CountWithin(ALL, 30 * DAY)))
    history = history_of({"L": MadeLead(0, (MadeEvent(DAY, recorded_at=5 * DAY),))})
    values = computed(history, moments_of([(0, 5 * DAY), (0, 5 * DAY + 1)]), counts)
    assert values.tolist() == [[0.0, 0.0], [1.0, 1.0]]


def test_window_holds_its_first_microsecond_and_not_the_one_before() -> None:
    counts = Definitions(SCHEMA, tuple(CountWithin(ALL, window) for window in WINDOWS))
    for i, window in enumerate(WINDOWS):
        history = history_of({"L": MadeLead(-800 * DAY, (MadeEvent(DAY - window), MadeEvent(DAY - window - 1)))})
        values = computed(history, moments_of([(0, DAY)]), counts)[0].tolist()
        assert values == [0.0] * i + [1.0] + [2.0] * (len(WINDOWS) - i - 1)


def test_attribute_known_only_later_is_missing_until_then() -> None:
    rows = (MadeAttributes(0, texts={"size": "small"}), MadeAttributes(DAY, recorded_at=9 * DAY, texts={"size": "big"}))
    size = Definitions(SCHEMA, tuple(each for each in ALL_DEFINITIONS if each.name == "size"))
    values = computed(history_of({"L": MadeLead(0, (), rows)}), moments_of([(0, 9 * DAY), (0, 9 * DAY + 1)]), size)
    assert values.tolist() == [[1.0], [0.0]]


# ---- what must not matter


@settings(calmly, max_examples=40)
@given(made(), chosen_definitions(), st.randoms(use_true_random=False))
def test_order_of_rows_changes_no_bit(one: Made, definitions: Definitions, random: object) -> None:
    shuffled = {}
    for name, lead in sorted(one.leads.items(), reverse=True):
        events, rows = list(lead.events), list(lead.attributes)
        random.shuffle(events)  # type: ignore[attr-defined]
        random.shuffle(rows)  # type: ignore[attr-defined]
        shuffled[name] = replace(lead, events=tuple(events), attributes=tuple(rows))
    assert_same_bits(
        computed(history_of(shuffled), one.moments, definitions),
        computed(one.history, one.moments, definitions),
        definitions,
    )


@settings(calmly, max_examples=40)
@given(made(), chosen_definitions())
def test_other_leads_and_their_moments_change_no_bit(one: Made, definitions: Definitions) -> None:
    together = computed(one.history, one.moments, definitions)
    for position, (name, lead) in enumerate(sorted(one.leads.items())):
        rows = [row for row, (each, _) in enumerate(one.pairs) if each == position]
        alone = computed(history_of({name: lead}), moments_of([(0, one.pairs[row][1]) for row in rows]), definitions)
        assert_same_bits(alone, together[rows], definitions)


@settings(calmly, max_examples=40)
@given(made(), chosen_definitions(), st.data())
def test_order_and_chunks_of_moments_change_no_bit(one: Made, definitions: Definitions, data: st.DataObject) -> None:
    history, moments = one.history, one.moments
    together = computed(history, moments, definitions)
    order = data.draw(st.permutations(range(len(moments))))
    cut = data.draw(st.integers(0, len(moments)))
    for part in (order[:cut], order[cut:]):
        rows = np.array(part, dtype=np.int64)
        assert_same_bits(computed(history, moments.take(rows), definitions), together[rows], definitions)


@settings(calmly, max_examples=40)
@given(made(), chosen_definitions())
def test_other_columns_change_no_bit(one: Made, definitions: Definitions) -> None:
    together = computed(one.history, one.moments, definitions)
    for column in range(0, len(definitions), 5):
        alone = definitions.take([column])
        assert_same_bits(computed(one.history, one.moments, alone), together[:, [column]], alone)


def test_number_of_threads_changes_no_bit() -> None:
    """More leads than a thread takes at once: three of many events stand for all the others."""
    busy = [busy_lead(40, seed).leads["busy"] for seed in range(3)]
    ends = [max(event.occurred_at for event in lead.events) for lead in busy]
    n_leads = 2 * LEADS_A_CHUNK + 100
    history = history_of({f"L{i:05}": busy[i % 3] for i in range(n_leads)})
    moments = moments_of([(lead, ends[lead % 3] + step) for step in (30 * DAY, -HOUR) for lead in range(n_leads)])
    some = ALL_DEFINITIONS.take(range(0, len(ALL_DEFINITIONS), 9))
    one_thread = computed(history, moments, some, threads=1)
    for threads in (2, 5, None):
        assert_same_bits(computed(history, moments, some, threads=threads), one_thread, some)
    few = np.array([0, 1, 2, n_leads - 1, n_leads, 2 * n_leads - 1])
    assert_same_bits(one_thread[few], expected_of(history, moments.take(few), some), some)


def test_decay_weighs_an_event_of_one_half_life_ago_by_one_half() -> None:
    decay = Definitions(SCHEMA, (DecayedCount(Selector("event_type", "call"), 7 * DAY),))
    history = history_of(
        {"L": MadeLead(0, (MadeEvent(7 * DAY, "call"), MadeEvent(14 * DAY, "call"), MadeEvent(14 * DAY)))}
    )
    assert computed(history, moments_of([(0, 21 * DAY)]), decay).tolist() == [[0.75]]


def test_calendar_day_that_clocks_turn_back_into_is_counted_once() -> None:
    """At St. John's clocks went from 0:01 back to 23:01: the local date is d, d + 1, d again, d + 1."""
    back = 972_786_660_000_000  # 2000-10-29 02:31 UTC
    minutes = [back - 120_000_000, back - 30_000_000, back + 60_000_000, back + 3 * HOUR]
    history = history_of(
        {"L": MadeLead(0, tuple(MadeEvent(at) for at in minutes))}, replace(SCHEMA, zone="America/St_Johns")
    )
    days = Definitions(SCHEMA, (DistinctDays(ALL, None), DistinctDays(ALL, 30 * DAY)))
    assert computed(history, moments_of([(0, back + DAY)]), days).tolist() == [[2.0, 2.0]]
