"""The order of rows and of files never matters: the same arrays, to the last bit."""

from __future__ import annotations

import dataclasses
import random
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from features.history import History
from features.one_lead import RawEvent, RawLead, history_of_leads
from features.tables import read_history
from oracles.written_workspaces import NOW, TARGET, at, write_workspace

_TIMES = ["2026-01-03", "2026-01-03T00:00:00Z", "2026-01-03 00:00", "2026-01-04T10:00:00+09:00", "bad", ""]
_EVENT = st.tuples(
    st.sampled_from(["L1", "L2", "L3", ""]),
    st.sampled_from(_TIMES),
    st.sampled_from(["page", "mail", "ページ", ""]),
    st.sampled_from(["", "2026-01-05", "2026-01-04T10:00:00Z"]),
    st.sampled_from(["", "0", "-0.0", "1.5", "１", "x"]),
    st.sampled_from(["", "web", "ads", "-"]),
    st.sampled_from(["", "3", "4"]),
    st.sampled_from(["", "e1", "e2"]),
)
_LEAD = st.tuples(
    st.sampled_from(["L1", "L2"]),
    st.sampled_from(["2026-01-01", "2026-01-02", "bad"]),
    st.sampled_from(["", "1", "2"]),
    st.sampled_from(["", "a", "b"]),
)
_CHANGE = st.tuples(
    st.sampled_from(["L1", "L2"]),
    st.sampled_from(_TIMES),
    st.sampled_from(["", "5", "6"]),
    st.sampled_from(["", "a", "c"]),
)
_OUTCOME = st.tuples(st.sampled_from(["L1", "L2"]), st.sampled_from(_TIMES), st.sampled_from(["converted", "lost", ""]))


def _csv(header: str, rows: list[tuple[str, ...]]) -> str:
    return "\n".join([header, *(",".join(row) for row in rows)]) + "\n"


def _arrays(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {f.name: _arrays(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, np.ndarray):
        return (str(value.dtype), value.shape, value.tolist() if value.dtype == object else value.tobytes())
    return value


def _read(folder: Path, tables: dict[str, tuple[str, list[tuple[str, ...]]]]) -> tuple[Any, Any]:
    workspace = write_workspace(folder, toml=TARGET, **{name: _csv(*table) for name, table in tables.items()})
    got = read_history(workspace, clock=lambda: NOW)
    report = got.report.to_json()
    for table in report["tables"].values():
        table.pop("digests")
    return _arrays(got.history), report


@settings(max_examples=15)
@given(
    events=st.lists(_EVENT, max_size=14),
    leads=st.lists(_LEAD, max_size=4),
    changes=st.lists(_CHANGE, max_size=6),
    outcomes=st.lists(_OUTCOME, max_size=5),
    seed=st.integers(0, 999),
    with_ids=st.booleans(),
)
def test_shuffled_rows_give_identical_histories(
    events: list[Any], leads: list[Any], changes: list[Any], outcomes: list[Any], seed: int, with_ids: bool
) -> None:
    width = 8 if with_ids else 7
    names = ["lead_id", "occurred_at", "event_type", "recorded_at", "value", "channel", "amount", "event_id"][:width]
    leads = [("L1", "2026-01-01", "3", "c"), *leads]  # at least one that can be used
    tables = {
        "leads": ("lead_id,created_at,size,sector", leads),
        "events": (",".join(names), [row[:width] for row in events]),
        "attributes": ("lead_id,valid_from,size,sector", changes),
        "outcomes": ("lead_id,occurred_at,outcome", outcomes),
    }
    shuffled = {}
    for name, (header, rows) in tables.items():
        rows = list(rows)
        random.Random(seed).shuffle(rows)
        shuffled[name] = (header, rows)
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        first, second = _read(Path(one), tables), _read(Path(other), shuffled)
    assert first == second


@settings(max_examples=15)
@given(events=st.lists(_EVENT, max_size=14))
def test_tables_and_requests_lay_out_a_lead_alike(events: list[Any]) -> None:
    """What `history_of_leads` makes of told events is what the tables say, in the same order."""
    own = [row for row in events if row[0] == "L1" and row[1] in _TIMES[1:4] and row[2] and row[4] != "x"]
    header = "lead_id,occurred_at,event_type,recorded_at,value,channel,amount"
    with tempfile.TemporaryDirectory() as folder:
        workspace = write_workspace(
            Path(folder), leads="lead_id,created_at\nL1,2026-01-01\n", events=_csv(header, [row[:7] for row in own])
        )
        inferred = read_history(workspace, clock=lambda: NOW).history
        numbers = ("value", "amount")
        schema = dataclasses.replace(
            inferred.schema,
            event_types=("mail", "page", "ページ"),
            event_numbers=numbers,
            event_categories={"channel": ("ads", "web")},
        )
        of_tables = read_history(workspace, schema=schema, clock=lambda: NOW).history

    def number(text: str) -> float | None:
        return float(text.translate(str.maketrans("１", "1"))) if text else None

    def recorded(text: str) -> int | None:
        return None if not text else at("2026-01-05T23:59:59.999999") if "T" not in text else at(text)

    raw = [
        RawEvent(
            event_type=row[2], occurred_at=at(row[1]), recorded_at=recorded(row[3]), value=number(row[4]),
            channel=None if row[5] in ("", "-") else row[5], properties={"amount": number(row[6])},
        )
        for row in own
    ]  # fmt: skip
    told: History = history_of_leads(schema, [RawLead("L1", at("2026-01-01"), {}, raw)], as_of=NOW)
    assert told.events.occurred_at.tolist() == of_tables.events.occurred_at.tolist()
    assert told.events.known_at.tolist() == of_tables.events.known_at.tolist()
    assert told.events.day.tolist() == of_tables.events.day.tolist()
    assert told.events.numbers.tobytes() == of_tables.events.numbers.tobytes()
    for row in (0, 1):
        names = [
            [events.vocabularies[row][code] if code >= 0 else None for code in events.codes[row]]
            for events in (told.events, of_tables.events)
        ]
        assert names[0] == names[1]
