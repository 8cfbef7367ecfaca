"""The order of decision: from a probability, the evidence and the agreement to a band, and what decided it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum

from serving.agreement import Agreement


class Band(Enum):
    """What the agreement says of a score, in rising order: nurture < MQL < SQL."""

    NURTURE = "nurture"
    MQL = "MQL"
    SQL = "SQL"

    def __lt__(self, other: Band) -> bool:
        return _ORDER[self] < _ORDER[other]

    def __le__(self, other: Band) -> bool:
        return _ORDER[self] <= _ORDER[other]

    def __gt__(self, other: Band) -> bool:
        return _ORDER[self] > _ORDER[other]

    def __ge__(self, other: Band) -> bool:
        return _ORDER[self] >= _ORDER[other]

    def __str__(self) -> str:
        return self.value


_ORDER = {band: rank for rank, band in enumerate(Band)}


class DecidedBy(StrEnum):
    """What decided the band."""

    MODEL = "model"
    FAST_LANE = "fast_lane"
    TOO_LITTLE_EVIDENCE = "too_little_evidence"
    NO_AGREEMENT = "no_agreement"
    POINTS = "points"
    TRIGGER = "trigger"
    EXCLUDED = "excluded"


@dataclass(frozen=True)
class Decision:
    """A band (None: the agreement says nothing of this lead) and what decided it."""

    band: Band | None
    decided_by: DecidedBy


def band_of(probability: float, agreement: Agreement) -> Band:
    """The band that the cutoffs alone give; both are inclusive."""
    if probability >= agreement.sql:
        return Band.SQL
    return Band.MQL if probability >= agreement.mql else Band.NURTURE


def decide(
    *,
    agreement: Agreement | None,
    probability: float | None,
    fast_lane: bool,
    enough_evidence: bool,
    excluded: bool = False,
    triggered: bool = False,
) -> Decision:
    """Say which band a lead is in and why, by the first rule of the agreed order that speaks.

    The order, under an agreement valid for both teams: an exclusion, with or without a champion; a fast-lane event,
    with or without a champion; no champion; the cutoffs, where a trigger raises nurture to MQL, and too little evidence or
    too few facts lower SQL to MQL. Without such an agreement nobody is in a band. A function of the moment alone: no band
    of the past enters.

    Parameters
    ----------
    agreement : the agreement, None unless both teams signed it as it stands.
    probability : calibrated, None without a champion.
    fast_lane : whether a visible event of a fast lane still counts at the moment.
    enough_evidence : whether the visible events and the known facts suffice for the model to make this lead SQL.
    excluded : whether a rule says that this lead is never handed over.
    triggered : whether a trigger makes this lead at least MQL.
    """
    if agreement is not None and excluded:
        return Decision(Band.NURTURE, DecidedBy.EXCLUDED)
    if agreement is not None and fast_lane:
        return Decision(Band.SQL, DecidedBy.FAST_LANE)
    if probability is None:
        return Decision(None, DecidedBy.POINTS)
    if agreement is None:
        return Decision(None, DecidedBy.NO_AGREEMENT)
    band = band_of(probability, agreement)
    if band is Band.NURTURE and triggered:
        return Decision(Band.MQL, DecidedBy.TRIGGER)
    if band is Band.SQL and not enough_evidence:
        return Decision(Band.MQL, DecidedBy.TOO_LITTLE_EVIDENCE)
    return Decision(band, DecidedBy.MODEL)
