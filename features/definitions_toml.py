"""[[definitions]] of propensity.toml: definitions of a workspace's own, made of the kinds there are. No code runs."""

from __future__ import annotations

import re
from typing import Any

from features.definitions import ALL, LAST_EVENTS, Called, Definition, Selector
from features.kinds import KINDS_BY_WORD, MADE_BY_A_TOML
from features.toml_lines import KeyPath
from features.toml_reader import TomlReader

MOST = 100
"""So many definitions of its own a workspace may have."""
_TAKEN = ("any", "created")
"""What reasons about other things are called."""


def read_definitions(toml: TomlReader, places: dict[str, str]) -> tuple[Definition, ...]:
    """Read all of them; what is wrong is left with the reader. `places` learns where each stands."""
    paths = toml.tables(("definitions",))
    if len(paths) > MOST:
        toml.problem(
            ("definitions",),
            f"{len(paths)} definitions",
            expected=f"up to {MOST}",
            next_step="keep those that say most",
        )
        return ()
    found: dict[str, Definition] = {}
    names: dict[Definition, str] = {}
    for path in paths:
        made = _definition(toml, path)
        if made is None:
            continue
        if made.plain in names:
            toml.problem(
                path, f'the same as "{names[made.plain]}"', expected="each computed once", next_step="take one out"
            )
        elif made.name in found:
            toml.problem((*path, "name"), f'a second definition "{made.name}"', expected="a name of its own")
        else:
            found[made.name], names[made.plain] = made, made.name
            places[f"definitions.{made.name}"] = toml.place(path)
    return tuple(found.values())


def _definition(toml: TomlReader, path: KeyPath) -> Definition | None:
    before = len(toml.problems)
    toml.text((*path, "kind"), required=True)
    if len(toml.problems) > before:
        return None
    word = toml.choice((*path, "kind"), MADE_BY_A_TOML)
    if word is None:
        return None
    kind = KINDS_BY_WORD[word]
    toml.known_keys(path, ("kind", *(("where",) if kind.of_events else ()), *kind.needs, *kind.may, "name", "en", "ja"))
    arguments: dict[str, Any] = {}
    for name in (*kind.needs, *kind.may):
        if name == "nth":
            arguments[name] = _nth(toml, (*path, name))
        elif name == "column":
            arguments[name] = toml.text((*path, name), required=True)
        else:
            arguments[name] = toml.duration((*path, name), required=name in kind.needs)
    if kind.of_events:
        arguments["selector"] = _where(toml, (*path, "where"))
    if word == "last_category":
        arguments["values"] = ()  # those that the tables have
    called = _called(toml, path)
    if len(toml.problems) > before:
        return None
    try:
        return kind.definition(**arguments, called=called)
    except ValueError as error:
        toml.problem(path, str(error), expected="a definition that can be computed")
        return None


def _where(toml: TomlReader, path: KeyPath) -> Selector:
    """Which events: all, or those where one column holds one value."""
    if path[-1] not in toml.table(path[:-1]):
        return ALL
    before, told = len(toml.problems), toml.table(path)
    values = {column: toml.text((*path, column)) for column in told}
    if len(told) != 1 and len(toml.problems) == before:
        toml.problem(
            path,
            f"where names {len(told)} columns",
            expected='one, and its value: { event_type = "pricing_page_viewed" } or { stage = "decision" }',
        )
    if len(toml.problems) > before:
        return ALL
    ((column, value),) = values.items()
    assert value is not None
    return Selector(column, value)


def _nth(toml: TomlReader, path: KeyPath) -> int:
    nth = toml.number(path)
    if nth is not None and nth not in range(1, LAST_EVENTS + 1):
        toml.problem(path, f"nth {nth:g}", expected=f"1 for the last event, up to {LAST_EVENTS}")
    return 1 if nth is None else int(nth)


def _called(toml: TomlReader, path: KeyPath) -> Called | None:
    name, en, ja = (toml.text((*path, each)) for each in ("name", "en", "ja"))
    if name is None:
        if en or ja:
            toml.problem(
                path,
                "words without a name",
                expected='name = "..." beside en and ja: by it the definition is a reason of its own',
                next_step="add a name, or take the words out",
            )
        return None
    if not re.fullmatch(r"\w{1,60}", name) or name in _TAKEN:
        expected = f"up to 60 letters, digits and _, other than {' and '.join(_TAKEN)}"
        toml.problem((*path, "name"), f'name "{name[:60]}"', expected=expected)
        return None
    return Called(name, en or "", ja or "")
