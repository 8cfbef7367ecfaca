"""Scores and answers: the one way from leads at moments to `LeadScore`, in batch and for one lead alike."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from math import floor, isnan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.compute import compute_features
from features.history import History
from features.moments import Moments
from features.schema import Schema
from features.stages_reached import furthest_stages
from features.wording import Lang, message
from serving.agreement import Agreement
from serving.decision import Band, DecidedBy, decide
from serving.evidence import fast_lane_hits, missing_evidence
from serving.lead_score import AgreementName, Cutoff, FastLaneHit, GroupShare, LeadScore, Missing, ModelName
from serving.reason_words import tell, tell_points
from serving.rule_matching import excluded_by, personas_of, triggered_by
from serving.signatures import AgreementState
from training.bundle import Bundle
from training.calibration import Calibrator
from training.calibration_record import LivingCalibration
from training.explanation import Explainer
from training.points import PointsRules, points_breakdown, points_of
from training.reference import Similar

SHOWN = 5
"""So many reasons for, and so many against, stand in every reply."""
LEADS_AT_ONCE = 16_384
"""Moments whose features and contributions are held at once: some 100 MB at 400 features."""


@dataclass(frozen=True)
class Notice:
    """Something that people should know of a score, said in each reader's language.

    Attributes
    ----------
    key : of a message.
    values : what its braces are filled with.
    """

    key: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def said(self, lang: Lang) -> str:
        """The sentence. A value that is a tuple of notices is told as their list."""
        told = {
            name: " · ".join(each.said(lang) for each in value) if isinstance(value, tuple) else value
            for name, value in self.values.items()
        }
        return message(self.key, lang, **told)


@dataclass(frozen=True, eq=False)
class ServingModel:
    """A registered model made ready to answer: prepared once, used for every batch and request.

    Attributes
    ----------
    name, version : in the registry.
    bundle : as training left it, but for its living calibration, which is in its scorer and reference.
    calibration : that; None where it serves as training left it.
    without : the bundle without it; None where it serves as training left it.
    """

    name: str
    version: str
    bundle: Bundle
    calibration: LivingCalibration | None = None
    without: Bundle | None = None

    @classmethod
    def of(cls, name: str, version: str, bundle: Bundle, living: LivingCalibration | None) -> ServingModel:
        """A bundle as training left it, made to serve with a living calibration."""
        return (
            cls(name, version, bundle)
            if living is None
            else cls(name, version, living.applied_to(bundle), living, bundle)
        )

    @property
    def as_trained(self) -> Bundle:
        """The bundle as training left it, by which models are compared: a living calibration has seen what came later."""
        return self.without or self.bundle

    @property
    def served(self) -> str:
        """The version with its living calibration, as "3+2": what the scores depend on."""
        return self.version if self.calibration is None else f"{self.version}+{self.calibration.number}"

    @property
    def schema(self) -> Schema:
        """What the columns mean to this model; tables and requests are read by it."""
        return self.bundle.scorer.definitions.schema

    @property
    def horizon(self) -> int:
        return self.bundle.scorer.horizon

    @property
    def converted(self) -> str:
        """The outcome that counts as converted."""
        return str(self.bundle.manifest["converted"])

    @property
    def converted_leads(self) -> int:
        """How many converted leads the model learned from."""
        return int(self.bundle.manifest["converted_leads"])

    @property
    def oldest_age(self) -> int | None:
        """The longest time since a lead's creation among the training moments (microseconds), where it was kept."""
        longest = self.bundle.manifest.get("oldest_age")
        return None if longest is None else int(longest)

    @cached_property
    def explainer(self) -> Explainer:
        return Explainer.of(self.bundle.scorer, self.bundle.reference)

    @cached_property
    def named(self) -> ModelName:
        number = None if self.calibration is None else self.calibration.number
        return ModelName(self.name, self.version, self.bundle.scorer.provisional, number)


@dataclass(frozen=True, eq=False)
class ColdStart:
    """Points by rule, for as long as there is no champion.

    Attributes
    ----------
    rules : how many points for what.
    horizon : microseconds, of the workspace.
    missing : what is missing until a model can be trained.
    """

    rules: PointsRules
    horizon: int
    missing: tuple[Notice, ...] = ()


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
        batch = _Batch(agreement, history, moments.take(rows), scored_at, langs[part], notices, known, beside)
        if isinstance(model, ServingModel):
            yield from _by_model(model, batch, reasons, threads)
        else:
            yield from _by_points(model, batch, reasons)


