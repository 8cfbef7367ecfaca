"""When a cell says: SQL that reads a time in any of the forms that tables bring."""

from __future__ import annotations

from collections.abc import Sequence

from features.instants import EARLIEST, LATEST, local_time_steps
from features.tables.cell_values import plain_width, text
from features.tables.sql_text import Column, literal
from features.told_times import (
    ABSOLUTE,
    COMMA_SECONDS,
    COMPACT_DAY,
    EPOCH_SHAPE,
    JAPANESE_CLOCK,
    JAPANESE_DAY,
    LOCAL,
    OTHER_DAY,
    PLAIN_ISO,
)

DAY = 86_400_000_000
OFFSET, NAIVE, DATE, EPOCH = 1, 2, 3, 4
"""How a cell was read; numbers, because a hundred million of them are kept for a while."""
FORM_WORDS = {OFFSET: "with offset", NAIVE: "naive", DATE: "date without time", EPOCH: "epoch"}

_PLAIN_ISO, _LOCAL, _ABSOLUTE, _COMPACT_DAY, _EPOCH_SHAPE = (
    f"^{each}$" for each in (PLAIN_ISO, LOCAL, ABSOLUTE, COMPACT_DAY, EPOCH_SHAPE)
)


def plain_time(column: Column) -> str:
    """What `wall_and_form` looks at, to be selected under a name of its own: it stands in many places there.

    Of a text the Japanese and full-width forms are made plain; what is plain already passes by the replacements.
    """
    if not column.is_text:
        return f"try_cast({column.sql} as bigint)" if column.is_number else column.sql
    raw = text(column)
    t = plain_width(raw)
    t = rf"regexp_replace({t}, {literal(JAPANESE_DAY)}, '\1-\2-\3 ')"
    t = rf"regexp_replace({t}, {literal(JAPANESE_CLOCK)}, '\1:\2:')"
    t = f"replace(replace({t}, '秒', ''), '時', ':00')"
    t = rf"regexp_replace({t}, {literal(OTHER_DAY)}, '\1-\2-\3')"
    t = rf"regexp_replace({t}, {literal(COMMA_SECONDS)}, '\1.\2')"
    return f"(case when regexp_matches({raw}, {literal(_PLAIN_ISO)}) then {raw} else rtrim(rtrim({t}), ':') end)"


def wall_and_form(column: Column, plain: str) -> tuple[str, str]:
    """Microseconds of the time as written, and its form.

    Parameters
    ----------
    plain : name under which `plain_time` of the column was selected.

    Returns
    -------
    A bigint: UTC for the forms `OFFSET` and `EPOCH`, the clock on the wall for `NAIVE` and `DATE`; NULL where the cell
    is no time. And a small number: the form, NULL where the cell is empty or no time.
    """
    x = plain
    if column.type == "DATE":
        return (
            f"(case when isfinite({x}) then epoch_us({x}) end)",
            f"(case when isfinite({x}) then {_form(DATE)} end)",
        )
    if column.is_time:
        form = OFFSET if "TZ" in column.type or "WITH TIME ZONE" in column.type else NAIVE
        if column.type.endswith("_NS"):
            # Rounding could lift an instant to the next microsecond, past a moment: cut off instead.
            wall = f"((epoch_ns({x}) - ((epoch_ns({x}) % 1000) + 1000) % 1000) // 1000)"
            return wall, f"(case when {x} is not null then {_form(form)} end)"
        return (
            f"(case when isfinite({x}) then epoch_us({x}) end)",
            f"(case when isfinite({x}) then {_form(form)} end)",
        )
    if column.is_number:
        return _epoch(x), f"(case when {_epoch(x)} is not null then {_form(EPOCH)} end)"
    if not column.is_text:
        return "null::bigint", "null::utinyint"
    return _text_wall(x), _text_form(x)


def _form(form: int) -> str:
    return f"{form}::utinyint"


def _epoch(integer: str) -> str:
    """Seconds, milliseconds or microseconds since 1970, told by their number of digits (2001 to 2286)."""
    return (
        f"(case when {integer} between 1000000000 and 9999999999 then {integer} * 1000000"
        f" when {integer} between 1000000000000 and 9999999999999 then {integer} * 1000"
        f" when {integer} between 1000000000000000 and 9999999999999999 then {integer} end)"
    )


def _text_wall(t: str) -> str:
    absolute = rf"regexp_replace(regexp_replace({t}, ' *(Z|z|UTC|GMT)$', '+00:00'), ' +([+-][0-9:]+)$', '\1')"
    day = rf"try_cast(regexp_replace({t}, '^(....)(..)(..)$', '\1-\2-\3') as timestamp)"
    return (
        f"(case when regexp_matches({t}, {literal(_LOCAL)}) then epoch_us(try_cast({t} as timestamp))"
        f" when regexp_matches({t}, {literal(_ABSOLUTE)}) then epoch_us(try_cast({absolute} as timestamptz))"
        f" when regexp_matches({t}, {literal(_EPOCH_SHAPE)}) then {_epoch(f'try_cast({t} as bigint)')}"
        f" when regexp_matches({t}, {literal(_COMPACT_DAY)}) then epoch_us({day}) end)"
    )


def _text_form(t: str) -> str:
    return (
        f"(case when regexp_matches({t}, {literal(_LOCAL)}) then"
        f" case when contains({t}, ':') then {_form(NAIVE)} else {_form(DATE)} end"
        f" when regexp_matches({t}, {literal(_ABSOLUTE)}) then {_form(OFFSET)}"
        f" when regexp_matches({t}, {literal(_EPOCH_SHAPE)}) then {_form(EPOCH)}"
        f" when regexp_matches({t}, {literal(_COMPACT_DAY)}) then {_form(DATE)} end)"
    )


def instant(wall: str, form: str, zone: str) -> str:
    """UTC microseconds of a time as written, NULL outside the years 1 to 9999.

    Parameters
    ----------
    wall, form : names of columns that hold what `wall_and_form` reads.
    """
    steps, offsets = local_time_steps(zone)
    local = f"{wall} - {_tree(wall, steps, offsets)}" if any(offsets) else wall
    utc = f"(case when {form} in ({_form(NAIVE)}, {_form(DATE)}) then {local} else {wall} end)"
    return (
        f"(case when {wall} between {EARLIEST} and {LATEST} and {utc} between {EARLIEST} and {LATEST} then {utc} end)"
    )


def end_of_day(wall: str, zone: str) -> str:
    """The last microsecond of the local day that starts at `wall`, in UTC."""
    steps, offsets = local_time_steps(zone)
    following = f"({wall} + {DAY})"
    return f"({following} - {_tree(following, steps, offsets) if any(offsets) else 0} - 1)"


def _tree(wall: str, steps: Sequence[int], offsets: Sequence[int]) -> str:
    """The offset at a local time, by halving: a zone has hundreds of changes."""
    if not steps:
        return str(offsets[0])
    middle = len(steps) // 2
    before = _tree(wall, steps[:middle], offsets[: middle + 1])
    after = _tree(wall, steps[middle + 1 :], offsets[middle + 1 :])
    return f"(case when {wall} < {steps[middle]} then {before} else {after} end)"
