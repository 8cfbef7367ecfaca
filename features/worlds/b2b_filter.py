"""The true probability of a conversion, given all that is visible at a moment and nothing else.

Exact forward filter (Rabiner 1989, with Poisson emissions): the distribution of the hidden state at the moment, then
the chain carried on to the horizon. An event that happened but is not recorded yet thins the Poisson stream of its
kind, so that "nothing seen" weighs only as much as it would have been seen. Of outcomes it is known that none came.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.worlds.b2b_chain import Chain, Floats, Ints


@dataclass(frozen=True, eq=False)
class ChainEvents:
    """Events of leads, as rows in any order.

    Attributes
    ----------
    lead : [n], number of the lead.
    kind : [n], row of `Chain.event_rates`.
    occurred_at, recorded_at : [n], UTC microseconds.
    """

    lead: Ints
    kind: Ints
    occurred_at: Ints
    recorded_at: Ints


@dataclass(frozen=True, eq=False)
class ChainMoments:
    """Moments at which the probability is asked for; a lead may appear often.

    Attributes
    ----------
    lead : [m], number of the lead.
    as_of : [m], UTC microseconds, after the lead's creation and before its outcome.
    created_at : [m], UTC microseconds.
    country : [m], row of `WeekCurves.busyness`.
    start : [m, S], distribution of the first step's state given what is visible of the attributes at `as_of`.
    """

    lead: Ints
    as_of: Ints
    created_at: Ints
    country: Ints
    start: Floats


def exact_probability(chain: Chain, events: ChainEvents, moments: ChainMoments, horizon: int) -> Floats:
    """How likely each moment's lead converts in ``[as_of, as_of + horizon)``, given what is visible at ``as_of``.

    Visible are events that occurred and were recorded strictly before ``as_of``, and that no outcome came before it.
    Rows that are not visible change no bit of the answer.

    Parameters
    ----------
    chain : the world.
    events : all events known, visible or not.
    moments : m moments, in any order.
    horizon : positive, microseconds.

    Returns
    -------
    m probabilities in the order of the moments.

    Raises
    ------
    ValueError
        A moment not after its lead's creation, a horizon that is not positive, a visible event from before the
        lead's start, or visible events that the chain can't give rise to.
    """
    if horizon <= 0 or not (moments.as_of > moments.created_at).all():
        raise ValueError("the horizon must be positive and every as_of after the lead's creation")
    steps = -((moments.created_at - chain.lead_in - moments.as_of) // chain.step)
    # Longest first: the moments that a step still concerns are then a slice from the front, not a mask.
    order = np.argsort(-steps, kind="stable")
    ordered = ChainMoments(
        lead=moments.lead[order],
        as_of=moments.as_of[order],
        created_at=moments.created_at[order],
        country=moments.country[order],
        start=moments.start[order],
    )
    states = _states_at(chain, _Seen.by_step(chain, events, ordered), ordered, steps[order])
    probability = np.empty(len(order))
    probability[order] = _converted_within(chain, ordered, states, horizon)
    return probability


@dataclass(frozen=True, eq=False)
class _Seen:
    """Visible events of ordered moments: sorted by step, then moment, then kind; `bounds[j]` is where step j begins."""

    moment: Ints
    kind: Ints
    bounds: Ints

    @classmethod
    def by_step(cls, chain: Chain, events: ChainEvents, moments: ChainMoments) -> _Seen:
        by_lead = np.argsort(events.lead, kind="stable")
        leads = events.lead[by_lead]
        first, last = np.searchsorted(leads, moments.lead), np.searchsorted(leads, moments.lead, side="right")
        counts = last - first
        moment = np.repeat(np.arange(len(counts)), counts)
        row = by_lead[np.arange(len(moment)) + np.repeat(first - (np.cumsum(counts) - counts), counts)]
        as_of = moments.as_of[moment]
        visible = (events.occurred_at[row] < as_of) & (events.recorded_at[row] < as_of)
        moment, row = moment[visible], row[visible]
        step = (events.occurred_at[row] - moments.created_at[moment] + chain.lead_in) // chain.step
        if (step < 0).any():
            raise ValueError("a visible event lies before the start of its lead")
        kind = events.kind[row]
        # The order fixes the order of the sums, and so the bits, whatever the order of the rows.
        order = np.lexsort((kind, moment, step))
        bounds = np.searchsorted(step[order], np.arange(int(step.max(initial=-1)) + 2))
        return cls(moment=moment[order], kind=kind[order], bounds=bounds)

    def add(self, step: int, log_rates: Floats, log_likelihood: Floats) -> None:
        """Add the log rate of every event seen in the step to its moment's row."""
        if step + 1 < len(self.bounds):
            rows = slice(self.bounds[step], self.bounds[step + 1])
            np.add.at(log_likelihood, self.moment[rows], log_rates[self.kind[rows]])