@dataclass(frozen=True, eq=False)
class _Batch:
    """What a slice of the moments needs, whoever scores it."""

    agreement: AgreementState
    history: History
    moments: Moments
    scored_at: int
    langs: list[Lang]
    notices: tuple[Notice, ...]
    facts: Sequence[Collection[str]] | None
    beside: Lang | None

    @cached_property
    def hits(self) -> list[FastLaneHit | None]:
        """The fast-lane event of each moment; none where no agreement is valid."""
        valid = self.agreement.valid
        return fast_lane_hits(self.history, self.moments, {} if valid is None else valid.fast_lane)

    @cached_property
    def excluded(self) -> list[str | None]:
        """The exclusion that holds at each moment."""
        valid = self.agreement.valid
        if valid is None or not valid.exclude:
            return [None] * len(self.moments)
        return excluded_by(self.history, self.moments, valid)

    @cached_property
    def personas(self) -> list[str | None]:
        valid = self.agreement.valid
        if valid is None or not valid.personas:
            return [None] * len(self.moments)
        return personas_of(self.history, self.moments, valid.personas)

    @cached_property
    def stages(self) -> list[str | None]:
        return furthest_stages(self.history, self.moments)

    def triggered(self, probability: NDArray[np.float64]) -> dict[int, str]:
        """By row the trigger that holds; looked up only for those whom the model would leave in nurture."""
        valid = self.agreement.valid
        if valid is None or not valid.triggers:
            return {}
        rows = np.flatnonzero(probability < valid.mql)
        found = triggered_by(self.history, self.moments.take(rows), valid.triggers)
        return {row: name for row, name in zip(rows.tolist(), found, strict=True) if name is not None}

    def missing(self, probability: NDArray[np.float64]) -> dict[int, tuple[Missing, ...]]:
        """By row what is missing of evidence and facts; looked up only for those whom the model would make SQL."""
        valid = self.agreement.valid
        if valid is None or (valid.evidence is None and not valid.facts_required):
            return {}
        rows = np.flatnonzero(probability >= valid.sql)
        lacks: list[tuple[Missing, ...]] = [()] * len(rows)
        if valid.evidence is not None:
            lacks = missing_evidence(self.history, self.moments.take(rows), valid.evidence)
        found = {}
        for row, of_evidence in zip(rows.tolist(), lacks, strict=True):
            known = () if self.facts is None else self.facts[row]
            all_lacks = (*of_evidence, *(Missing("fact", each) for each in valid.facts_required if each not in known))
            if all_lacks:
                found[row] = all_lacks
        return found

    def score(
        self,
        row: int,
        *,
        horizon: int,
        probability: float | None,
        score: int,
        cutoffs: dict[Band, Cutoff] | None,
        notices: tuple[Notice, ...],
        missing: tuple[Missing, ...] = (),
        trigger: str | None = None,
        **fields: Any,
    ) -> LeadScore:
        """The answer about one moment: what is decided by the agreement, with what the scorer found (`fields`)."""
        state, hit, excluded, lang = self.agreement, self.hits[row], self.excluded[row], self.langs[row]
        decision = decide(
            agreement=state.valid,
            probability=probability,
            fast_lane=hit is not None,
            enough_evidence=not missing,
            excluded=excluded is not None,
            triggered=trigger is not None,
        )
        by = decision.decided_by
        rules = {
            DecidedBy.EXCLUDED: excluded,
            DecidedBy.FAST_LANE: hit.event_type if hit is not None else None,
            DecidedBy.TRIGGER: trigger,
        }
        return LeadScore(
            lead_id=str(self.history.lead_ids[self.moments.lead[row]]),
            as_of=int(self.moments.as_of[row]),
            scored_at=self.scored_at,
            horizon=horizon,
            probability=probability,
            score=score,
            band=decision.band,
            decided_by=by,
            cutoffs=cutoffs,
            agreement=None if state.agreement is None else AgreementName(state.agreement.version, state.signed),
            warnings=tuple(each.said(lang) for each in (*notices, *self.notices)),
            fast_lane=hit if by is DecidedBy.FAST_LANE else None,
            rule=rules.get(by),
            stage=self.stages[row],
            persona=self.personas[row],
            missing=missing if by is DecidedBy.TOO_LITTLE_EVIDENCE else (),
            **fields,
        )


def _by_model(model: ServingModel, batch: _Batch, reasons: bool, threads: int | None) -> Iterator[LeadScore]:
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


def _by_points(model: ColdStart, batch: _Batch, reasons: bool) -> Iterator[LeadScore]:
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
