"""Cells, dates and events that were written when a lead had ended, or after."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from features.calendar_days import DAY
from features.history import NEVER
from training.leakage.after_the_outcome import (
    back_filled,
    changed_afterwards,
    dates_ahead,
    ended_before_they_came,
    events_at_the_end,
    snapshots,
)
from training.leakage.finding import Finding
from training.leakage.sight import Sight

Found = dict[str, dict[str, Finding]]


def test_a_leads_table_that_holds_todays_values_is_a_snapshot(found: Found, leaky: Sight) -> None:
    assert (found["plan"]["snapshot"].severity, found["plan"]["snapshot"].left_out) == ("certain", True)
    assert [each.subject for each in snapshots(leaky)] == ["plan"]


def test_a_leads_table_that_holds_the_values_of_creation_is_none(leaky: Sight) -> None:
    """The same rows with the leads table's plan exchanged by that of the first change."""
    history, column = leaky.history, leaky.history.schema.attribute_categories.index("plan")
    codes = history.attributes.codes.copy()
    rows, lead = leaky.rows_of(history.attributes.offsets)
    said = rows[codes[column, rows] >= 0]
    leads = lead[codes[column, rows] >= 0]
    first = np.flatnonzero(np.r_[True, np.diff(leads) != 0])
    codes[column, said[first]] = codes[column, said[np.minimum(first + 1, len(said) - 1)]]
    changed = replace(history, attributes=replace(history.attributes, codes=codes))
    assert list(snapshots(replace(leaky, history=changed))) == []


def test_an_attribute_that_is_written_when_leads_end_is_left_out(found: Found, leaky: Sight) -> None:
    assert found["onboarding"]["changed_after_outcome"].left_out
    assert [each.subject for each in changed_afterwards(leaky)] == ["onboarding"], "industry is enriched, plan changes"


def test_a_date_that_is_the_outcomes_is_certain_and_one_after_the_moment_at_least_warned_of(found: Found) -> None:
    assert found["closed_at"]["date_of_outcome"].severity == "certain"
    assert found["last_modified_at"]["date_after_moment"].left_out
    renewal = found["renewal_at"]["date_after_moment"]
    assert (renewal.severity, renewal.left_out) == ("possible", False)
    assert "birth_date" not in found


def test_an_event_that_comes_with_the_outcome_is_named(leaky: Sight) -> None:
    (finding,) = events_at_the_end(leaky)
    assert (finding.subject, finding.severity) == ("thank_you_sent", "possible"), "no feature sees any of it"
    assert finding.figures["share"] > 0.99


def test_the_same_event_is_left_out_where_features_are_made_of_it(leaky: Sight) -> None:
    events = leaky.history.events
    words = list(events.vocabularies[0])
    used = words.index("page_viewed")
    rows, lead = leaky.rows_of(events.offsets)
    moved = events.occurred_at.copy()
    of_type = events.codes[0][rows] == used
    moved[rows[of_type]] = np.where(leaky.ended, leaky.ended_at, NEVER - DAY)[lead[of_type]]
    open_ones = rows[of_type & ~leaky.ended[lead]]
    codes = events.codes.copy()
    codes[0, open_ones] = words.index("email_opened")
    history = replace(leaky.history, events=replace(events, occurred_at=moved, codes=codes))
    by_name = {each.subject: each for each in events_at_the_end(replace(leaky, history=history))}
    assert by_name["page_viewed"].severity == "likely"


def test_leads_that_came_when_they_had_ended_are_counted(leaky: Sight) -> None:
    assert list(ended_before_they_came(leaky)) == []
    outcomes, created = leaky.history.outcomes, leaky.history.created_at
    at = np.where(outcomes.at != NEVER, np.where(np.arange(len(created)) % 3 == 0, created, outcomes.at), NEVER)
    early = replace(leaky, history=replace(leaky.history, outcomes=replace(outcomes, at=at, delay=400 * DAY)))
    first, second = ended_before_they_came(early)
    assert (first.code, second.code) == ("ended_before_created", "outcomes_recorded_late")
    assert first.figures["share"] == pytest.approx(1 / 3, abs=0.05)
    assert (first.severity, second.severity) == ("possible", "possible")


def test_events_recorded_long_after_they_happened_are_warned_of(leaky: Sight) -> None:
    assert list(back_filled(leaky)) == []
    events = leaky.history.events
    imported = np.where(np.arange(len(events)) % 4 == 0, events.occurred_at + 200 * DAY, events.known_at)
    history = replace(leaky.history, events=replace(events, known_at=imported))
    (finding,) = back_filled(replace(leaky, history=history))
    assert (finding.subject, finding.severity) == ("events", "possible")
    assert finding.figures["share"] == pytest.approx(0.25, abs=0.02)
    assert finding.figures["days"] == pytest.approx(200, abs=0.1)


def test_an_honest_company_has_none_of_it(honest: tuple[Sight, object]) -> None:
    sight = honest[0]
    for check in (snapshots, changed_afterwards, dates_ahead, events_at_the_end, ended_before_they_came, back_filled):
        assert list(check(sight)) == [], check.__name__
