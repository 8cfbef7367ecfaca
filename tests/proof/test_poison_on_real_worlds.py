"""On real histories: what is not known yet changes no bit of a score, and nor does anything else that must not matter.

Every lead of both real worlds is scored at a random moment. The tables are then written anew with rows that nobody could
know at these moments, and are read and scored again by the same model, by the way of every `propensity score`.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from features.calendar_days import DAY
from features.compute import compute_features
from features.history import History
from features.moments import Moments
from features.tables import ReadTables, read_history
from features.workspace import load_workspace
from oracles.made_service import signed
from serving.agreement import Agreement, Evidence, FastLane
from serving.lead_score import LeadScore
from serving.scoring import score_leads

Ints = NDArray[np.int64]
Tables = dict[str, pd.DataFrame]
LATER = 4_000_000_000_000_000
"""Until when the poisoned tables are said to be complete: no poison may be set aside as later than the data's end."""
POISON_A_LEAD = 6
STRANGE_TYPES = ["never_seen", "相談予約", "contact_sales", "other", "🙂"]
STRANGE_NUMBERS = [1e300, -1e300, 5e-324, -0.0, 1e15, np.nan, 7.5]


@dataclass(frozen=True, eq=False)
class Case:
    """A real world, one random moment for each of its leads, and what is said of them by the clean tables."""

    world: Any
    tables: Tables
    clean: History
    as_of: Ints

    @property
    def lead_id(self) -> NDArray[np.object_]:
        return self.clean.lead_ids

    @cached_property
    def values(self) -> NDArray[np.float64]:
        return self.values_by(self.clean)

    @cached_property
    def scores(self) -> list[LeadScore]:
        return self.scores_by(self.clean)

    def agreement(self) -> Any:
        """Cutoffs, evidence and a fast lane that all look at events."""
        lane = self.tables["events"]["event_type"].iloc[0]
        evidence = Evidence(events=3, days=2, stage="action")
        lanes = {lane: FastLane(lane, respond_within=DAY, counts_for=3 * DAY)}
        return signed(Agreement(version=1, mql=0.05, sql=0.2, evidence=evidence, fast_lane=lanes))

    def moments(self, history: History, rows: Ints | slice = slice(None)) -> Moments:
        positions = history.positions(self.lead_id[rows])
        assert (positions >= 0).all()
        return Moments(positions, self.as_of[rows])

    def values_by(self, history: History, rows: Ints | slice = slice(None), *, threads: int | None = None) -> Any:
        definitions = self.world.bundle.scorer.definitions
        return compute_features(history, self.moments(history, rows), definitions, threads=threads)

    def scores_by(self, history: History, rows: Ints | slice = slice(None), **how: Any) -> list[LeadScore]:
        moments = self.moments(history, rows)
        return list(score_leads(self.world.model, self.agreement(), history, moments, scored_at=LATER, **how))

    def assert_unchanged(self, history: History, rows: Ints | slice = slice(None), **how: Any) -> None:
        found, expected = self.values_by(history, rows, **how), self.values[rows]
        assert np.array_equal(_bits(found), _bits(expected)), self._different(found, expected)
        numbers = range(len(self.scores))[rows] if isinstance(rows, slice) else rows
        assert self.scores_by(history, rows, **how) == [self.scores[row] for row in numbers]

    def _different(self, found: Any, expected: Any) -> list[tuple[int, str, float, float]]:
        names = self.world.bundle.scorer.definitions.names
        cells = np.argwhere(_bits(found) != _bits(expected))[:5]
        return [(int(i), names[j], float(found[i, j]), float(expected[i, j])) for i, j in cells]


def _bits(values: NDArray[np.float64]) -> Ints:
    return np.where(np.isnan(values), np.nan, values).view(np.int64)


