"""The figures of a review, as data: what each of them counts, and where it raises an alarm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from training.intervals import Interval, rate


class Kind(StrEnum):
    """The rows of a review, the most pressing first."""

    FAST_LANE = "fast_lane"
    SQL = "sql"
    MQL = "mql"
    NURTURE = "nurture"


class Alarm(StrEnum):
    """Where the conversions left what their probabilities allow for."""

    BELOW = "below"
    ABOVE = "above"


@dataclass(frozen=True)
class Case:
    """A lead that came into a band, or was handed over.

    Attributes
    ----------
    at : the moment of the score that decided, by the tables' clock.
    since : when people could have known, by theirs; an answer counts from then.
    probability : at that moment; None without a champion.
    deadline : until when an answer was due; None where nothing was agreed.
    handoff_id : None where the lead was not handed over.
    held_back : drawn to be compared with those handed over: nobody was told.
    """

    lead_id: str
    kind: Kind
    at: int
    since: int
    probability: float | None
    deadline: int | None = None
    handoff_id: str | None = None
    held_back: bool = False


@dataclass(frozen=True)
class Answer:
    """What people said of a lead: `verdict` is accepted, rejected, contacted or found."""

    lead_id: str
    at: int
    verdict: str
    reason: str | None = None
    handoff_id: str | None = None


@dataclass(frozen=True)
class Ends:
    """Which leads converted, and until when that is known.

    Attributes
    ----------
    converted_at : lead id to the instant of its conversion; only where that is its first outcome.
    until : until when outcomes are complete.
    delay : how long outcomes take to be recorded (microseconds).
    """

    converted_at: Mapping[str, int]
    until: int
    delay: int = 0

    def settled(self, case: Case, horizon: int) -> bool:
        """Whether all of the lead's horizon is known."""
        return case.at + horizon + self.delay <= self.until

    def converted(self, case: Case, horizon: int) -> bool:
        """Whether the lead is known to have converted within ``[at, at + horizon)``."""
        end = self.converted_at.get(case.lead_id)
        return end is not None and case.at <= end < case.at + horizon


@dataclass(frozen=True)
class Clock:
    """The period under review, by the two clocks that there are.

    Attributes
    ----------
    length : of the period (microseconds).
    moment : its end by the tables' clock, the moment that leads are scored at.
    now : its end by the clock of people.
    """

    length: int
    moment: int
    now: int


@dataclass(frozen=True)
class Realised:
    """Leads whose horizon ended in the period: what was expected of them, and what came true.

    Attributes
    ----------
    leads, converted : those with a probability.
    expected : how many were to convert; None without any lead.
    rate : that did; None without any lead.
    unscored : leads without a probability, which count in none of the others.
    """

    leads: int
    converted: int
    expected: Interval | None
    rate: Interval | None
    unscored: int

    @property
    def alarm(self) -> Alarm | None:
        if self.expected is None or self.expected.holds(self.converted):
            return None
        return Alarm.BELOW if self.converted < self.expected.low else Alarm.ABOVE


@dataclass(frozen=True)
class Pending:
    """Leads whose horizon is not over: what is known so far, which proves nothing yet but for too many.

    Attributes
    ----------
    leads, converted_so_far : those with a probability.
    expected : by the end of all of their horizons; None without any lead.
    """

    leads: int
    converted_so_far: int
    expected: Interval | None

    @property
    def alarm(self) -> Alarm | None:
        """More have converted already than may be expected at the end."""
        many = self.expected is not None and self.converted_so_far > self.expected.high
        return Alarm.ABOVE if many else None


@dataclass(frozen=True)
class Response:
    """How soon people answered.

    Attributes
    ----------
    in_time, late : answered before and after the deadline.
    overdue : not answered although the deadline is over.
    waiting : not answered, and not due yet.
    without_deadline : nothing was agreed for them.
    median : microseconds until the first answer of all that were answered or are overdue, the overdue ones counted as
        longer than any; None where there are none, infinite where more than half were not answered.
    """

    in_time: int
    late: int
    overdue: int
    waiting: int
    without_deadline: int
    median: float | None

    @property
    def due(self) -> int:
        return self.in_time + self.late + self.overdue

    @property
    def share_in_time(self) -> Interval | None:
        return rate(self.in_time, self.due) if self.due else None


@dataclass(frozen=True)
class Row:
    """One band of a review.

    Attributes
    ----------
    leads : that came into the band in the period, or were handed over in it. A lead counts once.
    held_back : further ones, of which nobody was told.
    accepted, rejected, contacted : by the newest verdict on each of `leads`; "contacted" where there is no other yet.
    reasons : of the rejections; "" where none was given.
    """

    kind: Kind
    leads: int
    held_back: int
    accepted: int
    rejected: int
    contacted: int
    reasons: Mapping[str, int]
    response: Response
    realised: Realised
    pending: Pending

    @property
    def unanswered(self) -> int:
        return self.leads - self.accepted - self.rejected - self.contacted


@dataclass(frozen=True)
class HeldBackComparison:
    """Leads held back by draw against those handed over in the same time, settled ones alone.

    Attributes
    ----------
    first, last : moments of the first and the last lead held back; None without any.
    difference : rate of those handed over less that of those held back; None where there are too few to say.
    waiting : leads held back that are not settled yet.
    """

    handed_over: int
    handed_over_converted: int
    held_back: int
    held_back_converted: int
    waiting: int
    first: int | None
    last: int | None
    difference: Interval | None


@dataclass(frozen=True)
class Found:
    """Leads that sales found without us.

    Attributes
    ----------
    told : by sales, in the period: lead ids, the newest first.
    conversions : in the period, of leads that had been scored before, or could have been.
    missed : of them the leads that had never been MQL or SQL, the newest first.
    """

    told: tuple[str, ...]
    conversions: int
    missed: tuple[str, ...]


@dataclass(frozen=True)
class Review:
    """All figures of a review. Instants are UTC microseconds.

    Attributes
    ----------
    settled_from, settled_until : leads that came into their band in this time are those of `Row.realised`.
    handed : of both kinds of hand-offs together, what was expected and what came true.
    capacity : how many SQLs sales can take a week; None where nobody said.
    """

    clock: Clock
    horizon: int
    settled_from: int
    settled_until: int
    rows: tuple[Row, ...]
    handed: Realised
    held_back: HeldBackComparison
    found: Found
    capacity: int | None

    @property
    def handed_over(self) -> int:
        """How many leads were handed over in the period."""
        return sum(row.leads for row in self.rows if row.kind in (Kind.FAST_LANE, Kind.SQL))

    @property
    def alarms(self) -> tuple[tuple[Kind, Alarm], ...]:
        """Bands whose conversions left what was expected."""
        found = ((row.kind, row.realised.alarm or row.pending.alarm) for row in self.rows)
        return tuple((kind, alarm) for kind, alarm in found if alarm is not None)
