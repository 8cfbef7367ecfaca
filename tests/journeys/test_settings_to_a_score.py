"""docs/model.toml on a real workspace: checked, trained, served online by the same path, compared, and told where it is wrong."""

from __future__ import annotations

import csv
import json
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from features.errors import UsageError
from features.model_settings import NOTHING_SAID, ModelSettings
from features.workspace import load_workspace
from journeys.made_workspace import QUICK, Row, made_tables, write
from serving.answers import Answers
from serving.champion import Snapshot
from serving.desk import toml_differences
from serving.metrics import Metrics
from serving.scoring_run import explain_lead
from serving.serving_model import ServingModel
from serving.signatures import AgreementState
from serving.store.opening import open_address
from serving.wire_reading import read_lead
from serving.withheld import Withheld
from training.bundle import Bundle, load_bundle
from training.cli import check_workspace
from training.promotion import compare
from training.publish import publish
from training.recipe import Recipe
from training.registry import open_registry
from training.retrain import retrain
from training.train_page import train_page

AS_OF = "2025-11-20T00:00:00Z"
EXAMPLE = (Path(__file__).parents[2] / "docs" / "model.toml").read_text(encoding="utf-8")


def tables_with_channels() -> Any:
    """The made tables with the two further columns of events that the example names."""
    tables, random_ = made_tables(), random.Random(3)
    events: list[Row] = [
        {**row, "channel": random_.choice(["web", "mail"]), "value": str(random_.randint(1, 9))}
        for row in tables.events
    ]
    return tables.with_rows(events=events)


@dataclass(frozen=True)
class Company:
    """A workspace trained with all that the example sets, in this process: what `train` said, and the model as it is kept."""

    folder: Path
    said: str
    bundle: Bundle


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    folder = write(tmp_path_factory.mktemp("settings") / "company", tables_with_channels(), toml=QUICK + EXAMPLE)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        workspace = load_workspace(folder)
        registry = open_registry(workspace)
        trained = retrain(workspace, recipe=Recipe(rounds=(16, 32, 64)))
        version, first = publish(trained, registry)
        yield Company(folder, train_page(trained, version, first=first), load_bundle(registry.fetch(version)))


@pytest.fixture
def bundle(company: Company) -> Bundle:
    return company.bundle


def test_check_and_train_say_what_the_settings_come_to(company: Company) -> None:
    for said in (check_workspace(load_workspace(company.folder)), company.said):
        said = " ".join(said.split())
        assert "Definitions of your own: pages_lately, web_interest, picking_up, days_to_look," in said
        assert "Left out are features of trend, source." in said
        assert "The score never falls with more of pricing_page_viewed (" in said
        assert "call_booked 1 x 1.5: " in said


def test_the_model_keeps_and_follows_them(company: Company, bundle: Bundle) -> None:
    names = bundle.scorer.definitions.names
    assert ModelSettings.from_json(bundle.manifest["model_settings"]) == load_workspace(company.folder).model
    assert {"pages_lately", "picking_up", "last_channel_but_one", "pricing_page_viewed.sum.value.21d"} <= set(names)
    assert "source" not in names
    assert not any(".trend." in name for name in names)


def test_more_of_what_is_held_upwards_never_lowers_a_score(bundle: Bundle) -> None:
    values = np.tile(np.where(np.arange(len(bundle.scorer.definitions)) % 2, 1.0, 0.0), (40, 1))
    for name, sign in (
        ("pricing_page_viewed.count.ever", 1),
        ("pricing_page_viewed.since_last", -1),
        ("days_to_look", -1),
    ):
        sweep = values.copy()
        sweep[:, bundle.scorer.definitions.names.index(name)] = np.linspace(0, 30, 40)
        for scorer in (bundle.scorer, bundle.evaluated_scorer):
            assert (sign * np.diff(scorer.score(sweep)[1]) >= -1e-12).all()