def _states_at(chain: Chain, seen: _Seen, moments: ChainMoments, steps: Ints) -> Floats:
    """[m, S], distribution of the state of the step that holds `as_of`, given what is visible."""
    with np.errstate(divide="ignore"):
        log_rates = np.log(chain.event_rates.T).T
    # Expected visible events a busy day of state s, of those that are recorded after delay d: all kinds together.
    rates_by_delay = chain.delay_shares.T @ chain.event_rates
    starts = moments.created_at - chain.lead_in
    states = moments.start.copy()
    for step in range(int(steps.max(initial=0))):
        active = int(np.searchsorted(-steps, -step, side="left"))
        now = slice(active)
        country, as_of = moments.country[now], moments.as_of[now]
        if step:
            states[now] = states[now] @ chain.moves
        begins = starts[now] + step * chain.step
        ends = np.minimum(begins + chain.step, as_of)
        busy_begin = chain.curves.busy_days(country, begins)
        log_likelihood = np.zeros((active, states.shape[1]))
        for delay, rates in zip(chain.delays, rates_by_delay, strict=True):
            recorded_until = np.clip(as_of - delay, begins, ends)
            exposure = chain.curves.busy_days(country, recorded_until) - busy_begin
            log_likelihood -= exposure[:, None] * rates
        if step * chain.step >= chain.lead_in:
            at_risk = chain.curves.busy_days(country, ends) - busy_begin
            log_likelihood -= at_risk[:, None] * chain.outcome_rates
        seen.add(step, log_rates, log_likelihood)
        log_likelihood -= np.nan_to_num(log_likelihood.max(axis=1, keepdims=True), neginf=0.0)
        weights = states[now] * np.exp(log_likelihood)
        total = weights.sum(axis=1, keepdims=True)
        if not (total > 0).all():
            raise ValueError("visible events that no path of the chain can give rise to")
        states[now] = weights / total
    return states


def _converted_within(chain: Chain, moments: ChainMoments, states: Floats, horizon: int) -> Floats:
    """[m], probability that a conversion comes before `as_of + horizon`, from the state of the step of `as_of`."""
    until = moments.as_of + horizon
    # The rest of the step in which the moment lies; nothing when the moment closes a step.
    ends = moments.as_of - (moments.as_of - moments.created_at + chain.lead_in) % -chain.step
    begins = moments.as_of
    still_open = states.copy()
    converted = np.zeros(len(states))
    busy_begin = chain.curves.busy_days(moments.country, begins)
    while True:
        ends = np.minimum(ends, until)
        busy_end = chain.curves.busy_days(moments.country, ends)
        hazard = (busy_end - busy_begin)[:, None] * chain.outcome_rates
        converted += (still_open * -np.expm1(-hazard)) @ chain.converted_share
        if (ends >= until).all():
            return converted
        still_open = (still_open * np.exp(-hazard)) @ chain.moves
        busy_begin, ends = busy_end, ends + chain.step
