"""A history made of what a request says about its leads, in plain Python: no table, no query."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.calendar_days import local_days
from features.history import NEVER, Attributes, Events, History, Outcomes, RuleAttributes
from features.rule_attributes import ToldAttributes, rule_attributes
from features.schema import Schema

_UNKNOWN = "\U0010ffff"
"""Stands in a vocabulary for every event type that neither the schema nor the caller names, and for every value of an
attribute that the schema doesn't know; sorts after all texts."""

_NOTHING: Mapping[str, float | str | None] = MappingProxyType({})


class RawEvent(NamedTuple):
    """One behaviour as it was told. Instants are UTC microseconds; `properties` are the further columns.

    A named tuple: a request makes hundreds, and a frozen dataclass costs three times as much to make.
    """

    event_type: str
    occurred_at: int
    recorded_at: int | None = None
    value: float | None = None
    channel: str | None = None
    properties: Mapping[str, float | str | None] = _NOTHING
    event_id: str | None = None


class RawChange(NamedTuple):
    """A change of attributes; one that is absent or None leaves the older value standing."""

    valid_from: int
    recorded_at: int
    attributes: Mapping[str, float | str | None]


@dataclass(frozen=True, slots=True)
class RawLead:
    """One lead as it was told; an attribute absent or None is unknown. Dates are UTC microseconds."""

    lead_id: str
    created_at: int
    attributes: Mapping[str, float | str | None] = field(default_factory=dict)
    events: Sequence[RawEvent] = ()
    changes: Sequence[RawChange] = ()


@dataclass(frozen=True)
class _Columns:
    """What a schema says, laid out for coding cells one by one; made once a schema."""

    categories: tuple[str, ...]
    codes: tuple[Mapping[str, int], ...]
    vocabularies: tuple[tuple[str, ...], ...]
    numbers: tuple[str, ...]
    further: tuple[tuple[str, bool], ...]
    attribute_codes: tuple[tuple[str, Mapping[str, int]], ...]
    attribute_vocabularies: tuple[tuple[str, ...], ...]
    attribute_numbers: tuple[str, ...]
    attribute_order: tuple[tuple[str, bool], ...]


_columns_of: dict[tuple[int, tuple[str, ...]], tuple[Schema, _Columns]] = {}


def _columns(schema: Schema, named_types: tuple[str, ...]) -> _Columns:
    key = (id(schema), named_types)
    kept = _columns_of.get(key)
    if kept is None:
        if len(_columns_of) >= 8:
            _columns_of.clear()
        kept = _columns_of[key] = (schema, _lay_out(schema, named_types))  # the schema is kept alive: its id stays its
    return kept[1]


def _lay_out(schema: Schema, named_types: tuple[str, ...]) -> _Columns:
    categories = schema.event_code_columns
    types = sorted({*schema.event_types, *schema.stages, *named_types})
    vocabularies = (
        (*types, _UNKNOWN),
        *(schema.event_categories.get(column, ()) for column in categories[1:]),
    )
    numbers = schema.event_numbers
    further = sorted([(column, False) for column in categories[2:]] + [(column, True) for column in numbers[1:]])
    attribute_vocabularies = tuple((*schema.categories[column], _UNKNOWN) for column in schema.attribute_categories)
    return _Columns(
        categories=categories,
        codes=tuple({text: code for code, text in enumerate(values)} for values in vocabularies),
        vocabularies=vocabularies,
        numbers=numbers,
        further=tuple(further),
        attribute_codes=tuple(
            (column, {text: code for code, text in enumerate(values)})
            for column, values in zip(schema.attribute_categories, attribute_vocabularies, strict=True)
        ),
        attribute_vocabularies=attribute_vocabularies,
        attribute_numbers=schema.attribute_numbers,
        attribute_order=tuple(
            (column, schema.attributes[column] != "category") for column in sorted(schema.attributes)
        ),
    )


