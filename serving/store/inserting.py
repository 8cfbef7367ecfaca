"""Rows that are added unless they are there already, in the words of either database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite


def add_new(
    c: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]], *, key: Sequence[str]
) -> set[tuple[Any, ...]]:
    """Add rows whose key the table doesn't hold yet; the keys that were added.

    Of rows with one key the first is added. They are written in the order of their keys: two writers that meet the
    same keys then wait for each other instead of both for ever.

    Parameters
    ----------
    rows : all with the same columns.
    key : columns of a unique constraint; none is null.
    """
    first: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    for row in rows:
        first.setdefault(tuple(row[each] for each in key), row)
    if not first:
        return set()
    insert = sqlite.insert if c.dialect.name == "sqlite" else postgresql.insert
    statement = (
        insert(table).on_conflict_do_nothing(index_elements=list(key)).returning(*(table.c[each] for each in key))
    )
    return {tuple(row) for row in c.execute(statement, [first[each] for each in sorted(first)])}


def add_all(c: sa.Connection, table: sa.Table, rows: Collection[Mapping[str, Any]]) -> None:
    """Add rows that no key tells apart."""
    if rows:
        c.execute(sa.insert(table), list(rows))
