"""The records of a CSV file that is not quite one: each with its line, the broken ones with what is wrong."""

from __future__ import annotations

import csv
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from features.tables.csv_shape import CsvShape

_LONGEST_RECORD = 1_000
"""Lines after which an open quote is taken for a slip rather than for a long text."""


@dataclass(frozen=True)
class Record:
    """`line`: where it starts, from 1. `reason`: why it can't be used, or nothing."""

    line: int
    cells: list[str]
    reason: str = ""


class _OpenQuote(Exception):
    pass


class _Lines:
    """Lines with their numbers, which remembers those of the record at hand so that it can be taken back."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._waiting: deque[str] = deque()
        self.taken: list[str] = []
        self.start = 1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self.taken) >= _LONGEST_RECORD:
            raise _OpenQuote
        try:
            line = self._waiting.popleft() if self._waiting else next(self._lines)
        except StopIteration:
            if self.taken:
                raise _OpenQuote from None
            raise
        self.taken.append(line.replace("\0", ""))
        return self.taken[-1]

    def next_record(self) -> None:
        self.start += len(self.taken)
        self.taken = []

    def take_back(self) -> str:
        """Give up on the record: all its lines but the first are read again."""
        first, *rest = self.taken
        self._waiting.extendleft(reversed(rest))
        self.taken = [first]
        return first


def read_records(lines: Iterable[str], shape: CsvShape) -> Iterator[Record]:
    """All records after the header; empty lines are passed over.

    Parameters
    ----------
    lines : of the whole file, with their ends, as ``open(newline="")`` gives them.
    shape : how the file is written.

    A record with more or fewer cells than the header, and one whose quote is never closed, comes with a reason.
    Of an open quote only the first line is lost.
    """
    csv.field_size_limit(sys.maxsize)  # the limit is 128 KiB otherwise, and a fault in the middle of a file
    source = _Lines(lines)
    for _ in range(shape.skip):
        next(source, None)
        source.next_record()
    width, header_seen = len(shape.header), False
    reader = _reader(source, shape)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except _OpenQuote:
            first = source.take_back()
            reader = _reader(source, shape)
            yield Record(source.start, _cells(first, shape), "broken line: a quote is not closed")
            source.next_record()
            continue
        line = source.start
        source.next_record()
        if not cells:
            continue
        while len(cells) > width and not cells[-1]:  # a delimiter at the end of the line
            cells.pop()
        if not header_seen:
            header_seen = True
        elif len(cells) != width:
            yield Record(line, cells, f"broken line: {'fewer' if len(cells) < width else 'more'} cells than the header")
        else:
            yield Record(line, cells)


def _reader(source: _Lines, shape: CsvShape) -> Iterator[list[str]]:
    return csv.reader(source, delimiter=shape.delimiter, quotechar=shape.quote, doublequote=True)


def _cells(line: str, shape: CsvShape) -> list[str]:
    return line.rstrip("\r\n").split(shape.delimiter)
