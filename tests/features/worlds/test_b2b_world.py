"""The simulated world: its tables keep the contract, and its truth is true."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.workspace import load_workspace
from features.worlds import b2b, make_world
from features.worlds.b2b_chain import DAY
from features.worlds.b2b_leads import UNKNOWN, draw_leads, start_given
from features.worlds.b2b_seller import COMPANY_SIZE, COUNTRY, DATA_END, HORIZON_DAYS, INDUSTRY, JOB_LEVEL, KINDS, SOURCE

LEADS = 3000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("b2b") / "world"
    make_world("b2b", folder, size=LEADS, seed=3)
    return folder


@pytest.fixture(scope="module")
def toml(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "propensity.toml").read_text(encoding="utf-8"))


def table(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_parquet(folder / f"{name}.parquet")


def settled(folder: Path, toml: dict[str, Any]) -> pd.DataFrame:
    """The truth's settled moments with `age` in days and label `y`."""
    outcomes = table(folder, "outcomes").rename(columns={"occurred_at": "ended_at"})
    moments = table(folder, "truth/truth").merge(outcomes, on="lead_id", how="left")
    moments = moments.merge(table(folder, "leads")[["lead_id", "created_at"]], on="lead_id")
    horizon = pd.Timedelta(days=int(toml["target"]["horizon"].removesuffix("d")))
    moments = moments[moments["as_of"] + horizon <= toml["target"]["data_end"]]
    won = (moments["outcome"] == toml["target"]["converted"]) & (moments["ended_at"] < moments["as_of"] + horizon)
    return moments.assign(y=won.astype(int), age=(moments["as_of"] - moments["created_at"]).dt.days)


def test_mean_probability_is_the_mean_outcome_at_every_age_of_a_lead(folder: Path, toml: dict[str, Any]) -> None:
    moments = settled(folder, toml)
    assert sorted(moments["age"].unique()) == [1, 7, 30]
    for age, at_age in moments.groupby("age"):
        # One moment a lead: independent, so the number that converts has this variance.
        deviation = np.sqrt((at_age["probability"] * (1 - at_age["probability"])).sum())
        assert abs(at_age["y"].sum() - at_age["probability"].sum()) < 3.5 * deviation, age


def test_probabilities_are_true_in_every_fifth_of_them(folder: Path, toml: dict[str, Any]) -> None:
    moments = settled(folder, toml)
    week_old = moments[moments["age"] == 7]
    fifths = week_old.groupby(pd.qcut(week_old["probability"], 5), observed=True)
    for fifth, among in fifths:
        deviation = np.sqrt((among["probability"] * (1 - among["probability"])).sum())
        assert abs(among["y"].sum() - among["probability"].sum()) < 3.5 * deviation + 0.5, fifth


def test_truth_tells_leads_apart(folder: Path, toml: dict[str, Any]) -> None:
    moments = settled(folder, toml)
    y, p = moments["y"], moments["probability"]
    assert 0.04 < y.mean() < 0.11
    loss = -(y * np.log(p) + (1 - y) * np.log1p(-p)).mean()
    base = -(y.mean() * np.log(y.mean()) + (1 - y.mean()) * np.log1p(-y.mean()))
    assert loss < 0.85 * base


def test_truth_stands_at_the_schedule_of_open_leads(folder: Path, toml: dict[str, Any]) -> None:
    leads, truth = table(folder, "leads"), table(folder, "truth/truth")
    ended = leads[["lead_id"]].merge(table(folder, "outcomes"), on="lead_id", how="left")["occurred_at"]
    expected = []
    for each in toml["moments"]["after_creation"]:
        as_of = leads["created_at"] + pd.Timedelta(days=int(each.removesuffix("d")))
        open_then = ~(ended <= as_of) & (as_of <= toml["target"]["data_end"])
        expected += list(zip(leads["lead_id"][open_then], as_of[open_then], strict=True))
    assert set(zip(truth["lead_id"], truth["as_of"], strict=True)) == set(expected)
    assert len(truth) == len(expected)

    now = table(folder, "truth/now")
    assert set(now["lead_id"]) == set(leads["lead_id"][ended.isna()])
    assert (now["as_of"] == pd.Timestamp(toml["target"]["data_end"])).all()


