"""What moves scores, over many moments: how far each reason, each group of reasons and each segment is moved, as counts.

Kept with the model, so that a report can be drawn from the bundle alone; no moment's contributions are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from features.definitions import Definition
from features.history import History
from features.moments import Moments, Schedule
from features.schema import Group
from features.wording import label, message, topic_label, value_text
from training.dataset import TrainingSet
from training.explanation import Pools
from training.inputs import evenly
from training.scorer import Scorer
from training.segments import FEWEST, By, Mask, masks

SAMPLE = 2000
"""Moments whose contributions are counted, evenly spaced in time."""
SHOWN = 15
"""So many reasons are kept, those that move scores most."""
MOST_MOVED = 3
"""Reasons that are named for each segment."""
BINS = 48
FEWEST_IN_BIN = 5
"""Under so many known values a bin tells no height."""
REACH = 0.995
"""Part of the contributions that lies within the drawn range; what lies beyond counts at its ends."""


@dataclass(frozen=True)
class Swarm:
    """How far something moves scores.

    Attributes
    ----------
    reach : log-odds at both ends of the range.
    counts : moments in each of `BINS` equal bins from -reach to reach; the outer ones hold what lies beyond.
    height : mean place of the leading feature's value in each bin, from 0 for the lowest to 1 for the highest; None where
        there are too few, and for categories.
    """

    reach: float
    counts: tuple[int, ...]
    height: tuple[float | None, ...]

    @classmethod
    def of(cls, log_odds: NDArray[np.float64], reach: float, place: NDArray[np.float64] | None = None) -> Swarm:
        """Count contributions; `place` is that of each moment's value among all, NaN where missing."""
        step = np.zeros(len(log_odds)) if reach == 0 else (log_odds + reach) / (2 * reach)
        at = np.clip((BINS * step).astype(np.int64), 0, BINS - 1)
        height: list[float | None] = [None] * BINS
        if place is not None:
            known = ~np.isnan(place)
            many = np.bincount(at[known], minlength=BINS)
            total = np.bincount(at[known], place[known], minlength=BINS)
            height = [round(float(total[i] / many[i]), 3) if many[i] >= FEWEST_IN_BIN else None for i in range(BINS)]
        return cls(float(reach), tuple(np.bincount(at, minlength=BINS).tolist()), tuple(height))


