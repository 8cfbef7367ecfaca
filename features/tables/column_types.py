"""What a column of cells is: number, category or date, or left out and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from features.schema import AttributeKind
from features.tables.cell_times import EPOCH, instant, plain_time, wall_and_form
from features.tables.cell_values import category_of, is_number, known_of, number, text, zero_first
from features.tables.personal_data import content_counts, personal_by_content, personal_by_name
from features.tables.sql_text import Column, Connection

ID_LIKE = 0.9
"""Share of different texts among the known from which on a text column is taken for ids."""
_MANY = 20
"""Known cells below which "nearly all differ" says nothing."""


@dataclass(frozen=True)
class Facts:
    """Counts over the rows of a column.

    Attributes
    ----------
    rows, known : all rows; those whose cell says something.
    distinct : how many different known texts.
    numbers, zero_first, times, booleans : known cells that read as such; `zero_first`: a zero before another digit.
    only : the one known text where all are alike, else "".
    personal : cells that meet each condition of `features.tables.personal_data`.
    """

    rows: int
    known: int
    distinct: int
    numbers: int
    zero_first: int
    times: int
    booleans: int
    only: str
    personal: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: Facts) -> Facts:
        """Of two tables that both have the column."""
        told = {each.only for each in (self, other) if each.known}
        only = told.pop() if len(told) == 1 else ""
        return Facts(
            self.rows + other.rows, self.known + other.known, max(self.distinct, other.distinct),
            self.numbers + other.numbers, self.zero_first + other.zero_first, self.times + other.times,
            self.booleans + other.booleans, only,
            {kind: self.personal.get(kind, 0) + other.personal.get(kind, 0) for kind in {*self.personal, *other.personal}},
        )  # fmt: skip


def gather_facts(connection: Connection, relation: str, column: Column, zone: str) -> Facts:
    """Look at a column's cells. Texts are looked at once each, however often they come."""
    if not column.is_plain:
        return Facts(0, 0, 0, 0, 0, 0, 0, "")
    if column.is_number:
        return _facts_of_numbers(connection, relation, column)
    # What stands in many places is selected under a name of its own: the database takes longer to plan a long query than
    # to look at a few thousand cells. Conditions see known cells alone, of which `said` is the known text.
    said = Column(column.name, "said", "VARCHAR", clean=True) if column.is_text else column
    unread = column.is_text and not column.clean
    wall, form = wall_and_form(said, "plain")
    personal = content_counts(said) if column.is_text else {}
    conditions = {
        "numbers": is_number(said),
        "zero_first": zero_first(said),
        "times": f"form is not null and form <> {EPOCH} and {instant('wall', 'form', zone)} is not null",
        "booleans": "lower(told) in ('true', 'false')",
        **personal,
    }
    counted = ", ".join(
        f"coalesce(sum(n) filter (known is not null and ({condition})), 0)::bigint" for condition in conditions.values()
    )
    # Each different cell is looked at once, however often it comes.
    cells = f"select {column.sql}, count(*) as n from {relation} group by {column.sql}"
    row = connection.one(
        f"select sum(n)::bigint, coalesce(sum(n) filter (known is not null), 0)::bigint, count(distinct known),"
        f" min(known), max(known), {counted}"
        f" from (select *, {wall} as wall, {form} as form from"
        f" (select *, {category_of('told') if unread else 'told'} as known, {plain_time(said)} as plain from"
        f" (select *, {known_of('said') if unread else 'said'} as told from"
        f" (select {column.sql}, n, {text(column)} as said from ({cells})))))"
    )
    rows, n_known, n_distinct, least, most, *counts = row
    found = dict(zip(conditions, counts, strict=True))
    return Facts(
        rows=rows or 0,
        known=n_known,
        distinct=n_distinct,
        numbers=found["numbers"],
        zero_first=found["zero_first"],
        times=found["times"],
        booleans=found["booleans"],
        only=least if least is not None and least == most else "",
        personal={kind: found[kind] for kind in personal},
    )


def _facts_of_numbers(connection: Connection, relation: str, column: Column) -> Facts:
    row = connection.one(
        f"select count(*), count(x), min(x), max(x) from (select {number(column)} as x from {relation})"
    )
    rows, known, least, most = row
    only = str(least) if known and least == most else ""
    return Facts(rows, known, 0, known, 0, 0, 0, only)


def decide_kind(column: Column, facts: Facts) -> tuple[AttributeKind | None, str]:
    """The kind of a column; or None, and why it is left out."""
    if not column.is_plain:
        return None, f"not a plain value ({column.type.lower()})"
    if facts.known == 0:
        return None, "empty"
    boolean = facts.booleans == facts.known
    by_name = personal_by_name(column.name)
    if by_name and not boolean:
        return None, f"personal data: {by_name}, by the column's name"
    if facts.only and facts.known == facts.rows:
        return None, "the same in every row"
    if facts.numbers == facts.known and facts.zero_first == 0:
        return "number", ""
    if facts.times == facts.known:
        return "date", ""
    by_content = personal_by_content(facts.known, facts.distinct, facts.personal)
    if by_content:
        return None, f"personal data: {by_content}, by the column's content"
    if facts.known >= _MANY and facts.distinct > ID_LIKE * facts.known:
        return None, "id-like: nearly every row has a text of its own"
    return "category", ""


def common_values(connection: Connection, relation: str, cell: str, *, leads: int, most: int) -> tuple[str, ...]:
    """Texts that at least `leads` different leads have, at most `most`, the most common first chosen; sorted."""
    rows = connection.rows(
        f"select v from (select {cell} as v, lead from {relation}) where v is not null group by v"
        f" having count(distinct lead) >= {leads} order by count(distinct lead) desc, v limit {most}"
    )
    return tuple(sorted(row[0] for row in rows))


def looks_like_ids(connection: Connection, relation: str, column: Column) -> bool:
    """Whether nearly all cells of a text column differ, by an estimate that needs no memory for them all."""
    row = connection.one(f"select approx_count_distinct({text(column)}), count({text(column)}) from {relation}")
    return bool(row[1] >= 100_000 and row[0] > 0.5 * row[1])
