"""The whole guard: what a first training on tables full of leaks, and on honest ones, ends with."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from features.errors import TooLittleData
from features.workspace import Workspace, load_workspace
from journeys.made_workspace import QUICK, made_tables, write
from oracles.guard_sight import Seen
from oracles.leaky_company import HONEST, LEAKING_EVENT, LEAKS, TRUSTED, WARNED, leaky_workspace
from training.check_page import check_page
from training.leakage import Finding
from training.leakage.guard import Guarded, guard, look
from training.leakage.lines import guard_lines
from training.leakage.sight import Sight
from training.recipe import Recipe
from training.retrain import Retrained, retrain

FAST = Recipe(rounds=(64,), cs=(0.01,), weights=(0.75,))
Found = dict[str, dict[str, Finding]]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Retrained:
    """On a few of the columns: reading all of them takes seconds."""
    columns = ("was_bought", "call_duration", "x7", "owner", "company_size", "source")
    folder = leaky_workspace(tmp_path_factory.mktemp("few") / "company", columns=columns)
    return retrain(load_workspace(folder), recipe=FAST)


def test_every_leak_is_found_by_its_check_and_left_out(found: Found) -> None:
    assert {name for name, codes in found.items() if any(each.left_out for each in codes.values())} == {
        *LEAKS, LEAKING_EVENT,
    }  # fmt: skip
    assert {name: code for name, code in LEAKS.items() if code not in found[name]} == {}


def test_what_may_be_honest_is_warned_of_and_stays(found: Found) -> None:
    assert {name: [*found[name]] for name in WARNED} == {name: [code] for name, code in WARNED.items()}
    assert not any(found[name][code].left_out for name, code in WARNED.items())


def test_what_is_honest_is_not_named_but_for_its_drift(found: Found) -> None:
    assert {name: [*found[name]] for name in HONEST if name in found} == {"phone_kind": ["drift"]}


def test_a_first_training_ends_with_an_honest_model(trained: Retrained) -> None:
    """As good as without the leaking columns, and far from perfect."""
    names = set(trained.train_set.definitions.names)
    assert {each.subject for each in trained.findings if each.left_out} == {
        "was_bought", "call_duration", "x7", "onboarding", LEAKING_EVENT,
    }  # fmt: skip
    assert not names & {*LEAKS} - {"plan"}, "without the leads table's cell plan has times of its own"
    assert not [each for each in names if LEAKING_EVENT in each]
    assert {"company_size", "source", "owner", "page_viewed.count.ever"} <= names
    auc = trained.bundle.evaluation.models["model"].metrics["roc_auc"].point
    assert auc is not None
    assert 0.6 < auc < 0.9
    assert trained.bundle.manifest["guard"] == [each.to_json() for each in trained.findings]


def test_findings_are_plain_json_and_hold_no_cell_of_a_lead(trained: Retrained) -> None:
    text = json.dumps(trained.bundle.manifest["guard"], allow_nan=False)
    assert [Finding.from_json(each) for each in json.loads(text)] == list(trained.findings)
    assert not any(cell in text for cell in ("L0001", "timing", "married", "business"))


def test_check_names_what_training_leaves_out(company: Seen, guarded: Guarded) -> None:
    said = " ".join(check_page(company.workspace, company.read.history, company.read.report).split())
    for line in guard_lines(guarded.findings):
        assert " ".join(line.split()) in said


def test_each_is_said_once_with_its_evidence_and_how_it_is_settled(guarded: Guarded) -> None:
    lines = list(guard_lines(guarded.findings))
    assert lines[0].startswith("Left out of the features")
    for name in LEAKS:
        assert len([line for line in lines if line.startswith(f"  {name} (")]) == 1
    assert [line for line in lines if line.endswith('trust = { amount_signed = "why it is known before the moment" }')]
    (owner,) = [line for line in lines if line.startswith("Warning: owner: ")]
    assert owner.endswith('If it is not: [attributes] ignore = ["owner"]')


def test_trust_brings_a_column_and_an_event_type_back_and_keeps_the_reason(company: Seen) -> None:
    trust = {"call_duration": "length of our own first call", LEAKING_EVENT: "archived when the lead comes"}
    guarded = look(replace(company.workspace, trust=trust), company.sight)
    names = {company.sight.fit.definitions.names[place] for place in guarded.kept}
    assert {"call_duration", f"{LEAKING_EVENT}.count.ever", "any.count.ever"} <= names
    for name, reason in trust.items():
        (finding,) = [each for each in guarded.findings if each.subject == name]
        assert (finding.trusted, finding.left_out) == (reason, False)
        assert [line for line in guard_lines(guarded.findings) if line.endswith(f"because: {reason}")]


def test_ignore_leaves_an_event_type_and_a_column_out(honest: tuple[Sight, Workspace]) -> None:
    sight, workspace = honest
    guarded = look(replace(workspace, ignore=("page_viewed",)), sight)
    assert guarded.findings == ()
    gone = set(sight.fit.definitions.names) - {sight.fit.definitions.names[place] for place in guarded.kept}
    assert gone
    assert all(each.startswith("page_viewed.") for each in gone)


def test_an_honest_company_loses_nothing_and_hears_nothing(honest: tuple[Sight, Workspace]) -> None:
    guarded = look(honest[1], honest[0])
    assert guarded.findings == ()
    assert len(guarded.kept) == len(honest[0].fit.definitions)
    assert guarded.reduce(honest[0].fit) is honest[0].fit


def test_no_label_of_the_test_block_is_looked_at(company: Seen, guarded: Guarded) -> None:
    """With every later outcome turned into its opposite, the same is found."""
    whole, parts = company.whole, company.parts
    assert parts.kind == "time"
    label = whole.label.copy()
    label[parts.test] = 1 - label[parts.test]
    outcomes = company.read.history.outcomes
    later = outcomes.at >= (parts.test_begin or 0)
    assert later.any()
    turned = replace(outcomes, converted=np.where(later, ~outcomes.converted, outcomes.converted))
    history = replace(company.read.history, outcomes=turned)
    assert guard(company.workspace, history, replace(whole, label=label), parts).findings == guarded.findings


def test_where_everything_leaks_training_says_so(tmp_path: Path) -> None:
    tables = made_tables(300)
    fates = {row["lead_id"]: row["outcome"] for row in tables.outcomes}
    for row in tables.leads:
        del row["source"]
        row["company_size"] = "customer" if fates.get(row["lead_id"]) == "converted" else "other"
    folder = write(
        tmp_path / "company", tables, toml=QUICK.replace('after_creation = ["1d", "7d"]', 'after_creation = ["1d"]')
    )
    toml = (folder / "propensity.toml").read_text(encoding="utf-8")
    (folder / "propensity.toml").write_text(toml.replace('events = "events.csv"\n', ""), encoding="utf-8")
    with pytest.raises(TooLittleData, match="what knows the outcome: company_size"):
        retrain(load_workspace(folder), recipe=FAST)


def test_the_toml_may_trust_an_event_type(company: Seen, found: Found) -> None:
    assert found["thank_you_sent"]["event_at_outcome"].trusted == TRUSTED["thank_you_sent"]
    assert not [each for each in company.read.report.warnings if "thank_you_sent" in each]
