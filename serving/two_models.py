"""What two models say of the same open leads: who moves, and which reasons moved them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np

from features.compute import compute_features
from serving.band_moves import BandMoves, moves_of
from serving.decision import Band
from serving.lead_score import LeadScore
from serving.reason_words import tell
from serving.side_by_side import Side, SideBySide

LARGEST = 20
"""Where no band can be compared, so many leads of the largest change stand for those who move."""


@dataclass(frozen=True)
class Change:
    """One part of how a lead's log-odds changed; all parts add up to the change of its probability's log-odds.

    Attributes
    ----------
    feature : a reason's topic; "" for what is no reason.
    text : a sentence about the lead, as the model says it to whom it means more; or what the part is.
    log_odds : then less now.
    """

    feature: str
    text: str
    log_odds: float


@dataclass(frozen=True)
class Mover:
    """A lead that the two models see otherwise.

    Attributes
    ----------
    changes : the strongest first.
    """

    now: LeadScore
    then: LeadScore
    changes: tuple[Change, ...]

    @property
    def log_odds(self) -> float:
        """By how much the log-odds of its probability rise."""
        return _log_odds(self.then) - _log_odds(self.now)

    @property
    def why(self) -> tuple[Change, ...]:
        """The changes that go where the lead goes, then those against it, each the strongest first."""
        return tuple(sorted(self.changes, key=lambda each: each.log_odds * self.log_odds < 0))


@dataclass(frozen=True, eq=False)
class TwoModels:
    """The open leads by both models.

    Attributes
    ----------
    now, then : scores in the same order.
    movers : those who change their band, into or out of SQL first, then by how far; where there is no band, the leads
        whose probability changes most, by how much.
    by_band : whether the movers are those who change their band.
    """

    now: Sequence[LeadScore]
    then: Sequence[LeadScore]
    movers: tuple[Mover, ...]
    by_band: bool

    @property
    def moves(self) -> BandMoves:
        return moves_of([each.band for each in self.now], [each.band for each in self.then])

    def still_on_top(self, most: int) -> int:
        """Of the `most` leads of highest probability now, how many are so then."""
        tops = [{each.lead_id for each in sorted(side, key=_from_the_top)[:most]} for side in (self.now, self.then)]
        return len(tops[0] & tops[1])


def two_models(both: SideBySide) -> TwoModels:
    """Score the open leads by both models, and explain those who move."""
    now, then = both.now.scores(), both.then.scores()
    by_band = any(each.band is not None for each in (*now, *then))
    if by_band:
        rows = [row for row in range(len(now)) if now[row].band is not then[row].band]
    else:
        size = [abs((b.probability or 0.0) - (a.probability or 0.0)) for a, b in zip(now, then, strict=True)]
        order = sorted(range(len(now)), key=lambda row: (-size[row], now[row].lead_id))
        rows = sorted(row for row in order[:LARGEST] if size[row] > 0)
    first, second = _parts(both.now, now, rows), _parts(both.then, then, rows)
    movers = [Mover(now[row], then[row], _changes(a, b)) for row, a, b in zip(rows, first, second, strict=True)]
    return TwoModels(now, then, tuple(sorted(movers, key=_furthest if by_band else _most)), by_band)


Parts = dict[tuple[str, str], tuple[str, float]]
"""By group and topic, or ("", what it is): the sentence, and the log-odds."""


def _parts(side: Side, scores: Sequence[LeadScore], rows: Sequence[int]) -> list[Parts]:
    """What the log-odds of some leads' probabilities are made of: every reason, base, the rest, and calibration."""
    if not rows:
        return []
    model, moments = side.model, side.moments.take(np.array(rows, dtype=np.int64))
    values = compute_features(side.history, moments, model.bundle.scorer.definitions)
    raw, _ = model.bundle.scorer.score(values)
    told = model.explainer.explain(values, raw, shown=len(model.explainer.pools))
    found = []
    for row, why in zip(rows, told, strict=True):
        reasons = tell(why, model.schema, "en")
        parts: Parts = {
            (each.group, each.feature): (each.text, each.log_odds or 0.0)
            for each in (*reasons.speak_for, *reasons.speak_against)
        }
        shown = sum(log_odds for _, log_odds in parts.values())
        parts["", "base"] = ("what holds for every lead", why.base)
        parts["", "rest"] = ("small reasons", why.raw - why.base - shown)
        parts["", "calibration"] = ("calibration", _log_odds(scores[row]) - why.raw)
        found.append(parts)
    return found


def _changes(now: Parts, then: Parts) -> tuple[Change, ...]:
    changes = []
    for key in dict.fromkeys((*now, *then)):
        before, after = now.get(key, ("", 0.0)), then.get(key, ("", 0.0))
        text = max((before, after), key=lambda each: (bool(each[0]), abs(each[1])))[0]
        changes.append(Change(key[1] if key[0] else "", text, after[1] - before[1]))
    return tuple(sorted(changes, key=lambda each: (-abs(each.log_odds), each.text)))


def _log_odds(score: LeadScore) -> float:
    p = score.probability
    assert p is not None  # both sides are models
    return log(p / (1.0 - p))


def _furthest(mover: Mover) -> tuple[bool, float, str]:
    sales = Band.SQL in (mover.now.band, mover.then.band)
    return not sales, -abs(mover.log_odds), mover.now.lead_id


def _most(mover: Mover) -> tuple[float, str]:
    return -abs((mover.then.probability or 0.0) - (mover.now.probability or 0.0)), mover.now.lead_id


def _from_the_top(score: LeadScore) -> tuple[float, str]:
    return -(score.probability or 0.0), score.lead_id
