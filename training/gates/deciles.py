"""Do those told a higher probability convert more often? Tenth by tenth, as far as chance lets one say."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.bootstrap import LeadDraws
from training.cutoffs_table import Backtest
from training.figures import rank_bins
from training.gates.gate import Gate, judged

DECILES = 10
FEWEST = 30
"""Leads to a part, about: a test block of fewer than 300 leads is divided into fewer than ten parts."""
Z = 3.261
"""Of 95% intervals that hold for all 45 pairs of ten parts at once: the normal quantile at 1 - .05 / 90 (Bonferroni)."""


def deciles_gate(backtest: Backtest, *, few: bool) -> Gate:
    """Refuses where a higher part of the test block surely converts less often than a lower one.

    Parts are by rank, equal predictions in one. The interval of the difference of two rates is normal, its spread by
    draws of leads (the moments of a lead share its fate), and holds for all pairs at once.
    """
    name = "deciles rise"
    leads = len(np.unique(backtest.lead))
    parts = min(leads // FEWEST, DECILES)
    if parts < 2:
        return Gate(name, True, f"{leads} tested leads are too few to compare.", warning=True)
    rates, draws = _rates(backtest, parts)
    known = np.flatnonzero(np.isfinite(rates))
    worst, pair = 0.0, None
    for place, low in enumerate(known):
        for high in known[place + 1 :]:
            spread = float(np.nanstd(draws[:, high] - draws[:, low]))
            at_most = float(rates[high] - rates[low]) + Z * spread
            if at_most < worst:
                worst, pair = at_most, (int(low) + 1, int(high) + 1)
    shown = ", ".join(f"{rates[each]:.1%}" for each in known)
    words = f"Conversion rates of {parts} parts of the test block, from the lowest probabilities up: {shown}."
    if pair is not None:
        words += f" Part {pair[1]} converts less often than part {pair[0]}, beyond chance."
    return judged(name, words, bad=pair is not None, few=few)


def _rates(backtest: Backtest, parts: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The conversion rate of each part, and in each draw; NaN where it is empty."""
    inside = (rank_bins(backtest.probability, parts)[:, None] == np.arange(parts)).astype(np.float64)
    columns = np.column_stack([inside * backtest.label[:, None], inside])
    totals, whole = LeadDraws.of(backtest.lead).totals(columns), columns.sum(axis=0)
    with np.errstate(invalid="ignore"):
        return whole[:parts] / whole[parts:], totals[:, :parts] / totals[:, parts:]
