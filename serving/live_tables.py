"""The workspace's tables as the service holds them: watched for changes, read whole, swapped as one."""

from __future__ import annotations

import glob
import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from features.errors import UserError
from features.history import History
from features.instants import instant_text
from features.schema import Schema
from features.tables import read_history
from features.workspace import Workspace
from serving.champion import Snapshot
from serving.log_lines import note
from serving.notices import Notice
from serving.problems import Fault, Refused
from serving.serving_model import ServingModel

State = tuple[tuple[str, int, int], ...]
"""Path, size and time of change of each file: what tells that a table is another one."""


def state_of(workspace: Workspace) -> State:
    """The files behind the tables as they are now; a file that is gone is simply not among them.

    A store changes with every event: its tables are read whole once an hour, for what is told of them as a whole. Single
    leads are read from it directly.
    """
    if workspace.store is not None:
        return (("store", 0, time.time_ns() // STORE_EVERY * STORE_EVERY),)
    found = []
    for text in sorted(filter(None, workspace.tables.values())):
        pattern = str(workspace.folder / text)
        for path in sorted(glob.glob(pattern, recursive=True)) or [pattern]:
            try:
                stat = Path(path).stat()
            except OSError:
                continue
            found.append((path, stat.st_size, stat.st_mtime_ns))
    return tuple(found)


def digest_of(state: State) -> str:
    """A short text that tells one state of the files from another."""
    return hashlib.sha256(repr(state).encode()).hexdigest()


STORE_EVERY = 3600 * 10**9


@dataclass(frozen=True, eq=False)
class Tables:
    """One reading of the tables.

    Attributes
    ----------
    history : read by the schema of `read_for`'s model; inferred where that is points.
    read_for : the snapshot of the time.
    state : of the files that were read.
    changed_at : seconds since 1970, when the newest of them was written.
    """

    history: History
    read_for: Snapshot
    state: State
    changed_at: float

    def snapshot_for(self, newest: Snapshot) -> Snapshot:
        """The snapshot to score these tables with: the newest, or the one they were read for if that reads otherwise."""
        return newest if _reads_alike(newest, read_for=self.read_for) else self.read_for


class LiveTables:
    """Holds the newest tables that could be read.

    `look` is called again and again by a thread of its own. Tables that changed are read when they have stayed the
    same between two looks: a table that is being written is not read half. Where a set can't be read the old one stays.
    """

    def __init__(self, workspace: Workspace, snapshot: Callable[[], Snapshot], stale: Callable[[bool], None]) -> None:
        self._workspace = workspace
        self._snapshot = snapshot
        self._stale = stale
        self._first_look = threading.Event()
        self._seen: State | None = None
        self._failed: tuple[State, Schema | None, frozenset[str]] | None = None
        self._tables: Tables | None = None
        self.notices: tuple[Notice, ...] = ()

    @property
    def looked(self) -> bool:
        """Whether the tables were read once, or found unreadable."""
        return self._first_look.is_set()

    @property
    def held(self) -> Tables | None:
        """The tables, None until they were read."""
        return self._tables

    @property
    def age(self) -> float | None:
        """Seconds since the newest of the tables held was written."""
        return None if self._tables is None else max(time.time() - self._tables.changed_at, 0.0)

    def current(self, *, patience: float = 20.0) -> Tables:
        """The tables, waiting for their first reading; `Refused` (503) where there are none yet."""
        if self._tables is None:
            self._first_look.wait(patience)
        tables = self._tables
        if tables is None:
            found = "tables that can't be read" if self.looked else "tables that are still being read"
            raise Refused(503, [Fault("tables", found, "tables that `propensity check` reads")], {"Retry-After": "10"})
        return tables

    def look(self) -> None:
        """Read the tables if they, or what the champion learned of them, changed; called by one thread alone."""
        state, snapshot = state_of(self._workspace), self._snapshot()
        held = self._tables
        if held is not None and held.state == state and _reads_alike(snapshot, read_for=held.read_for):
            self._seen, self._failed = state, None
            return
        settled = held is None or state in (self._seen, held.state)
        self._seen = state
        schema = _schema_of(snapshot)
        if not settled or self._failed == (state, schema, snapshot.rule_columns):
            return
        begun = time.perf_counter()
        try:
            history = read_history(
                self._workspace, schema=schema, set_aside=False, rule_columns=snapshot.rule_columns
            ).history
        except UserError as error:
            self._keep_old(state, snapshot, error)
        else:
            if state_of(self._workspace) == state:  # else it was written while we read, and the next look reads again
                self._take(Tables(history, snapshot, state, max((each[2] for each in state), default=0) / 1e9))
                seconds = round(time.perf_counter() - begun, 2)
                note("tables read", leads=len(history), events=len(history.events), seconds=seconds)
        finally:
            self._first_look.set()

    def _take(self, tables: Tables) -> None:
        self._tables = tables
        self._failed, self.notices = None, ()
        self._stale(False)

    def _keep_old(self, state: State, snapshot: Snapshot, error: UserError) -> None:
        self._failed = (state, _schema_of(snapshot), snapshot.rule_columns)
        if self._tables is not None:
            self.notices = (
                Notice("warning.tables_unreadable", {"time": instant_text(int(self._tables.changed_at * 1e6))}),
            )
        self._stale(True)
        note(
            "tables can't be read, the old ones stay",
            warning=True,
            kind=type(error).__name__,
            problems=len(error.problems),
        )


def _schema_of(snapshot: Snapshot) -> Schema | None:
    return snapshot.model.schema if isinstance(snapshot.model, ServingModel) else None


def _reads_alike(newest: Snapshot, *, read_for: Snapshot) -> bool:
    """Whether tables read for one snapshot serve the newest too: the same schema, and all columns that its rules look at.

    Points read by what the tables themselves say.
    """
    first, second = _schema_of(newest), _schema_of(read_for)
    return (first is second or first == second) and newest.rule_columns <= read_for.rule_columns
