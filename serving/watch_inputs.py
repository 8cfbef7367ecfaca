"""Whether today's leads look like those that the model learned from: each input and the score, bin by bin.

Compared are moments of the training's own schedule, the newest ones, with all that it learned from: both see leads of every
age as they come. An outcome is not needed, so that this is known long before anything is settled.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency

from features.compute import compute_features
from features.definitions import Definition
from features.history import History
from features.moments import Moments, Schedule
from features.wording import Lang, label
from serving.scoring import LEADS_AT_ONCE
from serving.serving_model import ServingModel
from serving.watch_figures import Drift, Inflow
from training.explanation import Pools
from training.inputs import SAMPLE, Inputs, evenly

FEWEST = 100
"""With fewer new leads nothing is said."""
FAR = 0.25
"""A Jensen-Shannon distance (base 2) from which on spreads differ to the eye: one moment in three or so lies in another bin,
as with a population stability index of about 0.35."""
VERY_FAR = 0.5
"""From here on an input says something else than it did: a column went empty, or counts in another unit."""
BEYOND_USUAL = 1.5
CHANCE = 0.001
"""How probable a distance may be by chance, over all inputs together."""
WEIGHTY = 0.01
"""A topic with less than this part of all contributions moves no score that matters."""
_LANG: Lang = "en"


def inflow(history: History, model: ServingModel, withheld: NDArray[np.bool_]) -> Inflow:
    """Compare the newest moments with those of the training.

    Parameters
    ----------
    withheld : bool, one a lead of the history: object to profiling, and are left out.
    """
    manifest, inputs = model.as_trained.manifest, model.as_trained.inputs
    told = manifest["schedule"]
    moments = Schedule(tuple(told["after_creation"]), told["every"], told["until"]).moments(history)
    new = np.flatnonzero((moments.as_of > int(manifest["last_moment"])) & ~withheld[moments.lead])
    moments = moments.take(new if inputs is None else new[-max(inputs.a_stretch, 1) :])
    leads = len(np.unique(moments.lead))
    first = int(moments.as_of.min()) if len(moments) else None
    if inputs is None or leads < FEWEST:
        return Inflow(len(moments), leads, first, False, None, ())
    counts, scores = _counted(history, model, inputs, moments.take(evenly(len(moments), SAMPLE)))
    part = leads / len(moments)
    return Inflow(
        moments=len(moments),
        leads=leads,
        first=first,
        known=True,
        score=_of_score(inputs, scores, part),
        inputs=tuple(_of_topics(model, inputs, counts, part)),
    )


def _counted(
    history: History, model: ServingModel, inputs: Inputs, moments: Moments
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How the moments fall into the bins of inputs and score."""
    scorer = model.as_trained.scorer
    counts, scores = np.zeros(inputs.counts.shape[1], np.int64), np.zeros(inputs.score_counts.shape[1], np.int64)
    for first in range(0, len(moments), LEADS_AT_ONCE):
        rows = np.arange(first, min(first + LEADS_AT_ONCE, len(moments)), dtype=np.int64)
        values = compute_features(history, moments.take(rows), scorer.definitions)
        counts += inputs.histogram(values)
        scores += inputs.spread(scorer.score(values)[0])
    return counts, scores


def _of_score(inputs: Inputs, now: NDArray[np.int64], part: float) -> Drift:
    distance, usual, drifted = moved(now, inputs.score_counts, part, _part_then(inputs), questions=1)
    then = inputs.score_counts.sum(axis=0)
    bin_ = _most_changed(now, then)
    return Drift("", "", distance, usual, 1.0, "", _share(now, bin_), _share(then, bin_), drifted)