def _text_key(value: Any) -> tuple[bool, Any]:
    return (value is not None, value if value is not None else "")


def _number_key(value: Any) -> tuple[bool, float]:
    return (value is not None, float(value) if value is not None else 0.0)


def _canonical(event: RawEvent, columns: _Columns) -> tuple[Any, ...]:
    """Sort key of the canonical order: missing before known, text by code point."""
    recorded = event.recorded_at if event.recorded_at is not None else event.occurred_at
    return (
        event.occurred_at,
        recorded,
        event.event_type,
        _text_key(event.channel),
        _number_key(event.value),
        *((_number_key if numeric else _text_key)(event.properties.get(column)) for column, numeric in columns.further),
    )


def _in_order(events: Sequence[RawEvent], columns: _Columns) -> list[RawEvent]:
    """Events in canonical order. The long key is made only where two times tie, which is seldom."""
    if len({event.occurred_at for event in events}) == len(events):
        return sorted(events, key=lambda event: event.occurred_at)
    return sorted(events, key=lambda event: _canonical(event, columns))


def _first_recorded(events: Sequence[RawEvent]) -> list[RawEvent]:
    """Of events with the same id the one recorded first; those without an id all stay."""
    kept: dict[str, RawEvent] = {}
    anonymous: list[RawEvent] = []
    for event in events:
        if event.event_id is None:
            anonymous.append(event)
            continue
        before = kept.get(event.event_id)
        if before is None or _recorded(event) < _recorded(before):
            kept[event.event_id] = event
    return anonymous + list(kept.values())


def _recorded(event: RawEvent) -> int:
    return event.occurred_at if event.recorded_at is None else event.recorded_at


def history_of_leads(
    schema: Schema,
    leads: Sequence[RawLead],
    *,
    as_of: int,
    named_types: tuple[str, ...] = (),
    rule_columns: Collection[str] = (),
) -> History:
    """Lay out told leads as a History, as the table reader would.

    Parameters
    ----------
    schema : of the definitions that will be computed. Columns it doesn't know are not looked at; the caller has
        told the user of them, and has checked that a number stands where the schema says number.
    leads : n leads with distinct ids.
    as_of : becomes ``data_end`` and ``now``.
    named_types : event types that keep their name although the schema doesn't know them, because a rule of the
        agreement does; all other unknown types look alike.
    rule_columns : attributes that rules of the agreement look at, known to the schema or not.

    Returns
    -------
    History of the n leads, without outcomes; positions follow the sorted ids (`History.positions`).
    """
    columns = _columns(schema, named_types)
    ordered = sorted(leads, key=lambda lead: lead.lead_id) if len(leads) > 1 else list(leads)
    events: list[RawEvent] = []
    offsets = np.zeros(len(ordered) + 1, np.int64)
    for i, lead in enumerate(ordered):
        own: Sequence[RawEvent] = lead.events
        if any(event.event_id is not None for event in own):
            own = _first_recorded(own)
        events.extend(_in_order(own, columns))
        offsets[i + 1] = len(events)
    codes = np.empty((len(columns.categories), len(events)), np.int32)
    type_codes = columns.codes[0]
    unknown = len(type_codes) - 1
    codes[0] = [type_codes.get(event.event_type, unknown) for event in events]
    channel_codes = columns.codes[1]
    codes[1] = [channel_codes.get(event.channel, -1) if event.channel is not None else -1 for event in events]
    for row, column in enumerate(columns.categories[2:], start=2):
        of_text = columns.codes[row]
        codes[row] = [of_text.get(str(event.properties.get(column)), -1) for event in events]
    numbers = np.empty((len(columns.numbers), len(events)), np.float64)
    numbers[0] = [np.nan if event.value is None else event.value + 0.0 for event in events]
    for row, column in enumerate(columns.numbers[1:], start=1):
        cells = [event.properties.get(column) for event in events]
        numbers[row] = [np.nan if cell is None else float(cell) + 0.0 for cell in cells]
    n = len(ordered)
    created = np.array([lead.created_at for lead in ordered], dtype=np.int64)
    occurred = np.array([event.occurred_at for event in events], dtype=np.int64)
    recorded = np.array([_recorded(event) for event in events], dtype=np.int64)
    nobody = np.full(n, NEVER, dtype=np.int64)
    return History(
        schema=schema,
        lead_ids=np.array([lead.lead_id for lead in ordered], dtype=object),
        created_at=created,
        events=Events(
            offsets=offsets,
            occurred_at=occurred,
            known_at=np.maximum(occurred, recorded),
            day=local_days(occurred, schema.zone),
            codes=codes,
            vocabularies=columns.vocabularies,
            numbers=numbers,
        ),
        attributes=_attributes(ordered, created, columns),
        outcomes=Outcomes(at=nobody, known_at=nobody, converted=np.zeros(n, dtype=np.bool_)),
        data_end=as_of,
        now=as_of,
        labels={},
        rule_attributes=_for_rules(rule_columns, ordered) if rule_columns else None,
    )


