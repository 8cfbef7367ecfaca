"""Names and texts inside SQL, and the small part of a database connection that the table reader's files use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol


class Rows(Protocol):
    def fetchall(self) -> list[tuple[Any, ...]]: ...

    def fetchone(self) -> tuple[Any, ...] | None: ...


class Connection(Protocol):
    """What `features.tables` hands to its companions: the database is known to that module alone."""

    def execute(self, query: str) -> Rows: ...

    def sql(self, query: str) -> Any: ...


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
    """A column of a table as it was brought: `sql` stands for it in queries, `type` is the database's name of its type."""

    name: str
    sql: str
    type: str

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
