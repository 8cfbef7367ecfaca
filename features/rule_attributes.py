"""What leads are, as rules of people see it: the cells of some columns as texts, every value that stands there."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from features.history import Attributes, RuleAttributes
from features.schema import Schema
from features.told_cells import cell_text


class ToldAttributes(NamedTuple):
    """Attributes of one lead as they were told: the lead itself, or a change of it.

    Attributes
    ----------
    valid_from, recorded_at : UTC microseconds; both must lie before a moment that sees the row.
    cells : by name; text, number, true or false, or None.
    is_change : False for the lead's own row, which comes first where two are valid from one instant.
    """

    valid_from: int
    recorded_at: int
    cells: Mapping[str, Any]
    is_change: bool = False


def rule_schema(columns: Collection[str], zone: str) -> Schema:
    """By which a table reader reads these columns as texts."""
    return Schema(attributes=dict.fromkeys(sorted(columns), "category"), zone=zone)


def rule_attributes(columns: Collection[str], leads: Sequence[Sequence[ToldAttributes]]) -> RuleAttributes:
    """Lay out told attributes as the table reader does.

    Parameters
    ----------
    columns : that rules look at.
    leads : for each lead, in the history's order, its rows in any order.
    """
    names = tuple(sorted(columns))
    texts: list[list[str | None]] = [[] for _ in names]
    valid_from, known_at, offsets = [], [], [0]
    for rows in leads:
        read = [(each, [cell_text(each.cells.get(name)) for name in names]) for each in rows]
        if len(read) > 1:
            read.sort(key=_in_order)
        for each, cells in read:
            valid_from.append(each.valid_from)
            known_at.append(max(each.valid_from, each.recorded_at))
            for column, cell in zip(texts, cells, strict=True):
                column.append(cell)
        offsets.append(len(valid_from))
    vocabularies = tuple(tuple(sorted({cell for cell in column if cell is not None})) for column in texts)
    codes = np.full((len(names), len(valid_from)), -1, np.int32)
    for place, (column, vocabulary) in enumerate(zip(texts, vocabularies, strict=True)):
        code = {text: number for number, text in enumerate(vocabulary)}
        codes[place] = [-1 if cell is None else code[cell] for cell in column]
    rows_ = Attributes(
        offsets=np.array(offsets, dtype=np.int64),
        valid_from=np.array(valid_from, dtype=np.int64),
        known_at=np.array(known_at, dtype=np.int64),
        codes=codes,
        vocabularies=vocabularies,
        numbers=np.empty((0, len(valid_from))),
    )
    return RuleAttributes(names, rows_)


def _in_order(row: tuple[ToldAttributes, list[str | None]]) -> tuple[Any, ...]:
    each, cells = row
    return each.valid_from, each.is_change, each.recorded_at, [(cell is not None, cell or "") for cell in cells]
