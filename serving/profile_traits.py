"""What some leads have in common and others don't: each trait counted in both groups, and kept if more than noise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from features.calendar_days import DAY
from features.compute import compute_features
from features.definitions import (
    ALL,
    AttributeAge,
    AttributeCategory,
    AttributeNumber,
    CountWithin,
    DaysSinceCreation,
    DaysSinceFirst,
    DaysSinceLast,
    Definition,
    Definitions,
    DistinctDays,
    Selector,
)
from features.history import History
from features.moments import Moments
from features.schema import STAGES, Schema
from training.intervals import LEVEL, Interval, exact_p, ratio

WINDOW = 90 * DAY
"""How far back is looked at what leads did (microseconds)."""
WORTH = 1.25
"""A share that is not so many times the other's is no difference that anybody would act on."""
_QUANTILES = (0.25, 0.5, 0.75)
_AT_ONCE = 40
"""Event types whose columns are held together: 64 MB for 100,000 leads."""
Values = NDArray[np.float64]
Counted = Literal["number", "age", "events", "days", "last"]


@dataclass(frozen=True)
class Is:
    """An attribute has a value."""

    column: str
    value: str


@dataclass(frozen=True)
class Measures:
    """A number lies at or above (`at_least`), or below, a limit.

    Attributes
    ----------
    what : attribute or date column; "" for what is counted of all events: `how` says what.
    """

    what: str
    limit: float
    at_least: bool
    how: Counted = "number"


@dataclass(frozen=True)
class Did:
    """At least one event of a type in the last 90 days; of a stage where `event_type` is ""."""

    event_type: str
    stage: str | None


@dataclass(frozen=True)
class Deed:
    """How leads did something, by medians.

    Attributes
    ----------
    often : how many times in the last 90 days.
    first : days from when the lead came in to the first time; 0 where that was before.
    ago : days from the last time to the moment.
    """

    often: float
    first: float
    ago: float


@dataclass(frozen=True)
class Trait:
    """Something that one group of leads has more often, or less often, than the other.

    Attributes
    ----------
    ready, ready_of : so many of the sales-ready leads have it, of those of whom it is known.
    others, others_of : the same of all others.
    times : how many times as often, with an interval that holds for all traits looked at together.
    deed : of what leads did, more about the sales-ready ones that did it.
    """

    what: Is | Measures | Did
    ready: int
    ready_of: int
    others: int
    others_of: int
    times: Interval
    deed: Deed | None = None

    @property
    def shares(self) -> tuple[float, float]:
        return self.ready / self.ready_of, self.others / self.others_of

    @property
    def apart(self) -> float:
        """By how much the shares differ: positive where the sales-ready have it more often."""
        one, other = self.shares
        return one - other


@dataclass(frozen=True, eq=False)
class _Candidate:
    """A trait before it is counted. Of candidates with one `rival` only the clearest stays."""

    what: Is | Measures | Did
    has: NDArray[np.bool_]
    known: NDArray[np.bool_]
    rival: str
    times: Values | None = None
    first: Values | None = None
    ago: Values | None = None


def find_traits(history: History, moments: Moments, ready: NDArray[np.bool_]) -> tuple[Trait, ...]:
    """The traits that tell two groups of leads apart, the most telling first.

    All that is known of who the leads are, and what they did in the 90 days before their moments, is looked at. What is
    kept differs by more than chance would give in all of these looks together (Fisher's exact test at 5%, divided by
    their number) and by enough to matter (`WORTH`).

    Parameters
    ----------
    ready : bool[n], which of the moments are of sales-ready leads; each lead has one moment.
    """
    if ready.all() or not ready.any():
        return ()
    candidates = [
        each for each in _candidates(history, moments) if each.known[ready].any() and each.known[~ready].any()
    ]
    if not candidates:
        return ()
    counts = np.array([_counts(each, ready) for each in candidates], dtype=np.int64)
    p = np.array([exact_p(row[:1], int(row[1]), row[2:3], int(row[3]))[0] for row in counts])
    level = 1 - (1 - LEVEL) / len(candidates)
    best: dict[str, Trait] = {}
    for each, row, chance in zip(candidates, counts.tolist(), p.tolist(), strict=True):
        if chance * len(candidates) >= 1 - LEVEL:
            continue
        times = ratio(*row, level=level)
        if max(times.point, 1 / times.point if times.point else np.inf) < WORTH:
            continue
        trait = Trait(each.what, row[0], row[1], row[2], row[3], times, _deed(each, ready))
        held = best.get(each.rival)
        if held is None or _telling(trait) > _telling(held):
            best[each.rival] = trait
    return tuple(sorted(best.values(), key=_telling, reverse=True))