def _of_topics(model: ServingModel, inputs: Inputs, counts: NDArray[np.int64], part: float) -> list[Drift]:
    """The feature of each topic that moved farthest, those that drifted first."""
    definitions = model.as_trained.scorer.definitions
    pools = Pools.of(definitions)
    summed = np.bincount(pools.pool, weights=inputs.importance, minlength=len(pools))
    weight = summed / max(float(summed.sum()), 1e-12)
    best: dict[int, Drift] = {}
    for column, definition in enumerate(definitions):
        bins = slice(int(inputs.bin_start[column]), int(inputs.bin_start[column + 1]))
        now, stretches, pool = counts[bins], inputs.counts[:, bins], int(pools.pool[column])
        distance, usual, drifted = moved(now, stretches, part, _part_then(inputs), questions=len(definitions))
        if pool in best and (best[pool].drifted, best[pool].distance) >= (drifted, distance):
            continue
        then = stretches.sum(axis=0)
        bin_ = _most_changed(now, then)
        best[pool] = Drift(
            topic=pools.topics[pool],
            name=label(definition, definitions.schema, _LANG),
            distance=distance,
            usual=usual,
            weight=float(weight[pool]),
            what=bin_words(definition, inputs, column, bin_),
            now=_share(now, bin_),
            then=_share(then, bin_),
            drifted=drifted,
        )
    return sorted(best.values(), key=lambda each: (not each.drifted, -each.distance, each.topic))


def moved(
    now: NDArray[np.int64], stretches: NDArray[np.int64], part: float, part_then: float, *, questions: int
) -> tuple[float, float, bool]:
    """How far counts lie from those of before, the largest such distance within the training, and whether that is far.

    Before is all of the training or its newest third, whichever is nearer: what has been growing ever since the tables
    began grows on, and is no fault. Far is at least `FAR`, `BEYOND_USUAL` times what a stretch of the training lay from
    those before it (or half the way from there to 1), and beyond chance.

    Parameters
    ----------
    now : int64[bins].
    stretches : int64[k, bins], in the order of time.
    part, part_then : leads for each moment; moments of one lead are alike, so that chance is judged by leads.
    questions : how many inputs are asked about.
    """
    then = stretches.sum(axis=0)
    newest = stretches[-max(len(stretches) // 3, 1) :].sum(axis=0)
    distance, usual = min(_distance(now, then), _distance(now, newest)), 0.0
    if len(stretches) > 1:
        before = np.cumsum(stretches, axis=0)[:-1]
        some = (stretches[1:].sum(axis=1) > 0) & (before.sum(axis=1) > 0)
        if some.any():
            usual = float(np.max(_distances(stretches[1:][some], before[some])))
    if distance < FAR or distance < min(BEYOND_USUAL * usual, (1 + usual) / 2):
        return distance, usual, False
    table = np.stack([now * part, then * part_then])[:, (now + then) > 0]
    return distance, usual, bool(chi2_contingency(table, correction=False).pvalue < CHANCE / questions)


def _distance(now: NDArray[np.int64], then: NDArray[np.int64]) -> float:
    if now.sum() == 0 or then.sum() == 0:
        return 0.0
    return float(_distances(now[None, :], then[None, :])[0])


def _distances(ours: NDArray[np.int64], theirs: NDArray[np.int64]) -> NDArray[np.float64]:
    """Jensen-Shannon distance of each row; alike spreads can come out as the root of a negative rounding error."""
    with np.errstate(invalid="ignore"):
        found = jensenshannon(ours.astype(np.float64), theirs.astype(np.float64), base=2.0, axis=1)
    return np.nan_to_num(np.asarray(found, dtype=np.float64))


def _part_then(inputs: Inputs) -> float:
    """Leads for each moment of the training; a lead that stands in several stretches counts in each."""
    return float(inputs.leads.sum() / max(int(inputs.moments.sum()), 1))


def _most_changed(now: NDArray[np.int64], then: NDArray[np.int64]) -> int:
    return int(np.argmax(np.abs(now / max(now.sum(), 1) - then / max(then.sum(), 1))))


def _share(counts: NDArray[np.int64], bin_: int) -> float:
    return float(counts[bin_] / max(counts.sum(), 1))


def bin_words(definition: Definition, inputs: Inputs, column: int, bin_: int) -> str:
    """What lies in a bin, such as "missing", "0", "from 3 to below 8" or a category."""
    if bin_ == 0:
        return "missing"
    if definition.categorical:
        names = definition.categories
        return names[bin_ - 1] if bin_ <= len(names) else "another value"
    if bin_ == 1:
        return "0"
    borders = inputs.edges[inputs.edge_start[column] : inputs.edge_start[column + 1]]
    low = f"{borders[bin_ - 3]:.4g}" if bin_ > 2 else None
    high = f"{borders[bin_ - 2]:.4g}" if bin_ - 2 < len(borders) else None
    if low is None:
        return "other than 0" if high is None else f"below {high}, not 0"
    return f"{low} or more" if high is None else f"from {low} to below {high}"
