"""Bands keep their size with another model, within what the teams allowed and beyond what chance may do."""

from collections import Counter
from dataclasses import replace

import pytest

from serving.agreement import Agreement
from serving.band_gate import band_gate
from serving.band_moves import BandMoves
from serving.decision import Band
from training.gates import Gate

AGREED = Agreement(version=1, mql=0.1, sql=0.3, band_change=0.25)
S, M, N = Band.SQL, Band.MQL, Band.NURTURE


def judged(counts: dict[tuple[Band | None, Band | None], int], agreement: Agreement = AGREED) -> Gate | None:
    return band_gate(agreement, BandMoves(Counter(counts)))


@pytest.mark.parametrize(
    ("counts", "passes", "warns"),
    [
        ({(S, S): 100, (N, N): 900}, True, False),
        ({(S, S): 100, (N, S): 25, (N, N): 900}, True, False),
        ({(S, S): 100, (N, S): 35, (N, N): 900}, True, True),  # 35 - 11.6 is not surely over 25
        ({(S, S): 100, (N, S): 45, (N, N): 900}, False, False),
        ({(S, S): 50, (S, N): 50, (N, N): 900}, False, False),
        ({(M, M): 100, (M, N): 60, (S, S): 9}, False, False),
        ({(S, S): 2, (N, S): 2, (N, N): 900}, True, True),  # two of two leads more may be chance
        ({(S, N): 80, (N, S): 80, (N, N): 900}, True, False),  # others, but as many
        ({}, True, False),
    ],
)
def test_a_band_may_change_by_what_was_allowed_and_what_chance_may_do(
    counts: dict[tuple[Band | None, Band | None], int], passes: bool, warns: bool
) -> None:
    gate = judged(counts)
    assert gate is not None
    assert (gate.passed, gate.warning) == (passes, warns)


def test_the_words_name_both_bands_and_what_is_allowed() -> None:
    gate = judged({(S, S): 100, (N, S): 45, (M, M): 30})
    assert gate is not None
    assert gate.words == "Of the leads open now SQL 100 to 145, MQL 30 to 30; a change by 25% is allowed."
    assert "propensity compare" in gate.next_step


def test_where_nothing_was_agreed_there_is_no_gate() -> None:
    assert judged({(S, N): 100}, replace(AGREED, band_change=None)) is None


def test_signatures_that_do_not_hold_for_the_model_are_warned_of() -> None:
    gate = judged({(S, None): 100, (N, None): 900})
    assert gate is not None
    assert gate.passed
    assert gate.warning


@pytest.mark.parametrize("told", [0.0, -0.1, 1.5])
def test_a_band_cannot_change_by_less_than_nothing_or_more_than_all(told: float) -> None:
    with pytest.raises(ValueError, match="a band may change"):
        replace(AGREED, band_change=told)