def test_a_lead_told_online_gets_the_score_and_the_words_of_the_tables(
    company: Company, bundle: Bundle, tmp_path: Path
) -> None:
    snapshot = Snapshot(ServingModel("company", "1", bundle), bundle.scorer.definitions.schema, AgreementState())
    store = open_address("sqlite:///store.db", tmp_path)
    answers = Answers(
        snapshot=lambda: snapshot,
        leads=None,  # type: ignore[arg-type]
        facts=lambda ids, as_of: {},
        withheld=Withheld(store),
        metrics=Metrics(),
        clock=lambda: 0,
    )
    of_tables = json.loads(explain_lead(company.folder, "L0007", as_of=AS_OF, lang="en", as_json=True))
    reply = answers.score(read_lead(told(company.folder, "L0007")))
    assert reply["probability"] == of_tables["probability"]
    assert reply["reasons"] == of_tables["reasons"]

    words = {
        each.name: each.called.en or each.name.replace("_", " ") for each in bundle.scorer.definitions if each.called
    }
    said = {}
    for number in range(7, 27):
        reasons = answers.score(read_lead(told(company.folder, f"L{number:04d}")))["reasons"]
        said |= {each["feature"]: each["text"] for each in (*reasons["for"], *reasons["against"])}
    store.close()
    own = said.keys() & words.keys()
    assert own, "none of the definitions of one's own was ever a reason"
    assert all(said[name].startswith(f"{words[name]}: ") for name in own)


def told(folder: Path, lead_id: str) -> dict[str, Any]:
    """A lead of the tables as a caller would tell it."""
    leads, events = (
        list(csv.DictReader((folder / f"{name}.csv").read_text(encoding="utf-8").splitlines()))
        for name in ("leads", "events")
    )
    (lead,) = (row for row in leads if row["lead_id"] == lead_id)
    return {
        "lead_id": lead_id,
        "created_at": f"{lead['created_at'].replace(' ', 'T')}Z",
        "as_of": AS_OF,
        "attributes": {"company_size": lead["company_size"], "source": lead["source"]},
        "events": [
            {
                "event_type": row["event_type"],
                "occurred_at": f"{row['occurred_at'].replace(' ', 'T')}Z",
                "channel": row["channel"],
                "value": float(row["value"]),
            }
            for row in events
            if row["lead_id"] == lead_id
        ],
    }


def test_a_champion_that_is_fitted_again_to_be_compared_follows_its_own_settings(
    company: Company, bundle: Bundle
) -> None:
    """Fitted before the test block with the choices of the evaluated model it is that model, to the bit."""
    workspace = replace(load_workspace(company.folder), model=NOTHING_SAID)
    about = {**bundle.manifest, "choices": bundle.manifest["evaluated_choices"]}
    champion = replace(bundle, manifest={**about, "split": {**about["split"], "kind": "lead"}})
    compared = compare(workspace, bundle, champion)
    assert compared.champion_by == "its recipe fitted before these moments"
    assert compared.difference.point == 0.0


def test_a_toml_with_other_definitions_is_told_of_and_changes_no_score(company: Company, bundle: Bundle) -> None:
    model = ServingModel("company", "1", bundle)
    workspace = load_workspace(company.folder)
    assert toml_differences(workspace, model) == ()
    (notice,) = toml_differences(replace(workspace, model=NOTHING_SAID), model)
    assert "definitions" in notice.said("en")


def test_what_the_tables_do_not_have_is_told_with_its_line(company: Company, tmp_path: Path) -> None:
    copied = shutil.copytree(company.folder, tmp_path / "company", ignore=shutil.ignore_patterns(".propensity"))
    toml = (copied / "propensity.toml").read_text(encoding="utf-8").replace('viewed = "up"', 'vieved = "up"')
    (copied / "propensity.toml").write_text(toml, encoding="utf-8")
    line = 1 + toml.split("\n").index('pricing_page_vieved = "up"')
    for refuse in (check_workspace, retrain):
        with pytest.raises(UsageError) as error:
            refuse(load_workspace(copied))
        assert f'propensity.toml line {line}: monotone "pricing_page_vieved" means no feature' in str(error.value)
        assert 'did you mean "pricing_page_viewed"?' in str(error.value)
