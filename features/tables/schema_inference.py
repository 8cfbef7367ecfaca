"""The schema of a workspace, found from its training tables: types, categories, stages, and what is left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from features.schema import AttributeKind, Schema, Words
from features.tables import attribute_rows, event_rows
from features.tables.cell_values import category
from features.tables.column_types import Facts, common_values, decide_kind, gather_facts, looks_like_ids
from features.tables.raw_tables import RawTable
from features.tables.sql_text import Column, Connection
from features.tables.stage_words import stage_of
from features.workspace import Workspace

USABLE_EVENTS = "(select * from staged_events where reason is null)"
USABLE_ATTRIBUTES = "(select * from checked_attributes where reason is null)"
_CATEGORY_LEADS = 5
_ATTRIBUTE_CATEGORIES = 1_000
_EVENT_CATEGORIES = 50


@dataclass(frozen=True)
class Inference:
    """`left_out`: "table.column" to the reason. `event_types`: type to the number of leads that have it."""

    schema: Schema
    left_out: Mapping[str, str]
    event_types: Mapping[str, int]
    guessed_stages: tuple[str, ...]


def leads_for_a_type(n_leads: int) -> int:
    """How many different leads give an event type, or a value of a further column, a place of its own.

    20; in a table of under 400 leads a twentieth of them, and at least 3.

    >>> leads_for_a_type(100_000), leads_for_a_type(200), leads_for_a_type(10)
    (20, 10, 3)
    """
    return min(20, max(3, n_leads // 20))


def infer_schema(
    connection: Connection,
    workspace: Workspace,
    leads: RawTable,
    events: Mapping[str, Column] | None,
    attributes: RawTable | None,
    *,
    n_leads: int,
) -> Inference:
    """Look at the usable rows of all tables.

    Attributes are numbers, categories (values of at least 5 leads, at most 1,000 of them) or dates; further columns of
    events numbers or categories (values of as many leads as an event type needs, at most 50).
    """
    left_out: dict[str, str] = {}
    kinds, categories = _attributes(connection, workspace, leads, attributes, left_out)
    needed = leads_for_a_type(n_leads)
    types: dict[str, int] = {}
    numbers: list[str] = []
    event_categories: dict[str, tuple[str, ...]] = {}
    if events is not None:
        event_type = events["event_type"].sql
        rows = connection.rows(
            f"select {event_type} as t, count(distinct lead) from {USABLE_EVENTS} group by t order by t"
        )
        types = {row[0]: row[1] for row in rows}
        numbers, event_categories = _further_columns(connection, workspace.zone, events, needed, left_out)
    told = {name: each.stage for name, each in workspace.events.items() if each.stage is not None}
    guessed = {name: stage for name in types if name not in told and (stage := stage_of(name)) is not None}
    schema = Schema(
        event_types=tuple(sorted(name for name, n in types.items() if n >= needed)),
        stages=dict(sorted({**guessed, **told}.items())),
        event_numbers=("value", *sorted(numbers)),
        event_categories=dict(sorted(event_categories.items())),
        attributes=kinds,
        categories=categories,
        zone=workspace.zone,
        event_words={name: Words(each.en, each.ja) for name, each in workspace.events.items() if each.en or each.ja},
        attribute_words={
            name: Words(each.en, each.ja) for name, each in workspace.attributes.items() if each.en or each.ja
        },
    )
    return Inference(schema, left_out, types, tuple(sorted(guessed)))


def _attributes(
    connection: Connection, workspace: Workspace, leads: RawTable, changes: RawTable | None, left_out: dict[str, str]
) -> tuple[dict[str, AttributeKind], dict[str, tuple[str, ...]]]:
    shown = {column for key, column in workspace.page.items() if key != "link"}
    sources: dict[str, list[tuple[str, Column]]] = {}
    for raw, relation, contract in (
        (leads, "leads", attribute_rows.LEADS_CONTRACT),
        (changes, USABLE_ATTRIBUTES, attribute_rows.CONTRACT),
    ):
        for name, column in raw.columns.items() if raw is not None else ():
            if name not in contract:
                sources.setdefault(name, []).append((relation, column))
    kinds: dict[str, AttributeKind] = {}
    categories: dict[str, tuple[str, ...]] = {}
    for name in sorted(sources):
        label = f"{'leads' if sources[name][0][0] == 'leads' else 'attributes'}.{name}"
        if name in workspace.ignore or name in shown:
            left_out[label] = "told to ignore it" if name in workspace.ignore else "shown on the page"
            continue
        kind, why = _kind(connection, sources[name], workspace.zone)
        if kind == "category":
            cells = " union all ".join(
                f"select lead, {category(column)} as v from {relation}" for relation, column in sources[name]
            )
            values = common_values(connection, f"({cells})", "v", leads=_CATEGORY_LEADS, most=_ATTRIBUTE_CATEGORIES)
            if values:
                categories[name] = values
            else:
                kind, why = None, f"no text that {_CATEGORY_LEADS} leads have"
        if kind is None:
            left_out[label] = why
        else:
            kinds[name] = kind
    return kinds, categories


def _kind(connection: Connection, sources: list[tuple[str, Column]], zone: str) -> tuple[AttributeKind | None, str]:
    facts: Facts | None = None
    for relation, column in sources:
        own = gather_facts(connection, relation, column, zone)
        facts = own if facts is None else facts + own
    assert facts is not None
    plain = next((column for _, column in sources if not column.is_plain), sources[0][1])
    return decide_kind(plain, facts)


def _further_columns(
    connection: Connection, zone: str, events: Mapping[str, Column], needed: int, left_out: dict[str, str]
) -> tuple[list[str], dict[str, tuple[str, ...]]]:
    numbers: list[str] = []
    categories: dict[str, tuple[str, ...]] = {}
    for name, column in sorted(events.items()):
        label = f"events.{name}"
        if name in event_rows.CONTRACT and name != "channel":
            continue
        if name == "stage":
            left_out[label] = "the name is that of a stage of event types"
            continue
        if name != "channel":
            if column.is_text and looks_like_ids(connection, USABLE_EVENTS, column):
                left_out[label] = "id-like: nearly every row has a text of its own"
                continue
            kind, why = decide_kind(column, gather_facts(connection, USABLE_EVENTS, column, zone))
            if kind == "number":
                numbers.append(name)
                continue
            if kind != "category":
                left_out[label] = why or "a date of an event is not used"
                continue
        values = common_values(connection, USABLE_EVENTS, category(column), leads=needed, most=_EVENT_CATEGORIES)
        if values or name == "channel":
            categories[name] = values
        else:
            left_out[label] = f"no text that {needed} leads have"
    return numbers, categories
