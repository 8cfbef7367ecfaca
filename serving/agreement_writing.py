"""Writes an agreement into the text of its file: what changed is changed in place, and people's comments stay."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, MutableMapping
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Item

from features.durations import read_duration
from features.errors import UsageError
from serving.agreement import Agreement
from serving.agreement_terms import WEEKDAYS
from serving.agreement_text import read_agreement

_ONE_LINE = ("attributes",)
"""Below these tables a condition stands on one line."""
_SILENT = (("at_least", 1), ("draw", 1), ("days", list(WEEKDAYS[:5])))
"""What a file need not say."""


def agreement_toml(agreement: Agreement, old_text: str) -> str:
    """The text of `agreement.toml` for an agreement, as near to the old text as it can be.

    Values that mean the same stay as they were written, comments and order too; what the agreement does without goes, and
    what is new stands at the end of its table. Where the old text is no toml, or is laid out so that it can't be edited in
    place, a new text is written.

    Parameters
    ----------
    old_text : of the file as it is; "" where there is none.
    """
    if _means(old_text, agreement):
        return old_text
    told = agreement.to_toml()
    try:
        document = tomlkit.parse(old_text.removeprefix("\ufeff"))
        _edit(document, told, ())
        text = tomlkit.dumps(document)
    except (TOMLKitError, ValueError, KeyError, TypeError, AttributeError):  # what tomlkit raises on odd layouts
        return _anew(agreement)
    return text if _means(text, agreement) else _anew(agreement)


def _means(text: str, agreement: Agreement) -> bool:
    try:
        found = read_agreement(text)
    except UsageError:
        return False
    return found == agreement


def _anew(agreement: Agreement) -> str:
    document = tomlkit.document()
    _edit(document, agreement.to_toml(), ())
    return tomlkit.dumps(document)


def _edit(table: MutableMapping[str, Any], told: Mapping[str, Any], path: tuple[str, ...]) -> None:
    """Make a table say what is told, and nothing else."""
    for key in [key for key in table if key not in told]:
        del table[key]
    if path == ("personas",) and list(table) != [key for key in told if key in table]:
        raise ValueError("personas in another order")  # moved tables would leave their comments behind
    for key, value in told.items():
        old = table.get(key)
        if isinstance(value, Mapping) and isinstance(old, MutableMapping):
            _edit(old, value, (*path, key))
        elif old is None:
            if (key, value) not in _SILENT or isinstance(value, float):
                table[key] = _item(value, (*path, key))
        elif not _same(old, value, (*path, key)):
            table[key] = _item(value, (*path, key))


def _same(old: Any, new: Any, path: tuple[str, ...]) -> bool:
    """Whether a value as it is written means the new one: "2w" is "14d", one text a list of one, a date its text."""
    plain = old.unwrap() if isinstance(old, Item) else old
    if isinstance(plain, str) and isinstance(new, str) and path[-1] not in ("en", "ja", "link"):
        return plain == new or _duration(plain) == _duration(new) is not None
    if isinstance(new, list):
        listed = plain if isinstance(plain, list) else [plain]
        return [_text(each) for each in listed] == [_text(each) for each in new]
    if path[-1] in ("opens", "closes"):
        return isinstance(plain, dt.time) and f"{plain:%H:%M}" == new
    return isinstance(plain, bool) is isinstance(new, bool) and bool(plain == new)


def _duration(text: str) -> int | None:
    try:
        return read_duration(text)
    except ValueError:
        return None


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _item(value: Any, path: tuple[str, ...]) -> Item:
    if not isinstance(value, Mapping):
        found: Item = tomlkit.item(value)
        return found
    if len(path) >= 2 and path[-2] in _ONE_LINE:
        line = tomlkit.inline_table()
        line.update(value)
        return line
    # A table that holds nothing but tables has no header of its own.
    inner = tomlkit.table(is_super_table=bool(value) and all(isinstance(each, Mapping) for each in value.values()))
    if path[-1] in _ONE_LINE:
        inner = tomlkit.table()
    for key, each in value.items():
        inner.append(key, _item(each, (*path, key)))
    return inner
