"""The same columns in polars, as fast as we could make polars go.

Turned down, because slower or larger in memory (measured): ``join_where`` on times, ``group_by_dynamic``, ``n_unique``
of days (a hash set a group), conditions on the type inside one ``group_by`` over all events (each column scans all
pairs), a chain of joins for the columns of each selection (each copies what was there), one frame of all pairs without
chunks. As fast as what is left: the streaming engine, ranges of rows in place of the join.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.definitions import (
    CountWithin,
    DaysSinceCreation,
    DaysSinceFirst,
    DaysSinceLast,
    Definition,
    Definitions,
    DistinctDays,
    LastGap,
    LastNumber,
    MaxWithin,
    MeanGap,
    MeanWithin,
    Selector,
    Share,
    SumWithin,
    Trend,
)
from features.schema import STAGES, Schema

DAY = 86_400_000_000
PAIRS_A_CHUNK = 2_000_000


def event_frame(columns: Mapping[str, NDArray[Any]], schema: Schema) -> pl.DataFrame:
    """Events with integer codes for lead, type, stage and channel, sorted by lead and time."""
    stage_of = np.array([STAGES.index(schema.stages[each]) for each in schema.event_types], np.int8)
    types, channels = columns["codes"]
    return pl.DataFrame(
        {
            "occurred_at": columns["occurred_at"],
            "known_at": columns["known_at"],
            "day": columns["day"],
            "event_type": types.astype(np.int8),
            "stage": stage_of[types],
            "channel": channels.astype(np.int8),
            "value": columns["numbers"][0],
            "lead": np.repeat(np.arange(len(columns["offsets"]) - 1), np.diff(columns["offsets"])),
        }
    ).with_columns(pl.col("value").fill_nan(None), pl.col("lead").set_sorted())


def moment_frame(columns: Mapping[str, NDArray[Any]]) -> pl.DataFrame:
    """Moments with the range of rows that holds their lead's events."""
    lead = columns["moment_lead"]
    return (
        pl.DataFrame(
            {
                "as_of": columns["as_of"],
                "lead": lead,
                "created_at": columns["created_at"][lead],
                "first": columns["offsets"][lead],
                "end": columns["offsets"][lead + 1],
            }
        )
        .with_row_index("moment")
        .with_columns(pl.col("lead").set_sorted())
    )


def compute(events: pl.DataFrame, moments: pl.DataFrame, definitions: Definitions) -> pl.DataFrame:
    """One row a moment, one column a definition; null where a value is missing."""
    pairs = (moments["end"] - moments["first"]).cum_sum().to_numpy()
    cuts = [0, *np.searchsorted(pairs, np.arange(PAIRS_A_CHUNK, pairs[-1], PAIRS_A_CHUNK)).tolist(), len(moments)]
    parts = [_of_chunk(events, moments[low:high], definitions) for low, high in itertools.pairwise(cuts) if low < high]
    return pl.concat(parts, rechunk=False)


def _of_chunk(events: pl.DataFrame, moments: pl.DataFrame, definitions: Definitions) -> pl.DataFrame:
    seen = (
        moments.lazy()
        .select("moment", "as_of", "lead")
        .join(events[int(moments["first"][0]) : int(moments["end"][-1])].lazy(), on="lead", maintain_order="left_right")
        .filter((pl.col("occurred_at") < pl.col("as_of")) & (pl.col("known_at") < pl.col("as_of")))
        .with_columns(age=pl.col("as_of") - pl.col("occurred_at"))
        .select(pl.col("moment").set_sorted(), "age", "day", "event_type", "stage", "channel", "value")
        .collect()
    )
    every = moments.lazy().select(pl.col("moment").set_sorted())
    grouped = pl.collect_all(
        [
            every.join(
                _aggregated(seen.lazy(), selector, of, definitions.schema),
                on="moment",
                how="left",
                maintain_order="left",
            ).drop("moment")
            for selector, of in _by_selector(definitions).items()
        ]
    )
    wide = pl.concat([moments.select("as_of", "created_at"), *grouped], how="horizontal")
    return wide.lazy().select([_finished(each).alias(each.name) for each in definitions]).collect()


def _by_selector(definitions: Definitions) -> dict[Selector, list[Definition]]:
    wanted: dict[Selector, list[Definition]] = defaultdict(list)
    for each in definitions:
        if not isinstance(each, DaysSinceCreation):
            wanted[each.selector].append(each)  # type: ignore[attr-defined]
    return wanted


def _code(selector: Selector, schema: Schema) -> int:
    values = {"event_type": schema.event_types, "stage": STAGES} | schema.event_categories
    return list(values[selector.column]).index(selector.value)


