"""What leads and events have beside their own columns: JSON objects spread into columns of cells."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from features.tables.cell_values import text
from features.tables.sql_text import Column, Connection, literals

MOST_NAMES = 1_000
"""More names than that are no columns: somebody wrote values where names belong."""
_WHOLE = ("UBIGINT", "BIGINT", "UHUGEINT", "HUGEINT")
_NUMBERS = (*_WHOLE, "DOUBLE")
_EXACT = 1 << 53


@dataclass(frozen=True)
class Spread:
    """Columns to be: `cells` is the SQL of each, in which `s` and `t` stand for what `lists` selects."""

    names: tuple[str, ...]
    types: tuple[str, ...]
    cells: tuple[str, ...]
    lists: str
    passed_over: int = 0


def spread(
    connection: Connection,
    relation: str,
    json: str,
    *,
    taken: Collection[str],
    wanted: Collection[str] = (),
    numbers: bool = False,
) -> Spread:
    """Look at the objects of a column.

    A cell reads as it would from a file: texts as they are, whole numbers in decimal, whole floats without ".0", booleans
    true or false; lists and objects say nothing.

    Parameters
    ----------
    json : the column; no object where NULL.
    taken : names that are no columns, since the table has such columns of its own.
    wanted : names that come first where there are too many.
    numbers : whether a column that holds numbers alone becomes one of numbers; else it holds their texts. What a cell
        means must not depend on the cells of other rows, and of a date only the text is read: so not where dates are.
    """
    found = connection.rows(
        f"select name, count(*) from (select unnest(json_keys({json})) as name from {relation}) where name not in"
        f" ({literals(('', *taken))}) group by name order by name in ({literals(('', *wanted))}) desc, count(*) desc, name"
    )
    names = sorted(row[0] for row in found[:MOST_NAMES])
    paths = f"[{literals(_pointer(each) for each in names)}]::varchar[]"
    lists = (
        f"json_extract_string({json}, {paths}) as s, json_type({json}, {paths}) as t"
        if names
        else "null as s, null as t"
    )
    plain = _plain_numbers(connection, relation, lists, len(names)) if numbers and names else [False] * len(names)
    cells = [f"try_cast(s[{i + 1}] as double)" if plain[i] else _text_cell(i + 1) for i in range(len(names))]
    types = ["DOUBLE" if each else "VARCHAR" for each in plain]
    return Spread(tuple(names), tuple(types), tuple(cells), lists, len(found) - len(names))


def _pointer(name: str) -> str:
    """A JSON pointer: of all ways to say a name the one that takes every name."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


def _text_cell(i: int) -> str:
    """Whole numbers as they are written: those beyond 64 bits are known as doubles, too."""
    number = text(Column("", f"try_cast(s[{i}] as double)", "DOUBLE"))
    as_written = literals(("VARCHAR", "BOOLEAN", *_WHOLE))
    return (
        f"(case when t[{i}] in ({as_written}) or (t[{i}] = 'DOUBLE' and regexp_full_match(s[{i}], '-?[0-9]+')) then s[{i}]"
        f" when t[{i}] = 'DOUBLE' then {number} end)"
    )


def _plain_numbers(connection: Connection, relation: str, lists: str, n: int) -> Sequence[bool]:
    """Whether a column holds numbers alone, and whole ones that a double holds exactly."""
    conditions = ", ".join(
        f"coalesce(bool_and(t[{i}] in ({literals(_NUMBERS)}) and (not regexp_full_match(s[{i}], '-?[0-9]+')"
        f" or abs(try_cast(s[{i}] as double)) <= {_EXACT})) filter (t[{i}] <> 'NULL'), false)"
        for i in range(1, n + 1)
    )
    return [bool(each) for each in connection.one(f"select {conditions} from (select {lists} from {relation})")]