@dataclass(frozen=True)
class Moves:
    """A reason, and how it moves scores.

    Attributes
    ----------
    name : in English; where the reason is made of one feature, that feature's.
    mean : mean absolute contribution in log-odds.
    values : of a category: its values with their mean contribution, those that speak for a conversion first.
    """

    name: str
    group: Group
    mean: float
    swarm: Swarm
    values: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class MovedSegment:
    """What moves scores of the moments that share something (see `training.segments.Segment`).

    Attributes
    ----------
    most : the reasons with the largest mean absolute contribution there, each with it.
    """

    by: By
    column: str
    value: str
    moments: int
    most: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class WhatMoves:
    """What moves the scores of so many moments.

    Attributes
    ----------
    reasons : the first `SHOWN`, those that move scores most first; such as move none are left out.
    reach : of the reasons' swarms.
    groups : fit and engagement as wholes, with a reach of their own.
    """

    moments: int
    reasons: tuple[Moves, ...]
    groups: tuple[Moves, ...]
    segments: tuple[MovedSegment, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> WhatMoves:
        return cls(
            moments=data["moments"],
            reasons=tuple(_moves(each) for each in data["reasons"]),
            groups=tuple(_moves(each) for each in data["groups"]),
            segments=tuple(
                MovedSegment(**{**each, "most": tuple((name, mean) for name, mean in each["most"])})
                for each in data["segments"]
            ),
        )


def moves_of_training(scorer: Scorer, train_set: TrainingSet, history: History, schedule: Schedule) -> WhatMoves:
    """What moves the scores of the training's moments, an even sample of them.

    Parameters
    ----------
    train_set : with the columns that the scorer reads.
    """
    sample = train_set.take(evenly(len(train_set), SAMPLE))
    return what_moves(scorer, sample.values, list(masks(history, Moments(sample.lead, sample.as_of), schedule)))


def what_moves(scorer: Scorer, values: NDArray[np.float64], parted: Sequence[Mask] = ()) -> WhatMoves:
    """Count how the scorer's reasons move the scores of these moments.

    Parameters
    ----------
    values : float64[n, d], at least one moment.
    parted : segments to tell of; those of under 30 moments, and all of them together, are left out.
    """
    pools = Pools.of(scorer.definitions)
    _, contributions = scorer.explain(values)
    sums, sizes = pools.sums(contributions), np.abs(contributions).mean(axis=0)
    means = np.abs(sums).mean(axis=0)
    order = [each for each in np.argsort(-means, kind="stable").tolist() if means[each] > 0]
    names = [_name(pools, each) for each in range(len(pools))]
    shown = order[:SHOWN]
    reach = float(np.quantile(np.abs(sums[:, shown]), REACH)) if shown else 0.0
    by_group = dict(zip(get_args(Group), scorer.fit_engagement(contributions), strict=True))
    wide = float(np.quantile(np.abs(np.concatenate(list(by_group.values()))), REACH))
    return WhatMoves(
        moments=len(values),
        reasons=tuple(
            _reason(pools, each, names[each], float(means[each]), sums[:, each], values, sizes, reach) for each in shown
        ),
        groups=tuple(
            Moves(group, group, float(np.abs(moved).mean()), Swarm.of(moved, wide)) for group, moved in by_group.items()
        ),
        segments=tuple(
            _segment(each, np.abs(sums[each.leads]).mean(axis=0), names)
            for each in parted
            if each.by != "all" and int(each.leads.sum()) >= FEWEST
        ),
    )


def _reason(
    pools: Pools,
    reason: int,
    name: str,
    mean: float,
    moved: NDArray[np.float64],
    values: NDArray[np.float64],
    sizes: NDArray[np.float64],
    reach: float,
) -> Moves:
    """A reason with the values of its leading feature, the one of its members that moves scores most."""
    members = np.flatnonzero(pools.pool == reason)
    leading = int(members[np.argmax(sizes[members])])
    definition, x = pools.definitions[leading], values[:, leading]
    group = pools.groups[reason]
    if definition.categorical:
        return Moves(name, group, mean, Swarm.of(moved, reach), _by_value(pools, definition, x, moved))
    return Moves(name, group, mean, Swarm.of(moved, reach, _places(x)))


def _places(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Place of each value among the known ones, 0 the lowest and 1 the highest, equal ones in their middle."""
    known = ~np.isnan(x)
    place = np.full(len(x), np.nan)
    ascending = np.sort(x[known])
    if len(ascending):
        below, up_to = (np.searchsorted(ascending, x[known], side=side) for side in ("left", "right"))
        place[known] = (below + up_to) / (2.0 * len(ascending))
    return place


def _by_value(
    pools: Pools, definition: Definition, x: NDArray[np.float64], moved: NDArray[np.float64]
) -> tuple[tuple[str, float], ...]:
    schema, column = pools.definitions.schema, getattr(definition, "column", "")
    parts = [(value_text(column, each, schema, "en"), x == code) for code, each in enumerate(definition.categories)]
    parts.append((message("value.unknown", "en"), np.isnan(x)))
    told = [(name, float(moved[there].mean())) for name, there in parts if int(there.sum()) >= FEWEST]
    return tuple(sorted(told, key=lambda each: -each[1]))


def _segment(mask: Mask, means: NDArray[np.float64], names: Sequence[str]) -> MovedSegment:
    most = [each for each in np.argsort(-means, kind="stable")[:MOST_MOVED].tolist() if means[each] > 0]
    told = tuple((names[each], float(means[each])) for each in most)
    return MovedSegment(mask.by, mask.column, mask.value, int(mask.leads.sum()), told)


def _name(pools: Pools, reason: int) -> str:
    members = np.flatnonzero(pools.pool == reason)
    definition = pools.definitions[int(members[0])]
    return (label if len(members) == 1 else topic_label)(definition, pools.definitions.schema, "en")


def _moves(data: Mapping[str, Any]) -> Moves:
    swarm = data["swarm"]
    return Moves(
        name=data["name"],
        group=data["group"],
        mean=data["mean"],
        swarm=Swarm(swarm["reach"], tuple(swarm["counts"]), tuple(swarm["height"])),
        values=tuple((name, mean) for name, mean in data["values"]),
    )