def _aggregated(seen: pl.LazyFrame, selector: Selector, of: Sequence[Definition], schema: Schema) -> pl.LazyFrame:
    age = pl.col("age")
    if selector.column:
        seen = seen.filter(pl.col(selector.column) == _code(selector, schema))
    new_day, age_before = pl.col("new_day"), pl.col("age_before")
    if any(isinstance(each, DistinctDays) for each in of):
        same = pl.col("moment") == pl.col("moment").shift(1)
        seen = seen.with_columns(
            new_day=(~same | (pl.col("day") != pl.col("day").shift(1))).fill_null(True),
            age_before=pl.when(same).then(age.shift(1)),
        )
    return seen.group_by("moment").agg(**_expressions(of, age, pl.col("value"), new_day, age_before))


def _expressions(
    of: Sequence[Definition], age: pl.Expr, value: pl.Expr, new_day: pl.Expr, age_before: pl.Expr
) -> dict[str, pl.Expr]:
    """What to ask of the events of one selection at one moment, in the order of time.

    A day counts where it starts, or where the event before lies outside the window.
    """
    columns: dict[str, pl.Expr] = {}
    for each in of:
        if isinstance(each, CountWithin):
            columns[each.name] = age.len() if each.window is None else (age <= each.window).sum()
        elif isinstance(each, Share):
            columns.setdefault(_count_name(each), (age <= each.window).sum())
        elif isinstance(each, DistinctDays):
            starts = new_day
            if each.window is not None:
                starts = (age <= each.window) & (starts | (age_before > each.window))
            columns[each.name] = starts.sum()
        elif isinstance(each, (SumWithin, MeanWithin, MaxWithin)):
            cells = value if each.window is None else value.filter(age <= each.window)
            by_kind = {SumWithin: cells.sum, MeanWithin: cells.mean, MaxWithin: cells.max}
            columns[each.name] = by_kind[type(each)]()
        elif isinstance(each, LastNumber):
            columns[each.name] = value.drop_nulls().last()
        elif isinstance(each, LastGap):
            columns[each.name] = age.slice(-2, 1).first() - age.last()
            columns[f"{each.name}.n"] = age.len()
        elif isinstance(each, DaysSinceLast):
            columns[each.name] = age.last()
        elif isinstance(each, DaysSinceFirst):
            columns[each.name] = age.first()
        elif isinstance(each, MeanGap):
            columns[each.name] = (age.first() - age.last()) / DAY / (age.len().cast(pl.Float64) - 1)
        elif not isinstance(each, Trend):
            raise ValueError(f"polars has no expression for {each}")
    return columns


def plan_one(definitions: Definitions) -> tuple[list[pl.Expr], list[pl.Expr]]:
    """Expressions for `compute_one`, made once: no ``group_by`` where there is one moment only, 5 times as fast."""
    columns: list[pl.Expr] = []
    for selector, of in _by_selector(definitions).items():
        age, day, value = pl.col("age"), pl.col("day"), pl.col("value")
        if selector.column:
            chosen = pl.col(selector.column) == _code(selector, definitions.schema)
            age, day, value = age.filter(chosen), day.filter(chosen), value.filter(chosen)
        new_day = (day != day.shift(1)).fill_null(True)
        columns += [each.alias(name) for name, each in _expressions(of, age, value, new_day, age.shift(1)).items()]
    return columns, [_finished(each).alias(each.name) for each in definitions]


def compute_one(
    events: pl.DataFrame, as_of: int, created_at: int, plan: tuple[list[pl.Expr], list[pl.Expr]]
) -> pl.DataFrame:
    """`compute` for one moment of one lead."""
    columns, finished = plan
    seen = events.filter((pl.col("occurred_at") < as_of) & (pl.col("known_at") < as_of))
    found = seen.with_columns(age=as_of - pl.col("occurred_at")).select(columns)
    return found.with_columns(as_of=pl.lit(as_of), created_at=pl.lit(created_at)).select(finished)


def _count_name(each: Share) -> str:
    return CountWithin(each.selector, each.window).name


def _finished(each: Definition) -> pl.Expr:
    if isinstance(each, DaysSinceCreation):
        return (pl.col("as_of") - pl.col("created_at")).cast(pl.Float64) / DAY
    column = pl.col(each.name)
    if isinstance(each, (CountWithin, DistinctDays, SumWithin)):
        return column.fill_null(0).cast(pl.Float64)
    if isinstance(each, (DaysSinceLast, DaysSinceFirst)):
        return column.cast(pl.Float64) / DAY
    if isinstance(each, LastGap):
        return pl.when(pl.col(f"{each.name}.n") > 1).then(column.cast(pl.Float64) / DAY)
    if isinstance(each, MeanGap):
        return pl.when(column.is_finite()).then(column)
    if isinstance(each, Share):
        whole = pl.col(CountWithin(Selector(), each.window).name)
        return pl.when(whole > 0).then(pl.col(_count_name(each)).fill_null(0) / whole)
    if isinstance(each, Trend):
        short, long = (pl.col(CountWithin(each.selector, window).name) for window in (each.short, each.long))
        return pl.when(long > 0).then((short * float(each.long)) / (long * float(each.short)))
    return column
