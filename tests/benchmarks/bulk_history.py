"""A large made history, straight as arrays: what the table reader would hand over, without its cost."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.definitions import (
    ALL,
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
from features.history import NEVER, Attributes, Events, History, Outcomes
from features.moments import Moments
from features.schema import STAGES, Schema

DAY = 86_400_000_000
START = 1_700_000_000_000_000
SPAN = 730 * DAY
EVENTS_A_LEAD = 50
MOMENTS_A_LEAD = 5
WINDOWS = (DAY, 7 * DAY, 30 * DAY, 90 * DAY, 180 * DAY, 365 * DAY)
TYPES = (
    "call", "cart_filled", "form_sent", "mail_clicked", "mail_opened", "page_viewed", "pricing_viewed", "trial_started",
)  # fmt: skip
CHANNELS = ("ads", "mail", "phone", "web")
SCHEMA = Schema(
    event_types=TYPES,
    stages={each: STAGES[i // 2] for i, each in enumerate(TYPES)},
    event_categories={"channel": CHANNELS},
)


def bulk_definitions() -> Definitions:
    """About 190 definitions as a catalogue has them, of the kinds that a query can say exactly as well."""
    made: list[Definition] = [DaysSinceCreation()]
    made += [CountWithin(ALL, window) for window in (*WINDOWS, None)]
    made += [DistinctDays(ALL, window) for window in (*WINDOWS, None)]
    made += [kind(ALL) for kind in (DaysSinceLast, DaysSinceFirst, MeanGap, LastGap)]
    made += [Trend(ALL, short, long) for short, long in zip(WINDOWS, WINDOWS[2:], strict=False)]
    for value in TYPES:
        selector = Selector("event_type", value)
        made += [CountWithin(selector, window) for window in (*WINDOWS, None)]
        made += [DistinctDays(selector, window) for window in (30 * DAY, 180 * DAY, None)]
        made += [kind(selector) for kind in (DaysSinceLast, DaysSinceFirst, MeanGap)]
        made += [Share(selector, 30 * DAY)]
    for stage in STAGES:
        selector = Selector("stage", stage)
        made += [CountWithin(selector, window) for window in (7 * DAY, 30 * DAY, None)]
        made += [DaysSinceLast(selector)]
    for channel in CHANNELS:
        selector = Selector("channel", channel)
        made += [CountWithin(selector, window) for window in (30 * DAY, None)]
        made += [DaysSinceLast(selector)]
    for selector in (ALL, Selector("event_type", "call"), Selector("event_type", "cart_filled")):
        made += [
            kind(selector, window, "value")
            for kind in (SumWithin, MeanWithin, MaxWithin)
            for window in (30 * DAY, 180 * DAY, None)
        ]
        made += [LastNumber(selector, "value")]
    return Definitions(SCHEMA, tuple(made))


def bulk_history(n_events: int, seed: int = 0) -> History:
    """`EVENTS_A_LEAD` events a lead on average, unevenly spread; one in ten is recorded days late, half have a value."""
    random = np.random.default_rng(seed)
    n_leads = max(n_events // EVENTS_A_LEAD, 1)
    weight = random.lognormal(0.0, 1.0, n_leads)
    lead = np.sort(random.choice(n_leads, n_events, p=weight / weight.sum()).astype(np.int32))
    created = START + random.integers(0, SPAN // 2, n_leads)
    occurred = created[lead] + (random.beta(0.7, 1.5, n_events) * (SPAN // 2)).astype(np.int64)
    occurred = occurred[np.lexsort((occurred, lead))]
    delay = np.where(random.random(n_events) < 0.1, random.integers(1, 5 * DAY, n_events), 0)
    popular = np.array([0.05, 0.08, 0.04, 0.1, 0.25, 0.35, 0.1, 0.03])
    types = random.choice(len(TYPES), n_events, p=popular).astype(np.int32)
    channels = random.integers(-1, len(CHANNELS), n_events, dtype=np.int32)
    value = np.where(random.random(n_events) < 0.5, np.round(random.lognormal(3.0, 1.0, n_events), 2), np.nan)
    return _history(
        {
            "created_at": created,
            "offsets": np.searchsorted(lead, np.arange(n_leads + 1)).astype(np.int64),
            "occurred_at": occurred,
            "known_at": occurred + delay,
            "day": (occurred // DAY).astype(np.int32),
            "codes": np.stack([types, channels]),
            "numbers": value[None, :],
        }
    )


def _history(columns: Mapping[str, NDArray[Any]]) -> History:
    created = columns["created_at"]
    n = len(created)
    nobody = np.full(n, NEVER)
    return History(
        schema=SCHEMA,
        lead_ids=np.array([f"{i:09d}" for i in range(n)], dtype=object),
        created_at=created,
        events=Events(
            offsets=columns["offsets"],
            occurred_at=columns["occurred_at"],
            known_at=columns["known_at"],
            day=columns["day"],
            codes=columns["codes"],
            vocabularies=(TYPES, CHANNELS),
            numbers=columns["numbers"],
        ),
        attributes=Attributes(
            offsets=np.arange(n + 1, dtype=np.int64),
            valid_from=created,
            known_at=created,
            codes=np.zeros((0, n), np.int32),
            vocabularies=(),
            numbers=np.zeros((0, n)),
        ),
        outcomes=Outcomes(at=nobody, known_at=nobody, converted=np.zeros(n, dtype=np.bool_)),
        data_end=START + SPAN,
        now=START + SPAN,
        labels={},
    )


def bulk_moments(history: History, seed: int = 1) -> Moments:
    """`MOMENTS_A_LEAD` moments a lead, anywhere in the two years after its creation; sorted by lead and time."""
    random = np.random.default_rng(seed)
    lead = np.repeat(np.arange(len(history), dtype=np.int64), MOMENTS_A_LEAD)
    as_of = history.created_at[lead] + random.integers(1, SPAN // 2, len(lead))
    return Moments(lead, as_of[np.lexsort((as_of, lead))])


def save(history: History, moments: Moments, folder: Path) -> None:
    """As plain arrays that both sides read."""
    events = history.events
    columns: dict[str, NDArray[Any]] = {
        "created_at": history.created_at, "offsets": events.offsets, "occurred_at": events.occurred_at,
        "known_at": events.known_at, "day": events.day, "codes": events.codes, "numbers": events.numbers,
        "moment_lead": moments.lead, "as_of": moments.as_of,
    }  # fmt: skip
    for name, column in columns.items():
        np.save(folder / f"{name}.npy", column)


def load_columns(folder: Path) -> dict[str, NDArray[Any]]:
    return {path.stem: np.load(path) for path in folder.glob("*.npy")}


def load(folder: Path) -> tuple[History, Moments]:
    """The history and moments that `save` wrote."""
    columns = load_columns(folder)
    return _history(columns), Moments(columns["moment_lead"], columns["as_of"])
