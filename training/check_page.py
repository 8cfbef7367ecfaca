"""What `propensity check` says: what the tables hold, what was put aside, and whether a model can be trained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rich.table import Table

from features.catalogue import build_catalogue, lay_out
from features.compute import compute_features
from features.definitions import Definitions
from features.durations import duration_text
from features.errors import TooLittleData
from features.history import History
from features.instants import instant_text
from features.moments import Moments
from features.sample_weights import weigh
from features.schema import Schema
from features.tables.report import TableReport
from features.workspace import Workspace
from training.dataset import TrainingSet
from training.labelled import Labelled, settled_moments
from training.leakage.guard import look
from training.leakage.lines import guard_lines
from training.leakage.sight import Sight, sampled
from training.settings_words import settings_words
from training.split import Split, split
from training.terminal import printed

MOST = 20
"""Of a long list so many are named."""


def check_page(workspace: Workspace, history: History, report: TableReport) -> str:
    """All of it as text; reading the tables has already refused what cannot be used at all."""
    return printed(
        f"{workspace.name}: {len(history):,} leads, {len(history.events):,} events, "
        f"{int((history.outcomes.at <= history.data_end).sum()):,} leads with an outcome.",
        "",
        _tables(report),
        *rejected_lines(report),
        *_objected(report),
        "",
        *_times(report, workspace),
        "",
        *_columns(history.schema, report),
        "",
        *_event_types(history.schema, report),
        "",
        *_enough(workspace, history),
        *(f"Warning: {each}" for each in report.warnings),
    )


def rejected_lines(report: TableReport) -> list[str]:
    """One line a reason for rows that were set aside; none where all rows are used."""
    lines = [
        f"  {count:,} {'row' if count == 1 else 'rows'} of {name}: {reason}"
        for name, table in report.tables.items()
        for reason, count in sorted(table.rejected.items(), key=lambda pair: -pair[1])
    ]
    return ["Set aside, with reason and line in rejected/:", *lines] if lines else []


def _objected(report: TableReport) -> Iterator[str]:
    if report.objected:
        who = "lead objects" if report.objected == 1 else "leads object"
        yield f"{report.objected:,} {who} to profiling and {'is' if report.objected == 1 else 'are'} left out."


def _tables(report: TableReport) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("table")
    for column in ("rows", "used", "set aside"):
        table.add_column(column, justify="right")
    table.add_column("from")
    for name, each in report.tables.items():
        files = ", ".join(each.files[:3]) + (f" and {len(each.files) - 3} more" if len(each.files) > 3 else "")
        aside = sum(each.rejected.values())
        table.add_row(name, f"{each.rows:,}", f"{each.accepted:,}", f"{aside:,}", "; ".join([files, *each.notes]))
    return table


def _times(report: TableReport, workspace: Workspace) -> Iterator[str]:
    for name, table in report.tables.items():
        for column, forms in table.times.items():
            read = ", ".join(f"{count:,} {form}" for form, count in forms.items() if count)
            yield f"{name}.{column}: {read or 'empty'}"
        for column, count in table.unreadable.items():
            yield f"{name}.{column}: {count:,} cells could not be read and count as missing"
    given = "as given" if report.data_end_given else "just after the latest event or outcome"
    yield f"Times without an offset are read in {report.zone}. Complete until {_at(report.data_end, workspace)} ({given})."


def _columns(schema: Schema, report: TableReport) -> Iterator[str]:
    kinds = {"number": "numbers", "category": "categories", "date": "dates"}
    for kind, words in kinds.items():
        names = [name for name, each in schema.attributes.items() if each == kind]
        if names:
            yield f"Attributes read as {words}: {_some(names)}"
    if len(schema.event_numbers) > 1 or schema.event_categories:
        yield f"Columns of events: {_some([*schema.event_numbers, *schema.event_categories])}"
    for column, reason in report.left_out.items():
        yield f"Left out: {column} ({reason})"


def _event_types(schema: Schema, report: TableReport) -> Iterator[str]:
    common = sorted(report.event_types.items(), key=lambda pair: (-pair[1], pair[0]))
    shown = [f"{name} ({leads:,} leads{_stage(name, report)})" for name, leads in common[:MOST]]
    if shown:
        more = f" and {len(common) - MOST} more" if len(common) > MOST else ""
        yield f"Event types: {', '.join(shown)}{more}"
    rare = len(common) - len(schema.event_types)
    if rare > 0:
        yield f"{rare} of them are rare and pool as other."
    if report.guessed_stages:
        yield f"Stages taken from their names: {_some(report.guessed_stages)}; [events] in the toml says otherwise."
    if report.outcomes:
        yield f"Outcomes: {', '.join(f'{name} ({leads:,} leads)' for name, leads in report.outcomes.items())}"
    for count, words in (
        (report.later_outcomes, "outcomes after a lead's first one don't count"),
        (report.repeated_event_ids, "events repeat an event_id and don't count"),
        (report.alike_events, "events are exactly like another; without event_id all of them count"),
    ):
        if count:
            yield f"{count:,} {words}."


def _enough(workspace: Workspace, history: History) -> Iterator[str]:
    labelled = settled_moments(history, workspace.schedule, workspace.horizon)
    yield from _own_settings(workspace, history, labelled)
    positive = int((labelled.labels == 1).sum())
    yield (
        f"{len(labelled.moments):,} settled moments, {positive:,} of them followed by a conversion within "
        f"{duration_text(workspace.horizon)}; {len(labelled.unsettled):,} are not settled yet."
    )
    if labelled.before_recording:
        yield f"{labelled.before_recording:,} moments lie before conversions were recorded, and are left out."
    try:
        whole = _without_features(history, labelled, workspace)
        parts = split(whole, delay=history.outcomes.delay)
    except TooLittleData as error:
        yield f"Not enough to train on:\n{error}"
    else:
        yield from parts.words()
        yield ""
        yield from _leaks(workspace, history, labelled, whole, parts)
        yield "Enough to train on. Next: propensity train FOLDER"


def _own_settings(workspace: Workspace, history: History, labelled: Labelled) -> Iterator[str]:
    """What [model] and [[definitions]] come to; what they name must be in the tables."""
    if not workspace.model:
        return
    laid = lay_out(history, labelled.moments, workspace.horizon, workspace.model)
    weighing = weigh(history, labelled.moments, workspace.model)
    yield from settings_words(workspace.model, laid.let_in(workspace.model), weighing)
    yield ""


def _without_features(history: History, labelled: Labelled, workspace: Workspace) -> TrainingSet:
    nothing = Definitions(history.schema, ())
    return TrainingSet.build(history, labelled.moments, labelled.labels, nothing, workspace.horizon)


def _leaks(
    workspace: Workspace, history: History, labelled: Labelled, whole: TrainingSet, parts: Split
) -> Iterator[str]:
    """What the guard of a training will find: it looks at these moments alone, so that no others need features."""
    definitions = build_catalogue(history, labelled.moments, workspace.horizon, workspace.model)
    rows = sampled(whole, parts)
    fitted, tested = (
        compute_features(history, Moments(whole.lead[each], whole.as_of[each]), definitions) for each in rows
    )
    fit = replace(whole.take(rows[0]), definitions=definitions, values=fitted)
    yield from guard_lines(look(workspace, Sight.of(history, fit, tested, whole.lead[parts.fit], parts)).findings)


def _stage(event_type: str, report: TableReport) -> str:
    stage = report.stages.get(event_type)
    return f", {stage}" if stage else ""


def _some(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(names[:MOST]) + (f" and {len(names) - MOST} more" if len(names) > MOST else "")


def _at(instant: int, workspace: Workspace) -> str:
    return instant_text(instant, workspace.zone)
