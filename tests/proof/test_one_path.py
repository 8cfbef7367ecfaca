"""What training computed is what `propensity score` writes and what the service replies, bit for bit, for the same moments."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.compute import compute_features
from features.moments import Moments
from features.one_lead import history_of_leads
from serving.answers import Answers
from serving.champion import Snapshot
from serving.incoming import incoming
from serving.metrics import Metrics
from serving.scoring_run import score_workspace
from serving.serving_model import ServingModel
from serving.signatures import AgreementState
from serving.store.opening import open_address
from serving.strict_json import parse_json
from serving.wire_reading import read_lead
from serving.withheld import Withheld
from training.bundle import save_bundle
from training.registry import open_registry

LEADS = 400
"""Leads of each world whose training moments, several each, are told and scored."""
Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Case:
    """Moments of one world by every way: rows of the training set, what a caller tells, what the batch wrote.

    Attributes
    ----------
    rows : positions in the training set.
    told : for each, the lead as JSON made from the raw tables, attributes as of the moment.
    batch : for each, its row of ``scores.parquet``.
    """

    world: Any
    rows: np.ndarray[Any, np.dtype[np.int64]]
    told: list[Row]
    batch: list[Row]
    answers: Answers


@pytest.fixture(scope="module", params=["completejourney", "b2b"])
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    world = request.getfixturevalue(request.param)
    folder = tmp_path_factory.mktemp("one_path") / request.param
    ids = np.unique(world.lead_id)
    chosen = np.random.default_rng(4).choice(ids, LEADS, replace=False)
    rows = np.flatnonzero(np.isin(world.lead_id, chosen))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        batch = _scored(world, folder, rows)
    snapshot = Snapshot(ServingModel(request.param, "1", world.bundle), _schema(world), AgreementState())
    answers = Answers(
        snapshot=lambda: snapshot,
        leads=None,  # type: ignore[arg-type]
        facts=lambda ids, as_of: {},
        withheld=Withheld(open_address("sqlite:///store.db", folder)),
        metrics=Metrics(),
        clock=lambda: 0,
    )
    return Case(world, rows, _told(world, rows), batch, answers)


def _schema(world: Any) -> Any:
    return world.bundle.scorer.definitions.schema


def _scored(world: Any, folder: Path, rows: Any) -> list[Row]:
    """Register the model in a workspace over the same tables, and score the moments by `propensity score --moments`."""
    folder.mkdir()
    for path in world.folder.iterdir():
        if path.is_file():
            (folder / path.name).symlink_to(path)
    registry = open_registry(replace(world.workspace, folder=folder))
    save_bundle(world.bundle, folder / "bundle")
    registry.set_champion(registry.register(folder / "bundle", params={}, metrics={}).number)
    as_of = pa.array(world.as_of[rows], pa.timestamp("us", tz="UTC"))
    pq.write_table(pa.table({"lead_id": world.lead_id[rows].tolist(), "as_of": as_of}), folder / "moments.parquet")
    score_workspace(folder, moments_file=folder / "moments.parquet", as_of=None, out=None, lang="en")
    scores: list[Row] = pq.read_table(folder / "scores.parquet").to_pylist()
    assert [each["lead_id"] for each in scores] == world.lead_id[rows].tolist()
    return scores


def _told(world: Any, rows: Any) -> list[Row]:
    """Each moment's lead as a caller would tell it, from the raw tables alone."""
    tables = {path.stem: pd.read_parquet(path) for path in world.folder.glob("*.parquet")}
    wanted = set(world.lead_id[rows])
    by_lead = {name: _by_lead(table[table["lead_id"].isin(wanted)]) for name, table in tables.items()}
    return [
        _told_lead(by_lead, str(world.lead_id[row]), pd.Timestamp(int(world.as_of[row]), unit="us", tz="UTC"))
        for row in rows
    ]


