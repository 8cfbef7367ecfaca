"""The tables of a workspace as a History: read, checked, what can't be used set aside, the rest in canonical order."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from features.errors import DataError
from features.history import History, RuleAttributes
from features.rule_attributes import rule_schema
from features.schema import Schema
from features.tables.attribute_rows import fetch_attributes
from features.tables.database import allow_memory, open_database, scratch_folder
from features.tables.event_rows import EventFacts, fetch_events, no_events, stage_events
from features.tables.found_warnings import find_warnings, unreadable_cells
from features.tables.lead_rows import fetch_labels, fetch_leads, place_leads
from features.tables.outcome_rows import fetch_outcomes
from features.tables.raw_tables import RawTable, bring_table
from features.tables.rejected_rows import write_rejected
from features.tables.report import OneTable, TableReport
from features.tables.row_checks import Clock, RowCounts, check_rows, count_rows
from features.tables.schema_inference import Inference, infer_schema
from features.tables.sql_text import Column, Connection
from features.tables.store_tables import THE_STORE, bring_store
from features.workspace import Workspace

Progress = Callable[[str], None]

REQUIRED: Mapping[str, tuple[str, ...]] = {
    "leads": ("lead_id", "created_at"),
    "events": ("lead_id", "occurred_at", "event_type"),
    "attributes": ("lead_id", "valid_from"),
    "outcomes": ("lead_id", "occurred_at", "outcome"),
}
"""Columns that a table must have."""
_OWN_TIME = {"leads": "created_at", "events": "occurred_at", "attributes": "valid_from", "outcomes": "occurred_at"}
_NEEDED = {"events": ("event_type",), "outcomes": ("outcome",)}


def system_clock() -> int:
    """Now, in UTC microseconds."""
    return time.time_ns() // 1_000


@dataclass(frozen=True)
class ReadTables:
    """A history, and what reading it brought to light."""

    history: History
    report: TableReport


def read_history(
    workspace: Workspace,
    *,
    schema: Schema | None = None,
    data_end: int | None = None,
    clock: Callable[[], int] = system_clock,
    progress: Progress | None = None,
    set_aside: bool = True,
    rule_columns: Collection[str] = (),
) -> ReadTables:
    """Read all tables of a workspace.

    Parameters
    ----------
    workspace : where the tables lie: in files, or in its store.
    schema : what the columns mean, from a model's bundle; None (training) infers it from the tables. Columns that
        the schema doesn't know are passed over, those that are gone are missing throughout, with a warning.
    data_end : until when the tables are complete, UTC microseconds; None takes the toml's, and where that is silent a
        microsecond after the latest own or recorded time of a usable event or outcome. Later rows are set aside; a store
        lives on, and there the toml's ends what training learns from and hides nothing.
    clock : no row may lie later. It is ``History.now`` of a store, unless `data_end` is given.
    progress : is told what is being done.
    set_aside : whether to write ``rejected/``; counts are the same without.
    rule_columns : columns of the leads and attributes tables that rules of the agreement look at: they are held as
        texts beside the attributes, whatever the schema makes of them.

    Raises
    ------
    DataError
        A file is missing or can't be read, a required column is missing, no lead is usable, the folder of rejected
        rows can't be written, or the store can't be read.
    """
    say = progress or (lambda _: None)
    told_end = workspace.data_end if data_end is None else data_end
    zone = schema.zone if schema is not None else workspace.zone
    lives_on = workspace.store is not None and data_end is None
    with scratch_folder(workspace) as scratch, open_database(scratch) as connection:
        raws, objected = _bring(connection, workspace, schema, rule_columns, scratch, say)
        now = clock()  # only now: what came into the store until it was read is not of the future
        checks = Clock(zone, now, None if told_end is None or lives_on else min(told_end, now))
        events_staged: Mapping[str, Column] | None = None
        counts: dict[str, RowCounts] = {}
        for table, raw in raws.items():
            say(f"checking {table}")
            counts[table], staged = _check(connection, raw, checks, schema)
            if table == "events":
                events_staged = staged
        n_leads = counts["leads"].accepted
        ends_at = min(told_end, now) if told_end is not None else _found_end(counts, now)
        if schema is None:
            say("looking at columns")
            found = infer_schema(
                connection, workspace, raws["leads"], events_staged, raws.get("attributes"), n_leads=n_leads
            )
        else:
            found = Inference(schema, {}, {}, ())
        lead_ids, created_at = fetch_leads(connection)
        labels = fetch_labels(connection, raws["leads"], raws.get("attributes"), dict(workspace.page), lead_ids)
        events, event_facts = no_events(found.schema, n_leads), EventFacts()
        if events_staged is not None:
            n_events = counts["events"].accepted
            say(f"sorting {n_events:,} events")
            allow_memory(connection, n_events)
            events, event_facts = fetch_events(
                connection,
                events_staged,
                found.schema,
                n_leads=n_leads,
                n_rows=n_events,
                with_ids="event_id" in raws["events"].columns,
            )
        attributes = fetch_attributes(connection, raws["leads"], raws.get("attributes"), found.schema, n_leads=n_leads)
        of_rules = None
        if rule_columns:
            as_texts = rule_schema(rule_columns, zone)
            rows = fetch_attributes(connection, raws["leads"], raws.get("attributes"), as_texts, n_leads=n_leads)
            of_rules = RuleAttributes(as_texts.attribute_categories, rows)
        outcomes, outcome_facts = fetch_outcomes(
            connection, raws["outcomes"], workspace.converted,
            n_leads=n_leads, n_rows=counts["outcomes"].accepted, data_end=ends_at,
        )  # fmt: skip
        history = History(
            schema=found.schema,
            lead_ids=lead_ids,
            created_at=created_at,
            events=events,
            attributes=attributes,
            outcomes=outcomes,
            data_end=ends_at,
            now=_moment_of_scoring(ends_at, created_at, told=told_end is not None, clock=now if lives_on else None),
            labels=labels,
            rule_attributes=of_rules,
        )
        unreadable = unreadable_cells(connection, raws, found.schema)
        if set_aside:
            for table, raw in raws.items():
                write_rejected(
                    connection, raw, workspace.rejected_folder, scratch, any_rows=bool(counts[table].rejected)
                )
        told_types = dict.fromkeys(sorted(set(events.vocabularies[0])))
        report = TableReport(
            tables={table: _one_table(raws[table], counts[table], unreadable.get(table, {})) for table in raws},
            zone=zone,
            data_end=ends_at,
            now=history.now,
            data_end_given=told_end is not None,
            left_out=found.left_out,
            event_types=found.event_types,
            stages=found.schema.stages,
            guessed_stages=found.guessed_stages,
            unmapped_event_types=tuple(each for each in told_types if each not in found.schema.stages),
            outcomes=outcome_facts.first,
            later_outcomes=outcome_facts.later,
            repeated_event_ids=event_facts.repeated_ids,
            alike_events=event_facts.alike,
            objected=objected,
        )
        warnings = find_warnings(workspace, raws, counts, history, report, told_end=told_end, now=now, given=schema)
    return ReadTables(history, replace(report, warnings=warnings))


def _bring(
    connection: Connection,
    workspace: Workspace,
    schema: Schema | None,
    rule_columns: Collection[str],
    scratch: Path,
    say: Progress,
) -> tuple[dict[str, RawTable], int]:
    """All tables as they were brought, leads first; and how many leads objected to being in them."""
    if workspace.store is not None:
        say("reading the store")
        stored = bring_store(
            connection, address=workspace.store, folder=workspace.folder, schema=schema, rule_columns=rule_columns
        )
        return stored.raws, stored.objected
    raws: dict[str, RawTable] = {}
    for table in [each for each in REQUIRED if each in workspace.tables]:
        say(f"reading {table}")
        raws[table] = bring_table(
            connection, folder=workspace.folder, table=table, told=workspace.tables[table],
            required=REQUIRED[table], scratch=scratch,
        )  # fmt: skip
    return raws, 0


def _check(
    connection: Connection, raw: RawTable, clock: Clock, schema: Schema | None
) -> tuple[RowCounts, Mapping[str, Column]]:
    """Check the rows of a table; of events also the columns under which their cells stand ready."""
    if raw.table != "leads":
        view, own = f"checked_{raw.table}", _OWN_TIME[raw.table]
        check_rows(connection, raw, view, own_time=own, needed=_NEEDED.get(raw.table, ()), clock=clock)
        if raw.table != "events":
            return count_rows(connection, view, own), {}
        staged = stage_events(connection, raw, schema)
        return count_rows(connection, "staged_events", own), staged
    counts = place_leads(connection, raw, clock)
    if counts.accepted == 0:
        reasons = ", ".join(f"{n} {reason}" for reason, n in counts.rejected.items()) or "it has no rows"
        raise DataError(
            f"the leads table has no usable row: {reasons}",
            expected="at least one row with a lead_id and a created_at that is a time in the past",
            next_step="`propensity load FOLDER` fills the store from files"
            if raw.files[0].name == THE_STORE
            else "times are read as 2026-03-14 09:05, 2026-03-14T09:05:00+09:00, 2026/3/14 or 2026年3月14日",
            where=raw.files[0].name,
        )
    return counts, {}


def _found_end(counts: Mapping[str, RowCounts], now: int) -> int:
    """A microsecond after the latest usable event or outcome; without any, after the latest lead."""
    latest = [counts[table].last_known for table in ("events", "outcomes") if table in counts]
    known = [each for each in latest if each is not None] or [counts["leads"].last or 0]
    return min(max(known) + 1, now)


def _moment_of_scoring(ends_at: int, created_at: NDArray[np.int64], *, told: bool, clock: int | None) -> int:
    """``History.now``: the clock where it is given; else where the tables end, and no lead is left behind unless told."""
    if clock is not None:
        return clock
    return ends_at if told else max(ends_at, int(created_at.max()) + 1)


def _one_table(raw: RawTable, counts: RowCounts, unreadable: Mapping[str, int]) -> OneTable:
    broken: dict[str, int] = {}
    for csv_file in raw.csv_files.values():
        for record in csv_file.broken:
            broken[record.reason] = broken.get(record.reason, 0) + 1
    return OneTable(
        files=tuple(path.name for path in raw.files),
        digests=raw.digests,
        rows=counts.rows + sum(broken.values()),
        accepted=counts.accepted,
        rejected=dict(sorted((counts.rejected | broken).items())),
        times=counts.times,
        unreadable=unreadable,
        notes=raw.notes,
    )
