"""Requests read as the types of `wire`: a value of the type, or a refusal that names every fault and repeats no content."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from serving.problems import Fault, Refused, kind_of
from serving.wire import Envelope, Event, Lead

M = TypeVar("M", bound=BaseModel)

_TIMES = frozenset({"created_at", "as_of", "occurred_at", "recorded_at"})
_EXPECTED = {
    "string_type": "text",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
}
_EXPECTED_FIELDS = {
    "lead_id": "text",
    "created_at": "a time, ISO 8601",
    "events": "a list of events, which may be empty",
    "event_type": "text",
    "occurred_at": "a time, ISO 8601",
    "leads": "a list of leads",
    "outcome": "text",
    "outcomes": "a list of outcomes",
}


def read_lead(value: Any) -> Lead:
    """The lead that a JSON value stands for, or `Refused` with all its faults."""
    return read_as(Lead, value)


def read_envelope(value: Any) -> Envelope:
    return read_as(Envelope, value)


def read_as(model: type[M], value: Any) -> M:
    """A JSON value as a type of `wire`, or `Refused` with all its faults."""
    if not isinstance(value, dict):
        raise Refused(422, [Fault("body", kind_of(value), "an object")])
    try:
        return model.model_validate(value)
    except ValidationError as error:
        details = error.errors(include_url=False)
        too_long = [each for each in details if each["type"] == "too_long" and isinstance(each["input"], list)]
        raise Refused(413 if too_long else 422, [_fault(model, each) for each in too_long or details]) from None


def field_path(parts: Sequence[str | int]) -> str:
    """How a field is named to people and programs: ``events[0].occurred_at``."""
    name = ""
    for part in parts:
        name += f"[{part}]" if isinstance(part, int) else f".{part}" if name else part
    return name or "body"


def _fault(model: type[BaseModel], detail: ErrorDetails) -> Fault:
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    loc = detail["loc"]
    if loc and loc[-1] == "[key]":
        return Fault(field_path(loc[:-2]), f"a name of {len(str(loc[-2]))} characters", "names of 1 to 256 characters")
    found, expected = kind_of(value), _EXPECTED.get(kind, detail["msg"])
    if kind == "missing":
        found, expected = "nothing", _EXPECTED_FIELDS.get(str(loc[-1]), "a value")
    elif kind == "extra_forbidden":
        known = Event if "events" in loc and model is Lead else model
        found, expected = "a key that is not known", "one of " + ", ".join(known.model_fields)
    elif kind in ("string_too_short", "string_too_long"):
        low, high = (16, 40) if str(loc[-1]) in _TIMES else (1, 256)
        expected = f"text of {low} to {high} characters"
    elif kind == "too_long":
        length = len(value) if hasattr(value, "__len__") else context.get("actual_length")
        found, expected = f"{length} entries", f"at most {context.get('max_length')}"
    elif kind == "literal_error":
        expected = str(context.get("expected", "")).replace("'", "")
    elif kind in ("greater_than_equal", "less_than_equal", "finite_number", "float_type", "float_parsing"):
        expected = "a finite number"
        if isinstance(value, (int, float)) and not isinstance(value, bool) and not _is_double(value):
            found = "NaN or a number beyond all bounds"
    return Fault(field_path(loc), found, expected)


def _is_double(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
