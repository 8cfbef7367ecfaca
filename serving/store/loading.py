"""Fills a store from the files of its workspace's tables; loaded again, the same rows change nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa

from features.errors import UsageError
from features.tables.accepted_rows import AcceptedRows, accepted_rows
from features.workspace import Workspace
from serving.store.behaviour import (
    Accepted,
    NewChange,
    NewLead,
    NewOutcome,
    add_attribute_changes,
    add_leads,
    add_outcomes,
)
from serving.store.bulk_events import add_many_events
from serving.store.erased import erased_among
from serving.store.inserting import add_new
from serving.store.opening import Store
from serving.store.tables import attribute_changes, events, leads, outcomes, settings

ROWS_AT_ONCE = 10_000
"""Rows of one transaction: others write between two, and nobody waits for long."""


class Progress(Protocol):
    def __call__(self, what: str, fraction: float = 0.0) -> None: ...


@dataclass(frozen=True)
class Loaded:
    """What became of a table's rows.

    Attributes
    ----------
    accepted, changed : rows that came in; leads of which attributes are others now.
    repeated : rows that were here already, or stand in the files more than once.
    rejected : rows set aside in ``rejected/``, by reason.
    erased : rows of leads that were erased and don't come back.
    waiting : rows, in the whole store, whose lead is not known yet.
    """

    table: str
    accepted: int
    changed: int
    repeated: int
    rejected: dict[str, int]
    erased: int
    waiting: int
    notes: tuple[str, ...] = ()


def required_store(workspace: Workspace) -> None:
    """Refuse a workspace that has nowhere to load to, or nothing to load from."""
    if workspace.store is None:
        raise UsageError(
            "[tables] names no store, so that there is nothing to load into",
            expected='a line such as store = "sqlite:///.propensity/store.db" or store = "postgresql://USER@HOST/DATABASE"',
            next_step="add the line below [tables]; the paths beside it stay and are what is loaded",
            where="propensity.toml",
        )
    if not workspace.tables:
        raise UsageError(
            "[tables] names a store and no files to load into it",
            expected='lines such as leads = "leads.csv", events = "events.csv" and outcomes = "outcomes.csv" beside store',
            next_step="add the lines, or send rows to POST /leads, /events and /outcomes",
            where="propensity.toml",
        )


def load_tables(
    workspace: Workspace, store: Store, *, now: int, progress: Progress, rows_at_once: int = ROWS_AT_ONCE
) -> tuple[Loaded, ...]:
    """Load all files that the workspace names beside its store.

    Own and recorded times are those of the files. A lead that is known keeps its creation, and attributes that differ
    count from now on; while the files of the leads table are those of the last load, and while an attributes table tells
    how attributes changed, what a lead was at its creation is no news. Each step is a transaction of its own: who
    interrupts a load starts it again, and it goes on where it was.

    Parameters
    ----------
    now : UTC microseconds; no row may lie later.
    rows_at_once : of one transaction.

    Raises
    ------
    UsageError
        The workspace's tables are not the store, or it names no file to load.
    DataError
        The files can't be used.
    """
    required_store(workspace)

    def erased(lead_ids: Any) -> frozenset[str]:
        with store.reading() as c:
            return erased_among(c, lead_ids)

    with accepted_rows(workspace, now=now, erased_among=erased, progress=progress) as tables:
        return tuple(_load(store, rows, workspace, rows_at_once, now=now, progress=progress) for rows in tables)


def _load(
    store: Store, rows: AcceptedRows, workspace: Workspace, rows_at_once: int, *, now: int, progress: Progress
) -> Loaded:
    add: Callable[[sa.Connection, Sequence[Any]], Counter[str]]
    if rows.table == "leads":
        add = _adding_leads(store, rows, now=now, has_changes="attributes" in workspace.tables)
    else:
        add = {"events": _add_events, "attributes": _adding_changes(now), "outcomes": _adding_outcomes(now)}[rows.table]
    became: Counter[str] = Counter()
    what = f"loading {rows.usable:,} rows of {rows.table}"
    progress(what)
    done = 0
    for some in _in_parts(rows, rows_at_once):
        with store.writing() as c:
            became.update(add(c, some))
        done += len(some)
        progress(what, done / rows.usable)
    if rows.table == "leads":
        _remember(store, rows)
    return Loaded(
        table=rows.table,
        accepted=became["accepted"],
        changed=became["changed"],
        repeated=rows.repeated + became["repeated"],
        rejected=dict(rows.rejected),
        erased=rows.erased + became["erased"],
        waiting=_waiting(store, rows.table),
        notes=rows.notes,
    )


def _in_parts(rows: AcceptedRows, rows_at_once: int) -> Iterator[list[tuple[Any, ...]]]:
    """Rows in pieces. Equal changes of a lead are told apart by counting them, so no piece ends within a lead's."""
    waiting: list[tuple[Any, ...]] = []
    whole_leads = rows.table == "attributes"
    for batch in rows.batches():
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            if len(waiting) >= rows_at_once and not (whole_leads and row[0] == waiting[-1][0]):
                yield waiting
                waiting = []
            waiting.append(row)
    if waiting:
        yield waiting


