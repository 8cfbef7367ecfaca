"""Whether what the model said came true: of all leads, by band, by segment and over time, as their ends become known.

A lead counts once in a group, with its first moment there. Drawing one of its settled moments instead would favour those
followed by a conversion: a lead that converts early has fewer moments, and each of them a greater chance to be drawn.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.calendar_days import DAY
from features.history import History
from features.moments import Moments, Schedule
from serving.agreement import Agreement
from serving.decision import Band
from serving.many_looks import bet, enough
from serving.model_segments import probabilities
from serving.review_figures import Alarm, Case, Ends
from serving.serving_model import ServingModel
from serving.watch_figures import By, CameTrue, Group, Period
from training.bootstrap import Estimate
from training.evaluation import evaluate
from training.intervals import how_many, rate
from training.labelled import settled_moments
from training.living_calibration import Outcomes, walk_on
from training.outcomes import settles_at
from training.segments import masks

FEWEST = 30
"""Groups of fewer leads are not judged."""
MOST_MOMENTS = 500_000
"""Of more settled moments than these the newest are judged."""
RANKED = 50_000
"""On so many of the newest settled moments the ranking is judged."""
STEP = 30 * DAY
"""Bets begin, and periods end, so far apart; with a shorter horizon, a horizon apart."""
PERIODS = 12
TOLERATED: dict[By, float] = {"all": 1.25, "band": 1.5, "served": 1.5, "attribute": 2.0, "stage": 2.0, "age": 2.0}
"""Odds that are wrong by less than this factor raise no alarm: every model is a little wrong somewhere."""
_FAMILY: dict[By, str] = {"all": "all", "band": "band", "served": "served"}
_PART = {"all": 0.4, "band": 0.2, "served": 0.2, "segment": 0.2}
"""Which part of the false alarms allowed each family of groups may use; its groups share it."""
Part = tuple[By, str, str, NDArray[np.bool_]]
"""Which cases belong to a group, and what they share: see `Group`."""
RANKING_FELL = 0.05
RANKING_LEADS = 30


@dataclass(frozen=True, eq=False)
class Judged:
    """n cases in the order in which their ends became known: one lead may stand in many.

    Attributes
    ----------
    lead : anything that tells leads apart.
    at : int64[n], ascending.
    """

    lead: NDArray[np.int64]
    at: NDArray[np.int64]
    probability: NDArray[np.float64]
    converted: NDArray[np.bool_]

    def first_of_each_lead(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Positions of the first case of each lead among those where the mask holds, ascending."""
        rows = np.flatnonzero(mask)
        return np.sort(rows[np.unique(self.lead[rows], return_index=True)[1]])


def came_true(
    history: History,
    model: ServingModel,
    agreement: Agreement | None,
    withheld: NDArray[np.bool_],
    served: Sequence[Case] = (),
    ends: Ends | None = None,
) -> CameTrue:
    """Judge the model by what settled since its training.

    Parameters
    ----------
    agreement : whose cutoffs divide the leads; None divides them by the reference's quantiles.
    withheld : bool, one a lead of the history: object to profiling, and are left out.
    served : leads with the probability that this model gave them when they came into a band.
    ends : how those ended.
    """
    manifest = model.bundle.manifest
    told = manifest["schedule"]
    schedule = Schedule(tuple(told["after_creation"]), told["every"], told["until"])
    since, step = int(manifest["last_moment"]), max(min(STEP, model.horizon), 1)
    labelled = settled_moments(history, schedule, model.horizon)
    new = np.flatnonzero((labelled.moments.as_of > since) & ~withheld[labelled.moments.lead])[-MOST_MOMENTS:]
    moments, label = labelled.moments.take(new), labelled.labels[new]
    cases = Judged(moments.lead, moments.as_of, _told(history, model, moments, label), label == 1)
    parted: list[Part] = [
        *bands(cases.probability, model, agreement),
        *(
            (each.by, each.column, each.value, each.leads)
            for each in masks(history, moments, schedule)
            if each.by != "all"
        ),
    ]
    groups = judge(cases, parted, since=since, step=step, learned=model.converted_leads)
    if ends is not None:
        groups += judge_served(served, ends, model, since=since, step=step)
    waiting = labelled.unsettled[labelled.unsettled > since]
    settled_later = settles_at(history, Moments(np.zeros(len(waiting), np.int64), waiting), model.horizon)
    return CameTrue(
        since=since,
        moments=len(cases.at),
        leads=len(np.unique(cases.lead)),
        converted_leads=len(np.unique(cases.lead[cases.converted])),
        waiting=len(waiting),
        next_settled=int(settled_later.min()) if len(waiting) else None,
        groups=tuple(groups),
        periods=tuple(periods(cases, since=since, step=step)),
        ranking=ranking(cases),
        ranking_then=model.bundle.evaluation.models["model"].metrics["roc_auc"],
    )


def _told(history: History, model: ServingModel, moments: Moments, label: NDArray[np.int8]) -> NDArray[np.float64]:
    """What the model told, or would have told at each moment had its living calibration been followed all along.

    That of today would be judged by what it was made from, and would speak wrongly of what came before.
    """
    said = probabilities(history, model.as_trained.scorer, moments)
    if model.calibration is None or len(moments) == 0:
        return said
    log_odds = np.log(said) - np.log1p(-said)
    outcomes = Outcomes(log_odds, label, moments.lead, moments.as_of, model.horizon + history.outcomes.delay)
    first, followed = walk_on(outcomes, int(history.data_end), steps=2 * PERIODS)
    said[first:] = 1.0 / (1.0 + np.exp(-followed))
    return said


