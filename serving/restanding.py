"""Re-scores leads of the store within the transaction that changed them, so that nobody ever reads a score of before."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import sqlalchemy as sa

from features.history import NEVER
from features.workspace import Workspace
from serving.champion import Snapshot
from serving.handoff_settings import HandoffSettings
from serving.known_facts import facts_of
from serving.lead_source import FoundLead
from serving.settling import leave, settle
from serving.standing import score_standings, standing_leads
from serving.store.lead_rows import lead_rows
from serving.stored_leads import history_of_stored


class Restanding:
    """Knows all that a lead's standing is made of but the lead itself."""

    def __init__(
        self,
        *,
        workspace: Workspace,
        snapshot: Callable[[], Snapshot],
        settings: HandoffSettings,
        clock: Callable[[], int],
    ) -> None:
        self._clock = clock
        self._workspace = workspace
        self._snapshot = snapshot
        self._settings = settings

    def restand(self, c: sa.Connection, lead_ids: Sequence[str], *, as_of: int) -> int:
        """Settle leads of the store as they are at a moment; how many stand now.

        Leads that the store does not hold yet, that ended or that object to profiling do not stand anywhere.
        """
        snapshot = self._snapshot()
        rows = [
            each for each in lead_rows(c, lead_ids).values() if each.objected_at is None and each.created_at < as_of
        ]
        stands: list[str] = []
        if rows:
            history = history_of_stored(
                snapshot.schema,
                rows,
                as_of=as_of,
                named_types=snapshot.named_types,
                page=self._workspace.page,
                rule_columns=snapshot.rule_columns,
                converted=self._workspace.converted,
            )
            positions = standing_leads(history, as_of)
            stands = [str(each) for each in history.lead_ids[positions]]
            scored = score_standings(
                snapshot, history, np.asarray(positions), as_of=as_of, facts=facts_of(c, stands, as_of=as_of)
            )
            settle(c, list(scored), agreement=snapshot.agreement.valid, settings=self._settings, now=as_of)
        leave(c, sorted(set(lead_ids).difference(stands)))
        return len(stands)

    def restand_found(self, c: sa.Connection, found: FoundLead) -> None:
        """Settle a lead anew at the moment of its tables, since people entered something about it."""
        positions = np.array([found.position], dtype=np.int64)
        known = facts_of(c, [found.lead_id], as_of=NEVER)
        scored = list(score_standings(found.snapshot, found.history, positions, as_of=found.now, facts=known))
        agreement = found.snapshot.agreement.valid
        settle(c, scored, agreement=agreement, settings=self._settings, now=self._clock())
