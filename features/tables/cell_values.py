"""What a cell says: SQL that reads it as text, number or category."""

from __future__ import annotations

from features.tables.sql_text import Column, literal, literals
from features.told_cells import FULL_WIDTH, MISSING_WORDS, NUMBER_SHAPE, PLAIN_WIDTH, SPACES, THOUSANDS_SHAPE

_NUMBER = f"^{NUMBER_SHAPE}$"
_THOUSANDS = f"^{THOUSANDS_SHAPE}$"
_NO_NUMBER = r"^[+-]?(nan|inf|infinity)$"
_ZERO_FIRST = r"^[+-]?0[0-9]"


def text(column: Column) -> str:
    """The cell as text, NULL where empty: integers in decimal, integral floats without ".0", booleans true or false."""
    x = column.sql
    if column.clean and column.is_text:
        return x
    if column.is_text:
        x = x if column.type == "VARCHAR" else f"{x}::varchar"
        # Trimming by a set of characters is slow: most cells begin and end with none of it.
        bare = f"ascii({x}) > 32 and ascii({x}) not in (12288, 65279) and {x}[-1] > ' ' and {x}[-1] not in ('\u3000', '\ufeff')"
        return f"(case when {bare} then {x} else nullif(trim({x}, {literal(SPACES)}), '') end)"
    if column.type in ("FLOAT", "DOUBLE"):
        whole = f"{x} = trunc({x}) and abs({x}) < 1e18"
        return f"case when isnan({x}) then null when {whole} then ({x}::hugeint)::varchar else {x}::varchar end"
    if column.type.startswith("DECIMAL"):
        return f"case when {x} = trunc({x}) then trunc({x})::hugeint::varchar else {x}::varchar end"
    return f"{x}::varchar"


def given(column: Column) -> str:
    """Whether the cell holds anything, without writing out what is no text."""
    return f"{text(column) if column.is_text else column.sql} is not null"


def plain_width(text_sql: str) -> str:
    """Full-width digits and signs as plain ones."""
    return f"translate({text_sql}, {literal(FULL_WIDTH)}, {literal(PLAIN_WIDTH)})"


def known_text(column: Column) -> str:
    """`text`, with the words that mean missing as NULL."""
    return text(column) if not column.is_text or column.clean else known_of(text(column))


def known_of(text_sql: str) -> str:
    """A cell's text, NULL where it is a word that means missing."""
    return f"(case when lower({text_sql}) in ({literals(MISSING_WORDS)}) then null else {text_sql} end)"


def category(column: Column) -> str:
    """`known_text`, with booleans the same two texts wherever they come from."""
    return text(column) if not column.is_text or column.clean else category_of(known_text(column))


def category_of(known_sql: str) -> str:
    """A cell's known text, with booleans in one spelling."""
    return f"(case when lower({known_sql}) in ('true', 'false') then lower({known_sql}) else {known_sql} end)"


def number(column: Column) -> str:
    """The cell as a finite double without a negative zero, NULL where it is none."""
    x = column.sql
    if column.clean and column.type == "DOUBLE":
        return x
    if column.is_time or not column.is_plain:
        return "null::double"
    if column.is_text:
        t = plain_width(known_text(column))
        # Most cells are plain numbers as they stand; the rest of the expression, costly as it is, sees the others only.
        value = (
            f"(case when regexp_matches({x}, {literal(_NUMBER)}) then try_cast({x} as double)"
            f" when regexp_matches({t}, {literal(_NUMBER)}) then try_cast({t} as double)"
            f" when regexp_matches({t}, {literal(_THOUSANDS)}) then try_cast(replace({t}, ',', '') as double) end)"
        )
    else:
        value = f"try_cast({x} as double)"
    finite = f"nullif(nullif(nullif({value}, 'inf'::double), '-inf'::double), 'nan'::double)"
    return f"({finite} + 0.0::double)"  # turns -0.0 to 0.0


def unreadable(column: Column) -> str:
    """Whether a cell holds something that is no number."""
    if column.is_number:
        return "false"
    plain = f"regexp_matches({column.sql}, {literal(_NUMBER)})" if column.is_text else "false"
    return f"(case when {plain} then false else {known_text(column)} is not null and {number(column)} is null end)"


def is_number(column: Column) -> str:
    """Whether a known cell reads as a number; nan and inf do, though their value is missing."""
    if not column.is_text:
        return "true" if column.is_number else "false"
    t = plain_width(known_text(column))
    shapes = [f"regexp_matches({t}, {literal(shape)})" for shape in (_NUMBER, _THOUSANDS)]
    return f"({' or '.join(shapes)} or regexp_matches(lower({t}), {literal(_NO_NUMBER)}))"


def zero_first(column: Column) -> str:
    """Whether the cell has a zero before another digit, as codes do and amounts don't."""
    if not column.is_text:
        return "false"
    return f"regexp_matches({plain_width(known_text(column))}, {literal(_ZERO_FIRST)})"
