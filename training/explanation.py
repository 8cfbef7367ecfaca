"""Why a score is what it is: exact contributions, pooled into reasons that mean one thing to a person.

A reason is the sum of the contributions of all definitions of one group and topic (all windows of one event type).
The base, the reasons shown and the rest add up to the raw log-odds. Everything is a column over n moments, so that
a batch of 100,000s costs about as much as its contributions, and sums run in the order of the definitions, so that
a lead alone gets the same bits as among others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.compiling import compiled
from features.definitions import Definition, Definitions
from features.schema import Group
from training.calibration import Calibrator
from training.reference import Reference, Similar
from training.scorer import Scorer

SHOWN = 3
"""So many reasons for, and so many against, are shown unless told otherwise."""
SMALLEST = 0.005
"""Reasons that move the log-odds less (half a percent of the odds) are nobody's reason: they count among the rest."""
CHUNK = 8192
"""So many rows of contributions are held at once."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One pooled reason of one score.

    Attributes
    ----------
    feature : topic that its definitions share.
    group : "fit" or "engagement".
    leading : the definition with the largest contribution of the reason's sign; text and value are its.
    value : the leading feature's value: a number, a category's text, or None where missing.
    log_odds : the reason's share of the raw log-odds.
    score_points : ``100 (g(raw) - g(raw - log_odds))`` with g the calibrator. These do not add up.
    similar : leads of the past in the leading feature's bin; None under 30.
    """

    feature: str
    group: Group
    leading: Definition
    value: float | str | None
    log_odds: float
    score_points: float
    similar: Similar | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The reasons of one score. ``base + other_log_odds + all shown = raw`` and ``fit + engagement = raw - base``."""

    raw: float
    base: float
    for_: tuple[Reason, ...]
    against: tuple[Reason, ...]
    other_log_odds: float
    fit: float
    engagement: float


@dataclass(frozen=True, eq=False)
class Pools:
    """Which definitions belong to one reason.

    Attributes
    ----------
    definitions : the d features.
    pool : int64[d], the reason of each feature; reasons are numbered in the order of their first feature.
    engagement : bool[d].
    topics, groups : of each reason.
    """

    definitions: Definitions
    pool: NDArray[np.int64]
    engagement: NDArray[np.bool_]
    topics: tuple[str, ...]
    groups: tuple[Group, ...]

    @classmethod
    def of(cls, definitions: Definitions) -> Pools:
        keys: dict[tuple[Group, str], int] = {}
        pool = [keys.setdefault((each.group, each.topic), len(keys)) for each in definitions]
        return cls(
            definitions=definitions,
            pool=np.array(pool, dtype=np.int64),
            engagement=np.array([each.group == "engagement" for each in definitions], dtype=np.bool_),
            topics=tuple(topic for _, topic in keys),
            groups=tuple(group for group, _ in keys),
        )

    def __len__(self) -> int:
        return len(self.topics)

    def sums(self, contributions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Contributions of each reason, [n, number of reasons], added in the order of the definitions."""
        result = np.zeros((len(contributions), len(self)))
        _pool(np.ascontiguousarray(contributions), self.pool, result)
        return result


@compiled
def _pool(contributions: NDArray[np.float64], pool: NDArray[np.int64], result: NDArray[np.float64]) -> None:
    for row in range(contributions.shape[0]):
        for column in range(contributions.shape[1]):
            result[row, pool[column]] += contributions[row, column]


@compiled
def _choose(
    contributions: NDArray[np.float64],
    pool: NDArray[np.int64],
    engagement: NDArray[np.bool_],
    shown: int,
    smallest: float,
    reason: NDArray[np.int64],
    column: NDArray[np.int64],
    log_odds: NDArray[np.float64],
    rest: NDArray[np.float64],
    fit: NDArray[np.float64],
    behaviour: NDArray[np.float64],
) -> None:
    """Pick the reasons of each row: the first `shown` slots are for, the others against, largest first, -1 where none is left.

    Of equal ones the reason, and the leading feature, that is defined first wins.
    """
    n, d = contributions.shape
    count = pool.max() + 1 if d else 0
    sums, best = np.empty(count), np.empty(count)
    first = np.empty(count, dtype=np.int64)
    taken = np.empty(count, dtype=np.bool_)
    for row in range(n):
        sums[:] = 0.0
        taken[:] = False
        first[:] = -1
        fit_sum, behaviour_sum = 0.0, 0.0
        for j in range(d):
            share = contributions[row, j]
            sums[pool[j]] += share
            if engagement[j]:
                behaviour_sum += share
            else:
                fit_sum += share
        fit[row], behaviour[row] = fit_sum, behaviour_sum
        for slot in range(2 * shown):
            sign = 1.0 if slot < shown else -1.0
            chosen = -1
            for each in range(count):
                size = sign * sums[each]
                if size >= smallest and not taken[each] and (chosen < 0 or size > sign * sums[chosen]):
                    chosen = each
            reason[row, slot] = chosen
            if chosen >= 0:
                taken[chosen] = True
        for j in range(d):
            each = pool[j]
            if taken[each]:
                size = contributions[row, j] if sums[each] > 0 else -contributions[row, j]
                if first[each] < 0 or size > best[each]:
                    first[each], best[each] = j, size
        for slot in range(2 * shown):
            each = reason[row, slot]
            column[row, slot] = first[each] if each >= 0 else -1
            log_odds[row, slot] = sums[each] if each >= 0 else 0.0
        other = 0.0
        for each in range(count):
            if not taken[each]:
                other += sums[each]
        rest[row] = other


