"""Cells and events that were written when a lead had ended, or after."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from features.calendar_days import DAY, HOUR
from features.history import NEVER
from training.leakage.finding import Finding, ignore_setting, trust_setting
from training.leakage.names import of_the_end
from training.leakage.sight import Sight
from training.leakage.subjects import Subject, made_of

FEWEST = 20
"""Leads, at least, from which anything is said."""
NEARLY_ALL = 0.95
CLOSE = 60_000_000
"""A row this near before the outcome (microseconds) is written with it."""
AHEAD = 0.2
"""Part of the moments with a date that lies after them from which on the date is suspicious."""
STRONG = 0.75
"""ROC-AUC of one date, alone, that tells too much for a date which lies ahead."""


def snapshots(sight: Sight) -> Iterator[Finding]:
    """Attributes of which the leads table holds the newest value and not that of creation: an export of today.

    Told by leads whose rows in the attributes table change the value: the cell of the leads table is what the first of
    these rows should have changed, not what the last one says.
    """
    history = sight.history
    rows, lead = sight.rows_of(history.attributes.offsets)
    later = history.attributes.valid_from[rows] > sight.created_at[lead]
    if not later.any():
        return
    for column in history.schema.attributes:
        cells, told = sight.attribute_cells(column), sight.untimed_cells(column)
        says = later & ~np.isnan(cells[rows]) & ~np.isnan(told[lead])
        changed, of = rows[says], lead[says]
        if not len(changed):
            continue
        first = np.flatnonzero(np.r_[True, np.diff(of) != 0])
        last = np.r_[first[1:] - 1, len(of) - 1]
        moved = cells[changed[first]] != cells[changed[last]]
        n = int(moved.sum())
        if n < FEWEST:
            continue
        newest = float((told[of[first]] == cells[changed[last]])[moved].mean())
        if newest >= 0.9:
            yield Finding(
                code="snapshot",
                severity="certain" if newest >= 0.98 else "likely",
                about="attribute",
                subject=column,
                sentence=f"for {newest:.0%} of {n:,} leads whose value changed, the leads table holds the newest value and not "
                "the one at creation: it is an export of today",
                figures={"share": newest, "leads": n},
                setting=trust_setting(column),
            )


def changed_afterwards(sight: Sight) -> Iterator[Finding]:
    """Attributes whose rows in the attributes table come with the outcome or after it, and hardly for open leads."""
    history = sight.history
    rows, lead = sight.rows_of(history.attributes.offsets)
    later = history.attributes.valid_from[rows] > sight.created_at[lead]
    if not later.any():
        return
    after = history.attributes.valid_from[rows] >= _just_before(sight)[lead]
    for column in history.schema.attributes:
        says = later & ~np.isnan(sight.attribute_cells(column)[rows])
        leads = len(np.unique(lead[says & after]))
        if leads < FEWEST:
            continue
        share = float(after[says].mean())
        if share >= NEARLY_ALL:
            yield Finding(
                code="changed_after_outcome",
                severity="likely",
                about="attribute",
                subject=column,
                sentence=f"{share:.0%} of its {int(says.sum()):,} changes came with the outcome or after it: it is written when "
                "leads end",
                figures={"share": share, "leads": leads},
                setting=trust_setting(column),
            )


def events_at_the_end(sight: Sight) -> Iterator[Finding]:
    """Event types that come with the outcome or after it: they can't announce it, and back-dated ones give it away."""
    history = sight.history
    rows, lead = sight.rows_of(history.events.offsets)
    if not len(rows):
        return
    codes, words = history.events.codes[0][rows], history.events.vocabularies[0]
    when = history.events.occurred_at[rows]
    ended = sight.ended[lead]
    after = when >= _just_before(sight)[lead]
    near = ended & (np.abs(when - np.where(ended, sight.ended_at[lead], 0)) <= HOUR)
    for code in np.unique(codes).tolist():
        of_type = codes == code
        leads = len(np.unique(lead[of_type & after]))
        if leads < FEWEST:
            continue
        share, beside = float(after[of_type].mean()), float(near[of_type].mean())
        if max(share, beside) < NEARLY_ALL:
            continue
        name = words[code]
        used = bool(made_of(sight.fit.definitions, Subject("event type", name)))
        what = "with the outcome or after it" if share >= NEARLY_ALL else "within an hour of the outcome"
        yield Finding(
            code="event_at_outcome",
            severity="likely" if used else "possible",
            about="event type",
            subject=name,
            sentence=f"{max(share, beside):.0%} of its {int(of_type.sum()):,} events lie {what}: it tells of the outcome and "
            "doesn't announce it" + ("" if used else "; no feature sees enough of it to use it"),
            figures={"share": max(share, beside), "leads": leads},
            setting=trust_setting(name) if used else "",
        )


