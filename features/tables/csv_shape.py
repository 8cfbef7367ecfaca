"""How a CSV file is written: what separates its cells, what quotes them, and its header."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

_DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True)
class CsvShape:
    """`skip`: lines before the header (the ``sep=;`` of spreadsheets). `header`: names as written, trimmed."""

    delimiter: str
    quote: str
    skip: int
    header: tuple[str, ...]


def detect_shape(head: str, expected: Collection[str]) -> CsvShape:
    """Take the delimiter that finds most of the expected columns, then the one that gives the most even rows.

    Parameters
    ----------
    head : the first lines of the file; the last may be cut.
    expected : column names that the table must have.
    """
    head = head.removeprefix("\ufeff")
    skip = 0
    told: tuple[str, ...] = ()
    first = head.split("\n", 1)[0].rstrip("\r")
    if first.lower().startswith("sep=") and len(first) == 5:
        head, skip, told = head.split("\n", 1)[-1], 1, (first[4],)
    quote = "'" if head.startswith("'") else '"'  # elsewhere a single quote is an apostrophe
    shapes = [_shape(head, delimiter, quote, skip) for delimiter in told or _DELIMITERS]
    return max(shapes, key=lambda pair: (_found(pair[0], expected), pair[1], -_position(pair[0])))[0]


def _found(shape: CsvShape, expected: Collection[str]) -> int:
    return sum(name in shape.header for name in expected)


def _position(shape: CsvShape) -> int:
    """Earlier is likelier: a comma before a bar."""
    return _DELIMITERS.index(shape.delimiter) if shape.delimiter in _DELIMITERS else 0


def _shape(head: str, delimiter: str, quote: str, skip: int) -> tuple[CsvShape, float]:
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter, quotechar=quote)
    rows: list[list[str]] = []
    try:
        for row in reader:
            if row:
                rows.append(row)
            if len(rows) > 200:
                break
    except csv.Error:
        pass
    header = tuple(name.strip() for name in rows[0]) if rows else ()
    widths = Counter(len(row) for row in rows)
    even = widths[len(header)] / len(rows) if rows and len(header) > 1 else 0.0
    return CsvShape(delimiter, quote, skip, header), even
