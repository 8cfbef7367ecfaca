"""A toml file read with all its problems together, each with its line and the nearest valid name."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from features.durations import EXPECTED, read_duration
from features.errors import Problem, UsageError
from features.toml_lines import KeyPath, key_lines, line_of, nth


def nearest(name: str, valid: Collection[str]) -> str:
    """'did you mean "name"?' for the valid name that looks most like this one, or nothing."""
    close = difflib.get_close_matches(name.lower(), [each.lower() for each in valid], n=1, cutoff=0.6)
    for each in valid:
        if close and each.lower() == close[0]:
            return f'did you mean "{each}"?'
    return ""


def _within(value: Any, key: str) -> Any:
    """What stands under a key of a table, or under a number of an array; None where nothing does."""
    if isinstance(value, dict):
        return value.get(key)
    if isinstance(value, list):
        return next((each for number, each in enumerate(value) if nth(number) == key), None)
    return None


def _shown(path: KeyPath) -> str:
    """A path as people write it; the line says which table of an array is meant."""
    return ".".join(part for part in path if not re.fullmatch(r"\[\d+\]", part))


def _kind(value: object) -> str:
    names = {str: "a text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "a table"}
    return names.get(type(value), "a time")


class TomlReader:
    """Hands out values by path and collects what is wrong; `finish` raises everything at once.

    Parameters
    ----------
    path : the file; its name stands in each problem.

    Raises
    ------
    UsageError
        The file is missing, is not UTF-8, or is not toml: then nothing else can be said about it.
    """

    def __init__(self, path: Path) -> None:
        try:
            text = path.read_bytes().decode("utf-8-sig")
        except FileNotFoundError:
            raise UsageError(
                f"no file {path}",
                expected=f"a folder with a {path.name}",
                next_step="name the folder, or write the file",
            ) from None
        except OSError as error:
            raise UsageError(f"{path} can't be read: {error.strerror}", expected="a readable file") from None
        except UnicodeDecodeError:
            raise UsageError(
                f"{path} is not UTF-8", expected="a toml file in UTF-8", next_step="save it as UTF-8"
            ) from None
        self._read(path.name, text)

    @classmethod
    def of_text(cls, name: str, text: str) -> TomlReader:
        """The text of a file that is not written yet; `name` stands in each problem."""
        reader = cls.__new__(cls)
        reader._read(name, text)
        return reader

    def _read(self, name: str, text: str) -> None:
        self.name = name
        self.problems: list[Problem] = []
        try:
            self.data: dict[str, Any] = tomllib.loads(text.replace("\r\n", "\n"))
        except tomllib.TOMLDecodeError as error:
            found = re.search(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$", str(error))
            line = found[1] if found and found[1] else str(text.count("\n") + 1)
            raise UsageError(
                str(error)[: found.start()] if found else str(error),
                expected="toml: key = value, texts in quotes, keys with other than a-z A-Z 0-9 _ - in quotes",
                next_step="mend the line",
                where=f"{self.name} line {line}",
            ) from None
        self._lines = key_lines(text)

    def problem(self, path: KeyPath, found: str, *, expected: str, next_step: str = "") -> None:
        self.problems.append(Problem(found=found, expected=expected, next_step=next_step, where=self.place(path)))

    def finish(self) -> None:
        """Raise `UsageError` with all problems, in the order of their lines, if there are any."""
        if self.problems:
            ordered = sorted(self.problems, key=lambda each: int((re.findall(r"line (\d+)$", each.where) or ["0"])[0]))
            raise UsageError(problems=ordered)

    def known_keys(self, path: KeyPath, valid: Collection[str]) -> None:
        """Refuse keys of the table at `path` that are not among the valid ones."""
        for key in self.table(path):
            if key not in valid:
                shown = _shown((*path, key))
                self.problem(
                    (*path, key),
                    f'unknown key "{shown}"',
                    expected=f"one of {', '.join(valid)}",
                    next_step=nearest(key, valid),
                )

    def table(self, path: KeyPath, *, required: bool = False) -> Mapping[str, Any]:
        """The table at `path`; empty where it is absent or something else (that is then a problem, reported once)."""
        value: Any = self.data
        for depth, key in enumerate(path):
            value = _within(value, key)
            if value is None:
                if required:
                    self.problem(path, f"no [{_shown(path)}]", expected=f"a table [{_shown(path)}]", next_step="add it")
                return {}
            inside = depth + 1 < len(path) and isinstance(value, list)
            if not isinstance(value, dict) and not inside:
                self._wrong(path[: depth + 1], value, "a table")
                return {}
        return value  # type: ignore[no-any-return]

    def tables(self, path: KeyPath) -> list[KeyPath]:
        """The paths of the tables of an array, in their order; none where it is absent or something else."""
        value = self._value(path)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            expected = f"tables, each below a line [[{_shown(path)}]]"
            if isinstance(value, list):
                self.problem(path, f'"{_shown(path)}" holds something else than tables', expected=expected)
            else:
                self._wrong(path, value, expected)
            return []
        return [(*path, nth(number)) for number in range(len(value))]

    def place(self, path: KeyPath) -> str:
        """Where a key stands, as an error would say it: for a fault that only the tables can show."""
        line = line_of(self._lines, path)
        return self.name if line is None else f"{self.name} line {line}"

    def _value(self, path: KeyPath) -> Any:
        value: Any = self.data
        for key in path:
            value = _within(value, key)
        return value

    def _wrong(self, path: KeyPath, value: object, expected: str) -> None:
        already = {(each.where, each.found) for each in self.problems}
        found = f'"{_shown(path)}" is {_kind(value)}'
        if (self.place(path), found) not in already:
            self.problem(path, found, expected=expected)

    def text(self, path: KeyPath, *, required: bool = False) -> str | None:
        """A text that is not empty, or None."""
        value = self._value(path)
        if value is None:
            if required:
                self.problem(
                    path,
                    f'no "{path[-1]}" in [{_shown(path[:-1])}]',
                    expected=f'{path[-1]} = "..."',
                    next_step="add it",
                )
            return None
        if not isinstance(value, str):
            self._wrong(path, value, "a text in quotes")
            return None
        if not value.strip():
            self.problem(path, f'"{_shown(path)}" is empty', expected="a text")
            return None
        return value

    def texts(self, path: KeyPath) -> tuple[str, ...]:
        value = self._value(path)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
            expected = 'a list of texts, such as ["a", "b"]'
            if isinstance(value, list):
                self.problem(path, f'"{_shown(path)}" holds something else than texts', expected=expected)
            else:
                self._wrong(path, value, expected)
            return ()
        return tuple(value)

    def number(self, path: KeyPath) -> float | None:
        value = self._value(path)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self._wrong(path, value, "a number")
            return None
        if abs(value) > 1e12 or value != value:
            self.problem(path, f'"{_shown(path)}" is {value}', expected="a number of sensible size")
            return None
        return float(value)

    def choice(self, path: KeyPath, valid: Collection[str]) -> str | None:
        value = self.text(path)
        if value is not None and value not in valid:
            self.problem(
                path, f'{path[-1]} "{value}"', expected=f"one of {', '.join(valid)}", next_step=nearest(value, valid)
            )
            return None
        return value

    def duration(self, path: KeyPath, *, required: bool = False) -> int | None:
        """Microseconds."""
        value = self.text(path, required=required)
        return None if value is None else self._duration(path, value)

    def durations(self, path: KeyPath) -> tuple[int, ...]:
        return tuple(each for text in self.texts(path) if (each := self._duration(path, text)) is not None)

    def _duration(self, path: KeyPath, text: str) -> int | None:
        try:
            return read_duration(text)
        except ValueError as error:
            self.problem(path, str(error), expected=EXPECTED)
            return None
