"""Scores and answers: the one way from leads at moments to `LeadScore`, in batch and for one lead alike."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from math import floor, isnan

import numpy as np
from numpy.typing import NDArray

from features.compute import compute_features
from features.history import History
from features.moments import Moments
from features.wording import Lang
from serving.agreement import Agreement
from serving.decision import Band
from serving.lead_score import Cutoff, GroupShare, LeadScore
from serving.notices import Notice
from serving.reason_words import tell, tell_points
from serving.scored_slice import Slice
from serving.serving_model import ColdStart, ServingModel
from serving.signatures import AgreementState
from training.calibration import Calibrator
from training.points import points_breakdown, points_of
from training.reference import Similar

SHOWN = 5
"""So many reasons for, and so many against, stand in every reply."""
LEADS_AT_ONCE = 16_384
"""Moments whose features and contributions are held at once: some 100 MB at 400 features."""


def score_leads(
    model: ServingModel | ColdStart,
    agreement: AgreementState,
    history: History,
    moments: Moments,
    *,
    scored_at: int,
    lang: Lang | Sequence[Lang] = "en",
    notices: Sequence[Notice] = (),
    reasons: bool = True,
    threads: int | None = None,
    facts: Sequence[Collection[str]] | None = None,
    beside: Lang | None = None,
) -> Iterator[LeadScore]:
    """Score leads at moments, say why, and what the agreement says of each.

    A score depends on the lead's own visible rows alone: it has the same bits alone and among 100,000s, in any order,
    with any number of threads.

    Parameters
    ----------
    model : the champion, or points where there is none.
    agreement : as it stands in the workspace, signed or not.
    history : read by the model's schema, and with the columns that the agreement's rules look at (`rule_columns`).
    moments : n moments of leads of `history`, each after the lead's creation.
    scored_at : now, UTC microseconds.
    lang : of the sentences; one for all, or one for each moment.
    notices : told with every score, beside the score's own.
    reasons : False leaves out the reasons, and with them fit and engagement, for lists that don't show them.
    threads : of the features; None means one for each processor.
    facts : of each moment the qualification facts that were known then; None where none was.
    beside : a second language for the reasons, at the price of their sentences alone.

    Returns
    -------
    n scores in the order of `moments`, made as they are asked for: a slice at a time is held in memory.

    Raises
    ------
    MomentOutsideHistory
        A moment of an unknown lead or not after its creation, before any score is given.
    """
    moments.check(history)
    langs = [lang] * len(moments) if isinstance(lang, str) else list(lang)
    if len(langs) != len(moments):
        raise ValueError(f"{len(langs)} languages for {len(moments)} moments")
    if facts is not None and len(facts) != len(moments):
        raise ValueError(f"facts of {len(facts)} for {len(moments)} moments")
    return _in_slices(
        model, agreement, history, moments, scored_at, langs, tuple(notices), reasons, threads, facts, beside
    )


def _in_slices(
    model: ServingModel | ColdStart,
    agreement: AgreementState,
    history: History,
    moments: Moments,
    scored_at: int,
    langs: list[Lang],
    notices: tuple[Notice, ...],
    reasons: bool,
    threads: int | None,
    facts: Sequence[Collection[str]] | None,
    beside: Lang | None,
) -> Iterator[LeadScore]:
    for first in range(0, len(moments), LEADS_AT_ONCE):
        rows = np.arange(first, min(first + LEADS_AT_ONCE, len(moments)), dtype=np.int64)
        part = slice(first, first + len(rows))
        known = None if facts is None else facts[part]
        batch = Slice(agreement, history, moments.take(rows), scored_at, langs[part], notices, known, beside)
        if isinstance(model, ServingModel):
            yield from _by_model(model, batch, reasons, threads)
        else:
            yield from _by_points(model, batch, reasons)


def _by_model(model: ServingModel, batch: Slice, reasons: bool, threads: int | None) -> Iterator[LeadScore]:
    scorer, reference, history, moments = model.bundle.scorer, model.bundle.reference, batch.history, batch.moments
    values = compute_features(history, moments, scorer.definitions, threads=threads)
    raw, probability = scorer.score(values)
    missing, triggered = batch.missing(probability), batch.triggered(probability)
    percentile, similar = reference.percentile(probability), reference.similar(probability)
    told = model.explainer.explain(values, raw, shown=SHOWN) if reasons else None
    fit_grade = reference.grades(told.fit, "fit") if told is not None else None
    engagement_grade = reference.grades(told.engagement, "engagement") if told is not None else None
    cutoffs = _cutoffs(batch.agreement.valid, scorer.calibrator)
    always = (Notice("warning.provisional", {"n": model.converted_leads}),) if scorer.provisional else ()
    too_old = _too_old(model, history, moments)
    for row in range(len(moments)):
        lang, why = batch.langs[row], None if told is None else told[row]
        yield batch.score(
            row,
            horizon=scorer.horizon,
            probability=float(probability[row]),
            score=whole_score(float(probability[row])),
            missing=missing.get(row, ()),
            trigger=triggered.get(row),
            cutoffs=cutoffs,
            notices=(*always, *((Notice("warning.older_than_training"),) if too_old[row] else ())),
            percentile=None if isnan(percentile[row]) else float(percentile[row]),
            average=scorer.average,
            similar=None if similar is None else Similar(int(similar[0][row]), int(similar[1][row])),
            reasons=None if why is None else tell(why, model.schema, lang),
            beside=None if why is None or batch.beside is None else tell(why, model.schema, batch.beside),
            fit=_UNGRADED if why is None or fit_grade is None else GroupShare(why.fit, "ABC"[fit_grade[row]]),
            engagement=_UNGRADED
            if why is None or engagement_grade is None
            else GroupShare(why.engagement, int(engagement_grade[row]) + 1),
            model=model.named,
        )


_UNGRADED = GroupShare(None, None)


def whole_score(probability: float) -> int:
    """100 x probability as a whole number, halves up.

    >>> whole_score(0.31), whole_score(0.125), whole_score(0.999999)
    (31, 13, 100)
    """
    return floor(100.0 * probability + 0.5)


def _too_old(model: ServingModel, history: History, moments: Moments) -> NDArray[np.bool_]:
    oldest = model.oldest_age
    if oldest is None:
        return np.zeros(len(moments), dtype=np.bool_)
    return moments.as_of - history.created_at[moments.lead] > oldest


def _cutoffs(agreement: Agreement | None, calibrator: Calibrator | None) -> dict[Band, Cutoff] | None:
    if agreement is None:
        return None
    by_band = {Band.MQL: agreement.mql, Band.SQL: agreement.sql}
    return {
        band: Cutoff(probability, None if calibrator is None else _log_odds(calibrator, probability))
        for band, probability in by_band.items()
    }


@lru_cache(maxsize=64)
def _log_odds(calibrator: Calibrator, probability: float) -> float | None:
    return calibrator.raw_of(probability)


def _by_points(model: ColdStart, batch: Slice, reasons: bool) -> Iterator[LeadScore]:
    points = points_of(batch.history, batch.moments, model.rules)
    made_of = points_breakdown(batch.history, batch.moments, model.rules) if reasons else None
    cutoffs = _cutoffs(batch.agreement.valid, None)
    for row in range(len(batch.moments)):
        lang, schema = batch.langs[row], batch.history.schema
        points_told = None if made_of is None else made_of[row]
        yield batch.score(
            row,
            horizon=model.horizon,
            probability=None,
            score=floor(min(max(float(points[row]), 0.0), 100.0) + 0.5),
            cutoffs=cutoffs,
            notices=(Notice("warning.no_champion"), *model.missing),
            percentile=None,
            average=None,
            similar=None,
            reasons=None if points_told is None else tell_points(points_told, schema, lang, shown=SHOWN),
            beside=None
            if points_told is None or batch.beside is None
            else tell_points(points_told, schema, batch.beside, shown=SHOWN),
            fit=_UNGRADED,
            engagement=_UNGRADED,
            model=None,
        )
