"""What a review is made of, read from the store; who converted comes from its outcomes, or from tables that are files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa

from features.history import History
from serving.agreement import Agreement
from serving.deadlines import deadline
from serving.decision import Band, DecidedBy
from serving.review import make_review
from serving.review_figures import Answer, Case, Clock, Ends, Kind, Review
from serving.store.tables import band_changes, feedback, handoffs, outcomes

AT_ONCE = 500
_REACHED = (Band.MQL.value, Band.SQL.value)


def read_review(
    c: sa.Connection, ends: Ends, clock: Clock, *, horizon: int, agreement: Agreement | None = None
) -> Review:
    """Read what a review of a period needs, and make it.

    Parameters
    ----------
    agreement : the valid one, whose term for MQLs and whose capacity the answers are held against.
    """
    begin = min(ends.until, clock.moment) - ends.delay - horizon - clock.length
    converted = [
        lead_id for lead_id, at in ends.converted_at.items() if clock.moment - clock.length <= at < clock.moment
    ]
    return make_review(
        (*_handed_over(c), *_came_into_bands(c, begin, agreement)),
        _answers(c),
        ends,
        clock,
        horizon=horizon,
        reached_at=_reached_at(c, converted),
        watched_from=c.execute(sa.select(sa.func.min(band_changes.c.at))).scalar(),
        capacity=None if agreement is None else agreement.sqls_a_week,
    )


def ends_of_history(history: History) -> Ends:
    """Who converted, by tables that are files."""
    found = history.outcomes
    won = np.flatnonzero(found.converted & (found.known_at < history.now))
    at = found.at[won].tolist()
    return Ends(
        dict(zip((str(each) for each in history.lead_ids[won]), at, strict=True)), history.data_end, found.delay
    )


def ends_of_store(c: sa.Connection, *, converted: str, now: int) -> Ends:
    """Who converted, by the outcomes in the store: only a lead's first one counts; at one instant, converted wins."""
    what = outcomes.c
    rows = c.execute(
        sa.select(what.lead_id, what.occurred_at, what.recorded_at, what.outcome, what.told).where(
            what.occurred_at < now
        )
    ).all()
    first: dict[str, tuple[int, bool]] = {}
    for lead_id, at, _, outcome, _ in rows:
        end = (at, outcome != converted)
        if lead_id not in first or end < first[lead_id]:
            first[lead_id] = end
    delays = [max(recorded - at, 0) for _, at, recorded, _, told in rows if told]
    delay = int(np.quantile(delays, 0.99, method="inverted_cdf")) if delays else 0
    return Ends({lead_id: at for lead_id, (at, lost) in first.items() if not lost}, now, delay)


def served_cases(c: sa.Connection, version: str) -> list[Case]:
    """All that a version of the model brought into a band, with the probability that it gave them; none held back."""
    cases = (*_handed_over(c, version), *_came_into_bands(c, 0, None, version))
    return [each for each in cases if not each.held_back]


def _handed_over(c: sa.Connection, version: str | None = None) -> Iterable[Case]:
    what = handoffs.c
    columns = (
        what.lead_id,
        what.decided_by,
        what.as_of,
        what.created_at,
        what.probability,
        what.deadline,
        what.handoff_id,
        what.held_back,
    )
    for lead_id, decided_by, as_of, created_at, probability, due, handoff_id, held_back in c.execute(
        sa.select(*columns) if version is None else sa.select(*columns).where(what.model_version == version)
    ):
        kind = Kind.FAST_LANE if decided_by == DecidedBy.FAST_LANE else Kind.SQL
        yield Case(lead_id, kind, as_of, created_at, probability, due, handoff_id, bool(held_back))


def _came_into_bands(
    c: sa.Connection, begin: int, agreement: Agreement | None, version: str | None = None
) -> Iterable[Case]:
    """Leads that rose to MQL, or were put into nurture, from an instant on.

    A lead that falls from SQL to MQL is no new MQL. What an MQL is owed is what is agreed today: no deadline of theirs
    was kept.
    """
    what = band_changes.c
    query = sa.select(what.lead_id, what.at, what.to_band, what.probability).where(
        what.at >= begin,
        sa.or_(
            what.to_band == Band.NURTURE.value,
            sa.and_(
                what.to_band == Band.MQL.value,
                sa.or_(what.from_band.is_(None), what.from_band == Band.NURTURE.value),
            ),
        ),
    )
    if version is not None:
        query = query.where(what.model_version == version)
    term = None if agreement is None or agreement.sla is None else agreement.sla.mql
    for lead_id, at, band, probability in c.execute(query):
        kind = Kind.MQL if band == Band.MQL.value else Kind.NURTURE
        due = None
        if kind is Kind.MQL and agreement is not None and term is not None:
            due = deadline(agreement, since=at, respond_within=term)
        yield Case(lead_id, kind, at, at, probability, due)


def _answers(c: sa.Connection) -> Iterable[Answer]:
    what = feedback.c
    query = sa.select(what.lead_id, what.at, what.verdict, what.reason, what.handoff_id).order_by(what.at, what.number)
    return [Answer(*row) for row in c.execute(query)]


def _reached_at(c: sa.Connection, lead_ids: Sequence[str]) -> dict[str, int]:
    """When leads first were MQL or SQL, or were handed over; leads that never were are absent."""
    found: dict[str, int] = {}
    for first in range(0, len(lead_ids), AT_ONCE):
        ids = lead_ids[first : first + AT_ONCE]
        queries: tuple[sa.Select[Any], ...] = (
            sa.select(band_changes.c.lead_id, sa.func.min(band_changes.c.at))
            .where(band_changes.c.lead_id.in_(ids), band_changes.c.to_band.in_(_REACHED))
            .group_by(band_changes.c.lead_id),
            sa.select(handoffs.c.lead_id, sa.func.min(handoffs.c.as_of))
            .where(handoffs.c.lead_id.in_(ids))
            .group_by(handoffs.c.lead_id),
        )
        for query in queries:
            for lead_id, at in c.execute(query):
                found[lead_id] = min(at, found.get(lead_id, at))
    return found
