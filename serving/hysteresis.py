"""Keeps a lead in its band for a while, so that it doesn't flap between bands whenever its probability trembles."""

from __future__ import annotations

from dataclasses import dataclass

from serving.agreement import Agreement
from serving.decision import Band, DecidedBy
from serving.lead_score import LeadScore

_BY_PROBABILITY = (DecidedBy.MODEL, DecidedBy.TRIGGER)


@dataclass(frozen=True)
class Standing:
    """Where a lead stood before.

    Attributes
    ----------
    band : None where the agreement said nothing of it.
    since : when it came into this band, UTC microseconds.
    decided_by : what put it there, where that is known.
    """

    band: Band | None
    since: int
    decided_by: DecidedBy | None = None


def settled_band(previous: Standing | None, score: LeadScore, agreement: Agreement | None) -> Band | None:
    """The band in which a lead stands now, given where it stood.

    Upwards it goes at once. Downwards by its probability it goes when the agreement's hysteresis lets go: the lead has
    been in its band for `stays_for`, and its probability lies below the band's cutoff by more than `down_by`; what the
    agreement doesn't set is not asked for. From SQL it may so come to stand in MQL although its score says nurture.
    What people's rules say holds at once: an exclusion, evidence or facts that are missing, and the end of a fast lane.

    Parameters
    ----------
    previous : under the same agreement; None for a lead that has not stood anywhere yet.
    score : of the moment.
    agreement : valid for both teams; None where none is.
    """
    band = score.band
    rules = None if agreement is None else agreement.hysteresis
    if agreement is None or rules is None or previous is None or previous.band is None or band is None:
        return band
    by_people = score.decided_by not in _BY_PROBABILITY or previous.decided_by is DecidedBy.FAST_LANE
    if band >= previous.band or by_people or score.probability is None:
        return band
    if score.as_of - previous.since < rules.stays_for:
        return previous.band
    cutoffs = ((Band.SQL, agreement.sql), (Band.MQL, agreement.mql))
    for kept, cutoff in cutoffs:
        if band < kept <= previous.band and score.probability >= cutoff - rules.down_by:
            return kept
    return band
