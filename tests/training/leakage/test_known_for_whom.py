"""Cells that are filled, or empty, for leads of one fate only."""

from __future__ import annotations

import pytest

from oracles.leaky_company import LEAKING_EVENT
from training.leakage.finding import Finding
from training.leakage.known_for_whom import events_for_whom, known_for_whom
from training.leakage.sight import Sight

Found = dict[str, dict[str, Finding]]


@pytest.mark.parametrize(
    ("column", "code"),
    [
        ("amount_signed", "known_when_converted"),
        ("loss_reason", "known_when_lost"),
        ("closed_by", "known_when_ended"),
        ("trial_feedback", "empty_when_lost"),
    ],
)
def test_a_column_filled_in_when_leads_end_is_named_with_its_shares(found: Found, column: str, code: str) -> None:
    finding = found[column][code]
    assert finding.severity == "certain"
    assert finding.left_out
    assert finding.figures["share"] > 0.75
    assert finding.figures["share_of_others"] < 0.02
    assert f"{finding.figures['share']:.0%} of {finding.figures['leads']:,} leads" in finding.sentence


def test_a_column_that_is_asked_for_since_lately_is_no_leak(leaky: Sight) -> None:
    """phone_kind is known for the leads of the second half, of which fewer have ended."""
    assert {each.subject for each in known_for_whom(leaky)} == {
        "amount_signed", "loss_reason", "closed_by", "trial_feedback", "closed_at",
    }  # fmt: skip


def test_an_event_that_leads_of_one_fate_alone_have_before_it_is_warned_of(leaky: Sight) -> None:
    (finding,) = events_for_whom(leaky)
    assert (finding.subject, finding.code, finding.severity) == (LEAKING_EVENT, "event_when_ended", "possible")
    assert finding.figures["share"] > 0.9
    assert finding.figures["share_of_others"] < 0.04


def test_honest_columns_and_events_raise_no_alarm(honest: tuple[Sight, object]) -> None:
    assert list(known_for_whom(honest[0])) == []
    assert list(events_for_whom(honest[0])) == []