def dates_ahead(sight: Sight) -> Iterator[Finding]:
    """Dates of the leads table that are the outcome's own, or lie after the moments that would read them."""
    schema, definitions = sight.history.schema, sight.fit.definitions
    for column in [name for name, kind in schema.attributes.items() if kind == "date"]:
        told = sight.untimed_cells(column)
        both = ~np.isnan(told) & sight.ended
        n = int(both.sum())
        if n >= FEWEST:
            gap = np.abs(told[both] - sight.ended_at[both].astype(np.float64))
            # a date that lies at creation is as near to an outcome that comes at once
            fresh = np.abs(told[both] - sight.created_at[both].astype(np.float64)) <= 2 * DAY
            share = float(((gap <= DAY) & ~fresh).mean())
            if share >= 0.5:
                yield Finding(
                    code="date_of_outcome",
                    severity="certain",
                    about="attribute",
                    subject=column,
                    sentence=f"for {share:.0%} of {n:,} leads that ended it is the day of the outcome",
                    figures={"share": share, "leads": n},
                    setting=trust_setting(column),
                )
                continue
        place = definitions.names.index(column) if column in definitions.names else -1
        ages = sight.fit.values[:, place] if place >= 0 else np.empty(0)
        known = ages[~np.isnan(ages)]
        if len(known) < FEWEST:
            continue
        ahead = float((known < 0).mean())
        if ahead < AHEAD:
            continue
        alone = float(sight.strengths[place])
        likely = of_the_end(column) or alone >= STRONG
        yield Finding(
            code="date_after_moment",
            severity="likely" if likely else "possible",
            about="attribute",
            subject=column,
            sentence=f"in {ahead:.0%} of the moments that know it, it lies after the moment"
            + (
                ", and its name is that of an end or of a last change"
                if of_the_end(column)
                else f"; alone it ranks with ROC-AUC {alone:.2f}"
            ),
            figures={"share": ahead, "roc_auc": alone} if np.isfinite(alone) else {"share": ahead},
            setting=trust_setting(column) if likely else ignore_setting(column),
        )


def ended_before_they_came(sight: Sight) -> Iterator[Finding]:
    """Leads that were created when, or after, they had ended: there is no moment before to learn from or to score at.

    All outcomes known are counted and none is told apart: which leads have one says nothing of how they ended.
    """
    outcomes, created = sight.history.outcomes, sight.history.created_at
    ended = outcomes.at != NEVER
    n = int(ended.sum())
    if n < FEWEST:
        return
    early = int((outcomes.at[ended] <= created[ended]).sum())
    if early >= max(0.05 * n, 5):
        yield Finding(
            code="ended_before_created",
            severity="possible",
            about="table",
            subject="leads",
            sentence=f"{early:,} of {n:,} leads with an outcome ended at or before their created_at: it may be the time of an "
            "import, or leads are entered when they buy; they give no moment to learn from",
            figures={"leads": early, "share": early / n},
        )
    if outcomes.delay > sight.horizon:
        days = outcomes.delay / DAY
        yield Finding(
            code="outcomes_recorded_late",
            severity="possible",
            about="table",
            subject="outcomes",
            sentence=f"1% of the outcomes were recorded {days:,.0f} days or more after they happened, longer than the horizon: "
            "many leads are scored that had ended, and the newest moments wait that long to be learned from",
            figures={"days": days},
        )


def back_filled(sight: Sight) -> Iterator[Finding]:
    """Tables whose rows were recorded long after they happened: at a moment of the past none of them could be seen."""
    events, attributes = sight.history.events, sight.history.attributes
    for table, own_times, known_times, offsets in (
        ("events", events.occurred_at, events.known_at, events.offsets),
        ("attributes", attributes.valid_from, attributes.known_at, attributes.offsets),
    ):
        rows, lead = sight.rows_of(offsets)
        if table == "attributes":  # not the rows of the leads table, which have no time of their own
            rows = rows[own_times[rows] > sight.created_at[lead]]
        if len(rows) < 5 * FEWEST:
            continue
        delay = known_times[rows] - own_times[rows]
        late = delay > max(sight.horizon, 30 * DAY)
        share = float(late.mean())
        if share >= 0.1:
            days = float(np.median(delay[late])) / DAY
            yield Finding(
                code="back_filled",
                severity="possible",
                about="table",
                subject=table,
                sentence=f"{share:.0%} of its rows were recorded long after they happened (half of these {days:,.0f} days later "
                "or more): moments before don't see them, so that the model learns from thinner histories than it will score",
                figures={"share": share, "days": days},
            )


def _just_before(sight: Sight) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """For each lead the instant from which on a row counts as written with the outcome; never for open leads."""
    return np.where(sight.ended, sight.ended_at - CLOSE, NEVER)
