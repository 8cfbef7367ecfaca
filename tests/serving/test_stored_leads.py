"""One lead of the store has the features and the score that reading the whole store gives it, to the last bit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from features.compute import compute_features
from features.definitions import Definitions
from features.history import NEVER, History
from features.moments import Moments
from features.schema import Schema
from features.tables import read_history
from features.workspace import Workspace, load_workspace
from oracles.filled_stores import fill_store, put
from oracles.made_histories import every_definition
from oracles.running_postgres import running_postgres
from oracles.written_workspaces import NOW, TARGET, at
from serving.scoring import score_leads
from serving.serving_model import ServingModel
from serving.signatures import AgreementState
from serving.store import Store, open_store
from serving.store.lead_rows import LeadRows, StoredChange, StoredEvent, lead_rows
from serving.store.tables import attribute_changes, events, leads, outcomes
from serving.stored_leads import history_of_stored

DAY = 86_400_000_000
PAGE = '[page]\nname = "担当"\ncompany = "company"\nlink = "/l/{lead_id}"\n'
SCHEMA = Schema(
    event_types=("mail", "page"),
    stages={"page": "awareness", "demo": "action"},
    event_numbers=("value", "amount"),
    event_categories={"channel": ("ads", "web"), "plan": ("3", "a", "true")},
    attributes={"opt_in": "category", "renewal": "date", "sector": "category", "size": "number"},
    categories={"opt_in": ("false", "true"), "sector": ("3", "IT", "製造")},
    zone="Asia/Tokyo",
)
DEFINITIONS = Definitions(SCHEMA, every_definition(SCHEMA))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return workspace_in(tmp_path)


def workspace_in(folder: Path, address: str = "sqlite:///leads.db") -> Workspace:
    toml = f'[workspace]\ntimezone = "Asia/Tokyo"\n[tables]\nstore = "{address}"\n{TARGET}{PAGE}'
    (folder / "propensity.toml").write_text(toml, encoding="utf-8")
    return load_workspace(folder)


@pytest.fixture
def store(workspace: Workspace) -> Iterator[Store]:
    store = open_store(workspace)
    yield store
    store.close()


def all_rows(store: Store, ids: Sequence[str]) -> list[LeadRows]:
    with store.reading() as c:
        return list(lead_rows(c, ids).values())


def same_bits(one: Any, other: Any) -> bool:
    return bool((np.ascontiguousarray(one).view(np.int64) == np.ascontiguousarray(other).view(np.int64)).all())


def features(history: History, position: int, times: Sequence[int], definitions: Definitions = DEFINITIONS) -> Any:
    moments = Moments(np.full(len(times), position, np.int64), np.array(times, np.int64))
    return compute_features(history, moments, definitions, threads=1)


_TIMES = st.sampled_from([NOW - 400 * DAY, NOW - 30 * DAY, NOW - DAY, NOW - 2, NOW - 1, NOW, NOW + DAY])
_TEXTS = ["", "3", "１，２００", "-", "製造", " 製造", "IT", "new", "other", "TRUE", "true", "不明", "2026-05-01",
          "2026年6月1日 9時", "2026-07-01T12:00:00Z", "0.1", "１e3", "1767225600"]  # fmt: skip
_CELLS = st.one_of(
    st.sampled_from(_TEXTS),
    st.sampled_from([3, 3.0, 2.5, -0.0, True, False, None, 1e18, 20260501, 1_767_225_600, 2**60]),
)
_OBJECTS = st.dictionaries(st.sampled_from([*SCHEMA.attributes, "担当", "company", "unknown"]), _CELLS, max_size=5)
_EVENTS = st.fixed_dictionaries(
    {
        "occurred_at": _TIMES, "recorded_at": _TIMES,
        "event_type": st.sampled_from(["page", " page", "mail", "demo", "rare", "ページ"]),
        "value": st.sampled_from([None, 0.0, -0.0, 1.5, 2.0]), "channel": st.sampled_from([None, "web", "Web", "-", "", "ads"]),
        "properties": st.one_of(st.none(), st.dictionaries(st.sampled_from(["amount", "plan", "x"]), _CELLS, max_size=3)),
    }
)  # fmt: skip
_CHANGES = st.fixed_dictionaries({"valid_from": _TIMES, "recorded_at": _TIMES, "attributes": _OBJECTS})
_OUTCOMES = st.fixed_dictionaries(
    {
        "occurred_at": st.sampled_from([NOW - 3 * DAY, NOW - 2]), "recorded_at": st.sampled_from([NOW - 2 * DAY, NOW - 1]),
        "outcome": st.sampled_from(["converted", "lost"]), "told": st.just(True),
    }
)  # fmt: skip
_LEADS = st.fixed_dictionaries(
    {
        "created_at": st.sampled_from([NOW - 500 * DAY, NOW - 30 * DAY, NOW - 2 * DAY]), "attributes": _OBJECTS,
        "events": st.lists(_EVENTS, max_size=8), "changes": st.lists(_CHANGES, max_size=5),
        "outcomes": st.lists(_OUTCOMES, max_size=2, unique_by=lambda each: (each["occurred_at"], each["outcome"])),
    }
)  # fmt: skip


def tell(store: Store, told: Mapping[str, Any]) -> None:
    tables: dict[str, list[dict[str, Any]]] = {"leads": [], "events": [], "attributes": [], "outcomes": []}
    for lead_id, lead in told.items():
        own = {"lead_id": lead_id}
        tables["leads"].append(
            own | {"recorded_at": NOW, "created_at": lead["created_at"], "attributes": lead["attributes"]}
        )
        tables["events"] += [own | each for each in lead["events"]]
        tables["attributes"] += [own | each for each in lead["changes"]]
        tables["outcomes"] += [own | each for each in lead["outcomes"]]
    for table, rows in tables.items():
        put(store, table, rows)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def kept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workspace, Store]]:
    """A store for many examples: each clears it."""
    with ExitStack() as opened:
        address = "sqlite:///leads.db"
        if request.param == "postgresql":
            address = opened.enter_context(running_postgres())
        workspace = workspace_in(tmp_path_factory.mktemp("kept"), address)
        yield workspace, opened.enter_context(closing(open_store(workspace)))


@settings(max_examples=25)
@given(told=st.dictionaries(st.sampled_from(["L1", "L2", "リード"]), _LEADS, min_size=1, max_size=3))
def test_leads_of_the_store_have_the_features_of_the_whole_store(
    kept: tuple[Workspace, Store], told: Mapping[str, Any]
) -> None:
    workspace, store = kept
    with store.writing() as c:
        for table in (leads, events, attribute_changes, outcomes):
            c.execute(sa.delete(table))
    tell(store, told)
    columns = ("sector", "size", "renewal", "unknown")
    batch = read_history(workspace, schema=SCHEMA, clock=lambda: NOW, rule_columns=columns).history
    rows = all_rows(store, list(told))
    laid_out = history_of_stored(
        SCHEMA, rows[::-1], as_of=NOW, page=workspace.page, rule_columns=columns, converted=workspace.converted
    )
    assert laid_out.lead_ids.tolist() == batch.lead_ids.tolist()
    assert {name: each.tolist() for name, each in laid_out.labels.items()} == {
        name: each.tolist() for name, each in batch.labels.items()
    }
    for name in ("at", "known_at", "converted"):
        assert getattr(laid_out.outcomes, name).tolist() == getattr(batch.outcomes, name).tolist()
    assert laid_out.open_leads(NOW).tolist() == batch.open_leads(NOW).tolist()
    for each in rows:
        position = batch.lead_ids.tolist().index(each.lead_id)
        times = [when for when in (NOW - DAY - 1, NOW - 1, NOW) if when > each.created_at]
        expected = features(batch, position, times)
        alone = history_of_stored(SCHEMA, [each], as_of=NOW, rule_columns=columns)
        assert same_bits(features(laid_out, position, times), expected)
        assert same_bits(features(alone, 0, times), expected)
        assert known_to_rules(alone, 0) == known_to_rules(batch, position)


def known_to_rules(history: History, position: int) -> list[tuple[Any, ...]]:
    """What rules see of a lead at `NOW`: rows with their texts."""
    assert history.rule_attributes is not None
    rows = history.rule_attributes.rows
    found = []
    for i in range(rows.offsets[position], rows.offsets[position + 1]):
        if rows.known_at[i] < NOW:
            cells = [v[c] if c >= 0 else None for v, c in zip(rows.vocabularies, rows.codes[:, i], strict=True)]
            found.append((int(rows.valid_from[i]), int(rows.known_at[i]), *cells))
    return found


def test_a_value_that_the_model_never_saw_hides_the_older_one() -> None:
    """As in tables: it is a value, though nothing is known of it; a missing one leaves the older standing."""
    definitions = Definitions(SCHEMA, tuple(each for each in every_definition(SCHEMA) if "sector" in each.name))
    assert len(definitions)

    def sector(*changes: str | None) -> list[float]:
        told = tuple(StoredChange(10 + i, 10 + i, {"sector": each}) for i, each in enumerate(changes))
        history = history_of_stored(SCHEMA, [LeadRows("L1", 5, {"sector": "IT"}, told)], as_of=100)
        return features(history, 0, [100], definitions)[0].tolist()  # type: ignore[no-any-return]

    assert sector(None) == sector() == [1.0]
    assert np.isnan(sector("new")).all()
    assert sector("new", "製造") == [2.0]


def test_a_type_that_only_a_rule_knows_keeps_its_name() -> None:
    told = (
        StoredEvent("contact_sales", 10, 10, None, None, None, {}),
        StoredEvent("new", 11, 11, None, None, None, {}),
    )
    history = history_of_stored(SCHEMA, [LeadRows("L1", 5, {}, events=told)], as_of=100, named_types=("contact_sales",))
    names = [history.events.vocabularies[0][code] for code in history.events.codes[0]]
    assert names[0] == "contact_sales"
    assert "new" not in names


def test_the_newest_owner_is_shown_once_it_is_known() -> None:
    changes = (StoredChange(10, 10, {"owner": "Sato"}), StoredChange(20, 200, {"owner": "Mori"}))
    lead = LeadRows("L/1", 5, {"owner": "Abe"}, changes)
    page = {"owner": "owner", "company": "company", "link": "https://crm/{lead_id}"}

    def shown(as_of: int) -> dict[str, str]:
        return {
            name: each[0] for name, each in history_of_stored(SCHEMA, [lead], as_of=as_of, page=page).labels.items()
        }

    assert shown(100) == {"owner": "Sato", "company": "", "link": "https://crm/L%2F1"}
    assert shown(201)["owner"] == "Mori"


def test_a_lead_without_an_outcome_is_open_and_a_lost_one_is_not(workspace: Workspace, store: Store) -> None:
    end = {"occurred_at": NOW - 5, "recorded_at": NOW - 3, "outcome": "lost", "told": True}
    made = {"created_at": NOW - DAY, "attributes": {}, "events": [], "changes": []}
    tell(store, {"L1": made | {"outcomes": []}, "L2": made | {"outcomes": [end]}})
    history = history_of_stored(SCHEMA, all_rows(store, ["L2", "L1"]), as_of=NOW)
    assert history.open_leads(NOW).tolist() == [0]
    assert history.open_leads(NOW - 3).tolist() == [0, 1]
    assert history.outcomes.at.tolist() == [NEVER, NOW - 5]


def test_scores_of_stored_leads_are_those_of_the_batch(trained: Any, tmp_path: Path) -> None:
    """A real model over the b2b world, loaded into a store: the same probability, reasons and labels."""
    import pandas as pd

    files = load_workspace(trained.folder)
    toml = (trained.folder / "propensity.toml").read_text(encoding="utf-8")
    (tmp_path / "propensity.toml").write_text(
        toml.replace("[tables]", '[tables]\nstore = "sqlite:///b2b.db"'), encoding="utf-8"
    )
    workspace = load_workspace(tmp_path)
    store = open_store(workspace)
    fill_store(
        store,
        {name: pd.read_parquet(trained.folder / path).to_dict("records") for name, path in files.tables.items()},
        "UTC",
    )
    schema = trained.bundle.scorer.definitions.schema
    now = at("2030-01-01")
    batch = read_history(workspace, schema=schema, clock=lambda: now).history
    chosen = np.random.default_rng(3).choice(batch.open_leads(now), 60, replace=False)
    rows = {each.lead_id: each for each in all_rows(store, [str(each) for each in batch.lead_ids[chosen]])}
    store.close()
    model, state = ServingModel("b2b", "1", trained.bundle), AgreementState()
    moments = Moments(chosen, np.full(len(chosen), now, np.int64))
    expected = [each.to_json() for each in score_leads(model, state, batch, moments, scored_at=0, lang="ja")]
    for told, position in zip(expected, chosen, strict=True):
        alone = history_of_stored(schema, [rows[str(batch.lead_ids[position])]], as_of=now, page=workspace.page)
        first = Moments(np.zeros(1, np.int64), np.array([now]))
        (found,) = score_leads(model, state, alone, first, scored_at=0, lang="ja")
        assert found.to_json() == told
        assert {name: each[0] for name, each in alone.labels.items()} == {
            name: each[position] for name, each in batch.labels.items()
        }
    assert sum(len(each.changes) > 0 for each in rows.values()) > 3