def _telling(trait: Trait) -> tuple[float, bool]:
    """How far the shares lie apart; of a limit's two sides the one that the sales-ready have more often."""
    return round(abs(trait.apart), 12), trait.apart > 0


def _counts(each: _Candidate, ready: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    of_ready, of_others = each.known & ready, each.known & ~ready
    return (
        int((each.has & of_ready).sum()),
        int(of_ready.sum()),
        int((each.has & of_others).sum()),
        int(of_others.sum()),
    )


def _deed(each: _Candidate, ready: NDArray[np.bool_]) -> Deed | None:
    rows = each.has & ready
    if each.times is None or each.first is None or each.ago is None or not rows.any():
        return None
    return Deed(
        often=float(np.median(each.times[rows])),
        first=float(np.median(np.maximum(each.first[rows], 0.0))),
        ago=float(np.median(each.ago[rows])),
    )


def _candidates(history: History, moments: Moments) -> Iterator[_Candidate]:
    schema = history.schema
    everyone = np.ones(len(moments), dtype=np.bool_)
    for definition, x in _columns(history, moments, _of_attributes(schema)):
        known = ~np.isnan(x)
        if isinstance(definition, AttributeCategory):
            for code, value in enumerate(definition.values):
                yield _Candidate(Is(definition.column, value), x == code, known, f"is {definition.column} {value}")
        elif isinstance(definition, (AttributeNumber, AttributeAge)):
            how: Counted = "age" if isinstance(definition, AttributeAge) else "number"
            yield from _limits(x, known, definition.column, how)
    counted: dict[Definition, Counted] = {
        CountWithin(ALL, WINDOW): "events",
        DistinctDays(ALL, WINDOW): "days",
        DaysSinceLast(ALL): "last",
    }
    if len(history.events):
        for definition, x in _columns(history, moments, list(counted)):
            yield from _limits(x, ~np.isnan(x), "", counted[definition])
    [(_, age)] = _columns(history, moments, [DaysSinceCreation()])
    deeds = list(_deeds(schema))
    for first in range(0, len(deeds), _AT_ONCE):
        some = deeds[first : first + _AT_ONCE]
        kinds: list[Definition] = [
            kind
            for of in map(_events_of, some)
            for kind in (CountWithin(of, WINDOW), DaysSinceFirst(of), DaysSinceLast(of))
        ]
        columns = [x for _, x in _columns(history, moments, kinds)]
        for did, times, since, ago in zip(some, columns[::3], columns[1::3], columns[2::3], strict=True):
            yield _Candidate(did, times > 0, everyone, f"did {_events_of(did)}", times, age - since, ago)


def _events_of(did: Did) -> Selector:
    return Selector("event_type", did.event_type) if did.event_type else Selector("stage", str(did.stage))


def _of_attributes(schema: Schema) -> list[Definition]:
    made: list[Definition] = []
    for column, kind in schema.attributes.items():
        if kind == "category":
            made.append(AttributeCategory(column, schema.categories.get(column, ())))
        else:
            made.append(AttributeNumber(column) if kind == "number" else AttributeAge(column))
    return made


def _deeds(schema: Schema) -> Iterator[Did]:
    for event_type in schema.event_types:
        yield Did(event_type, schema.stages.get(event_type))
    for stage in STAGES:
        if stage in schema.stages.values():
            yield Did("", stage)


def _columns(history: History, moments: Moments, definitions: list[Definition]) -> Iterator[tuple[Definition, Values]]:
    if definitions:
        values = compute_features(history, moments, Definitions(history.schema, tuple(definitions)))
        yield from ((each, values[:, column]) for column, each in enumerate(definitions))


def _limits(x: Values, known: NDArray[np.bool_], column: str, how: Counted) -> Iterator[_Candidate]:
    """At or above, and below, the quartiles of all leads; of these limits the one that tells most is kept."""
    if not known.any():
        return
    rival, smallest = f"{how} {column}", x[known].min()
    for limit in np.unique(np.quantile(x[known], _QUANTILES, method="inverted_cdf")).tolist():
        if limit > smallest:
            with np.errstate(invalid="ignore"):
                yield _Candidate(Measures(column, limit, True, how), x >= limit, known, rival)
                yield _Candidate(Measures(column, limit, False, how), x < limit, known, rival)
