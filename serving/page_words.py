"""The words of pages, mails and hand-offs: `serving/wording/*.en.toml` and `*.ja.toml`, a pair of files a part."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from features.wording import LANGS, Lang
from serving import locales


def words(key: str, lang: Lang, **values: object) -> str:
    """The text under a dotted key with its values filled in.

    Numbers are written as the language writes them, texts stand as they are. Where the key has `one` and `other` below
    it, the value `n` chooses.

    Raises
    ------
    KeyError
        No such key, or a value that the text needs is not given: both are faults of the caller.
    """
    known = all_words(lang)
    found = known.get(key)
    if found is None and "n" in values:
        found = known.get(f"{key}.{'one' if values['n'] == 1 else 'other'}")
    if found is None:
        raise KeyError(f"serving/wording has no text for {key!r} in {lang}")
    return found.format_map({name: _written(value, lang) for name, value in values.items()})


@cache
def all_words(lang: Lang) -> Mapping[str, str]:
    """All texts of a language by dotted key.

    Raises
    ------
    ValueError
        A key that stands in two files, or a language without files.
    """
    if lang not in LANGS:
        raise ValueError(f"no wording for language {lang!r}, only {', '.join(LANGS)}")
    found: dict[str, str] = {}
    for name, table in word_files(lang).items():
        for key, text in _flat(table):
            if key in found:
                raise ValueError(f"{name} gives {key!r}, which another file has too")
            found[key] = text
    return found


def word_files(lang: Lang) -> dict[str, dict[str, Any]]:
    """What stands in the files of a language, by their names."""
    folder = files("serving").joinpath("wording")
    names = sorted(each.name for each in folder.iterdir() if each.name.endswith(f".{lang}.toml"))
    return {name: tomllib.loads(folder.joinpath(name).read_text(encoding="utf-8")) for name in names}


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)


def _written(value: object, lang: Lang) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return locales.number(value, lang)
    return str(value)
