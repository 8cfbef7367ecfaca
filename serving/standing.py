"""Scores leads at one moment with all that their row in the queue needs, before anything of the past enters."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.calendar_days import DAY
from features.history import History
from features.moments import Moments
from features.wording import LANGS
from serving.champion import Snapshot
from serving.decision import DecidedBy
from serving.decision_words import why_band
from serving.lead_score import LeadScore, Reasons
from serving.people_words import names
from serving.scoring import score_leads
from serving.serving_model import ServingModel

WEEK = 7 * DAY


@dataclass(frozen=True, eq=False)
class Scored:
    """One lead as it stands at a moment, before anything of the past enters.

    Attributes
    ----------
    score : with reasons in English, and beside them in Japanese.
    trend : change of the whole score against a week before; None where the lead is younger.
    title, company, owner : what people call it.
    last_event : instant and type of its newest visible event, None where there is none.
    active_again : it was lost, and has acted since.
    too_old : older than any lead that the model learned from.
    because : in each language, what put the lead on the fast lane; None where it isn't.
    """

    score: LeadScore
    trend: int | None
    title: str
    company: str
    owner: str
    last_event: tuple[int, str] | None
    active_again: bool
    too_old: bool
    because: Mapping[str, str] | None

    @property
    def reasons_en(self) -> tuple[str, ...]:
        return _texts(self.score.reasons)

    @property
    def reasons_ja(self) -> tuple[str, ...]:
        return _texts(self.score.beside)


def _texts(why: Reasons | None) -> tuple[str, ...]:
    return () if why is None else tuple(each.text for each in why.speak_for)


def standing_leads(history: History, at: int) -> NDArray[np.int64]:
    """Positions of the leads that have a standing: the open ones, and lost ones that have acted since they were lost."""
    known = history.outcomes.known_at < at
    lost = np.flatnonzero(known & ~history.outcomes.converted & (history.created_at < at))
    return np.union1d(history.open_leads(at), lost[_acted_since(history, lost, at)])


def _acted_since(history: History, leads: NDArray[np.int64], at: int) -> NDArray[np.bool_]:
    offsets, events = history.events.offsets, history.events
    acted = np.zeros(len(leads), dtype=np.bool_)
    for row, lead in enumerate(leads.tolist()):
        own = slice(offsets[lead], offsets[lead + 1])
        after = events.occurred_at[own] > max(history.outcomes.at[lead], history.outcomes.known_at[lead])
        acted[row] = bool((after & (events.known_at[own] < at)).any())
    return acted


def score_standings(
    snapshot: Snapshot,
    history: History,
    positions: NDArray[np.int64],
    *,
    as_of: int,
    facts: Mapping[str, Collection[str]],
    threads: int | None = 1,
) -> Iterable[Scored]:
    """Score leads at one moment with all that their row in the queue needs. Made as it is asked for.

    Parameters
    ----------
    positions : of leads created before `as_of`.
    facts : known BANT facts by lead id; a lead without any may be absent.
    """
    moments = Moments(positions, np.full(len(positions), as_of, dtype=np.int64))
    known = [facts.get(str(each), ()) for each in history.lead_ids[positions]]

    def scored(moments: Moments, known: Sequence[Collection[str]], **how: Any) -> Iterable[LeadScore]:
        return score_leads(
            snapshot.model, snapshot.agreement, history, moments, scored_at=as_of, facts=known, threads=threads, **how
        )

    before = _week_before(history, positions, as_of)
    earlier = {
        int(position): score.score
        for position, score in zip(
            positions[before],
            scored(
                Moments(positions[before], np.full(int(before.sum()), as_of - WEEK, dtype=np.int64)),
                [known[row] for row in np.flatnonzero(before)],
                reasons=False,
            ),
            strict=True,
        )
    }
    too_old = _too_old(snapshot, history, positions, as_of)
    lost = history.outcomes.known_at[positions] < as_of
    for row, score in enumerate(scored(moments, known, lang="en", beside="ja")):
        position = int(positions[row])
        title, _ = names(history, position)
        yield Scored(
            score=score,
            trend=score.score - earlier[position] if position in earlier else None,
            title=title,
            company=_label(history, "company", position),
            owner=_label(history, "owner", position),
            last_event=last_event(history, position, as_of),
            active_again=bool(lost[row]),
            too_old=bool(too_old[row]),
            because=_because(score, snapshot),
        )


def _because(score: LeadScore, snapshot: Snapshot) -> Mapping[str, str] | None:
    if score.decided_by is not DecidedBy.FAST_LANE:
        return None
    return {lang: why_band(score, snapshot.schema, lang)[-1] for lang in LANGS}


def last_event(history: History, position: int, as_of: int) -> tuple[int, str] | None:
    """Instant and type of a lead's newest visible event."""
    events = history.events
    first, last = int(events.offsets[position]), int(events.offsets[position + 1])
    for row in range(last - 1, first - 1, -1):
        if events.known_at[row] < as_of:
            code = int(events.codes[0][row])
            return int(events.occurred_at[row]), events.vocabularies[0][code] if code >= 0 else ""
    return None


def _week_before(history: History, positions: NDArray[np.int64], as_of: int) -> NDArray[np.bool_]:
    return history.created_at[positions] < as_of - WEEK


def _too_old(snapshot: Snapshot, history: History, positions: NDArray[np.int64], as_of: int) -> NDArray[np.bool_]:
    oldest = snapshot.model.oldest_age if isinstance(snapshot.model, ServingModel) else None
    if oldest is None:
        return np.zeros(len(positions), dtype=np.bool_)
    return as_of - history.created_at[positions] > oldest


def _label(history: History, what: str, position: int) -> str:
    column = history.labels.get(what)
    return "" if column is None else str(column[position])
