"""The open leads in the order in which to call them: made once for each state of tables, champion and agreement."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.history import History
from features.moments import Moments
from features.wording import Lang
from serving.champion import Snapshot
from serving.lead_score import LeadScore, call_order
from serving.live_tables import LiveTables, Tables
from serving.log_lines import note
from serving.problems import Fault, Refused
from serving.scoring import ColdStart, ServingModel, score_leads


@dataclass(frozen=True, eq=False)
class CallList:
    """Open leads, the one to call first at the head.

    Attributes
    ----------
    tables, snapshot : that it was made of.
    positions : int64[n], of the leads in the tables' history.
    too_old : how many open leads are older than any that the model learned from, and so left out.
    """

    tables: Tables
    snapshot: Snapshot
    positions: NDArray[np.int64]
    too_old: int

    def __len__(self) -> int:
        return len(self.positions)

    def scores(self, first: int, last: int, *, lang: Lang, scored_at: int) -> list[LeadScore]:
        """The scores of a part of the list, with their reasons."""
        positions = self.positions[first:last]
        moments = Moments(positions, np.full(len(positions), self.tables.history.now, dtype=np.int64))
        model, agreement = self.snapshot.model, self.snapshot.agreement
        return list(
            score_leads(model, agreement, self.tables.history, moments, scored_at=scored_at, lang=lang, threads=1)
        )


def leads_to_call(history: History, model: ServingModel | ColdStart) -> tuple[NDArray[np.int64], int]:
    """Positions of the open leads; how many were left out for being older than any that the model learned from."""
    positions = history.open_leads(history.now)
    oldest = model.oldest_age if isinstance(model, ServingModel) else None
    if oldest is None:
        return positions, 0
    young = history.now - history.created_at[positions] <= oldest
    return positions[young], int(len(young) - young.sum())


def make_call_list(tables: Tables, snapshot: Snapshot) -> CallList:
    """Score all open leads and put them in order. Those older than all that was learned from stay out."""
    history, model = tables.history, snapshot.model
    positions, too_old = leads_to_call(history, model)
    moments = Moments(positions, np.full(len(positions), history.now, dtype=np.int64))
    scores = score_leads(model, snapshot.agreement, history, moments, scored_at=history.now, reasons=False)
    keys = [call_order(score) for score in scores]
    order = np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.int64)
    return CallList(tables, snapshot, positions[order], too_old)


class LiveCallList:
    """Keeps the call list up with the tables, the champion and the agreement; `look` is called by one thread."""

    def __init__(self, tables: LiveTables, snapshot: Callable[[], Snapshot]) -> None:
        self._tables = tables
        self._snapshot = snapshot
        self._first = threading.Event()
        self._list: CallList | None = None

    def current(self, *, patience: float = 20.0) -> CallList:
        """The list, waiting for the first one; `Refused` (503) where there is none yet."""
        if self._list is None:
            self._tables.current(patience=patience)
            self._first.wait(patience)
        if self._list is None:
            raise Refused(
                503,
                [Fault("tables", "leads that are still being scored", "a list of them")],
                {"Retry-After": "10"},
            )
        return self._list

    def look(self) -> None:
        """Make the list anew if anything that it is made of changed."""
        tables = self._tables.held
        if tables is None:
            return
        snapshot = tables.snapshot_for(self._snapshot())
        held = self._list
        if held is not None and held.tables is tables and held.snapshot is snapshot:
            return
        begun = time.perf_counter()
        self._list = make_call_list(tables, snapshot)
        self._first.set()
        note("open leads scored", leads=len(self._list), seconds=round(time.perf_counter() - begun, 2))
