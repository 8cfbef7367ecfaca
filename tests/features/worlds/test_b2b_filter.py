"""The filter against exhaustive enumeration of every path of small chains, written without any of its code."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from features.worlds.b2b_chain import HOUR, WEEK_HOURS, Chain, WeekCurves
from features.worlds.b2b_filter import ChainEvents, ChainMoments, exact_probability

ORIGIN = 1_700_000_000_000_000


def small_chain(rng: np.random.Generator, *, states: int, kinds: int = 2) -> Chain:
    def shares(*shape: int) -> np.ndarray:
        drawn = rng.random(shape) + 0.05
        return drawn / drawn.sum(axis=-1, keepdims=True)

    return Chain(
        step=6 * HOUR,
        lead_in=6 * HOUR,
        moves=shares(states, states),
        event_rates=rng.random((kinds, states)) * 6,
        delays=np.array([0, 3 * HOUR, 8 * HOUR + 1234]),
        delay_shares=shares(kinds, 3),
        conversion_rates=rng.random(states) * 2,
        loss_rates=rng.random(states),
        curves=WeekCurves(origin=ORIGIN, busyness=rng.random((2, WEEK_HOURS)) + 0.1),
    )


def busy_between(chain: Chain, country: int, begin: int, end: int) -> float:
    """Busy days of ``[begin, end)`` as a plain sum over the hours that it touches."""
    weights = chain.curves.busyness[country]
    total = 0.0
    hour = (begin - ORIGIN) // HOUR
    while ORIGIN + hour * HOUR < end:
        overlap = min(end, ORIGIN + (hour + 1) * HOUR) - max(begin, ORIGIN + hour * HOUR)
        total += overlap / HOUR / 24 * weights[hour % WEEK_HOURS] * WEEK_HOURS / weights.sum()
        hour += 1
    return total


def probability_by_enumeration(
    chain: Chain,
    start: np.ndarray,
    country: int,
    created_at: int,
    as_of: int,
    horizon: int,
    seen: list[tuple[int, int]],
) -> float:
    """Sum over every path of states until the horizon; `seen` are the visible (kind, occurred_at)."""
    begins = created_at - chain.lead_in
    until = as_of + horizon
    steps = math.ceil((until - begins) / chain.step)
    evidence = both = 0.0
    for path in itertools.product(range(len(chain.moves)), repeat=steps):
        weight = start[path[0]] * math.prod(chain.moves[a, b] for a, b in itertools.pairwise(path))
        unsettled, converts = 1.0, 0.0
        for step, state in enumerate(path):
            a, b = begins + step * chain.step, begins + (step + 1) * chain.step
            for kind, rates in enumerate(chain.event_rates):
                expected = 0.0
                for delay, share in zip(chain.delays, chain.delay_shares[kind], strict=True):
                    recorded_until = min(b, as_of - int(delay))
                    if recorded_until > a:
                        expected += share * rates[state] * busy_between(chain, country, a, recorded_until)
                count = sum(1 for of_kind, at in seen if of_kind == kind and a <= at < b)
                weight *= math.exp(-expected) * rates[state] ** count
            conversions, losses = chain.conversion_rates[state], chain.loss_rates[state]
            if min(b, as_of) > max(a, created_at):
                weight *= math.exp(
                    -(conversions + losses) * busy_between(chain, country, max(a, created_at), min(b, as_of))
                )
            if min(b, until) > max(a, as_of):
                hazard = (conversions + losses) * busy_between(chain, country, max(a, as_of), min(b, until))
                converts += unsettled * conversions / (conversions + losses) * (1 - math.exp(-hazard))
                unsettled *= math.exp(-hazard)
        evidence += weight
        both += weight * converts
    return both / evidence


def one_moment(chain: Chain, start: np.ndarray, country: int, created_at: int, as_of: int) -> ChainMoments:
    one = np.ones(1, dtype=np.int64)
    return ChainMoments(0 * one, as_of * one, created_at * one, country * one, start[None, :])


def events_of(rows: list[tuple[int, int, int]]) -> ChainEvents:
    """Events of lead 0 from (kind, occurred_at, recorded_at)."""
    kind, occurred_at, recorded_at = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    return ChainEvents(np.zeros(len(rows), dtype=np.int64), kind, occurred_at, recorded_at)


@pytest.mark.parametrize("states", [2, 3])
@pytest.mark.parametrize("since_creation", [1, 6 * HOUR, 9 * HOUR, 12 * HOUR + 7])
@pytest.mark.parametrize("horizon", [5 * HOUR, 12 * HOUR, 15 * HOUR + 77])
def test_filter_equals_the_sum_over_every_path(states: int, since_creation: int, horizon: int) -> None:
    rng = np.random.default_rng([states, since_creation % 1000, horizon % 1000])
    chain = small_chain(rng, states=states)
    start = rng.dirichlet(np.ones(states))
    created_at = ORIGIN + 40 * HOUR + int(rng.integers(0, 300 * HOUR))
    as_of = created_at + since_creation
    rows = []
    for _ in range(6):
        occurred_at = int(rng.integers(created_at - chain.lead_in, as_of))
        rows.append((int(rng.integers(0, 2)), occurred_at, occurred_at + int(rng.choice(chain.delays))))
    seen = [(kind, at) for kind, at, recorded_at in rows if recorded_at < as_of]

    found = exact_probability(chain, events_of(rows), one_moment(chain, start, 1, created_at, as_of), horizon)

    expected = probability_by_enumeration(chain, start, 1, created_at, as_of, horizon, seen)
    assert found[0] == pytest.approx(expected, rel=0, abs=1e-12)


def test_no_event_weighs_less_while_it_may_not_be_recorded_yet() -> None:
    """Silence of a kind that is always recorded too late says nothing; silence of a prompt one speaks against."""
    rng = np.random.default_rng(0)
    chain = replace(
        small_chain(rng, states=2, kinds=1),
        moves=np.eye(2),
        event_rates=np.array([[0.1, 20.0]]),
        conversion_rates=np.array([0.01, 1.0]),
        loss_rates=np.array([0.0, 0.0]),
    )
    prompt = replace(chain, delay_shares=np.array([[1.0, 0.0, 0.0]]))
    late = replace(chain, delays=np.array([0, 1, 365 * 24 * HOUR]), delay_shares=np.array([[0.0, 0.0, 1.0]]))
    quiet = replace(late, event_rates=np.array([[1e-300, 1e-300]]))
    moment = one_moment(chain, np.array([0.5, 0.5]), 0, ORIGIN, ORIGIN + 18 * HOUR)
    nothing = ChainEvents(*(np.zeros(0, dtype=np.int64) for _ in range(4)))
    silent, unheard, no_stream = (
        exact_probability(world, nothing, moment, 24 * HOUR)[0] for world in (prompt, late, quiet)
    )
    assert unheard == no_stream
    assert silent < unheard / 2


def many_moments(rng: np.random.Generator, chain: Chain, leads: int) -> tuple[ChainEvents, ChainMoments]:
    created_at = ORIGIN + rng.integers(0, 500 * HOUR, leads)
    lead = np.repeat(np.arange(leads), 3)
    as_of = created_at[lead] + rng.integers(1, 90 * HOUR, len(lead))
    start = rng.dirichlet(np.ones(len(chain.moves)), leads)
    who = rng.integers(0, leads, leads * 10)
    occurred_at = created_at[who] - chain.lead_in + rng.integers(0, 90 * HOUR, len(who))
    recorded_at = occurred_at + rng.choice(chain.delays, len(who))
    kind = rng.integers(0, len(chain.event_rates), len(who))
    events = ChainEvents(who, kind, occurred_at, recorded_at)
    return events, ChainMoments(lead, as_of, created_at[lead], lead % 2, start[lead])


def test_rows_that_no_moment_may_see_change_no_bit() -> None:
    rng = np.random.default_rng(5)
    chain = small_chain(rng, states=4, kinds=3)
    events, moments = many_moments(rng, chain, 200)
    leads = np.arange(200)
    latest = np.zeros(200, dtype=np.int64)
    np.maximum.at(latest, moments.lead, moments.as_of)
    invisible = [
        (latest, latest),  # at the moment itself
        (latest + 1, latest + 1),
        (latest - 10 * HOUR, latest),  # back-dated, recorded at the moment itself
        (latest - 1, latest + 5),
        (latest - 10_000 * HOUR, latest + HOUR),  # even from before the chain begins
    ]
    poisoned = ChainEvents(
        np.concatenate([events.lead, *[leads] * 5]),
        np.concatenate([events.kind, *[np.full(200, 2)] * 5]),
        np.concatenate([events.occurred_at, *[occurred for occurred, _ in invisible]]),
        np.concatenate([events.recorded_at, *[recorded for _, recorded in invisible]]),
    )
    shuffle = rng.permutation(len(poisoned.lead))
    shuffled = ChainEvents(
        poisoned.lead[shuffle], poisoned.kind[shuffle], poisoned.occurred_at[shuffle], poisoned.recorded_at[shuffle]
    )
    clean = exact_probability(chain, events, moments, 48 * HOUR)
    assert np.array_equal(clean, exact_probability(chain, poisoned, moments, 48 * HOUR))
    assert np.array_equal(clean, exact_probability(chain, shuffled, moments, 48 * HOUR))

    seen = ChainEvents(events.lead, (events.kind + 1) % 3, events.occurred_at, events.recorded_at)
    assert not np.array_equal(clean, exact_probability(chain, seen, moments, 48 * HOUR))


def test_moments_together_give_what_each_gives_alone() -> None:
    rng = np.random.default_rng(6)
    chain = small_chain(rng, states=3)
    events, moments = many_moments(rng, chain, 10)
    together = exact_probability(chain, events, moments, 30 * HOUR)
    for i in range(len(together)):
        row = slice(i, i + 1)
        alone = ChainMoments(
            moments.lead[row], moments.as_of[row], moments.created_at[row], moments.country[row], moments.start[row]
        )
        assert exact_probability(chain, events, alone, 30 * HOUR)[0] == pytest.approx(together[i], rel=0, abs=1e-13)


def test_what_the_filter_cannot_answer_is_refused() -> None:
    rng = np.random.default_rng(7)
    chain = small_chain(rng, states=2)
    start = np.array([0.5, 0.5])
    moment = one_moment(chain, start, 0, ORIGIN, ORIGIN + HOUR)
    event = events_of([(0, ORIGIN, ORIGIN)])
    with pytest.raises(ValueError, match="horizon must be positive"):
        exact_probability(chain, event, moment, 0)
    with pytest.raises(ValueError, match="after the lead's creation"):
        exact_probability(chain, event, one_moment(chain, start, 0, ORIGIN, ORIGIN), HOUR)
    with pytest.raises(ValueError, match="before the start"):
        exact_probability(chain, events_of([(0, ORIGIN - 7 * HOUR, ORIGIN - 1)]), moment, HOUR)
    never = replace(chain, event_rates=np.zeros((2, 2)))
    with pytest.raises(ValueError, match="no path"):
        exact_probability(never, event, moment, HOUR)


def test_busy_time_and_its_inverse_agree_over_many_weeks() -> None:
    rng = np.random.default_rng(8)
    chain = small_chain(rng, states=2)
    time = np.sort(ORIGIN + rng.integers(-2000 * HOUR, 20_000 * HOUR, 5000))
    for country in (0, 1):
        where = np.full(len(time), country)
        busy = chain.curves.busy_days(where, time)
        assert (np.diff(busy)[np.diff(time) > 1000] > 0).all()
        assert np.abs(chain.curves.time_at(where, busy) - time).max() <= 2
        week = chain.curves.busy_days(where, time + WEEK_HOURS * HOUR) - busy
        assert week == pytest.approx(7, abs=1e-9)
        a, b = int(time[100]), int(time[140])
        expected = busy_between(chain, country, a, b)
        assert busy[140] - busy[100] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"moves": np.array([[0.5, 0.6], [0.5, 0.5]])}, "rows of moves"),
        ({"delay_shares": np.full((2, 3), 0.5)}, "rows of delay_shares"),
        ({"event_rates": np.array([[1.0, -1.0], [1.0, 1.0]])}, "event_rates"),
        ({"conversion_rates": np.ones(3)}, "conversion_rates"),
        ({"lead_in": HOUR}, "whole steps"),
        ({"delays": np.array([3, 2, 1])}, "increasing"),
    ],
)
def test_a_chain_that_makes_no_sense_is_refused(change: dict[str, object], complaint: str) -> None:
    chain = small_chain(np.random.default_rng(9), states=2)
    with pytest.raises(ValueError, match=complaint):
        replace(chain, **change)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="busyness"):
        WeekCurves(origin=0, busyness=np.zeros((1, WEEK_HOURS)))
