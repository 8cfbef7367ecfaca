"""The figures of a watch, as data: what each of them counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from serving.review_figures import Alarm
from training.bootstrap import Estimate
from training.intervals import Interval

By = Literal["all", "band", "served", "attribute", "stage", "age"]
Code = Literal[
    "level", "band", "segment", "ranking", "input", "score", "new_event_type", "silent_source", "stale_table",
    "evidence", "feedback",
]  # fmt: skip


@dataclass(frozen=True)
class Sign:
    """One thing that a watch noticed.

    Attributes
    ----------
    code : of the check that found it.
    alarm : whether somebody should act; else it is worth knowing.
    subject : a band, segment, feature, event type or table; never a lead.
    words : a sentence with the figures.
    """

    code: Code
    alarm: bool
    subject: str
    words: str


@dataclass(frozen=True)
class Group:
    """Leads whose ends became known since the training, each counted once: at its first moment in the group.

    Attributes
    ----------
    by, column, value : all; a band by the cutoffs; a band as it was served; an attribute with its value; a stage; or the
        time since the lead came in (microseconds, as text).
    expected : how many were to convert if the probabilities are true.
    rate : that did.
    alarm : they left what is tolerated, beyond what chance gives however often one looks.
    since : from about when on, where they did.
    """

    by: By
    column: str
    value: str
    leads: int
    converted: int
    expected: Interval
    rate: Interval
    alarm: Alarm | None
    since: int | None


@dataclass(frozen=True)
class Period:
    """Leads with a moment in ``[first, last)``, each at its first one there."""

    first: int
    last: int
    leads: int
    converted: int
    expected: Interval
    rate: Interval


@dataclass(frozen=True)
class CameTrue:
    """What became of the leads that the model has scored since it was trained.

    Attributes
    ----------
    since : the last moment that the model learned from; all later ones are new to it.
    moments, leads, converted_leads : settled since.
    waiting : moments since whose horizon is not over.
    next_settled : when the first of these is settled; None without any.
    groups : all leads first, then bands, then segments.
    periods : in the order of time.
    ranking, ranking_then : ROC-AUC on what settled since, and on the test block when the model was trained.
    """

    since: int
    moments: int
    leads: int
    converted_leads: int
    waiting: int
    next_settled: int | None
    groups: tuple[Group, ...]
    periods: tuple[Period, ...]
    ranking: Estimate
    ranking_then: Estimate


@dataclass(frozen=True)
class Drift:
    """How far one input, or the score, is spread otherwise than when the model learned.

    Attributes
    ----------
    topic, name : what it is about, and the feature that moved most; both "" for the score.
    distance : Jensen-Shannon distance from the training as a whole or from its newest third, whichever is nearer: 0 (alike)
        to 1 (nothing in common).
    usual : the largest one between a stretch of the training and those before it.
    weight : the topic's part of all that the model's inputs contribute, when it learned; 1 for the score.
    what, now, then : the bin that changed most, in words, and which part of the moments lies in it.
    drifted : far beyond both chance and what is usual.
    """

    topic: str
    name: str
    distance: float
    usual: float
    weight: float
    what: str
    now: float
    then: float
    drifted: bool


@dataclass(frozen=True)
class Inflow:
    """Today's leads beside those that the model learned from.

    Attributes
    ----------
    moments, leads : looked at: the newest, as many as a stretch of the training had.
    first : the earliest of these moments; None without any.
    known : whether the model's bundle says how its inputs were spread, and enough leads are new.
    score : of the raw log-odds.
    inputs : one a topic, the farthest first.
    """

    moments: int
    leads: int
    first: int | None
    known: bool
    score: Drift | None
    inputs: tuple[Drift, ...]


@dataclass(frozen=True)
class Source:
    """A table, an event type or a channel, and whether it still gives rows as it used to.

    Attributes
    ----------
    kind, name : of the source.
    newest : its newest row (microseconds).
    silent_for, longest_pause : until now, and the longest of the year before.
    recent, least : rows of the newest week, and those of the poorest of the twelve weeks before.
    quiet : silent, or nearly so, against its own past.
    """

    kind: Literal["table", "event_type", "channel"]
    name: str
    newest: int
    silent_for: int
    longest_pause: int
    recent: int
    least: int
    quiet: bool


@dataclass(frozen=True)
class NewType:
    """An event type that the model has never met, and its part of the events that came since."""

    name: str
    events: int
    share: float


@dataclass(frozen=True)
class Evidence:
    """Open leads that the model would make sales-ready, and what keeps them from it.

    Attributes
    ----------
    open_leads, without_events : and how many of them have no visible event; None where the model knows of no events.
    sales_ready, too_little : at or above the agreement's cutoff, and lowered for too little evidence; None where the
        agreement asks for none, or is not valid.
    """

    open_leads: int
    without_events: int | None
    sales_ready: int | None
    too_little: int | None


@dataclass(frozen=True)
class Answers:
    """What sales said of the leads of a band in the time looked at."""

    kind: str
    leads: int
    accepted: int
    rejected: int


@dataclass(frozen=True)
class Watch:
    """Everything that one watch found.

    Attributes
    ----------
    at : when it looked, by the clock that the tables live by.
    model, version, trained_until : which model, and until when its tables went.
    learned_converted : converted leads that it learned from.
    advice : when to retrain, and why, in a sentence.
    """

    at: int
    model: str
    version: str
    trained_until: int
    learned_converted: int
    came_true: CameTrue
    inflow: Inflow
    sources: tuple[Source, ...]
    new_types: tuple[NewType, ...]
    evidence: Evidence
    answers: tuple[Answers, ...]
    signs: tuple[Sign, ...]
    advice: str

    @property
    def alarms(self) -> tuple[Sign, ...]:
        return tuple(each for each in self.signs if each.alarm)
