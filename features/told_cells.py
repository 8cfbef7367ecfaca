"""What one cell says that came without a table: the rules by which tables are read, cell by cell in plain Python."""

from __future__ import annotations

import math
import re
from typing import Any

MISSING_WORDS = ("na", "n/a", "null", "-", "不明", "なし")
"""Texts that mean nothing is known, in lower case; an empty cell does too."""
FULL_WIDTH = "０１２３４５６７８９．，－＋−：／　Ｅｅ"
PLAIN_WIDTH = "0123456789.,-+-:/ Ee"
NUMBER_SHAPE = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
THOUSANDS_SHAPE = r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?"
SPACES = " \t\r\n\u3000\ufeff"

_TO_PLAIN = str.maketrans(FULL_WIDTH, PLAIN_WIDTH)
_NUMBER = re.compile(NUMBER_SHAPE)
_THOUSANDS = re.compile(THOUSANDS_SHAPE)


def bare_text(told: str) -> str | None:
    """A text without the spaces around it; None where nothing is left."""
    return told.strip(SPACES) or None


def plain_width(told: str) -> str:
    """Full-width digits and signs as plain ones."""
    return told.translate(_TO_PLAIN)


def category_text(told: str) -> str | None:
    """A text as a category.

    >>> category_text(" Team "), category_text("不明"), category_text("TRUE")
    ('Team', None, 'true')
    """
    known = told.strip(SPACES)
    low = known.lower()
    if not known or low in MISSING_WORDS:
        return None
    return low if low in ("true", "false") else known


def cell_text(value: Any) -> str | None:
    """A cell as a category, and as rules see it; None where it says nothing.

    >>> cell_text(5.0), cell_text(True), cell_text(" Team "), cell_text("-")
    ('5', 'true', 'Team', None)
    """
    return category_text(value) if isinstance(value, str) else _other_text(value)


def raw_text(value: Any) -> str | None:
    """A cell as text, words that mean missing included."""
    return bare_text(value) if isinstance(value, str) else _other_text(value)


def _other_text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return str(int(value)) if value == int(value) and abs(value) < 1e18 else repr(value)
    return None


def cell_number(value: Any) -> float | None:
    """A cell as a finite number without a negative zero; None where it is none.

    >>> cell_number("１，２００"), cell_number(-0.0), cell_number("3 pieces"), cell_number(True)
    (1200.0, 0.0, None, None)
    """
    if isinstance(value, str):
        plain = plain_width(category_text(value) or "")
        if _NUMBER.fullmatch(plain):
            number = float(plain)
        elif _THOUSANDS.fullmatch(plain):
            number = float(plain.replace(",", ""))
        else:
            return None
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            return None
    else:
        return None
    return number + 0.0 if math.isfinite(number) else None
