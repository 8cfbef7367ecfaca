"""From a lead as it was sent to a lead as the features read it: times to instants, cells to the types that were learned."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from features.instants import read_instant
from features.one_lead import RawEvent, RawLead
from features.schema import Schema
from features.told_cells import category_text, cell_text
from features.wording import Lang
from serving.problems import Fault, Refused, kind_of
from serving.wire import Lead

_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?([Zz]|[+-][0-9]{2}:?[0-5][0-9])?"
)
_PLAIN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{6})?Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TIME = "a time, ISO 8601 with Z or an offset, from year 1 to 9999"


@dataclass(frozen=True)
class Incoming:
    """A lead that can be scored.

    Attributes
    ----------
    lead : as the features read it.
    as_of : UTC microseconds.
    lang : of the sentences.
    ignored : ("attribute" or "property", name) of what the model doesn't know, each once, in the order sent.
    """

    lead: RawLead
    as_of: int
    lang: Lang
    ignored: tuple[tuple[str, str], ...]


def instant(text: str, zone: str) -> int | None:
    """UTC microseconds of an ISO 8601 time, None where it is none. Digits beyond the microsecond are cut off.

    A time without an offset is local in `zone`; of an hour that occurs twice the first is meant.

    >>> instant("1970-01-01T00:00:01.5Z", "UTC"), instant("1970-01-01T09:00", "Asia/Tokyo"), instant("1970-02-30T00:00Z", "UTC")
    (1500000, 0, None)
    """
    if _PLAIN.fullmatch(text):  # as nearly all are sent: twice as fast
        try:
            past = datetime.fromisoformat(text) - _EPOCH
        except ValueError:
            return None
        return (past.days * 86_400 + past.seconds) * 1_000_000 + past.microseconds
    if not _TIME.fullmatch(text):
        return None
    try:
        return read_instant(text.upper(), zone)
    except ValueError:
        return None


def day_start(text: str, zone: str) -> int | None:
    """UTC microseconds of the start of a date's day in `zone`, None where the text is no date."""
    return instant(f"{text}T00:00", zone) if _DATE.fullmatch(text) else None


class _Reading:
    """Collects all faults of one lead, so that a caller mends them at once."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.faults: list[Fault] = []
        self.ignored: dict[tuple[str, str], None] = {}

    def time(self, field: str, text: str) -> int:
        found = instant(text, self.schema.zone)
        if found is None:
            self.faults.append(Fault(field, "text that is no such time", TIME))
            return 0
        return found

    def cells(
        self, field: str, sent: Mapping[str, Any] | None, kinds: Mapping[str, str], rules: Collection[str] = ()
    ) -> dict[str, float | str]:
        told: dict[str, float | str] = {}
        for name, value in (sent or {}).items():
            kind = kinds.get(name)
            if kind is None and name in rules:  # the model doesn't know it, but a rule of the agreement looks at it
                text = cell_text(value)
                if text is not None:
                    told[name] = text
            elif kind is None:
                self.ignored["attribute" if field == "attributes" else "property", name] = None
            elif kind == "category" and isinstance(value, str):
                known = category_text(value)
                if known is not None:
                    told[name] = known
            elif value is not None:
                cell = self._cell(value, kind)
                if cell is None:
                    self.faults.append(Fault(f"{field}.{name}", kind_of(value), _KINDS[kind]))
                else:
                    told[name] = cell
        return told

    def _cell(self, value: Any, kind: str) -> float | str | None:
        if kind == "number":
            return None if isinstance(value, (str, bool)) else float(value)
        if kind == "date":
            found = None
            if isinstance(value, str):
                found = instant(value, self.schema.zone)
                found = day_start(value, self.schema.zone) if found is None else found
            return None if found is None else float(found)
        return ("true" if value else "false") if isinstance(value, bool) else None


_KINDS = {"number": "a number", "category": "text", "date": "a date or a time, ISO 8601"}


def property_kinds(schema: Schema) -> dict[str, str]:
    """The further columns of events and whether each holds a number or a text."""
    kinds = {name: "category" for name in schema.event_categories if name != "channel"}
    return kinds | dict.fromkeys(schema.event_numbers[1:], "number")


def incoming(
    lead: Lead,
    schema: Schema,
    *,
    now: int,
    as_of: str | None = None,
    lang: Lang | None = None,
    rule_columns: Collection[str] = (),
) -> Incoming:
    """Read a lead by what the model learned, or raise `Refused` with all its faults.

    Parameters
    ----------
    schema : of the model that will score.
    now : the moment scored where neither the lead nor the batch says one, UTC microseconds.
    as_of, lang : of the batch; the lead's own win.
    rule_columns : attributes that the agreement's rules look at: told on, whether the model knows them or not.
    """
    reading = _Reading(schema)
    created = reading.time("created_at", lead.created_at)
    moment_text = lead.as_of if lead.as_of is not None else as_of
    moment = now if moment_text is None else reading.time("as_of", moment_text)
    kinds = property_kinds(schema)
    events = [
        RawEvent(
            event_type=event.event_type,
            occurred_at=reading.time(f"events[{index}].occurred_at", event.occurred_at),
            recorded_at=(
                None if event.recorded_at is None else reading.time(f"events[{index}].recorded_at", event.recorded_at)
            ),
            value=event.value,
            channel=None if event.channel is None else category_text(event.channel),
            properties=(
                reading.cells(f"events[{index}].properties", event.properties, kinds) if event.properties else {}
            ),
            event_id=event.event_id,
        )
        for index, event in enumerate(lead.events)
    ]
    attributes = reading.cells("attributes", lead.attributes, schema.attributes, rule_columns)
    if not reading.faults and created >= moment:
        reading.faults.append(Fault("created_at", "a time at or after as_of", "a time before as_of"))
    if reading.faults:
        raise Refused(422, reading.faults)
    return Incoming(
        lead=RawLead(lead_id=lead.lead_id, created_at=created, attributes=attributes, events=events),
        as_of=moment,
        lang=lead.lang or lang or "en",
        ignored=tuple(reading.ignored),
    )
