"""The wording files, read once: keys joined by dots to texts, and the names that the product knows."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Lang = Literal["en", "ja"]
LANGS: tuple[Lang, ...] = ("en", "ja")


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files("features.wording").joinpath(name).read_text(encoding="utf-8"))


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)


@cache
def texts(lang: Lang) -> Mapping[str, str]:
    """All texts of a language by dotted key, as in ``message.band.SQL``.

    Raises
    ------
    ValueError
        A language that there is no file for.
    """
    if lang not in LANGS:
        raise ValueError(f"no wording for language {lang!r}, only {', '.join(LANGS)}")
    return dict(_flat(_read(f"{lang}.toml")))


def text(key: str, lang: Lang) -> str:
    """One text. A key without one is a fault of the caller: KeyError."""
    found = texts(lang).get(key)
    if found is None:
        raise KeyError(f"{lang}.toml has no text for {key!r}")
    return found


@cache
def known() -> Mapping[str, Any]:
    """The names that tables commonly use, as `known.toml` has them."""
    return _read("known.toml")


def plain(name: str) -> str:
    """A name without case, width, camelCase and separators: "PricingPage-Viewed" and "pricing page viewed" are one."""
    name = unicodedata.normalize("NFKC", name)
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[\W_]+", "_", name).strip("_").lower()


@cache
def _index(section: str) -> Mapping[str, tuple[str, Mapping[str, str]]]:
    """Plain name to the key and the words of its entry in a section of `known.toml`."""
    table: Any = known()
    for part in section.split("."):
        table = table.get(part, {})
    return {plain(name): (key, entry) for key, entry in table.items() for name in entry["names"]}


def known_words(section: str, name: str, lang: Lang) -> str | None:
    """How people say a common name, e.g. "mail_opened" in "events"; None where the product doesn't know it."""
    found = _index(section).get(plain(name))
    return None if found is None else found[1][lang]


def known_key(section: str, name: str) -> str | None:
    """The entry that a common name belongs to: "seniority" among "columns" is "job_level"."""
    found = _index(section).get(plain(name))
    return None if found is None else found[0]


def humanised(name: str) -> str:
    """A technical name as words: "webinar_joined" and "webinarJoined" become "webinar joined"; others stay."""
    if " " in name or not re.search(r"[a-z0-9]", name):
        return name.strip()
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return re.sub(r"[_.\-]+", " ", name).strip().lower() if re.fullmatch(r"[\x20-\x7e]+", name) else name.strip()
