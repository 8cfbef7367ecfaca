"""What in the tables a person should look at before trusting a model made from them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from features.history import NEVER, History
from features.instants import instant_text
from features.schema import Schema
from features.tables.cell_times import plain_time, wall_and_form
from features.tables.cell_values import known_text, unreadable
from features.tables.raw_tables import RawTable
from features.tables.report import TableReport
from features.tables.row_checks import RowCounts
from features.tables.schema_inference import USABLE_ATTRIBUTES
from features.tables.sql_text import Column, Connection
from features.toml_reader import nearest
from features.workspace import Workspace


def unreadable_cells(connection: Connection, raws: Mapping[str, RawTable], schema: Schema) -> dict[str, dict[str, int]]:
    """By table and column: cells that hold something, and not what the column's kind is read from."""
    dates = {name for name, kind in schema.attributes.items() if kind == "date"}
    numbers = {name for name, kind in schema.attributes.items() if kind == "number"}
    wanted = {"events": ("raw_events", set(schema.event_numbers), set[str]())}
    wanted |= {"leads": ("leads", numbers, dates), "attributes": (USABLE_ATTRIBUTES, numbers, dates)}
    found: dict[str, dict[str, int]] = {}
    for table, (relation, of_numbers, of_dates) in wanted.items():
        if table not in raws:
            continue
        wrong: dict[str, str] = {}
        known: list[str] = []
        for name, column in raws[table].columns.items():
            told = column
            if column.is_text:
                told = Column(name, f"known{len(known)}", "VARCHAR", clean=True)
                known.append(f"{known_text(column)} as {told.sql}")
            if name in of_numbers and not column.is_number:
                wrong[name] = unreadable(told)
            elif name in of_dates and not column.is_time:
                wrong[name] = f"{known_text(told)} is not null and {_wall(told)} is null"
        if wrong:
            counted = ", ".join(f"count(*) filter ({condition})" for condition in wrong.values())
            row = connection.one(f"select {counted} from (select {', '.join(['*', *known])} from {relation})")
            found[table] = {name: n for name, n in zip(wrong, row, strict=True) if n}
    return found


def _wall(column: Column) -> str:
    return f"(select {wall_and_form(column, 'plain')[0]} from (select {plain_time(column)} as plain))"


def find_warnings(
    workspace: Workspace,
    raws: Mapping[str, RawTable],
    counts: Mapping[str, RowCounts],
    history: History,
    report: TableReport,
    *,
    told_end: int | None,
    now: int,
    given: Schema | None,
) -> tuple[str, ...]:
    """Sentences, the weightiest first."""
    warnings = [*_outcomes(workspace, report), *_ending(counts, history, told_end, now)]
    warnings += _names(workspace, raws, history)
    if given is not None:
        warnings += _schema_differences(workspace, raws, given)
    for table, one in report.tables.items():
        for column, n in one.unreadable.items():
            warnings.append(f"{table}.{column}: {n} cells can't be read as the column's kind and count as missing")
    if report.repeated_event_ids:
        warnings.append(
            f"{report.repeated_event_ids} events repeat an event_id of their lead: the first recorded counts"
        )
    if report.alike_events:
        warnings.append(
            f"{report.alike_events} events are alike another in all that is read, and all count: "
            "an event_id column would tell repeats apart"
        )
    return tuple(warnings)


def _outcomes(workspace: Workspace, report: TableReport) -> list[str]:
    if not report.outcomes or workspace.converted in report.outcomes:
        return []
    shown = ", ".join(list(report.outcomes)[:8])
    return [f'no outcome is "{workspace.converted}", which [target] calls converted; found: {shown}']


def _ending(counts: Mapping[str, RowCounts], history: History, told_end: int | None, now: int) -> list[str]:
    warnings = []
    if told_end is not None and told_end > now:
        warnings.append(f"data_end lies in the future; {instant_text(now)} UTC is used")
    firsts = [
        counts[table].first for table in ("events", "outcomes") if table in counts and counts[table].first is not None
    ]
    if firsts and told_end is None:
        ended = history.outcomes.at[history.outcomes.at < NEVER]
        first = min(each for each in firsts if each is not None)
        last = max(
            each for table in ("events", "outcomes") if table in counts and (each := counts[table].last) is not None
        )
        start = last - (last - first) // 10
        rows = len(history.events) + len(ended)
        late = int(np.count_nonzero(history.events.occurred_at > start)) + int(np.count_nonzero(ended > start))
        if rows >= 100 and late < 0.01 * rows:
            warnings.append(
                f"the last 1% of events and outcomes spans more than a tenth of the whole time, up to {instant_text(last)}"
                " UTC: a few wrong dates would make the tables look complete until then; data_end under [target] can tell"
            )
    return warnings


def _names(workspace: Workspace, raws: Mapping[str, RawTable], history: History) -> list[str]:
    """Names in the toml that no table knows."""
    warnings = []
    columns = [name for table in ("leads", "attributes") if table in raws for name in raws[table].columns]
    of_events = {*history.events.vocabularies[0], *(raws["events"].columns if "events" in raws else ())}
    told = [("[attributes]", name) for name in workspace.attributes]
    # what is made of events can be trusted and left out too, a single feature (all have a dot in their name) trusted
    told += [("[attributes]", name) for name in workspace.ignore if name not in of_events]
    told += [("[attributes]", name) for name in workspace.trust if name not in of_events and "." not in name]
    told += [("[page]", name) for key, name in workspace.page.items() if key != "link"]
    warnings += [
        f'{where} "{name}" is no column of leads or attributes {nearest(name, columns)}'.rstrip()
        for where, name in told
        if name not in columns
    ]
    types = history.events.vocabularies[0]
    warnings += [
        f'[events] "{name}" is no event type of the table {nearest(name, types)}'.rstrip()
        for name in workspace.events
        if name not in types
    ]
    return warnings


def _schema_differences(workspace: Workspace, raws: Mapping[str, RawTable], schema: Schema) -> list[str]:
    warnings = []
    if workspace.zone != schema.zone:
        warnings.append(f"the model was trained with timezone {schema.zone}; {workspace.zone} of the toml is not used")
    held = {name for table in ("leads", "attributes") if table in raws for name in raws[table].columns}
    gone = [f"attribute {name}" for name in sorted(schema.attributes) if name not in held]
    if "events" in raws:
        further = {*schema.event_numbers[1:], *schema.event_categories}
        gone += [f"events.{name}" for name in sorted(further) if name not in raws["events"].columns]
    warnings += [f"{each} is gone since training and counts as missing" for each in gone]
    if "events" not in raws and schema.event_types:
        warnings.append("the workspace has no events table, and the model was trained with one")
    return warnings