def _by_lead(table: pd.DataFrame) -> Mapping[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in table.to_dict("records"):
        found.setdefault(str(row["lead_id"]), []).append(row)
    return found


def _told_lead(tables: Mapping[str, Mapping[str, list[Row]]], lead_id: str, as_of: pd.Timestamp) -> Row:
    (lead,) = tables["leads"][lead_id]
    attributes = {name: value for name, value in lead.items() if name not in ("lead_id", "created_at")}
    changes = [each for each in tables.get("attributes", {}).get(lead_id, []) if _known(each, "valid_from") < as_of]
    for change in sorted(changes, key=lambda each: (each["valid_from"], each["recorded_at"])):
        attributes |= {name: value for name, value in change.items() if name in attributes and not pd.isna(value)}
    return {
        "lead_id": lead_id,
        "created_at": _iso(lead["created_at"]),
        "as_of": _iso(as_of),
        "attributes": {name: _cell(value) for name, value in attributes.items()},
        # all of them, those that nobody knew at the moment too: not to see them is the service's work
        "events": [_told_event(each) for each in reversed(tables["events"].get(lead_id, []))],
    }


def _known(row: Row, own: str) -> pd.Timestamp:
    return max(row[own], row["recorded_at"])


def _told_event(row: Row) -> Row:
    plain = ("event_type", "value", "channel")
    own = {"lead_id", "occurred_at", "recorded_at", *plain}
    told = {name: _cell(row.get(name)) for name in plain} | {"occurred_at": _iso(row["occurred_at"])}
    if "recorded_at" in row:
        told["recorded_at"] = _iso(row["recorded_at"])
    return told | {"properties": {name: _cell(value) for name, value in row.items() if name not in own}}


def _iso(when: pd.Timestamp) -> str:
    return (when if when.tzinfo else when.tz_localize("UTC")).isoformat()


def _cell(value: Any) -> Any:
    if value is None or (isinstance(value, float) and math.isnan(value)) or value is pd.NA:
        return None
    return value.item() if isinstance(value, np.generic) else value


def _as_written(reply: Row) -> Row:
    """A reply in the form of a row of the Parquet file, without what tells of the call and not of the lead."""
    row = {name: value for name, value in reply.items() if name not in ("as_of", "scored_at", "warnings")}
    for each in (*row["reasons"]["for"], *row["reasons"]["against"]):
        value = each.pop("value")
        each["value_number"] = None if isinstance(value, str) or value is None else float(value)
        each["value_text"] = value if isinstance(value, str) else None
    return row


def _of_the_lead(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in ("as_of", "scored_at", "warnings")}


def test_the_worlds_have_what_may_go_wrong(case: Case) -> None:
    """Events that are not known yet at a moment, several moments a lead, and in b2b attributes that change between them."""
    late = [
        event
        for lead in case.told
        for event in lead["events"]
        if event.get("recorded_at", event["occurred_at"]) >= lead["as_of"] > event["occurred_at"]
        or event["occurred_at"] >= lead["as_of"]
    ]
    assert len(late) > 500
    assert len(case.rows) > LEADS
    if case.world.folder.name == "b2b":
        sizes: dict[str, set[Any]] = {}
        for lead in case.told:
            sizes.setdefault(lead["lead_id"], set()).add(lead["attributes"]["company_size"])
        assert sum(len(each) > 1 for each in sizes.values()) > 10


def test_the_batch_has_the_probabilities_of_the_training_matrix(case: Case) -> None:
    raw, probability = case.world.bundle.scorer.score(np.ascontiguousarray(case.world.values[case.rows]))
    assert [each["probability"] for each in case.batch] == probability.tolist()
    assert [each["reasons"]["raw_log_odds"] for each in case.batch] == raw.tolist()
    assert len(set(probability.tolist())) > len(case.rows) / 2


def test_a_told_lead_has_the_features_of_the_training_matrix(case: Case) -> None:
    definitions = case.world.bundle.scorer.definitions
    for lead, row in zip(case.told, case.rows, strict=True):
        told = incoming(read_lead(parse_json(_json(lead))), definitions.schema, now=0)
        history = history_of_leads(definitions.schema, [told.lead], as_of=told.as_of)
        moments = Moments(np.zeros(1, dtype=np.int64), np.array([case.world.as_of[row]]))
        values = compute_features(history, moments, definitions, threads=1)
        different = np.flatnonzero(_bits(values[0]) != _bits(case.world.values[row]))
        assert not len(different), [definitions.names[column] for column in different[:5]]


def _bits(values: Any) -> Any:
    return np.where(np.isnan(values), np.nan, values).view(np.int64)


def test_a_single_reply_says_all_that_the_batch_says(case: Case) -> None:
    for lead, written in zip(case.told, case.batch, strict=True):
        reply = json.loads(case.answers.score_body(_json(lead)))
        assert _as_written(reply) == _of_the_lead(written)


def test_a_reply_to_many_says_all_that_the_batch_says(case: Case) -> None:
    """The same leads at several moments stand in one request."""
    for first in range(0, len(case.told), 300):
        part = slice(first, first + 300)
        replies = json.loads(case.answers.score_batch_body(_json({"leads": case.told[part]})))["scores"]
        assert [_as_written(each) for each in replies] == [_of_the_lead(each) for each in case.batch[part]]


def _json(body: Row) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()
