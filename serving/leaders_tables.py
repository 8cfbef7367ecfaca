"""The leads that the leaders' pages are about: those of tables that are files, or the store's, read now and then."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from features.calendar_days import HOUR
from features.history import History
from features.tables import read_history
from serving.champion import Snapshot
from serving.serving_model import ServingModel

if TYPE_CHECKING:
    from serving.office import Office

AS_OLD_AS = HOUR // 6
"""Figures about all leads may be so old (microseconds): they move slowly, and all leads are read for them."""
T = TypeVar("T")


class LeadersTables:
    """Holds the newest reading, and what was computed of it; one thread at a time reads and computes."""

    def __init__(self, office: Callable[[], Office]) -> None:
        self._office = office
        self._alone = threading.Lock()
        self._stored: tuple[History, Snapshot, int] | None = None
        self._made: dict[str, tuple[History, object, object]] = {}

    def current(self) -> tuple[History, Snapshot]:
        """All leads, and the snapshot to score them with; `Refused` (503) where tables are still being read."""
        office = self._office()
        if office.workspace.store is None:
            tables = office.tables.current()
            return tables.history, tables.snapshot_for(office.snapshot())
        with self._alone:
            snapshot, now = office.snapshot(), office.clock()
            held = self._stored
            if held is None or held[1].model is not snapshot.model or now - held[2] > AS_OLD_AS:
                schema = snapshot.model.schema if isinstance(snapshot.model, ServingModel) else None
                history = read_history(office.workspace, schema=schema, set_aside=False).history
                held = history, snapshot, now
            self._stored = held[0], snapshot, held[2]
            return held[0], snapshot

    def once(self, name: str, history: History, by: object, make: Callable[[], T]) -> T:
        """What `make` gives, made once for a history and whatever else it depends on (`by`, compared)."""
        with self._alone:
            held = self._made.get(name)
            if held is None or held[0] is not history or held[1] != by:
                held = history, by, make()
                self._made[name] = held
            return held[2]  # type: ignore[return-value]  # what `make` gave under this name
