"""What is pinned when a training is made again, and what is said where something is otherwise than then."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from features.errors import DataError, UsageError
from features.workspace import Workspace, load_workspace
from oracles.made_scorers import made_bundle
from training.bundle import Bundle
from training.made_again import Then, refuse_other_tables
from training.provenance import settings_text, surroundings
from training.recipe import Recipe
from training.registry import Version

DAY = 86_400_000_000
TOML = """\
[workspace]
name = "b2b"
timezone = "Asia/Tokyo"

[tables]
leads = "leads.csv"
outcomes = "outcomes.csv"

[target]
converted = "won"
horizon = "30d"
data_end = 2026-03-14T00:00:00Z

[moments]
after_creation = ["1d", "7d"]

[attributes]
ignore = ["note"]
trust = { duration = "known before" }

[page]
name = "contact"
"""
TODAY = TOML.replace('"30d"', '"60d"').replace('name = "b2b"', 'name = "b2b again"').replace("leads.csv", "new.csv")


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return made_bundle(leads=200)[0]


def workspace(folder: Path, toml: str = TOML) -> Workspace:
    folder.mkdir(exist_ok=True)
    (folder / "propensity.toml").write_text(toml, encoding="utf-8")
    return load_workspace(folder)


def then(bundle: Bundle, told: Workspace, files: dict[str, str] | None = None, **about: Any) -> Then:
    manifest = {
        "converted": "won",
        "horizon": 30 * DAY,
        "data_end": 900 * DAY,
        "schedule": {"after_creation": [DAY, 7 * DAY], "every": None, "until": None},
        "recipe": Recipe(num_leaves=9).to_json(),
        "settings": settings_text(told.told),
        "catalogue": "c",
        "trained_at": 7,
        "read_at": 5,
        "tables": {"tables": {"leads": {"digests": {"leads.csv": "a" * 64}}}},
        **surroundings(),
        **about,
    }
    kept = {"serving/trees.txt": "1", "evaluation.json": "2", **(files or {})}
    return Then(Version("b2b", "3", "d", "r"), replace(bundle, manifest=manifest), kept)


def test_settings_of_then_over_the_tables_and_pages_of_today(bundle: Bundle, tmp_path: Path) -> None:
    first, today = workspace(tmp_path / "a"), workspace(tmp_path / "b", TODAY)
    pinned = then(bundle, first).workspace(today)
    assert (pinned.folder, pinned.name) == (today.folder, "b2b again")
    assert pinned.tables["leads"] == "new.csv"
    assert pinned.page == {"name": "contact"}
    expected = replace(first, folder=today.folder, name=today.name, tables=today.tables)
    assert pinned == expected
    assert settings_text(pinned.told) == settings_text(first.told), "kept again, it is the same"
    assert then(bundle, first).recipe.num_leaves == 9


def test_a_model_of_before_settings_were_kept_gives_target_and_moments(bundle: Bundle, tmp_path: Path) -> None:
    today = workspace(tmp_path / "b", TODAY.replace('"1d", "7d"', '"2d"'))
    old = then(bundle, today, settings="")
    pinned = old.workspace(today)
    assert (pinned.horizon, pinned.converted) == (30 * DAY, "won")
    assert pinned.schedule is not None
    assert pinned.schedule.after_creation == (DAY, 7 * DAY)
    assert pinned.ignore == ("note",)
    assert "only target and moments were kept" in old.other_surroundings(today)[0]
    without = {key: value for key, value in old.about.items() if key != "read_at"}
    assert replace(old, bundle=replace(bundle, manifest=without)).read_at == 7


def test_settings_that_no_longer_read_are_named_as_those_of_the_version(bundle: Bundle, tmp_path: Path) -> None:
    today = workspace(tmp_path / "a")
    with pytest.raises(UsageError, match="settings of version 3"):
        then(bundle, today, settings='[target]\nconverted = "won"\nhorizon = "soon"\n').workspace(today)


def test_every_table_that_is_not_what_it_was_is_named(bundle: Bundle, tmp_path: Path) -> None:
    today = workspace(tmp_path / "a")
    for name in ("leads.csv", "outcomes.csv"):
        (today.folder / name).write_text("lead_id\n", encoding="utf-8")
    differing = then(bundle, today).other_tables(today)
    assert set(differing) == {"leads.csv", "outcomes.csv"}
    with pytest.raises(DataError) as refused:
        refuse_other_tables(then(bundle, today), differing)
    leads, outcomes = refused.value.problems
    assert leads.expected == "aaaaaaaaaaaa, as version 3 was trained on"
    assert outcomes.expected == "no such file"
    digests = {name: now for name, (_, now) in differing.items()}
    same = then(bundle, today, tables={"tables": {"leads": {"digests": digests}}})
    assert same.other_tables(today) == {}
    refuse_other_tables(same, {})
    assert then(bundle, today).other_tables(replace(today, store="sqlite:///a.db")) == {}


def test_other_code_packages_and_machine_are_said(bundle: Bundle, tmp_path: Path) -> None:
    today, now = workspace(tmp_path / "a"), surroundings()
    assert [each for each in then(bundle, today).other_surroundings(today) if "no commit holds" not in each] == []
    other = then(
        bundle,
        today,
        commit="0" * 40,
        lock="1" * 64,
        uncommitted_changes=True,
        machine="Darwin arm64",
        versions={**now["versions"], "lightgbm": "4.6.0"},
    )
    said = " ".join(other.other_surroundings(replace(today, told={"target": {}})))
    assert "propensity.toml says otherwise today" in said
    assert "then of 000000000000." in said
    assert "The code has changes then that no commit holds." in said
    assert "then 111111111111." in said
    assert f"lightgbm is {now['versions']['lightgbm']}, then 4.6.0." in said
    assert "then a Darwin arm64." in said


def test_the_verdict_is_about_the_model_and_names_what_differs(bundle: Bundle, tmp_path: Path) -> None:
    today = workspace(tmp_path / "a")
    first = then(bundle, today)
    same = first.verdict(first.bundle, {"serving/trees.txt": "1", "evaluation.json": "other models beside it"})
    assert same.startswith("It is the model of version 3, bit for bit: the 1 files")
    made = then(
        bundle, today, data_end=901 * DAY, catalogue="d", tables={"tables": {"leads": {"digests": {"leads.csv": "b" * 64}}}}
    ).bundle  # fmt: skip
    differs = first.verdict(made, {"serving/trees.txt": "9", "evaluation.json": "2"})
    assert differs.startswith("It is not the model of version 3: 1 files differ (serving/trees.txt).")
    assert "leads.csv (SHA-256 bbbbbbbbbbbb, then aaaaaaaaaaaa)" in differs
    assert "data_end (1d later)" in differs
    assert "the features that tables and settings give rise to" in differs
