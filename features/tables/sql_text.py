"""Names and texts inside SQL, and the small part of a database connection that the table reader's files use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa


class Connection(Protocol):
    """What `features.tables` hands to its companions: the database is known to that module alone."""

    def run(self, query: str) -> None:
        """For what the query does."""

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """All rows, as Python values: for few."""

    def one(self, query: str) -> tuple[Any, ...]:
        """The only row."""

    def bring(self, name: str, table: pa.Table | pa.RecordBatchReader) -> None:
        """Make a table of columns that are in memory, or of batches as they come."""

    def arrow(self, query: str) -> pa.Table:
        """All rows, as columns."""

    def batches(self, query: str) -> pa.RecordBatchReader:
        """Rows as they come, in batches that no more than two of are held."""


def name(text: str) -> str:
    """An identifier, quoted."""
    return '"' + text.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text value, quoted."""
    return "'" + text.replace("'", "''") + "'"


def literals(texts: Iterable[str]) -> str:
    """Text values for ``in (...)`` or a list."""
    return ", ".join(literal(text) for text in texts)


@dataclass(frozen=True)
class Column:
    """A column of a table: `sql` stands for it in queries, `type` is the database's name of its type.

    `clean`: its cells have been read already and stand as they are to be used.
    """

    name: str
    sql: str
    type: str
    clean: bool = False

    @property
    def is_text(self) -> bool:
        return self.type == "VARCHAR" or self.type.startswith("ENUM")

    @property
    def is_integer(self) -> bool:
        return self.type.removeprefix("U") in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")

    @property
    def is_number(self) -> bool:
        return self.is_integer or self.type in ("FLOAT", "DOUBLE") or self.type.startswith("DECIMAL")

    @property
    def is_time(self) -> bool:
        return self.type == "DATE" or self.type.startswith("TIMESTAMP")

    @property
    def is_plain(self) -> bool:
        """Not a list, a structure or the like."""
        return self.is_text or self.is_number or self.is_time or self.type in ("BOOLEAN", "UUID", "BLOB", "TIME")
