"""The queue as a CSV file for a spreadsheet: UTF-8 with a mark, and no cell that the spreadsheet would run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from features.wording import Lang, message
from serving.locales import sortable
from serving.page_words import words
from training.intervals import rate

COLUMNS = (
    "rank", "lead", "name", "company", "owner", "probability", "interval_low", "interval_high", "score", "trend",
    "band", "decided_by", "rule", "grade", "stage", "persona", "reason", "last_activity", "last_event", "deadline",
    "state", "active_again", "as_of",
)  # fmt: skip
_STARTS_A_FORMULA = frozenset("=+-@|＝＋－＠\t\r\n")
_LINES_AT_ONCE = 500


def harmless(text: str) -> str:
    """A text that a spreadsheet shows and does not run, whatever it starts with.

    >>> harmless("=HYPERLINK(...)"), harmless(" ＋81"), harmless("a-b")
    ("'=HYPERLINK(...)", "' ＋81", 'a-b')
    """
    start = text.lstrip(" \u3000\u00a0\ufeff\u200b\"'")[:1]
    return f"'{text}" if start in _STARTS_A_FORMULA and start else text


def export(rows: Iterable[Mapping[str, Any]], *, zone: str, lang: Lang) -> Iterator[bytes]:
    """The lines of the file, some at a time, with a line of heads first.

    Parameters
    ----------
    rows : of the standings, in order.
    zone : of the times.
    """
    buffer = io.StringIO()
    lines = csv.writer(buffer, quoting=csv.QUOTE_NONNUMERIC)
    lines.writerow([words(f"queue.csv.{name}", lang) for name in COLUMNS])
    yield "\ufeff".encode() + _taken(buffer)
    for rank, row in enumerate(rows, 1):
        lines.writerow(_cells(rank, row, zone, lang))
        if rank % _LINES_AT_ONCE == 0:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()


def _cells(rank: int, row: Mapping[str, Any], zone: str, lang: Lang) -> list[str | int | float]:
    def _time(name: str) -> str | None:
        return None if row[name] is None else sortable(row[name], zone)

    leads = row["similar_leads"]
    likely = rate(row["similar_converted"], leads) if leads and row["probability"] is not None else None
    cells = (
        rank,
        row["lead_id"],
        row["title"],
        row["company"],
        row["owner"],
        row["probability"],
        None if likely is None else round(likely.low, 4),
        None if likely is None else round(likely.high, 4),
        row["score"],
        row["trend"],
        None if row["band"] is None else message(f"band.{row['band']}", lang),
        message(f"decided_by.{row['decided_by']}", lang),
        row["rule"],
        row["grade"],
        row["stage"],
        row["persona"],
        row[f"reason_{lang}"],
        _time("last_event_at"),
        row["last_event_type"],
        _time("deadline"),
        words(f"queue.state.{row['state']}", lang),
        message("value.yes" if row["active_again"] else "value.no", lang),
        _time("as_of"),
    )
    return [harmless(each) if isinstance(each, str) else "" if each is None else each for each in cells]
