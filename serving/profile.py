"""The profile of a sales-ready lead: which leads are counted, and what they have in common that others don't."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from features.compute import compute_features
from features.history import NEVER, History
from features.moments import Moments, Schedule
from serving.agreement import Agreement
from serving.agreement_terms import FACTS
from serving.profile_traits import Trait, find_traits
from serving.scoring import LEADS_AT_ONCE
from serving.serving_model import ServingModel
from serving.signatures import AgreementState
from training.dataset import hash_leads
from training.reference import draw_one_at_most

FEWEST = 10
"""Under so many sales-ready leads nothing is compared."""
ENOUGH = 50
"""Under so many open ones, leads that have ended are looked at too."""
BEST_PART = 0.1
"""So large a part of the tested moments stands for the sales-ready ones while no agreement says which they are."""


class CutoffFrom(StrEnum):
    """Where the cutoff comes from, above which a lead is sales-ready."""

    SIGNED = "signed"
    UNSIGNED = "unsigned"
    ASKED = "asked"
    BEST = "best"


@dataclass(frozen=True)
class Ready:
    """From which probability on a lead is sales-ready, and who says so."""

    cutoff: float
    source: CutoffFrom

    @classmethod
    def by(cls, model: ServingModel, agreement: AgreementState, asked: float | None = None) -> Ready:
        """As asked for; else as the agreement says, signed or not; else the best tenth of the tested moments."""
        if asked is not None:
            return cls(asked, CutoffFrom.ASKED)
        told: Agreement | None = agreement.agreement
        if told is not None:
            return cls(told.sql, CutoffFrom.SIGNED if agreement.valid is not None else CutoffFrom.UNSIGNED)
        backtest = model.bundle.backtest
        return cls(float(np.quantile(backtest.probability, 1 - BEST_PART)), CutoffFrom.BEST)


@dataclass(frozen=True)
class FactKnown:
    """Of how many open leads one of the BANT facts is known."""

    fact: str
    ready: int
    others: int


@dataclass(frozen=True)
class Profile:
    """What sales-ready leads have in common.

    Attributes
    ----------
    now : the moment of the open leads.
    open_ready, open_others : open leads at `now`, at or above the cutoff and below it.
    ended_ready, ended_others : leads that have ended, each at one moment before its end; 0 where the open ones suffice.
    traits : what tells them apart; () where there are too few to compare (`enough`).
    looked_at : between how many leads.
    facts : what people entered of the open leads; None where nobody entered anything.
    """

    ready: Ready
    horizon: int
    now: int
    open_ready: int
    open_others: int
    ended_ready: int
    ended_others: int
    traits: tuple[Trait, ...]
    facts: tuple[FactKnown, ...] | None

    @property
    def counted_ready(self) -> int:
        return self.open_ready + self.ended_ready

    @property
    def counted_others(self) -> int:
        return self.open_others + self.ended_others

    @property
    def enough(self) -> bool:
        return min(self.counted_ready, self.counted_others) >= FEWEST


def make_profile(
    history: History,
    model: ServingModel,
    ready: Ready,
    facts: Mapping[str, Collection[str]],
    *,
    withheld: Callable[[str], bool] = lambda lead_id: False,
) -> Profile:
    """Score all leads that count, and compare those at or above the cutoff with the others.

    Counted are the open leads as they are now. Where fewer than `ENOUGH` of them are sales-ready, those that have ended
    count too, each at one of the moments that training looks at, drawn by a hash of its id: the moment just before a
    conversion would show a lead as it no longer is when sales first hears of it.

    Parameters
    ----------
    facts : known BANT facts by lead id.
    withheld : by lead id, whether no score is made of it: it counts nowhere.
    """
    now = history.now
    shown = np.array([not withheld(str(each)) for each in history.lead_ids], dtype=np.bool_)
    positions = open_leads(history, model, now)
    positions = positions[shown[positions]]
    moments = Moments(positions, np.full(len(positions), now, dtype=np.int64))
    is_open, probability = np.ones(len(moments), dtype=np.bool_), probabilities(history, model, moments)
    if (probability >= ready.cutoff).sum() < ENOUGH:
        ended = one_before_the_end(history, model, now)
        ended = ended.take(shown[ended.lead])
        moments = Moments(np.concatenate([moments.lead, ended.lead]), np.concatenate([moments.as_of, ended.as_of]))
        is_open = np.concatenate([is_open, np.zeros(len(ended), dtype=np.bool_)])
        probability = np.concatenate([probability, probabilities(history, model, ended)])
    above = probability >= ready.cutoff
    counts = [int((here & side).sum()) for here in (is_open, ~is_open) for side in (above, ~above)]
    found = Profile(
        ready=ready,
        horizon=model.horizon,
        now=now,
        open_ready=counts[0],
        open_others=counts[1],
        ended_ready=counts[2],
        ended_others=counts[3],
        traits=(),
        facts=_facts(history, moments, is_open, above, facts) if facts else None,
    )
    if not found.enough:
        return found
    return Profile(**{**vars(found), "traits": find_traits(history, moments, above)})


def open_leads(history: History, model: ServingModel, now: int) -> NDArray[np.int64]:
    """Open leads, without those older than any that the model learned from: queues leave them out too."""
    positions = history.open_leads(now)
    if model.oldest_age is None:
        return positions
    return positions[now - history.created_at[positions] <= model.oldest_age]


def one_before_the_end(history: History, model: ServingModel, now: int) -> Moments:
    """Of each lead that has ended at most one moment of the model's schedule, drawn by its id."""
    told = model.bundle.manifest["schedule"]
    schedule = Schedule(tuple(told["after_creation"]), told["every"], told["until"])
    moments = schedule.moments(history)
    ended = (history.outcomes.at != NEVER) & (history.outcomes.known_at < now)
    moments = moments.take(np.flatnonzero(ended[moments.lead] & (moments.as_of < now)))
    if len(moments) == 0:
        return moments
    leads, back = np.unique(moments.lead, return_inverse=True)
    return moments.take(draw_one_at_most(hash_leads(str(each) for each in history.lead_ids[leads])[back]))


def probabilities(history: History, model: ServingModel, moments: Moments) -> NDArray[np.float64]:
    """Calibrated probabilities alone, for whole tables: no reasons, no words."""
    scorer = model.bundle.scorer
    found = np.empty(len(moments))
    for first in range(0, len(moments), LEADS_AT_ONCE):
        rows = np.arange(first, min(first + LEADS_AT_ONCE, len(moments)), dtype=np.int64)
        found[rows] = scorer.score(compute_features(history, moments.take(rows), scorer.definitions))[1]
    return found


def _facts(
    history: History,
    moments: Moments,
    is_open: NDArray[np.bool_],
    above: NDArray[np.bool_],
    facts: Mapping[str, Collection[str]],
) -> tuple[FactKnown, ...]:
    known = [
        (bool(side), facts[lead_id])
        for lead_id, side in zip(
            (str(each) for each in history.lead_ids[moments.lead[is_open]]), above[is_open], strict=True
        )
        if lead_id in facts
    ]
    return tuple(
        FactKnown(
            fact,
            sum(fact in told for side, told in known if side),
            sum(fact in told for side, told in known if not side),
        )
        for fact in FACTS
    )
