"""Values of the agreement's file that are more than a text or a duration: each is read, or its fault is noted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from features.toml_lines import KeyPath
from features.toml_reader import TomlReader, nearest


def shown(value: Any) -> str:
    """A value as people wrote it, or what kind of thing it is where that would be long."""
    if isinstance(value, (bool, dict, list)):
        return {bool: "true or false", dict: "a table", list: "a list"}[type(value)]
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def whole(toml: TomlReader, path: KeyPath) -> int | None:
    """A whole number from 1 on."""
    value = toml.table(path[:-1]).get(path[-1])
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value < 2**31:
        return value
    toml.problem(path, f'"{".".join(path)}" is {shown(value)}', expected="a whole number from 1 on")
    return None


def number_within(
    toml: TomlReader, path: KeyPath, fits: Callable[[float], bool], *, expected: str, percent: bool = False
) -> float | None:
    """A number that fits; with `percent` one from 1 to 100 is taken for a percentage in the next step."""
    value = toml.table(path[:-1]).get(path[-1])
    if value is None:
        return None
    if not isinstance(value, bool) and isinstance(value, (int, float)):
        if fits(value):
            return float(value)
        told = f"write {value / 100:g} for {value:g}%" if percent and 1 <= value < 100 else ""
        toml.problem(path, f'"{".".join(path)}" is {shown(value)}', expected=expected, next_step=told)
    else:
        toml.problem(path, f'"{".".join(path)}" is {shown(value)}', expected=expected)
    return None


def flag(toml: TomlReader, path: KeyPath) -> bool:
    """True or false; false where it is absent."""
    value = toml.table(path[:-1]).get(path[-1])
    if value is not None and not isinstance(value, bool):
        toml.problem(path, f'"{".".join(path)}" is {shown(value)}', expected="true or false")
    return value is True


def several(toml: TomlReader, path: KeyPath) -> tuple[str, ...]:
    """A list of texts; one text alone is a list of one."""
    value = toml.table(path[:-1]).get(path[-1])
    if isinstance(value, str) and value.strip():
        return (value,)
    if value == []:
        toml.problem(path, f'"{".".join(path)}" is an empty list', expected="at least one text")
        return ()
    return toml.texts(path)


def values(toml: TomlReader, path: KeyPath) -> tuple[str, ...]:
    """A list of texts, numbers, or true and false, as the texts that tables hold."""
    value = toml.table(path[:-1]).get(path[-1])
    if value is None:
        return ()
    listed = value if isinstance(value, list) else [value]
    texts = [_cell(each) for each in listed]
    if not listed or not all(texts):
        expected = 'a list of texts or numbers, such as ["a", "b"]'
        what = (
            shown(value) if not isinstance(value, list) else "an empty list" if not value else "a list of other things"
        )
        toml.problem(path, f'"{".".join(path)}" is {what}', expected=expected)
        return ()
    return tuple(filter(None, texts))


def _cell(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(int(value)) if value == value and abs(value) < 1e15 and value == int(value) else str(value)
    return value if isinstance(value, str) and value.strip() else None


def chosen(toml: TomlReader, path: KeyPath, valid: Sequence[str]) -> tuple[str, ...]:
    """A list of names, each one of the valid ones; returned in the order of these."""
    told = toml.texts(path)
    for each in told:
        if each not in valid:
            toml.problem(
                path, f'{path[-1]} has "{each}"', expected=f"some of {', '.join(valid)}", next_step=nearest(each, valid)
            )
    return tuple(each for each in valid if each in told)