def _random_moments(history: History, draw: np.random.Generator) -> Ints:
    """One a lead, within 300 days of its creation: any instant, that of one of its own events, or a microsecond later."""
    as_of = history.created_at + draw.integers(1, 300 * DAY, len(history))
    first, count = history.events.offsets[:-1], np.diff(history.events.offsets)
    drawn = first + (draw.random(len(history)) * count).astype(np.int64)
    own = history.events.occurred_at[np.minimum(drawn, len(history.events) - 1)]
    usable = (count > 0) & (own > history.created_at)
    way = draw.integers(0, 4, len(history))
    return np.select([usable & (way == 0), usable & (way == 1)], [own, own + 1], as_of).astype(np.int64)


def _read(world: Any, folder: Path, tables: Tables) -> ReadTables:
    """Write tables as Parquet and read them by the model's schema."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    toml = (world.folder / "propensity.toml").read_text(encoding="utf-8")
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet", index=False)
        if f"\n{name} = " not in toml:
            toml = toml.replace("[tables]\n", f'[tables]\n{name} = "{name}.parquet"\n')
    (folder / "propensity.toml").write_text(toml, encoding="utf-8")
    schema = world.bundle.scorer.definitions.schema
    return read_history(load_workspace(folder), schema=schema, data_end=LATER, clock=lambda: LATER, set_aside=False)


def _poisoned(case: Case, draw: np.random.Generator) -> Tables:
    """The tables with rows added that no one could know at the moment of their lead."""
    leads, events, outcomes = (case.tables[name] for name in ("leads", "events", "outcomes"))
    lead = np.repeat(np.arange(len(case.lead_id)), POISON_A_LEAD)
    own, recorded = _unknown_times(case.as_of[lead], draw)
    real = events.iloc[draw.integers(0, len(events), len(lead))].reset_index(drop=True)
    strange = draw.random(len(lead)) < 0.5
    bad_events = real.assign(
        lead_id=case.lead_id[lead],
        occurred_at=own,
        recorded_at=recorded,
        event_type=np.where(strange, draw.choice(STRANGE_TYPES, len(lead)), real["event_type"]),
    )
    for column in bad_events.select_dtypes("number"):
        bad_events[column] = np.where(strange, draw.choice(STRANGE_NUMBERS, len(lead)), bad_events[column])
    if "channel" in bad_events:
        bad_events["channel"] = np.where(strange, "a channel nobody knew", bad_events["channel"])

    lead = np.repeat(np.arange(len(case.lead_id)), 2)
    own, recorded = _unknown_times(case.as_of[lead], draw)
    others = leads.iloc[draw.integers(0, len(leads), len(lead))].reset_index(drop=True).drop(columns="created_at")
    attributes = others.assign(lead_id=case.lead_id[lead], valid_from=own, recorded_at=recorded)
    for column in attributes.columns.difference(["lead_id", "valid_from", "recorded_at"]):
        if attributes[column].dtype.kind in "iuf":
            attributes[column] = np.where(draw.random(len(lead)) < 0.5, 1e300, attributes[column])
        else:
            attributes[column] = np.where(draw.random(len(lead)) < 0.5, "a value nobody knew", attributes[column])

    late = _times(case.as_of + draw.integers(0, 400 * DAY, len(case.as_of)))
    again = leads.sample(frac=0.2, random_state=7).assign(created_at=pd.Timestamp(LATER - 2, unit="us"))
    new = leads.sample(frac=0.05, random_state=8)
    new = new.assign(lead_id="0" + new["lead_id"])  # before all others, so that positions move
    ended = pd.DataFrame({"lead_id": case.lead_id, "occurred_at": late, "outcome": draw.choice(["converted", "lost"])})
    strangers = bad_events.sample(len(new), random_state=9).assign(lead_id=new["lead_id"].to_numpy())
    return {
        "leads": pd.concat([again, leads, new], ignore_index=True),
        "events": pd.concat([bad_events, events.assign(recorded_at=pd.NaT), strangers], ignore_index=True),
        "attributes": attributes,
        "outcomes": pd.concat([ended, outcomes], ignore_index=True),
    }


def _unknown_times(as_of: Ints, draw: np.random.Generator) -> tuple[pd.Series, pd.Series]:
    """Own and recorded time of rows that no one may see at `as_of`: at it, after it, or back-dated and recorded then."""
    n = len(as_of)
    before, after = draw.integers(1, 200 * DAY, n), draw.integers(1, 400 * DAY, n)
    way = draw.integers(0, 6, n)
    none = np.iinfo(np.int64).min  # NaT
    own = np.select([way <= 1, way == 2], [as_of, as_of + after], as_of - before)
    own = np.where(way == 5, as_of + after, own)
    recorded = np.select([way == 0, way == 2, way == 3, way == 4], [none, none, as_of, as_of + after], as_of - before)
    return _times(own), _times(recorded)


def _times(instants: Ints) -> pd.Series:
    return pd.Series(instants.astype("datetime64[us]"))


@pytest.fixture(scope="module", params=["completejourney", "cdnow"])
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    world = request.getfixturevalue(request.param)
    tables = {name: pd.read_parquet(world.folder / f"{name}.parquet") for name in ("leads", "events", "outcomes")}
    clean = _read(world, tmp_path_factory.mktemp("clean") / request.param, tables).history
    return Case(world, tables, clean, _random_moments(clean, np.random.default_rng(len(request.param))))


def test_the_moments_and_what_is_said_of_them_differ(case: Case) -> None:
    """That nothing changes says something only where there is something to change, at least 10,000 moments in all."""
    assert len(case.as_of) >= {"completejourney": 6_000, "cdnow": 20_000}[case.world.folder.name]
    assert len(np.unique(case.values, axis=0)) > len(case.as_of) / 3
    assert len({each.probability for each in case.scores}) > len(case.as_of) / 10
    assert len({(each.band, each.decided_by) for each in case.scores}) >= 3


def test_rows_that_nobody_could_know_change_no_bit(case: Case, tmp_path: Path) -> None:
    draw = np.random.default_rng(11)
    poisoned = _poisoned(case, draw)
    read = _read(case.world, tmp_path / "poisoned", poisoned)
    n, told = len(case.as_of), read.report.tables
    assert told["events"].accepted == len(poisoned["events"]) > len(case.tables["events"]) + n * POISON_A_LEAD
    assert told["attributes"].accepted == 2 * n
    assert told["leads"].rejected == {"repeated lead_id": len(poisoned["leads"]) - len(read.history)}
    case.assert_unchanged(read.history)

    # the same rows do change what is said once they can be known
    afterwards = Case(case.world, case.tables, case.clean, np.full(n, LATER - 1))
    differs = (_bits(afterwards.values_by(read.history)) != _bits(afterwards.values)).any(axis=1)
    assert differs.mean() > 0.95  # strangely typed ones alone change nothing where one type has all the features


def test_order_of_rows_in_the_tables_changes_no_bit(case: Case, tmp_path: Path) -> None:
    shuffled = {name: table.sample(frac=1.0, random_state=3) for name, table in case.tables.items()}
    case.assert_unchanged(_read(case.world, tmp_path / "shuffled", shuffled).history)


def test_other_leads_change_no_bit(case: Case, tmp_path: Path) -> None:
    rows = np.flatnonzero(np.random.default_rng(5).random(len(case.lead_id)) < 0.3)
    ids = case.lead_id[rows]
    fewer = {name: table[table["lead_id"].isin(ids)] for name, table in case.tables.items()}
    history = _read(case.world, tmp_path / "fewer", fewer).history
    assert len(history) == len(rows)
    case.assert_unchanged(history, rows)


def test_chunks_threads_and_the_order_of_moments_change_no_bit(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(case.scores) == len(case.values)  # said before anything is changed
    monkeypatch.setattr("features.compute.LEADS_A_CHUNK", 97)
    monkeypatch.setattr("serving.scoring.LEADS_AT_ONCE", 1009)
    monkeypatch.setattr("training.explanation.CHUNK", 61)
    case.assert_unchanged(case.clean, np.random.default_rng(6).permutation(len(case.as_of)), threads=3)
    for threads in (1, 2):
        assert np.array_equal(_bits(case.values_by(case.clean, threads=threads)), _bits(case.values))
