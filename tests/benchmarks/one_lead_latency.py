"""One lead with a hundred events, from a request's dictionaries to its features: ours against polars.

Both get the same parsed JSON (instants as integers) and must give the same values.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
from bulk_history import CHANNELS, DAY, SCHEMA, START, TYPES, bulk_definitions
from measuring import Line, in_own_process

EVENTS = 100
AS_OF = START + 400 * DAY


def measure(*, quick: bool) -> list[Line]:
    figures = in_own_process("one_lead_latency", "both_sides", calls=200 if quick else 3000)
    columns = len(bulk_definitions())
    return [
        Line(
            what=f"one lead, {EVENTS} events, dictionaries to {columns} features (median)",
            unit="us",
            ours=figures["ours"],
            peer_name="polars",
            peer=figures["polars"],
            note=f"of ours {figures['reading']:.0f} us lay out the history; 99th percentile {figures['ours_p99']:.0f} us",
        )
    ]


def told() -> dict[str, Any]:
    """A lead as the body of a request says it."""
    random = np.random.default_rng(7)
    return {
        "lead_id": "L-1",
        "created_at": START,
        "events": [
            {
                "event_type": str(random.choice(TYPES)),
                "occurred_at": int(START + random.integers(0, 380 * DAY)),
                "channel": str(random.choice(CHANNELS)),
                "value": float(np.round(random.lognormal(3.0, 1.0), 2)) if random.random() < 0.5 else None,
            }
            for _ in range(EVENTS)
        ],
    }


def both_sides(calls: int) -> dict[str, Any]:
    import polars as pl
    import polars_features as peer

    from features.compute import compute_features
    from features.moments import Moments
    from features.one_lead import RawEvent, RawLead, history_of_leads

    definitions, lead = bulk_definitions(), told()
    type_codes = {text: code for code, text in enumerate(TYPES)}
    channel_codes = {text: code for code, text in enumerate(CHANNELS)}
    plan = peer.plan_one(definitions)
    moment = Moments(np.zeros(1, np.int64), np.array([AS_OF]))

    def read() -> Any:
        events = [RawEvent(**event) for event in lead["events"]]
        return history_of_leads(SCHEMA, [RawLead(lead["lead_id"], lead["created_at"], {}, events)], as_of=AS_OF)

    def ours() -> Any:
        return compute_features(read(), moment, definitions)

    def polars() -> Any:
        events = pl.DataFrame(
            lead["events"],
            schema={"event_type": pl.String, "occurred_at": pl.Int64, "channel": pl.String, "value": pl.Float64},
        ).sort("occurred_at")
        codes = events["event_type"].replace_strict(type_codes, return_dtype=pl.Int8)
        events = events.select(
            "occurred_at",
            known_at="occurred_at",
            day=(pl.col("occurred_at") // DAY).cast(pl.Int32),
            event_type=codes,
            stage=codes // 2,
            channel=pl.col("channel").replace_strict(channel_codes, return_dtype=pl.Int8),
            value="value",
        )
        return peer.compute_one(events, AS_OF, lead["created_at"], plan)

    assert np.allclose(ours(), polars().to_numpy(), rtol=1e-9, atol=1e-9, equal_nan=True)
    taken = {name: each_call(work, calls) for name, work in (("ours", ours), ("reading", read))}
    taken["polars"] = each_call(polars, max(calls // 20, 10))
    return {name: float(np.median(each)) for name, each in taken.items()} | {
        "ours_p99": float(np.quantile(taken["ours"], 0.99))
    }


def each_call(work: Callable[[], Any], calls: int) -> list[float]:
    """Microseconds of each call."""
    taken = []
    for _ in range(calls):
        started = perf_counter()
        work()
        taken.append((perf_counter() - started) * 1e6)
    return taken
