"""The answer about one lead at one moment, the same in a Parquet file, in the terminal and over HTTP."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from features.calendar_days import as_datetime
from features.durations import duration_text
from features.schema import Group
from serving.decision import Band, DecidedBy

if TYPE_CHECKING:  # only a type here: who merely signs an agreement shall not wait for the compiler behind it
    from training.intervals import Interval
    from training.reference import Similar


def iso_instant(instant: int) -> str:
    """An instant as it is sent: ISO 8601 in UTC with a Z, a fraction only where there is one."""
    return as_datetime(instant).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True)
class Reason:
    """One topic's share of one score, told by its leading feature.

    Attributes
    ----------
    feature : the topic, or the attribute's name.
    group : "fit" or "engagement".
    text : a sentence in the language asked for.
    value : of the leading feature; a number, a category's text, or None where it is missing.
    log_odds : the share; None where the score is from points.
    score_points : 100 (g(raw) - g(raw - log_odds)), which do not add up; points where the score is from points.
    similar : of the leads in the same bin of the leading feature; None under 30 leads.
    """

    feature: str
    group: Group
    text: str
    value: float | str | None
    log_odds: float | None
    score_points: float
    similar: Similar | None

    def to_json(self) -> dict[str, Any]:
        value = self.value
        if isinstance(value, float) and math.isfinite(value) and value.is_integer() and abs(value) < 2**53:
            value = int(value)  # 3 visits, not 3.0
        return {
            "feature": self.feature,
            "group": self.group,
            "text": self.text,
            "value": value,
            "log_odds": self.log_odds,
            "score_points": self.score_points,
            "similar": None if self.similar is None else self.similar.to_json(),
        }


@dataclass(frozen=True)
class Reasons:
    """Reasons in falling strength, and what they leave to add: base + other + all shown = raw within 1e-6.

    The three log-odds are None where the score is from points.
    """

    speak_for: tuple[Reason, ...]
    speak_against: tuple[Reason, ...]
    other_log_odds: float | None
    base_log_odds: float | None
    raw_log_odds: float | None

    def to_json(self) -> dict[str, Any]:
        return {
            "for": [each.to_json() for each in self.speak_for],
            "against": [each.to_json() for each in self.speak_against],
            "other_log_odds": self.other_log_odds,
            "base_log_odds": self.base_log_odds,
            "raw_log_odds": self.raw_log_odds,
        }


@dataclass(frozen=True)
class Cutoff:
    """A cutoff on both scales; `log_odds` is None where no score of the model can reach it, or there is no model."""

    probability: float
    log_odds: float | None

    def to_json(self) -> dict[str, float | None]:
        return {"probability": self.probability, "log_odds": self.log_odds}


@dataclass(frozen=True)
class GroupShare:
    """What the reasons of one group add, and how that ranks: fit A, B, C; engagement 1, 2, 3. None without a model."""

    log_odds: float | None
    grade: str | int | None

    def to_json(self) -> dict[str, Any]:
        return {"log_odds": self.log_odds, "grade": self.grade}


@dataclass(frozen=True)
class ModelName:
    """Which registered model scored.

    Attributes
    ----------
    provisional : it learned from fewer than 120 converted leads.
    calibration : number of the living calibration that its probabilities follow; None as it left training.
    """

    name: str
    version: str
    provisional: bool = False
    calibration: int | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "version": self.version,
            "provisional": self.provisional,
            "calibration": self.calibration,
        }


@dataclass(frozen=True)
class AgreementName:
    """Which agreement the folder holds, and whether both teams signed it as it stands."""

    version: int
    signed: bool

    def to_json(self) -> dict[str, Any]:
        return {"version": self.version, "signed": self.signed}


@dataclass(frozen=True)
class FastLaneHit:
    """The event that put a lead on the fast lane: what, when, and how soon a person answers (microseconds).

    `known_at` is when we learned of it, None where the caller does not say; the same event is the same hit without it.
    """

    event_type: str
    occurred_at: int
    respond_within: int
    known_at: int | None = field(default=None, compare=False)


class Missing(NamedTuple):
    """What a lead lacks before the agreement lets the model make it SQL, in no language.

    Attributes
    ----------
    what : "events", "days", "stage" or "fact".
    asked : how many; of a stage or a fact its name.
    seen : how many there are; None where it is not a matter of counting.
    """

    what: str
    asked: int | str
    seen: int | None = None


@dataclass(frozen=True)
class LeadScore:
    """How likely one lead is to convert within the horizon, why, and what the agreement says of it.

    Attributes
    ----------
    as_of, scored_at : UTC microseconds.
    horizon : microseconds.
    probability : calibrated; None without a champion.
    score : 100 x probability as a whole number; without a champion the points, capped at 100.
    percentile : share of the reference leads below, plus half of ties; None without a champion.
    average : observed rate over the settled training moments; None without a champion.
    similar : of the reference leads nearest in probability; None where there are too few.
    cutoffs : by band, MQL and SQL; None unless both teams signed.
    reasons : None where they were not asked for.
    model : None without a champion.
    agreement : None where the folder has none.
    warnings : sentences in the language asked for.
    fast_lane : the event behind `DecidedBy.FAST_LANE`; shown to people, not part of the JSON. Nor are these:
    rule : the fast-lane event type, the exclusion or the trigger that decided, by its name in the agreement.
    stage : the furthest with an event in the last 90 days; None where there is none.
    persona : the first of the agreement's that matches; None where none does, or no agreement is valid.
    missing : what is too little where `decided_by` says so.
    beside : the reasons in the second language that was asked for.
    """

    lead_id: str
    as_of: int
    scored_at: int
    horizon: int
    probability: float | None
    score: int
    percentile: float | None
    average: float | None
    similar: Similar | None
    band: Band | None
    decided_by: DecidedBy
    cutoffs: dict[Band, Cutoff] | None
    reasons: Reasons | None
    fit: GroupShare
    engagement: GroupShare
    model: ModelName | None
    agreement: AgreementName | None
    warnings: tuple[str, ...] = ()
    fast_lane: FastLaneHit | None = None
    rule: str | None = None
    stage: str | None = None
    persona: str | None = None
    missing: tuple[Missing, ...] = ()
    beside: Reasons | None = None

    @property
    def interval(self) -> Interval | None:
        """What the ends of the similar leads leave open of the probability (95%); None where there are too few."""
        return None if self.probability is None or self.similar is None else self.similar.interval

    def to_json(self) -> dict[str, Any]:
        """Plain JSON in the order of the HTTP contract, numbers unrounded."""
        return {
            "lead_id": self.lead_id,
            "as_of": iso_instant(self.as_of),
            "scored_at": iso_instant(self.scored_at),
            "horizon": duration_text(self.horizon),
            "probability": self.probability,
            "interval": interval_json(self.interval),
            "score": self.score,
            "percentile": self.percentile,
            "average": self.average,
            "similar": None if self.similar is None else self.similar.to_json(),
            "band": None if self.band is None else self.band.value,
            "decided_by": self.decided_by.value,
            "cutoffs": None
            if self.cutoffs is None
            else {band.value: cutoff.to_json() for band, cutoff in self.cutoffs.items()},
            "reasons": None if self.reasons is None else self.reasons.to_json(),
            "fit": self.fit.to_json(),
            "engagement": self.engagement.to_json(),
            "model": None if self.model is None else self.model.to_json(),
            "agreement": None if self.agreement is None else self.agreement.to_json(),
            "warnings": list(self.warnings),
        }


def interval_json(interval: Interval | None) -> dict[str, float] | None:
    """The ends of an interval as they are sent, to programs and in hand-offs alike."""
    return None if interval is None else {"low": interval.low, "high": interval.high}


def call_order(score: LeadScore) -> tuple[int, float, float, str]:
    """Sort key of a queue, the lead to call first at the head: fast lane, then probability, then score.

    Equal leads are ordered by id, so that a queue never shuffles by itself.
    """
    lane = 0 if score.decided_by is DecidedBy.FAST_LANE else 1
    probability = -1.0 if score.probability is None else score.probability
    return lane, -probability, -float(score.score), score.lead_id
