"""A receiver's own names for what a hand-off tells: one map, ours to theirs, with nesting and constants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from features.toml_reader import TomlReader, nearest

OURS = (
    "handoff_id", "created_at", "lead_id", "display_name", "company", "owner", "as_of", "horizon", "probability",
    "percent", "interval.low", "interval.high", "score", "average", "similar.converted", "similar.leads", "band",
    "decided_by", "rule", "because.en", "because.ja", "reasons.en", "reasons.ja", "reasons_text.en", "reasons_text.ja",
    "fit", "engagement", "grade", "stage", "persona", "deadline", "deadline_date", "active_again", "link", "model.name",
    "model.version", "agreement.version",
)  # fmt: skip
"""What a map can name: all that stands in the payload, and what is derived from it for fields of one text or number."""
CONSTANT = "constant"
SCALARS = (str, bool, int, float)

Path = tuple[str, ...]


@dataclass(frozen=True)
class FieldMap:
    """Where each of our values goes. A map that is empty changes nothing; one that isn't sends only what it names.

    Attributes
    ----------
    places : by our name, the places in the receiver's object.
    constants : by place, what always stands there.
    zone : of the day in `deadline_date`.
    """

    places: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    constants: Mapping[Path, str | bool | int | float] = field(default_factory=dict)
    zone: str = "UTC"

    def __bool__(self) -> bool:
        return bool(self.places or self.constants)

    def put(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """The payload in the receiver's names."""
        if not self:
            return dict(payload)
        told = derived(payload, self.zone)
        found: dict[str, Any] = {}
        for path, value in self.constants.items():
            _set(found, path, value)
        for name, paths in self.places.items():
            for path in paths:
                _set(found, path, _value(told, name))
        return found


def derived(payload: Mapping[str, Any], zone: str) -> dict[str, Any]:
    """The payload with what fields of one text or number want: percent, grade, reasons as one text, a day."""
    probability, until = payload.get("probability"), payload.get("deadline")
    fit, engagement = payload.get("fit"), payload.get("engagement")
    reasons = payload.get("reasons") or {}
    return {
        **payload,
        "percent": None if probability is None else round(100 * probability, 4),
        "grade": None if fit is None or engagement is None else f"{fit}{engagement}",
        "reasons_text": {lang: "\n".join(texts) for lang, texts in reasons.items()},
        "deadline_date": None
        if until is None
        else datetime.fromisoformat(until).astimezone(ZoneInfo(zone)).date().isoformat(),
    }


def read_field_map(toml: TomlReader, zone: str) -> FieldMap:
    """The table `[fields]`; faults are left with the reader.

    Our name stands left, theirs right, where a dot goes one object deeper; a list sends a value to several places.
    What stands below `[fields.constant]` is sent as it is.
    """
    places: dict[str, tuple[Path, ...]] = {}
    for path, value in _leaves(toml.table(("fields",)), ("fields",)):
        name = ".".join(path[1:])
        if path[1] == CONSTANT:
            continue
        if name not in OURS:
            toml.problem(
                path, f'"{name}" is nothing that a hand-off tells', expected=f"one of {', '.join(OURS)}",
                next_step=nearest(name, OURS),
            )  # fmt: skip
            continue
        theirs = value if isinstance(value, list) else [value]
        if not theirs or not all(isinstance(each, str) and all(each.split(".")) for each in theirs):
            toml.problem(
                path,
                f'"fields.{name}" names no field',
                expected='a name such as "Rating" or "properties.hs_lead_status"',
            )
            continue
        places[name] = tuple(tuple(each.split(".")) for each in theirs)
    constants: dict[Path, str | bool | int | float] = {}
    start = ("fields", CONSTANT)
    for path, value in _leaves(toml.table(start), start):
        if not isinstance(value, SCALARS):
            toml.problem(path, f'"{".".join(path)}" is no plain value', expected="a text, a number, true or false")
            continue
        constants[path[2:]] = value
    _require_apart(toml, places, constants)
    return FieldMap(places, constants, zone)


def _require_apart(toml: TomlReader, places: Mapping[str, tuple[Path, ...]], constants: Mapping[Path, Any]) -> None:
    """Refuse two values for one place, and a value where another one's object would have to be."""
    taken: dict[Path, Path] = {path: ("fields", CONSTANT, *path) for path in constants}
    for name, paths in places.items():
        for path in paths:
            for other in taken:
                depth = min(len(path), len(other))
                if path[:depth] == other[:depth]:
                    toml.problem(
                        ("fields", *name.split(".")), f'"{".".join(path)}" and "{".".join(other)}" can\'t both be sent',
                        expected="a place of its own for each value", next_step="rename one of them",
                    )  # fmt: skip
            taken[path] = ("fields", *name.split("."))


def _leaves(table: Mapping[str, Any], path: Path) -> Iterator[tuple[Path, Any]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), value


def _value(payload: Mapping[str, Any], name: str) -> Any:
    value: Any = payload
    for key in name.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _set(target: dict[str, Any], path: Path, value: Any) -> None:
    for key in path[:-1]:
        target = target.setdefault(key, {})
    target[path[-1]] = value