def _attributes(leads: Sequence[RawLead], created: NDArray[np.int64], columns: _Columns) -> Attributes:
    """Rows of leads, one each where nothing changed, and of their changes."""
    rows: list[Mapping[str, float | str | None]] = [lead.attributes for lead in leads]
    offsets, valid_from, known_at = np.arange(len(leads) + 1, dtype=np.int64), created, created
    if any(lead.changes for lead in leads):
        changed = [_rows_in_order(lead, columns) for lead in leads]
        offsets[1:] = np.cumsum([len(each) for each in changed])
        rows = [row.attributes for each in changed for row in each]
        valid_from = np.array([row.valid_from for each in changed for row in each], dtype=np.int64)
        known_at = np.array([max(row.valid_from, row.recorded_at) for each in changed for row in each], dtype=np.int64)
    # An unknown value is a value: where it comes later than a known one, nothing is known any more. Alone it says nothing.
    unknown = len(rows) > len(leads)
    codes = np.full((len(columns.attribute_codes), len(rows)), -1, np.int32)
    for place, (column, of_text) in enumerate(columns.attribute_codes):
        for i, row in enumerate(rows):
            told = row.get(column)
            if told is not None:
                codes[place, i] = of_text.get(str(told), len(of_text) - 1 if unknown else -1)
    numbers = np.full((len(columns.attribute_numbers), len(rows)), np.nan)
    for place, column in enumerate(columns.attribute_numbers):
        for i, row in enumerate(rows):
            told = row.get(column)
            if told is not None:
                numbers[place, i] = float(told) + 0.0
    return Attributes(
        offsets=offsets, valid_from=valid_from, known_at=known_at,
        codes=codes, vocabularies=columns.attribute_vocabularies, numbers=numbers,
    )  # fmt: skip


def _rows_in_order(lead: RawLead, columns: _Columns) -> list[RawChange]:
    """The lead's own row and its changes: of those valid from one instant its own first, then by recorded time and content."""
    own = RawChange(lead.created_at, lead.created_at, lead.attributes)
    if not lead.changes:
        return [own]

    def key(row: RawChange) -> tuple[Any, ...]:
        content = [
            (_number_key if numeric else _text_key)(row.attributes.get(column))
            for column, numeric in columns.attribute_order
        ]
        return row.valid_from, row is not own, row.recorded_at, content

    return sorted([own, *lead.changes], key=key)


def _for_rules(columns: Collection[str], leads: Sequence[RawLead]) -> RuleAttributes:
    return rule_attributes(
        columns,
        [
            [
                ToldAttributes(lead.created_at, lead.created_at, lead.attributes),
                *(ToldAttributes(*change, is_change=True) for change in lead.changes),
            ]
            for lead in leads
        ],
    )
