"""What people should know of a score, beside the score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from features.wording import Lang, message


@dataclass(frozen=True)
class Notice:
    """Something that people should know of a score, said in each reader's language.

    Attributes
    ----------
    key : of a message.
    values : what its braces are filled with.
    """

    key: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def said(self, lang: Lang) -> str:
        """The sentence. A value that is a tuple of notices is told as their list."""
        told = {
            name: " · ".join(each.said(lang) for each in value) if isinstance(value, tuple) else value
            for name, value in self.values.items()
        }
        return message(self.key, lang, **told)
