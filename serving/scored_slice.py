"""A slice of the moments to be scored, and what the agreement says of each, whoever scores it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.history import History
from features.moments import Moments
from features.stages_reached import furthest_stages
from features.wording import Lang
from serving.decision import Band, DecidedBy, decide
from serving.evidence import fast_lane_hits, missing_evidence
from serving.lead_score import AgreementName, Cutoff, FastLaneHit, LeadScore, Missing
from serving.notices import Notice
from serving.rule_matching import excluded_by, personas_of, triggered_by
from serving.signatures import AgreementState


@dataclass(frozen=True, eq=False)
class Slice:
    """Some of the moments, with all that an answer about each needs beside its score."""

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
