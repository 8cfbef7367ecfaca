"""Cells that are filled for leads of one fate and empty for the others: somebody filled them in when the lead ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.leakage.finding import Finding, Severity, ignore_setting, trust_setting
from training.leakage.sight import Sight

RATIO, CERTAIN_RATIO = 8.0, 50.0
"""How many times as often cells are filled for one fate as for all others."""
RATIO_OF_EVENTS = 20.0
"""The same for events, of which an honest one may all but decide."""
SHARE = 0.5
"""Part of the leads of that fate from which on a column is left out; below, it warns."""
LEAST_SHARE = 0.1
FEWEST, FEWEST_HITS = 20, 10
"""Leads of a fate, and others; and of these of the fate those with such a cell."""


@dataclass(frozen=True)
class _Contrast:
    """Shares of leads with a filled (or an empty) cell: of one fate, and of the others that came at the same time."""

    ours: float
    theirs: float
    ratio: float
    leads: int


def known_for_whom(sight: Sight) -> Iterator[Finding]:
    """Compare how often the leads table knows an attribute: of leads that converted, were lost, ended at all, and the rest.

    Leads of one quarter of creation are compared with each other, so that columns that were only asked for lately, or are
    enriched over time, raise no alarm. Only cells without a time of their own are looked at: a row of the attributes
    table is visible from its own time on and no sooner.
    """
    fates = (
        ("known_when_ended", "leads that ended", sight.ended),
        ("known_when_converted", "leads that converted", sight.won),
        ("known_when_lost", "leads that were lost", sight.ended & ~sight.won),
    )
    for column in sight.history.schema.attributes:
        filled = ~np.isnan(sight.untimed_cells(column))
        if filled.all() or not filled.any():
            continue
        found: list[tuple[float, Finding]] = []
        for code, who, fate in fates:
            for state, cells in (("known", filled), ("empty", ~filled)):
                contrast = _contrast(cells, fate, sight.quarter)
                if contrast is None or contrast.ratio < RATIO or contrast.ours < LEAST_SHARE:
                    continue
                severity: Severity = "possible" if contrast.ours < SHARE else "likely"
                if severity == "likely" and contrast.ratio >= CERTAIN_RATIO:
                    severity = "certain"
                sentence = (
                    f"{state} for {contrast.ours:.0%} of {contrast.leads:,} {who}, and for {contrast.theirs:.1%} of the others "
                    "that came at the same time: it was filled in when leads ended"
                )
                finding = Finding(
                    code=code if state == "known" else code.replace("known", "empty"),
                    severity=severity,
                    about="attribute",
                    subject=column,
                    sentence=sentence,
                    figures={"share": contrast.ours, "share_of_others": contrast.theirs, "leads": contrast.leads},
                    setting=ignore_setting(column) if severity == "possible" else trust_setting(column),
                )
                found.append((contrast.ratio * contrast.ours, finding))
        if found:
            yield max(found, key=lambda pair: (pair[1].severity == "certain", pair[1].severity == "likely", pair[0]))[1]


def events_for_whom(sight: Sight) -> Iterator[Finding]:
    """Compare how often leads have an event type before the outcome: of one fate, and the rest that came at the same time.

    Events carry times, and an honest one may all but decide: it is warned of, for it may also be one that is entered when
    a lead ends and dated back.
    """
    rows, lead = sight.rows_of(sight.history.events.offsets)
    if not len(rows):
        return
    before = sight.history.events.occurred_at[rows] < sight.ended_at[lead]
    codes, words = sight.history.events.codes[0][rows], sight.history.events.vocabularies[0]
    fates = (("converted", sight.won), ("were lost", sight.ended & ~sight.won), ("ended", sight.ended))
    for code in np.unique(codes).tolist():
        has = np.zeros(len(sight.leads), dtype=np.bool_)
        has[lead[before & (codes == code)]] = True
        for what, fate in fates:
            contrast = _contrast(has, fate, sight.quarter)
            if contrast is None or contrast.ratio < RATIO_OF_EVENTS or contrast.leads * contrast.ours < FEWEST:
                continue
            yield Finding(
                code="event_when_ended",
                severity="possible",
                about="event type",
                subject=words[code],
                sentence=(
                    f"{contrast.ours:.0%} of {contrast.leads:,} leads that {what} have one before, and {contrast.theirs:.1%} of "
                    "the others of that time: make sure that it is not entered when leads end, and dated back"
                ),
                figures={"share": contrast.ours, "share_of_others": contrast.theirs, "leads": contrast.leads},
                setting=ignore_setting(words[code]),
            )
            break


def _contrast(cells: NDArray[np.bool_], fate: NDArray[np.bool_], quarter: NDArray[np.int64]) -> _Contrast | None:
    """Risk ratio over the quarters (Mantel and Haenszel, J. Natl. Cancer Inst. 22, 1959), half a lead added to each side."""
    ours = np.bincount(quarter[fate], minlength=4)
    theirs = np.bincount(quarter[~fate], minlength=4)
    both = (ours > 0) & (theirs > 0)
    if ours[both].sum() < FEWEST or theirs[both].sum() < FEWEST:
        return None
    hits, others = np.bincount(quarter[fate & cells], minlength=4), np.bincount(quarter[~fate & cells], minlength=4)
    if hits[both].sum() < FEWEST_HITS:
        return None
    total = (ours + theirs)[both]
    above = (hits[both] * theirs[both] / total).sum()
    below = ((others[both] + 0.5 / both.sum()) * ours[both] / total).sum()
    n = int(ours[both].sum())
    return _Contrast(
        ours=float(hits[both].sum() / n),
        theirs=float((others[both] / theirs[both] * ours[both]).sum() / n),
        ratio=float(above / below),
        leads=n,
    )