def _counted(found: Sequence[Accepted]) -> Counter[str]:
    return Counter(each.status for each in found)


def _adding_leads(
    store: Store, rows: AcceptedRows, *, now: int, has_changes: bool
) -> Callable[[sa.Connection, Sequence[Any]], Counter[str]]:
    with store.reading() as c:
        same = c.execute(sa.select(settings.c.value).where(settings.c.name == _LOADED_LEADS)).scalar() == _digests(rows)

    def add(c: sa.Connection, some: Sequence[Any]) -> Counter[str]:
        told = [NewLead(lead_id, at, json.loads(cells), recorded_at=at) for lead_id, at, cells in some]
        return _counted(add_leads(c, told, now=now, as_created=same or has_changes))

    return add


def _adding_changes(now: int) -> Callable[[sa.Connection, Sequence[Any]], Counter[str]]:
    def add(c: sa.Connection, some: Sequence[Any]) -> Counter[str]:
        told = [NewChange(lead_id, at, json.loads(cells), recorded_at=known) for lead_id, at, known, cells in some]
        return _counted(add_attribute_changes(c, told, now=now))

    return add


def _adding_outcomes(now: int) -> Callable[[sa.Connection, Sequence[Any]], Counter[str]]:
    def add(c: sa.Connection, some: Sequence[Any]) -> Counter[str]:
        rows = [
            NewOutcome(lead_id, outcome, at, recorded_at=known, told=told) for lead_id, at, known, told, outcome in some
        ]
        return _counted(add_outcomes(c, rows, now=now))

    return add


def _add_events(c: sa.Connection, some: Sequence[Any]) -> Counter[str]:
    erased = erased_among(c, {row[1] for row in some})
    kept = [row for row in some if row[1] not in erased]
    added = add_many_events(c, kept)
    return Counter(accepted=added, repeated=len(kept) - added, erased=len(some) - len(kept))


_LOADED_LEADS = "loaded.leads"
"""Name of the setting that holds the digests of the leads table's files as they were loaded last."""


def _digests(rows: AcceptedRows) -> str:
    return json.dumps(dict(rows.digests), sort_keys=True)


def _remember(store: Store, rows: AcceptedRows) -> None:
    with store.writing() as c:
        add_new(c, settings, [{"name": _LOADED_LEADS, "value": ""}], key=("name",))
        c.execute(sa.update(settings).where(settings.c.name == _LOADED_LEADS).values(value=_digests(rows)))


def _waiting(store: Store, table: str) -> int:
    if table == "leads":
        return 0
    of = {"events": events, "attributes": attribute_changes, "outcomes": outcomes}[table]
    query = sa.select(sa.func.count()).select_from(of).where(of.c.lead_id.not_in(sa.select(leads.c.lead_id)))
    with store.reading() as c:
        return int(c.execute(query).scalar_one())