@dataclass(frozen=True, eq=False)
class Explanations:
    """Reasons of n scores as columns; an item is one `Explanation`.

    The slots of a row are N reasons for, then N against, each largest first. Where there are fewer, `reason` is -1
    and the slot's other cells say nothing.

    Attributes
    ----------
    pools : topics and groups that `reason` points into.
    base : log-odds before any reason.
    raw, other, fit, engagement : float64[n].
    reason, column : int64[n, 2N], positions of the reason and of its leading feature.
    value : float64[n, 2N], the leading feature's, as in the feature matrix.
    log_odds, score_points : float64[n, 2N].
    converted, leads : int64[n, 2N], the leads of the past in the leading feature's bin; -1 and 0 where too few.
    """

    pools: Pools
    base: float
    raw: NDArray[np.float64]
    other: NDArray[np.float64]
    fit: NDArray[np.float64]
    engagement: NDArray[np.float64]
    reason: NDArray[np.int64]
    column: NDArray[np.int64]
    value: NDArray[np.float64]
    log_odds: NDArray[np.float64]
    score_points: NDArray[np.float64]
    converted: NDArray[np.int64]
    leads: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.raw)

    def __iter__(self) -> Iterator[Explanation]:
        return (self[row] for row in range(len(self)))

    def __getitem__(self, row: int) -> Explanation:
        half = self.reason.shape[1] // 2
        slots = [slot for slot in range(2 * half) if self.reason[row, slot] >= 0]
        return Explanation(
            raw=float(self.raw[row]),
            base=self.base,
            for_=tuple(self._reason(row, slot) for slot in slots if slot < half),
            against=tuple(self._reason(row, slot) for slot in slots if slot >= half),
            other_log_odds=float(self.other[row]),
            fit=float(self.fit[row]),
            engagement=float(self.engagement[row]),
        )

    def _reason(self, row: int, slot: int) -> Reason:
        leading = self.pools.definitions[int(self.column[row, slot])]
        number = float(self.value[row, slot])
        value: float | str | None = number
        if np.isnan(number):
            value = None
        elif leading.categorical:
            value = leading.categories[int(number)]
        leads = int(self.leads[row, slot])
        return Reason(
            feature=self.pools.topics[self.reason[row, slot]],
            group=self.pools.groups[self.reason[row, slot]],
            leading=leading,
            value=value,
            log_odds=float(self.log_odds[row, slot]),
            score_points=float(self.score_points[row, slot]),
            similar=Similar(int(self.converted[row, slot]), leads) if leads else None,
        )


@dataclass(frozen=True, eq=False)
class Explainer:
    """Explains the scores of one scorer; made once, used for each batch or request."""

    scorer: Scorer
    reference: Reference
    pools: Pools

    @classmethod
    def of(cls, scorer: Scorer, reference: Reference) -> Explainer:
        return cls(scorer, reference, Pools.of(scorer.definitions))

    def explain(self, values: NDArray[np.float64], raw: NDArray[np.float64], *, shown: int = SHOWN) -> Explanations:
        """The `shown` strongest reasons for and against each score.

        Parameters
        ----------
        values : float64[n, d], what was scored.
        raw : float64[n], what `Scorer.score` said of it.
        """
        if shown < 0:
            raise ValueError("a score can't show fewer than no reasons")
        n = len(values)
        base = self.scorer.explain(values)[0] if n == 0 else 0.0
        other, fit, engagement = np.empty(n), np.empty(n), np.empty(n)
        reason, column = np.full((n, 2 * shown), -1, dtype=np.int64), np.full((n, 2 * shown), -1, dtype=np.int64)
        log_odds = np.zeros((n, 2 * shown))
        for start in range(0, n, CHUNK):
            part = slice(start, start + CHUNK)
            base, contributions = self.scorer.explain(values[part])
            _choose(
                np.ascontiguousarray(contributions), self.pools.pool, self.pools.engagement, shown, SMALLEST,
                reason[part], column[part], log_odds[part], other[part], fit[part], engagement[part],
            )  # fmt: skip
        used = column >= 0
        rows, _ = np.nonzero(used)
        value = np.full((n, 2 * shown), np.nan)
        value[used] = values[rows, column[used]]
        converted, leads = np.full((n, 2 * shown), -1, dtype=np.int64), np.zeros((n, 2 * shown), dtype=np.int64)
        converted[used], leads[used] = self.reference.in_same_bin(column[used], value[used])
        score_points = np.zeros((n, 2 * shown))
        score_points[used] = points_of_score(self.scorer.calibrator, raw[rows], log_odds[used])
        return Explanations(
            pools=self.pools, base=base, raw=raw, other=other, fit=fit, engagement=engagement, reason=reason, column=column,
            value=value, log_odds=log_odds, score_points=score_points, converted=converted, leads=leads,
        )  # fmt: skip


def points_of_score(
    calibrator: Calibrator, raw: NDArray[np.float64], log_odds: NDArray[np.float64]
) -> NDArray[np.float64]:
    """By how many of the 100 points of the score each reason moves it, the other reasons staying as they are."""
    return 100.0 * (calibrator.probability(raw) - calibrator.probability(raw - log_odds))
