"""Finds one lead with all that is recorded of it: in tables held in memory, or in the store as it is this very moment."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from features.history import NEVER, History
from features.moments import Moments
from features.workspace import Workspace
from serving.champion import Snapshot
from serving.known_facts import facts_of
from serving.live_tables import LiveTables
from serving.notices import Notice
from serving.problems import Fault, Refused
from serving.store import Store
from serving.store.lead_rows import lead_rows
from serving.stored_leads import history_of_stored
from serving.withheld import Withheld


@dataclass(frozen=True, eq=False)
class FoundLead:
    """One lead, ready to be scored at a moment.

    Attributes
    ----------
    history : that holds it, maybe among others.
    position : of the lead in it.
    snapshot : to score it with.
    now : the moment that is scored unless another is asked for.
    notices : of the tables.
    store : where facts about the lead were entered.
    """

    history: History
    position: int
    snapshot: Snapshot
    now: int
    notices: tuple[Notice, ...]
    store: Store

    @property
    def lead_id(self) -> str:
        return str(self.history.lead_ids[self.position])

    def moments(self, *as_of: int) -> Moments:
        """Moments of this lead."""
        return Moments(np.full(len(as_of), self.position, dtype=np.int64), np.array(as_of, dtype=np.int64))

    def facts(self, *as_of: int) -> list[Collection[str]]:
        """The facts known at each of some moments; at `now` all that were entered, however old the tables are."""
        with self.store.reading() as c:
            until = [NEVER if each == self.now else each for each in as_of]
            return [facts_of(c, [self.lead_id], as_of=each).get(self.lead_id, frozenset()) for each in until]


class LeadSource(Protocol):
    """Where the leads of a workspace are found."""

    def find(self, lead_id: str) -> FoundLead:
        """One lead.

        Raises
        ------
        Refused
            404 where there is no such lead, 403 where it objects to profiling, 503 while tables are being read.
        """
        ...


class FileLeads:
    """Leads of tables that are files: as they were read, at their newest moment."""

    def __init__(self, tables: LiveTables, snapshot: Callable[[], Snapshot], store: Store, withheld: Withheld) -> None:
        self._tables = tables
        self._snapshot = snapshot
        self._store = store
        self._withheld = withheld

    def find(self, lead_id: str) -> FoundLead:
        tables = self._tables.current()
        history = tables.history
        position = int(history.positions(np.array([lead_id], dtype=object))[0])
        if position < 0 or self._withheld.is_erased(lead_id):
            raise _unknown()
        if self._withheld.objects(lead_id):
            raise objecting()
        snapshot = tables.snapshot_for(self._snapshot())
        return FoundLead(history, position, snapshot, history.now, self._tables.notices, self._store)


class StoredLeads:
    """Leads of the store: read anew for each question, so that an event counts from when it was accepted on."""

    def __init__(
        self, store: Store, workspace: Workspace, snapshot: Callable[[], Snapshot], clock: Callable[[], int]
    ) -> None:
        self._store = store
        self._workspace = workspace
        self._snapshot = snapshot
        self._clock = clock

    def find(self, lead_id: str) -> FoundLead:
        snapshot = self._snapshot()
        with self._store.reading() as c:
            rows = lead_rows(c, [lead_id]).get(lead_id)
        now = self._clock()
        if rows is None:
            raise _unknown()
        if rows.objected_at is not None:
            raise objecting()
        history = history_of_stored(
            snapshot.schema,
            [rows],
            as_of=now,
            named_types=snapshot.named_types,
            page=self._workspace.page,
            rule_columns=snapshot.rule_columns,
            converted=self._workspace.converted,
        )
        return FoundLead(history, 0, snapshot, now, (), self._store)


def objecting(field: str = "id") -> Refused:
    """The answer about a lead that objects to profiling."""
    return Refused(403, [Fault(field, "a lead that objects to profiling", "a lead that may be scored")])


def _unknown() -> Refused:
    return Refused(404, [Fault("id", "no lead of the tables", "a lead_id of the leads table")])
