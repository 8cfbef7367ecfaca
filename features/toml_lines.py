"""Where a key stands in a toml file: tomllib reads values but keeps no lines, and a person needs the line."""

from __future__ import annotations

import re

_PART = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)"""
_PATH = rf"{_PART}(?:\s*\.\s*{_PART})*"
_HEADER = re.compile(rf"^\s*\[{{1,2}}\s*({_PATH})\s*\]{{1,2}}")
_KEY = re.compile(rf"^\s*({_PATH})\s*=(.*)$")
_PARTS = re.compile(_PART)

KeyPath = tuple[str, ...]


def nth(number: int) -> str:
    """The part of a path that stands for one table of an array, from 0."""
    return f"[{number}]"


def key_lines(text: str) -> dict[KeyPath, int]:
    """Line, from 1, of each table header and each key of a valid toml text.

    A table of an array has its number as one more part of its path: the first ``[[definitions]]`` is
    ``("definitions", "[0]")``. Keys of an inline table stand on the line of the key that holds it and are not listed.
    Lines inside multi-line texts are passed over; a line of a multi-line array that looks like a key cannot occur in
    valid toml.
    """
    lines: dict[KeyPath, int] = {}
    last: dict[KeyPath, int] = {}
    table: KeyPath = ()
    closing = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if closing:
            if closing in line:
                closing = ""
            continue
        header = _HEADER.match(line)
        if header:
            *around, name = _split(header[1])
            table = (*_numbered(around, last), name)
            lines.setdefault(table, number)
            if line.lstrip().startswith("[["):
                last[table] = last.get(table, -1) + 1
                table = (*table, nth(last[table]))
                lines[table] = number
            continue
        key = _KEY.match(line)
        if key:
            lines.setdefault((*table, *_split(key[1])), number)
            for mark in ('"""', "'''"):
                if key[2].count(mark) % 2:
                    closing = mark
    return lines


def line_of(lines: dict[KeyPath, int], path: KeyPath) -> int | None:
    """Line of the key, or of the nearest thing around it that has one."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None


def _numbered(path: list[str], last: dict[KeyPath, int]) -> KeyPath:
    """A path with the number of the newest table after each array in it, as toml reads such headers."""
    found: KeyPath = ()
    for part in path:
        found = (*found, part)
        if found in last:
            found = (*found, nth(last[found]))
    return found


def _split(path: str) -> KeyPath:
    return tuple(_unquoted(part) for part in _PARTS.findall(path))


def _unquoted(part: str) -> str:
    if part[0] == "'":
        return part[1:-1]
    if part[0] == '"':
        body = part[1:-1]
        return re.sub(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", _unescaped, body)
    return part


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] in "uU":
        return chr(int(code[1:], 16))
    return {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}.get(code, code)
