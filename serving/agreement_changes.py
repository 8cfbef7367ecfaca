"""What differs between two versions of the agreement."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, str | None, str | None]]:
    """What differs between two contents: dotted keys with the value before and after, None where there is none.

    >>> changed({"version": 1, "cutoffs": {"mql": 0.1}}, {"version": 2, "cutoffs": {"mql": 0.2}, "held_back": {"share": 0.1}})
    [('cutoffs.mql', '0.1', '0.2'), ('held_back.share', None, '0.1')]
    """
    old, new = dict(_flat(before)), dict(_flat(after))
    keys = [key for key in dict.fromkeys((*old, *new)) if key != "version"]
    return [(key, old.get(key), new.get(key)) for key in keys if old.get(key) != new.get(key)]


def _flat(value: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _flat(each, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(value, list) and any(isinstance(each, Mapping) for each in value):
        for number, each in enumerate(value, 1):
            own = str(each.get("name", number)) if isinstance(each, Mapping) else str(number)
            yield from _flat(each, f"{prefix}.{own}")
    else:
        yield prefix, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