def judge(
    cases: Judged,
    parted: Sequence[Part],
    *,
    since: int,
    step: int,
    learned: int,
) -> list[Group]:
    """Hold what came true of each group against what was expected of it: all cases first, then the groups given.

    Parameters
    ----------
    since, step : bets begin at ``since + k * step``.
    learned : converted leads that the model learned from. What so few leave open in its level is tolerated too: two
        standard errors, about ``2 / sqrt(learned)`` in log-odds.
    """
    everybody: Part = ("all", "", "", np.ones(len(cases.at), dtype=np.bool_))
    chosen = [(by, column, value, cases.first_of_each_lead(mask)) for by, column, value, mask in (everybody, *parted)]
    chosen = [each for each in chosen if len(each[3]) >= FEWEST]
    questions = Counter(_FAMILY.get(by, "segment") for by, *_ in chosen)
    found = []
    for by, column, value, rows in chosen:
        family = _FAMILY.get(by, "segment")
        tolerance = max(math.log(TOLERATED[by]), 2 / math.sqrt(max(learned, 1)))
        probability, converted, at = cases.probability[rows], cases.converted[rows], cases.at[rows]
        count = int(converted.sum())
        starts = np.searchsorted(at, since + np.arange(1 + max(int(at[-1]) - since, 0) // step) * step)
        bets = bet(probability, converted, starts, tolerance=tolerance)
        needed = enough(questions[family], part=_PART[family])
        alarm = Alarm.ABOVE if bets.above >= needed else Alarm.BELOW if bets.below >= needed else None
        begun = bets.above_from if alarm is Alarm.ABOVE else bets.below_from
        found.append(
            Group(
                by=by,
                column=column,
                value=value,
                leads=len(rows),
                converted=count,
                expected=how_many(probability),
                rate=rate(count, len(rows)),
                alarm=alarm,
                since=None if alarm is None else int(at[min(begun, len(at) - 1)]),
            )
        )
    return found


def judge_served(served: Sequence[Case], ends: Ends, model: ServingModel, *, since: int, step: int) -> list[Group]:
    """The same of leads with the probabilities that they were given when they came into a band or were handed over."""
    settled = sorted(
        (each for each in served if each.probability is not None and ends.settled(each, model.horizon)),
        key=lambda each: (each.at, each.lead_id),
    )
    if not settled:
        return []
    numbers = {lead_id: number for number, lead_id in enumerate(sorted({each.lead_id for each in settled}))}
    cases = Judged(
        np.array([numbers[each.lead_id] for each in settled], dtype=np.int64),
        np.array([each.at for each in settled], dtype=np.int64),
        np.array([each.probability for each in settled], dtype=np.float64),
        np.array([ends.converted(each, model.horizon) for each in settled], dtype=np.bool_),
    )
    kinds = np.array([each.kind.value for each in settled], dtype=object)
    parted: list[Part] = [("served", "", str(kind), kinds == kind) for kind in dict.fromkeys(sorted(kinds.tolist()))]
    begin = min(since, int(cases.at[0]))
    found = judge(cases, parted, since=begin, step=step, learned=model.converted_leads)
    return [each for each in found if each.by == "served"]


def bands(probability: NDArray[np.float64], model: ServingModel, agreement: Agreement | None) -> list[Part]:
    """Leads by the agreement's cutoffs alone; without one the highest tenth, the upper half below it, and the lower half."""
    if agreement is not None:
        low, high, names = agreement.mql, agreement.sql, (Band.SQL.value, Band.MQL.value, Band.NURTURE.value)
    elif len(model.bundle.reference):
        low, high = np.quantile(model.bundle.reference.probability, [0.5, 0.9]).tolist()
        names = ("highest tenth", "upper half", "lower half")
    else:
        return []
    above, below = probability >= high, probability < low
    return [("band", "", names[0], above), ("band", "", names[1], ~above & ~below), ("band", "", names[2], below)]


def periods(cases: Judged, *, since: int, step: int) -> list[Period]:
    """Calibration over time: up to `PERIODS` equal periods, each with the first moment there of each lead."""
    if len(cases.at) == 0:
        return []
    count = (int(cases.at[-1]) - since) // step + 1
    length = step * -(-count // PERIODS)
    found = []
    for first in range(since, int(cases.at[-1]) + 1, length):
        rows = cases.first_of_each_lead((cases.at >= first) & (cases.at < first + length))
        if len(rows):
            converted = int(cases.converted[rows].sum())
            expected = how_many(cases.probability[rows])
            found.append(Period(first, first + length, len(rows), converted, expected, rate(converted, len(rows))))
    return found


def ranking(cases: Judged) -> Estimate:
    """ROC-AUC of what settled since, with its interval by lead; unknown where too few leads converted."""
    rows = slice(-RANKED, None)
    lead, converted = cases.lead[rows], cases.converted[rows]
    if len(np.unique(lead[converted])) < RANKING_LEADS or converted.all():
        return Estimate(None, None, None)
    judged = evaluate(
        converted.astype(np.int8),
        lead,
        {"model": cases.probability[rows]},
        base_rate=float(converted.mean()),
        draws=200,
    )
    return judged.models["model"].metrics["roc_auc"]


def ranking_fell(found: CameTrue) -> bool:
    """Whether the two intervals lie apart, and the figure fell by more than `RANKING_FELL`."""
    now, then = found.ranking, found.ranking_then
    if now.point is None or now.high is None or then.point is None or then.low is None:
        return False
    return now.high < then.low and then.point - now.point > RANKING_FELL