def test_tables_keep_the_contract(folder: Path, toml: dict[str, Any]) -> None:
    leads, events, outcomes, attributes = (
        table(folder, name) for name in ("leads", "events", "outcomes", "attributes")
    )
    assert len(leads) == LEADS
    assert leads["lead_id"].is_unique
    data_end = pd.Timestamp(toml["target"]["data_end"])
    for times in (leads["created_at"], events["recorded_at"], outcomes["occurred_at"], attributes["recorded_at"]):
        assert times.notna().all()
        assert (times < data_end).all()
    assert (events["recorded_at"] >= events["occurred_at"]).all()
    assert set(events["lead_id"]) <= set(leads["lead_id"])
    assert outcomes["lead_id"].is_unique
    assert set(outcomes["outcome"]) == {"won", "lost"}
    by_lead = events.merge(leads[["lead_id", "created_at"]], on="lead_id").merge(
        outcomes.rename(columns={"occurred_at": "ended_at"}), on="lead_id", how="left"
    )
    assert not (by_lead["occurred_at"] >= by_lead["ended_at"]).any()
    assert not (by_lead["ended_at"] <= by_lead["created_at"]).any()
    assert (by_lead["occurred_at"] < by_lead["created_at"]).any(), "visits before sign-up"
    late = (events["recorded_at"] > events["occurred_at"]).groupby(events["channel"]).mean()
    assert (late[["mail", "social", "call", "webinar"]] > 0.3).all()
    assert late["web"] == 0
    assert {"student", "job_seeker"} <= set(leads["job_level"].dropna())
    assert set(leads["language"]) == {"en", "ja"}


def test_toml_reads_as_a_workspace(folder: Path) -> None:
    workspace = load_workspace(folder)
    assert (workspace.name, workspace.converted) == ("b2b", "won")
    assert workspace.data_end == DATA_END
    assert workspace.horizon == HORIZON_DAYS * DAY


def test_toml_has_words_for_every_event_type_and_attribute(folder: Path, toml: dict[str, Any]) -> None:
    assert set(toml["events"]) == {kind.name for kind in KINDS} == set(table(folder, "events")["event_type"])
    for name, words in toml["events"].items():
        assert all(words[key] for key in ("en", "ja")), name
        assert words.get("stage") in (None, "awareness", "interest", "decision", "action"), name
    ignored = set(toml["attributes"].pop("ignore"))
    assert set(toml["page"].values()) == ignored
    shown = set(table(folder, "leads").columns) - {"lead_id", "created_at"} - ignored
    assert shown == set(toml["attributes"])
    for name, words in toml["attributes"].items():
        assert all(words[key] for key in ("en", "ja", "group")), name
        assert set(words.get("points", {})) <= set(table(folder, "leads")[name].dropna()), name


def test_unknown_company_averages_over_what_it_may_be() -> None:
    grid = [(a, b) for a in range(len(COMPANY_SIZE.choices)) for b in range(len(INDUSTRY.choices))]
    size, industry = (np.array(column) for column in zip(*grid, strict=True))
    level, source, country = (np.full(len(grid), k) for k in (1, 3, 0))
    known = start_given(size, industry, level, source, country)
    weight = COMPANY_SIZE.shares[size] * INDUSTRY.shares[industry]
    one = np.array([UNKNOWN])
    unknown = start_given(one, one, level[:1], source[:1], country[:1])
    assert unknown[0] == pytest.approx(weight @ known, abs=1e-14)
    assert known.sum(axis=1) == pytest.approx(1, abs=1e-14)
    assert all(attribute.shares.sum() == pytest.approx(1) for attribute in (JOB_LEVEL, SOURCE, COUNTRY))


def test_company_counts_only_once_our_systems_have_learned_of_it() -> None:
    leads = draw_leads(500, np.random.default_rng(4))
    later = np.flatnonzero(~leads.at_sign_up & (leads.known_recorded_at > leads.known_from))
    learned = leads.known_recorded_at[later]
    one = np.full(len(later), UNKNOWN)
    unknown = start_given(one, one, leads.level[later], leads.source[later], leads.country[later])
    assert len(later) > 50
    assert np.array_equal(leads.start(later, learned), unknown)
    assert (leads.start(later, learned + 1) != unknown).any(axis=1).all()
    signed_up = np.flatnonzero(leads.at_sign_up)
    known = start_given(
        *(getattr(leads, name)[signed_up] for name in ("size", "industry", "level", "source", "country"))
    )
    assert np.array_equal(leads.start(signed_up, leads.created_at[signed_up] + 1), known)


def test_the_same_seed_makes_the_same_world_and_another_seed_another(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        make_world("b2b", tmp_path / name, size=60, seed=seed)
    for file in b2b.FILES:
        first, again, other = (pd.read_parquet(tmp_path / name / file) for name in "abc")
        pd.testing.assert_frame_equal(first, again, check_exact=True)
        assert not first.equals(other), file


def test_a_world_of_one_lead_can_be_made(tmp_path: Path) -> None:
    make_world("b2b", tmp_path, size=1)
    assert len(pd.read_parquet(tmp_path / "leads.parquet")) == 1
