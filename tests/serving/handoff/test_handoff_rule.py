"""Whether a lead is handed over: a table of what happened before, what it is now, and what follows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from features.calendar_days import DAY, HOUR
from oracles.made_handoffs import AGREEMENT, NOW, made_score
from serving.agreement_terms import HeldBack
from serving.decision import Band, DecidedBy
from serving.handoff_rule import Past, PastHandoff, Verdict, held_back, should_hand_over


def before(days: float) -> int:
    return NOW - int(days * DAY)


# "sent 9" : handed over nine days ago.  "left 5" : left SQL five days ago.  "asked 1" : a fast-lane event a day ago.
TABLE = """
what happened before           | now                     | handed over
                               | model                   | yes
                               | asked 1                 | yes
                               | nurture                 | no
                               | MQL                     | no
                               | no agreement            | no
                               | points                  | no
sent 9                         | model                   | no
sent 9                         | asked 1                 | no
sent 9, left 5                 | model                   | yes
sent 9, left 9                 | model                   | no
sent 9, left 12                | model                   | no
sent 9, accepted 8             | model                   | no
sent 9, accepted 8, left 5     | model                   | yes
sent 9, rejected 8             | model                   | no
sent 9, rejected 8, left 5     | model                   | no
sent 9, rejected 8             | asked 1                 | yes
sent 9, rejected 8             | asked 8.5               | no
sent 9, rejected 8             | asked 9.5               | no
sent 40, rejected 31           | model                   | yes
sent 40, rejected 30           | model                   | yes
sent 40, rejected 29.9         | model                   | no
sent 7, rejected 8             | model                   | no
sent 7, rejected 8, left 5     | model                   | no
sent 7, rejected 8, left 5     | asked 7.5               | no
sent 7, rejected 8, left 5     | asked 1                 | yes
rejected 8                     | model                   | no
rejected 8                     | asked 1                 | yes
rejected 31                    | model                   | yes
accepted 8                     | model                   | yes
held 9                         | model                   | no
held 9                         | asked 1                 | yes
held 9, left 5                 | model                   | yes
                               | model, active again     | no
                               | asked 1, active again   | yes
sent 9                         | model, active again     | no
sent 9                         | asked 1, active again   | yes
sent 9 again                   | asked 1, active again   | no
sent 9, rejected 8             | asked 1, active again   | yes
sent 9, rejected 8             | asked 8.5, active again | no
"""


def past_of(text: str) -> Past:
    past = Past()
    for part in filter(None, (each.strip() for each in text.split(","))):
        word, days, *rest = part.split()
        at = before(float(days))
        if word in ("sent", "held"):
            again = rest == ["again"]
            past = replace(past, handoff=PastHandoff(at, at, held_back=word == "held", active_again=again))
        elif word == "left":
            past = replace(past, left_at=at)
        else:
            past = replace(past, verdict=Verdict(at, rejected=word == "rejected"))
    return past


@pytest.mark.parametrize("row", TABLE.strip().splitlines()[1:], ids=lambda row: " ".join(row.split()))
def test_handed_over_or_not(row: str) -> None:
    happened, now, expected = (each.strip() for each in row.split("|"))
    what, *rest = (each.strip() for each in now.split(","))
    agreement = AGREEMENT
    if what.startswith("asked"):
        score = made_score(asked_at=before(float(what.split()[1])))
    elif what == "no agreement":
        score = made_score(band=None, decided_by=DecidedBy.NO_AGREEMENT)
    elif what == "points":
        score = made_score(band=None, decided_by=DecidedBy.POINTS)
    else:
        score = made_score(band=Band(what) if what in ("nurture", "MQL") else Band.SQL)
    found = should_hand_over(
        past_of(happened), score, agreement=agreement, now=NOW, active_again=rest == ["active again"]
    )
    assert found is (expected == "yes")


def test_without_a_valid_agreement_nobody_is_handed_over() -> None:
    assert not should_hand_over(Past(), made_score(), agreement=None, now=NOW)


@pytest.mark.parametrize(("days", "expected"), [(6, False), (7, True)])
def test_the_agreement_says_how_long_a_rejected_lead_stays(days: int, expected: bool) -> None:
    agreement = replace(AGREEMENT, recycle_after=7 * DAY)
    past = past_of(f"sent 20, rejected {days}")
    assert should_hand_over(past, made_score(), agreement=agreement, now=NOW) is expected


def test_a_request_that_reaches_us_after_the_rejection_is_news_although_it_was_made_before() -> None:
    score = made_score(asked_at=before(2))
    assert score.fast_lane is not None
    late = replace(score, fast_lane=replace(score.fast_lane, known_at=NOW - HOUR))
    past = past_of("sent 9, rejected 1")
    assert not should_hand_over(past, score, agreement=AGREEMENT, now=NOW)
    assert should_hand_over(past, late, agreement=AGREEMENT, now=NOW)


def test_the_agreed_share_is_held_back_always_the_same_leads_and_never_who_asked_for_a_person() -> None:
    agreement = replace(AGREEMENT, held_back=HeldBack(0.2))
    held = {n for n in range(1000) if held_back(made_score(f"L{n}"), agreement)}
    assert 150 < len(held) < 250
    assert held == {n for n in range(1000) if held_back(made_score(f"L{n}"), agreement)}
    assert not any(held_back(made_score(f"L{n}", asked_at=NOW - HOUR), agreement) for n in held)
    assert not held_back(made_score("L1"), AGREEMENT)
