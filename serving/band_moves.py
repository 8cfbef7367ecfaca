"""Which open leads would change their band: if other cutoffs took effect, or if another model served."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from serving.decision import Band, DecidedBy
from serving.store.tables import standings

BANDS: tuple[Band | None, ...] = (Band.SQL, Band.MQL, Band.NURTURE, None)
"""From the top; None is a lead that no valid agreement speaks of."""


@dataclass(frozen=True)
class BandMoves:
    """How many leads go from which band to which.

    Attributes
    ----------
    counts : leads by (band now, band then), pairs without leads left out.
    """

    counts: Mapping[tuple[Band | None, Band | None], int]

    @property
    def leads(self) -> int:
        return sum(self.counts.values())

    @property
    def moving(self) -> int:
        """Leads that change their band."""
        return sum(count for (now, then), count in self.counts.items() if now is not then)

    def now(self, band: Band | None) -> int:
        return sum(count for (now, _), count in self.counts.items() if now is band)

    def then(self, band: Band | None) -> int:
        return sum(count for (_, then), count in self.counts.items() if then is band)


def moves_of(now: Sequence[Band | None], then: Sequence[Band | None]) -> BandMoves:
    """Of leads given one by one."""
    return BandMoves(Counter(zip(now, then, strict=True)))


def moves_under(c: sa.Connection, mql: float, sql: float) -> BandMoves:
    """What other cutoffs would do to the leads that are open now, by their stored probabilities.

    The fast lane, exclusions, triggers and missing evidence stay as they were found when a lead was last scored; of a
    lead that comes to SQL anew the evidence is not looked at. Leads too old for the model are left out.
    """
    probability = standings.c.probability
    by_cutoffs = sa.case(
        (probability.is_(None), None),
        (probability >= sql, Band.SQL.value),
        (probability >= mql, Band.MQL.value),
        else_=Band.NURTURE.value,
    )
    query = (
        sa.select(standings.c.band, standings.c.decided_by, by_cutoffs, sa.func.count())
        .where(standings.c.state != "too_old")
        .group_by(standings.c.band, standings.c.decided_by, by_cutoffs)
    )
    counts: Counter[tuple[Band | None, Band | None]] = Counter()
    for now, decided_by, cutoff_band, leads in c.execute(query):
        then = _then(decided_by, None if cutoff_band is None else Band(cutoff_band))
        counts[None if now is None else Band(now), then] += leads
    return BandMoves(counts)


def _then(decided_by: str, by_cutoffs: Band | None) -> Band | None:
    """The band under other cutoffs; what people's rules decided they would decide again."""
    if decided_by == DecidedBy.FAST_LANE:
        return Band.SQL
    if decided_by == DecidedBy.EXCLUDED:
        return Band.NURTURE
    if by_cutoffs is None:
        return None
    if decided_by == DecidedBy.TRIGGER:
        return max(by_cutoffs, Band.MQL)
    if decided_by == DecidedBy.TOO_LITTLE_EVIDENCE:
        return min(by_cutoffs, Band.MQL)
    return by_cutoffs
