"""A seller whose leads follow one hidden Markov chain: what can be simulated, and filtered exactly.

A lead is in one hidden state (intent x activity) during each step. Given the state, events of each kind and the two
outcomes come as independent Poisson streams whose rate is the state's rate times a curve over the week of the lead's
country; each event is recorded after a delay of its channel that depends on nothing else. Nothing here is random or
reads the clock: `b2b.py` draws from it, `b2b_filter.py` inverts it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

HOUR = 3_600_000_000
DAY = 24 * HOUR
WEEK_HOURS = 168


@dataclass(frozen=True, eq=False)
class WeekCurves:
    """How busy each hour of the week is, one curve a country, as time that passes faster in busy hours.

    Attributes
    ----------
    origin : UTC microseconds of hour 0 of the week.
    busyness : [countries, 168], positive; scaled so that a week of busy time is seven days.
    corners : [countries, 169], made from it: busy days since the week began at each full hour.
    """

    origin: int
    busyness: Floats
    corners: Floats = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.busyness.ndim != 2 or self.busyness.shape[1] != WEEK_HOURS or not (self.busyness > 0).all():
            raise ValueError("busyness must be positive, one row a country, one column an hour of the week")
        scaled = self.busyness * (WEEK_HOURS / self.busyness.sum(axis=1, keepdims=True))
        before = np.concatenate([np.zeros((len(scaled), 1)), np.cumsum(scaled, axis=1) / 24], axis=1)
        # The last corner is exactly 7 whatever the rounding of the sum, or weeks would not join.
        before[:, -1] = 7.0
        object.__setattr__(self, "corners", before)

    def busy_days(self, country: Ints, time: Ints) -> Floats:
        """Busy time from the origin until `time`, in days: linear within an hour, strictly increasing."""
        hours = (time - self.origin) / HOUR
        week = np.floor(hours / WEEK_HOURS)
        within = hours - week * WEEK_HOURS
        hour = np.minimum(within.astype(np.int64), WEEK_HOURS - 1)
        start = self.corners[country, hour]
        busy: Floats = 7.0 * week + start + (within - hour) * (self.corners[country, hour + 1] - start)
        return busy

    def time_at(self, country: Ints, busy_days: Floats) -> Ints:
        """The inverse of `busy_days`, to the microsecond below."""
        week = np.floor(busy_days / 7.0)
        within = busy_days - 7.0 * week
        hours = np.empty_like(busy_days)
        for row, corners in enumerate(self.corners):
            here = country == row
            hours[here] = np.interp(within[here], corners, np.arange(WEEK_HOURS + 1.0))
        return self.origin + np.floor((week * WEEK_HOURS + hours) * HOUR).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Chain:
    """The hidden chain and what it gives rise to. S states, K kinds of events, D delays.

    Attributes
    ----------
    step : microseconds that a state lasts; steps are counted from a lead's start.
    lead_in : microseconds, whole steps, from a lead's start to its creation: visits before sign-up. No outcome is
        possible then.
    moves : [S, S], probability of the next step's state (column) given this one's (row).
    event_rates : [K, S], events a busy day.
    delays : [D], microseconds, 0 or more, increasing.
    delay_shares : [K, D], how an event of the kind is recorded; rows sum to 1.
    conversion_rates, loss_rates : [S], a busy day.
    curves : the weeks of the countries.
    """

    step: int
    lead_in: int
    moves: Floats
    event_rates: Floats
    delays: Ints
    delay_shares: Floats
    conversion_rates: Floats
    loss_rates: Floats
    curves: WeekCurves

    def __post_init__(self) -> None:
        states = len(self.moves)
        kinds = len(self.event_rates)
        expected = {
            "moves": (states, states),
            "event_rates": (kinds, states),
            "delay_shares": (kinds, len(self.delays)),
            "conversion_rates": (states,),
            "loss_rates": (states,),
        }
        for name, shape in expected.items():
            values = getattr(self, name)
            if values.shape != shape or not (values >= 0).all():
                raise ValueError(f"{name} must be of shape {shape} and not negative")
        for name in ("moves", "delay_shares"):
            if not np.allclose(getattr(self, name).sum(axis=1), 1, rtol=0, atol=1e-12):
                raise ValueError(f"rows of {name} must sum to 1")
        if self.step <= 0 or self.lead_in < 0 or self.lead_in % self.step:
            raise ValueError("step must be positive and lead_in whole steps")
        if (self.delays < 0).any() or (np.diff(self.delays) <= 0).any():
            raise ValueError("delays must be 0 or more and increasing")

    @property
    def outcome_rates(self) -> Floats:
        """[S], conversions and losses a busy day."""
        return self.conversion_rates + self.loss_rates

    @property
    def converted_share(self) -> Floats:
        """[S], the share of outcomes that are conversions; 0 where a state has none."""
        total = self.outcome_rates
        return np.divide(self.conversion_rates, total, out=np.zeros_like(total), where=total > 0)
