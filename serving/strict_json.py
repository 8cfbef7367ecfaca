"""JSON as RFC 8259 has it and no further: what Python's reader lets pass or drops silently is named and refused."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

from serving.problems import Fault, Refused

_LONE = re.compile("[\ud800-\udfff]")
_MAY_BE_LONE = re.compile(rb"\\u[dD][89a-fA-F]")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},]|[^\s\[\]{},":]+')
_LONGEST_INTEGER = 400
"""More digits than any double has; Python itself stops at 4,300 with an error that names no field."""


class _DoubledKey(Exception):
    pass


class _Doubled(dict[str, Any]):
    """An object in which a key stood twice; made only to find it again."""

    key = ""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _DoubledKey
    return found


def _marked(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = _Doubled(pairs)
    if len(found) == len(pairs):
        return dict(pairs)
    keys = [key for key, _ in pairs]
    found.key = next(key for key in keys if keys.count(key) > 1)
    return found


def _integer(text: str) -> int | float:
    return int(text) if len(text) < _LONGEST_INTEGER else math.inf  # the type check then names the field


_READER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer)
_FINDER = json.JSONDecoder(object_pairs_hook=_marked, parse_int=_integer)


def parse_json(body: bytes) -> Any:
    """The value that `body` stands for, or `Refused` (400) naming the place.

    Refused are bytes that aren't UTF-8, text that isn't JSON, a key that stands twice in one object (which of the two
    was meant?), halves of surrogate pairs (no text can hold them) and nesting beyond what Python can read. NaN,
    Infinity and numbers too large for a double come out as such: the field's type refuses them and knows its name.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _refused("body", f"bytes that are no UTF-8, at byte {error.start}", "JSON in UTF-8") from None
    if not text.strip():
        raise _refused("body", "nothing", "a JSON object")
    try:
        value = _READER.decode(text)
    except _DoubledKey:
        path, found = next(_search(_FINDER.decode(text), lambda each: isinstance(each, _Doubled)))
        raise _refused(_join(path, found.key), "a key that stands twice", "each key once") from None
    except json.JSONDecodeError as error:
        raise _refused("body", f"no JSON at line {error.lineno}, column {error.colno}", "a JSON object") from None
    except RecursionError:
        raise _refused(_deep_field(text), "lists or objects inside each other too deep", "at most 6 levels") from None
    if _MAY_BE_LONE.search(body):
        for path, _ in _search(value, _is_lone):
            raise _refused(_printable(path) or "body", "half a surrogate pair", "text that UTF-8 can hold")
    return value


def _refused(field: str, found: str, expected: str) -> Refused:
    return Refused(400, [Fault(_printable(field), found, expected)])


def _printable(text: str) -> str:
    return _LONE.sub("�", text)


def _is_lone(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_LONE.search(key) for key in value)
    return isinstance(value, str) and bool(_LONE.search(value))


def _search(value: Any, wanted: Callable[[Any], bool]) -> Iterator[tuple[str, Any]]:
    """Parts of a JSON value that are wanted, each with its path, without recursion: the value may be deep."""
    rest: list[tuple[str, Any]] = [("", value)]
    while rest:
        path, each = rest.pop()
        if wanted(each):
            yield path, each
        if isinstance(each, dict):
            rest.extend((_join(path, key), part) for key, part in reversed(each.items()))
        elif isinstance(each, list):
            rest.extend((f"{path}[{index}]", part) for index, part in reversed(list(enumerate(each))))


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _deep_field(text: str, *, levels: int = 4) -> str:
    """Where a text that is too deep to be read goes deep: the path of its `levels` outer keys and indices."""
    path: list[str | int] = []
    name = ""
    for token in _TOKEN.findall(text):
        if token in "[{":
            path.append(0 if token == "[" else "")
            if len(path) > levels:
                break
        elif token in "]}" and path:
            path.pop()
        elif token == "," and path and isinstance(path[-1], int):
            path[-1] += 1
        elif token.startswith('"') and path and isinstance(path[-1], str):
            path[-1] = token[1:-1]
    for part in path[:levels]:
        name = f"{name}[{part}]" if isinstance(part, int) else _join(name, part) if part else name
    return name or "body"
