"""Backtests made by hand or by lot: leads of which some convert on a day of their own, scored now and then before."""

from __future__ import annotations

import numpy as np

from features.calendar_days import DAY
from training.cutoffs_table import Backtest


def made_backtest(moments: int = 600, leads: int = 200, seed: int = 0, part: float = 0.5) -> Backtest:
    """Drawn: about a sixth of the leads convert; probabilities are about true, and points tell less."""
    draw = np.random.default_rng(seed)
    lead = draw.integers(0, leads, moments)
    bent, converts_on = draw.normal(-2, 1.2, leads), draw.integers(40, 90, leads) * DAY
    at = draw.integers(0, 40, moments) * DAY + draw.integers(0, 5, moments)
    p = 1 / (1 + np.exp(-(bent[lead] + draw.normal(0, 0.7, moments))))
    p = np.round(p, int(draw.integers(2, 6)))
    label = ((draw.random(leads) < 1 / (1 + np.exp(-bent)))[lead] & (converts_on[lead] - at < 60 * DAY)).astype(np.int8)
    return Backtest.of(
        p,
        label,
        lead,
        at,
        part=part,
        lead_time=np.where(label == 1, converts_on[lead] - at, -1),
        points=np.round(30 * p + draw.normal(0, 4, moments)),
    )
