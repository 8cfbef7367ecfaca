"""What leads are and how it changed: the leads table and the attributes table as one sequence of rows."""

from __future__ import annotations

import numpy as np

from features.history import Attributes
from features.schema import Schema
from features.tables.cell_times import instant, plain_time, wall_and_form
from features.tables.cell_values import category, number
from features.tables.raw_tables import RawTable
from features.tables.sql_text import Column, Connection

LEADS_CONTRACT = ("lead_id", "created_at")
CONTRACT = ("lead_id", "valid_from", "recorded_at")


def fetch_attributes(
    connection: Connection, leads: RawTable, changes: RawTable | None, schema: Schema, *, n_leads: int
) -> Attributes:
    """Rows of ``leads`` (valid from created_at) and of ``checked_attributes``, read by the schema and sorted.

    Of rows valid from one instant the leads table's comes first, then by recorded time, then by content: the columns in
    the order of their names, missing first. A column that no table has is missing throughout.
    """
    parts = [_part(leads, "leads", "created", "created", 0, schema, LEADS_CONTRACT)]
    if changes is not None:
        source = "(select * from checked_attributes where reason is null)"
        parts.append(_part(changes, source, "own", "known", 1, schema, CONTRACT))
    connection.run(f"create or replace table attribute_rows as {' union all '.join(parts)}")
    position = {name: f"a{i}" for i, name in enumerate(sorted(schema.attributes))}
    vocabularies, joins, codes = [], "", []
    for i, name in enumerate(schema.attribute_categories):
        connection.run(
            f"create or replace table attribute_vocabulary_{i} as select v, (row_number() over (order by v) - 1)::integer"
            f" as code from (select distinct {position[name]} as v from attribute_rows) where v is not null"
        )
        found = connection.rows(f"select v from attribute_vocabulary_{i} order by code")
        vocabularies.append(tuple(row[0] for row in found))
        joins += f" left join attribute_vocabulary_{i} v{i} on v{i}.v = {position[name]}"
        codes.append(f"coalesce(v{i}.code, -1)::integer as k{i}")
    numbers = [position[name] for name in schema.attribute_numbers]
    order = ", ".join(["lead", "own", "src", "known", *(f"{each} nulls first" for each in position.values())])
    found = connection.arrow(
        f"select {', '.join(['lead', 'own', 'known', *codes, *numbers])} from attribute_rows{joins} order by {order}"
    )
    columns = [column.to_numpy() for column in found.columns]
    n, n_codes = found.num_rows, len(codes)
    own, known = columns[1].astype(np.int64), columns[2].astype(np.int64)
    offsets = np.zeros(n_leads + 1, np.int64)
    np.cumsum(np.bincount(columns[0], minlength=n_leads), out=offsets[1:])
    code_rows, number_rows = np.empty((n_codes, n), np.int32), np.empty((len(numbers), n), np.float64)
    for target, column in zip((*code_rows, *number_rows), columns[3:], strict=True):
        target[:] = column
    return Attributes(
        offsets=offsets, valid_from=own, known_at=np.maximum(own, known),
        codes=code_rows, vocabularies=tuple(vocabularies), numbers=number_rows,
    )  # fmt: skip


def _part(raw: RawTable, source: str, own: str, known: str, src: int, schema: Schema, contract: tuple[str, ...]) -> str:
    """Select of one table: lead, own, known, src, and each attribute typed as the schema says."""
    plain: list[str] = []
    inner: list[str] = []
    outer: list[str] = []
    for i, name in enumerate(sorted(schema.attributes)):
        kind, column = schema.attributes[name], raw.column(name) if name not in contract else None
        if column is None:
            outer.append(f"null::{'varchar' if kind == 'category' else 'double'} as a{i}")
        elif kind == "date":
            wall, form = wall_and_form(column, f"plain{i}")
            plain.append(f"{plain_time(column)} as plain{i}")
            inner.append(f"{wall} as wall{i}, {form} as form{i}")
            outer.append(f"{instant(f'wall{i}', f'form{i}', schema.zone)}::double as a{i}")
        else:
            outer.append(f"{_cell(column, kind)} as a{i}")
    from_rows = source
    for step in (plain, inner):
        if step:
            from_rows = f"(select *, {', '.join(step)} from {from_rows})"
    cells = "".join(f", {each}" for each in outer)
    return f"select lead, {own} as own, {known} as known, {src} as src{cells} from {from_rows}"


def _cell(column: Column, kind: str) -> str:
    return category(column) if kind == "category" else number(column)
