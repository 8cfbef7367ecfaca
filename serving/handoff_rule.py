"""Whether a lead that is SQL is handed over now: once for each time it became SQL, and not again soon after a rejection."""

from __future__ import annotations

from dataclasses import dataclass

from features.calendar_days import DAY
from serving.agreement import Agreement
from serving.decision import Band, DecidedBy
from serving.lead_score import LeadScore

RECYCLE_AFTER = 30 * DAY
"""How long a rejected lead stays with marketing where the agreement says nothing (microseconds)."""


@dataclass(frozen=True)
class PastHandoff:
    """The newest hand-off of a lead.

    Attributes
    ----------
    as_of : the moment that was scored.
    created_at : by the clock; in a workspace of files it is later than `as_of`.
    held_back : nothing was sent.
    active_again : the lead had been lost before it was handed over.
    """

    as_of: int
    created_at: int
    held_back: bool = False
    active_again: bool = False


@dataclass(frozen=True)
class Verdict:
    """What sales said of a lead last: it was accepted, or rejected."""

    at: int
    rejected: bool


@dataclass(frozen=True)
class Past:
    """What has happened to a lead between the two teams.

    Attributes
    ----------
    handoff, verdict : the newest ones, None where there are none.
    left_at : the moment at which it last went from SQL to a lower band. Losing its band because nothing is agreed
        for a while is not leaving: else each signature would hand over all leads anew.
    """

    handoff: PastHandoff | None = None
    verdict: Verdict | None = None
    left_at: int | None = None


def should_hand_over(
    past: Past, score: LeadScore, *, agreement: Agreement | None, now: int, active_again: bool = False
) -> bool:
    """Say whether a lead, scored just now, is handed over.

    It is SQL, by the model or by the fast lane (a lead that was lost before: by the fast lane alone, since the model
    speaks of open leads). Then, by the first rule that speaks: while an earlier hand-off stands, it is not handed over
    again; after a rejection, not until the agreed time has passed, unless something of the fast lane happened since;
    else it is.

    Parameters
    ----------
    now : by the clock, microseconds.
    active_again : it was lost, and has acted since.
    """
    if agreement is None or score.band is not Band.SQL:
        return False
    if score.decided_by not in (DecidedBy.MODEL, DecidedBy.FAST_LANE):
        return False
    asked = _asked_at(score)
    if active_again and asked is None:
        return False
    last = past.handoff
    if last is not None and _stands(last, past, active_again):
        return last.held_back and asked is not None
    rejected_at = past.verdict.at if past.verdict is not None and past.verdict.rejected else None
    if rejected_at is not None and now < rejected_at + (agreement.recycle_after or RECYCLE_AFTER):
        answered = rejected_at if last is None else max(rejected_at, last.as_of)
        return asked is not None and asked > answered
    return True


def held_back(score: LeadScore, agreement: Agreement) -> bool:
    """Whether a hand-off is only noted, to measure what hand-offs bring.

    Somebody who asked for a person is never among them: what is measured is what calling brings that nobody asked for.
    """
    if score.decided_by is DecidedBy.FAST_LANE or agreement.held_back is None:
        return False
    return agreement.held_back.holds(score.lead_id)


def _stands(last: PastHandoff, past: Past, active_again: bool) -> bool:
    """Whether sales still has the lead: it neither left the band since, nor was rejected, nor lost."""
    if past.left_at is not None and past.left_at > last.as_of:
        return False
    if past.verdict is not None and past.verdict.rejected and past.verdict.at >= last.created_at:
        return False
    return last.active_again or not active_again


def _asked_at(score: LeadScore) -> int | None:
    """When we learned of the fast-lane event; None for a lead that is SQL by the model.

    Not when it happened: a request that reaches us an hour late, after somebody rejected the lead, is news to them.
    """
    if score.decided_by is not DecidedBy.FAST_LANE or score.fast_lane is None:
        return None
    return score.fast_lane.known_at if score.fast_lane.known_at is not None else score.fast_lane.occurred_at
