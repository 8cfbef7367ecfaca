"""What would have happened in the example until now: leads stand week by week, and a made-up sales team answers.

Bands, scores and hand-offs are the product's own, by the champion and the agreement of today, each week with what was
known then. What sales says is drawn: it accepts most leads that went on to convert and about half of the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from features.calendar_days import DAY, HOUR
from features.history import History
from serving.actor import Actor
from serving.agreement_terms import FACTS
from serving.champion import Snapshot
from serving.feedback import give_feedback, record_fact
from serving.handoff_settings import HandoffSettings
from serving.known_facts import facts_of
from serving.serving_model import ServingModel
from serving.settling import settle
from serving.standing import WEEK, score_standings, standing_leads
from serving.store import Store
from serving.store.tables import REJECTION_REASONS, handoffs, standings

WEEKS = 26
SALES = Actor("sales team of the demo", "sales", team="sales")
_REASON_SHARES = (0.2, 0.2, 0.1, 0.15, 0.2, 0.05, 0.1)
"""Of `REJECTION_REASONS` in their order; "other" asks for words and is not drawn."""
_ACCEPTS_WON, _ACCEPTS_OTHERS = 0.9, 0.5
_IN_TIME_HOURS = 9.0
"""Median hours until sales answers."""


@dataclass(frozen=True, eq=False)
class DemoPast:
    """The example's leads, and where what happens is kept."""

    store: Store
    snapshot: Snapshot
    history: History

    @property
    def is_there(self) -> bool:
        """Whether the past was lived through before."""
        with self.store.reading() as c:
            return c.execute(sa.select(standings.c.lead_id).limit(1)).first() is not None

    def live(self, progress: Callable[[float], None]) -> int:
        """Live through the last weeks up to the tables' now; how many leads were handed over."""
        draw = np.random.default_rng(0)
        weeks = [self.history.now - back * WEEK for back in range(WEEKS, -1, -1)]
        for number, at in enumerate(weeks):
            self._stand(at)
            if at < self.history.now:
                self._answer(at, draw)
            progress((number + 1) / len(weeks))
        with self.store.reading() as c:
            return int(c.execute(sa.select(sa.func.count()).select_from(handoffs)).scalar_one())

    def _stand(self, at: int) -> None:
        with self.store.writing() as c:
            facts = facts_of(c, None, as_of=at)
            positions = self._young(standing_leads(self.history, at), at)
            scored = list(score_standings(self.snapshot, self.history, positions, as_of=at, facts=facts, threads=None))
            settle(c, scored, agreement=self.snapshot.agreement.valid, settings=HandoffSettings(), now=at)
            c.execute(sa.delete(standings).where(standings.c.as_of < at))  # who ended meanwhile

    def _young(self, positions: NDArray[np.int64], at: int) -> NDArray[np.int64]:
        """Without the leads that nobody would still call: older than any that the model learned from."""
        model = self.snapshot.model
        oldest = model.oldest_age if isinstance(model, ServingModel) else None
        return positions if oldest is None else positions[at - self.history.created_at[positions] <= oldest]

    def _answer(self, at: int, draw: np.random.Generator) -> None:
        """Sales answers the hand-offs of a moment, most of them in time, and a few not at all."""
        query = sa.select(handoffs.c.lead_id).where(handoffs.c.created_at == at, ~handoffs.c.held_back)
        with self.store.writing() as c:
            for lead_id in c.execute(query.order_by(handoffs.c.lead_id)).scalars().all():
                hours = float(np.exp(draw.normal(np.log(_IN_TIME_HOURS), 0.9)))
                accepts = draw.random() < (_ACCEPTS_WON if self._converts(lead_id) else _ACCEPTS_OTHERS)
                reason = str(draw.choice(REJECTION_REASONS[: len(_REASON_SHARES)], p=_REASON_SHARES))
                learned = [fact for fact in FACTS if draw.random() < 0.5]
                if draw.random() < 0.05:
                    continue
                when: dict[str, Any] = {"lead_id": lead_id, "actor": SALES, "now": at + min(int(hours * HOUR), 6 * DAY)}
                if accepts:
                    give_feedback(c, self.store, verdict="accepted", **when)
                    for fact in learned:
                        record_fact(c, self.store, fact=fact, known=True, **when)
                else:
                    give_feedback(c, self.store, verdict="rejected", reason=reason, **when)

    def _converts(self, lead_id: str) -> bool:
        position = int(self.history.positions(np.array([lead_id], dtype=object))[0])
        return bool(self.history.outcomes.converted[position])
