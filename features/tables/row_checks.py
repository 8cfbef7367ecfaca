"""Rows of a table with their times and leads read, and for those that can't be used the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from features.tables.cell_times import DATE, FORM_WORDS, end_of_day, instant, plain_time, wall_and_form
from features.tables.cell_values import given, text
from features.tables.raw_tables import FILE, RECORD, RawTable
from features.tables.sql_text import Connection, literal

REPEATED_LEAD = "repeated lead_id"
UNKNOWN_LEAD = "unknown lead"
IN_THE_FUTURE = "in the future"
AFTER_DATA_END = "after data_end"


@dataclass(frozen=True)
class Clock:
    """`zone`: of times without an offset. `now`: the clock. `data_end`: where it was told. Microseconds."""

    zone: str
    now: int
    data_end: int | None


def check_rows(
    connection: Connection, raw: RawTable, checked: str, *, own_time: str, needed: Sequence[str], clock: Clock
) -> None:
    """Make the relation `checked` of all rows of `raw`: a view of events, which are many, a table of all others.

    Its columns: those of the raw relation; ``lead_id`` (text); ``own`` and ``known`` (UTC microseconds: the row's own
    time, and the recorded one, which is the own time where missing, and the end of the local day where that is a date
    without a time); ``own_form`` and ``recorded_form``; ``told`` (whether a recorded time is given); ``reason``, NULL for
    a row that can be used; and, unless the leads themselves are read, ``lead``, its position.

    Parameters
    ----------
    own_time : name of the column of the row's own time.
    needed : columns whose cells must not be empty, beside lead_id and the own time.
    """
    leads = raw.table == "leads"
    own, recorded = raw.columns[own_time], raw.column("recorded_at") if not leads else None
    own_wall, own_form = wall_and_form(own, "own_plain")
    recorded_wall, recorded_form = ("null::bigint", "null::utinyint")
    if recorded:
        recorded_wall, recorded_form = wall_and_form(recorded, "recorded_plain")
    recorded_given = given(recorded) if recorded else "false"
    first = (
        f"select *, {text(raw.columns['lead_id'])} as lead_id, {own_wall} as own_wall, {own_form} as own_form,"
        f" {given(own)} as own_given, {recorded_wall} as recorded_wall, {recorded_form} as recorded_form,"
        f" {recorded_given} as told from (select *, {plain_time(own)} as own_plain,"
        f" {plain_time(recorded) if recorded else 'null'} as recorded_plain from {raw.relation})"
    )
    second = (
        f"select * exclude (own_wall, recorded_wall), own_wall, {instant('own_wall', 'own_form', clock.zone)} as own,"
        f" {instant('recorded_wall', 'recorded_form', clock.zone)} as recorded,"
        f" case when own_form = {DATE} then {end_of_day('own_wall', clock.zone)} end as own_day_end,"
        f" case when recorded_form = {DATE} then {end_of_day('recorded_wall', clock.zone)} end as recorded_day_end from ({first})"
    )
    known = (
        f"case when recorded_form = {DATE} then recorded_day_end when told then recorded"
        f" when own_form = {DATE} then own_day_end else own end"
        if not leads
        else "own"
    )
    empty = [f"when not ({given(raw.columns[each])}) then {literal(f'missing {each}')}" for each in needed]
    # A date without a time counts as its beginning here: today's rows are kept, though not yet known.
    later = "greatest(own, coalesce(recorded, own))"
    reason = " ".join(
        [
            f"case when rows.lead_id is null then {literal('missing lead_id')}",
            *empty,
            f"when not own_given then {literal(f'missing {own_time}')}",
            f"when own is null then {literal(f'unreadable {own_time}')}",
            f"when told and recorded is null then {literal('unreadable recorded_at')}",
            "" if leads else f"when placed.lead is null then {literal(UNKNOWN_LEAD)}",
            f"when {later} >= {clock.now} then {literal(IN_THE_FUTURE)}",
            "" if clock.data_end is None else f"when {later} >= {clock.data_end} then {literal(AFTER_DATA_END)}",
            "end",
        ]
    )
    cells = "".join(f"{column.sql}, " for column in raw.columns.values())
    kind = "view" if raw.table == "events" else "table"
    joined = (
        "" if leads else " left join (select lead, lead_id as placed_id from leads) placed on placed_id = rows.lead_id"
    )
    connection.run(
        f"create {kind} {checked} as select {cells}{FILE}, {RECORD}, rows.lead_id, own, {known} as known, own_form,"
        f" recorded_form, {raw.told or 'told'} as told, {reason} as reason{'' if leads else ', placed.lead'}"
        f" from ({second}) rows{joined}"
    )


@dataclass(frozen=True)
class RowCounts:
    """Of a checked view: rows, those set aside by reason, how times were read, and the span of usable rows."""

    rows: int
    accepted: int
    rejected: dict[str, int]
    times: dict[str, dict[str, int]]
    first: int | None
    last: int | None
    last_known: int | None


def count_rows(connection: Connection, view: str, own_time: str) -> RowCounts:
    """One pass over a checked view."""
    found = connection.rows(
        "select reason, own_form, recorded_form, count(*), min(own), max(own), max(greatest(own, known))"
        f" from {view} group by all"
    )
    rejected: dict[str, int] = {}
    times: dict[str, dict[str, int]] = {own_time: {}, "recorded_at": {}}
    for reason, own_form, recorded_form, n, *_ in found:
        if reason is not None:
            rejected[reason] = rejected.get(reason, 0) + n
        for column, form in ((own_time, own_form), ("recorded_at", recorded_form)):
            if form is not None:
                words = FORM_WORDS[form]
                times[column][words] = times[column].get(words, 0) + n
    usable = [row for row in found if row[0] is None]
    return RowCounts(
        rows=sum(row[3] for row in found),
        accepted=sum(row[3] for row in usable),
        rejected=dict(sorted(rejected.items())),
        times={column: dict(sorted(forms.items())) for column, forms in times.items() if forms},
        first=min((row[4] for row in usable), default=None),
        last=max((row[5] for row in usable), default=None),
        last_known=max((row[6] for row in usable), default=None),
    )
