"""Fixed texts that people see: pages, the terminal, warnings in replies."""

from __future__ import annotations

from features.wording import formats
from features.wording.texts import Lang, text, texts


def message(key: str, lang: Lang, **values: object) -> str:
    """The text of ``[message]`` under a dotted key, with its values filled in.

    Numbers are written with separators (`percent` and `duration` give texts for what is no plain number), texts stand
    as they are. Where the key has ``one`` and ``other`` below it, the value `n` chooses.

    Raises
    ------
    KeyError
        No such key, or a value that the text needs is not given: both are faults of the caller.
    """
    found = texts(lang).get(f"message.{key}")
    if found is None and "n" in values:
        found = texts(lang).get(f"message.{key}.{'one' if values['n'] == 1 else 'other'}")
    if found is None:
        found = text(f"message.{key}", lang)
    if not values:
        if "{" in found:
            found.format_map({})  # says which value is missing
        return found
    return found.format_map({name: _written(value, lang) for name, value in values.items()})


def _written(value: object, lang: Lang) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return formats.number(value, lang)
    return str(value)
