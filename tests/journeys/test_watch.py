"""`propensity watch` on a company whose model goes on while leads come: quiet where all is well, loud where it isn't."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from features.workspace import load_workspace
from journeys.made_workspace import Row, Tables
from journeys.running import propensity
from oracles.later_leads import before, later_tables, let_come, more_convert, with_events
from serving.store import open_store
from serving.watch_metrics import Watched
from serving.watch_run import ALARM, watch_workspace
from serving.withheld import object_to


@pytest.fixture(scope="module")
def came() -> Tables:
    return later_tables()


@pytest.fixture
def watched(
    trained_once: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[[Tables], dict[str, Any]]:
    def watch(tables: Tables) -> dict[str, Any]:
        folder = let_come(Path(shutil.copytree(trained_once, tmp_path / "company")), tables)
        text, code = watch_workspace(folder, as_json=True)
        told: dict[str, Any] = json.loads(text)
        assert code == (ALARM if told["alarms"] else 0)
        return told | {"codes": {(each["code"], each["subject"]) for each in told["signs"] if each["alarm"]}}

    return watch


def test_an_alarm_ends_with_its_own_code_and_stands_on_metrics(trained: Path, came: Tables) -> None:
    let_come(trained, more_convert(came, every=1))
    loud = propensity("watch", trained, code=ALARM, script=True).out
    assert "ALARM  all leads: more leads converted than the model says" in loud
    store = open_store(load_workspace(trained))
    lines = Watched(store).lines().decode()
    store.close()
    assert 'propensity_watch_alarms{check="level"} 1.0' in lines
    assert 'propensity_watch_settled_leads{band="all"}' in lines
    assert not any(f'"{row["lead_id"]}"' in lines + loud for row in came.leads)


def test_a_sound_model_raises_no_alarm(trained: Path, came: Tables) -> None:
    said, code = watch_workspace(let_come(trained, came), as_json=False)
    assert code == 0
    assert "No alarm." in said
    assert "Retrain when convenient" in said


def test_honest_leads_are_judged_with_all_figures(watched: Callable[[Tables], dict[str, Any]], came: Tables) -> None:
    told = watched(came)
    assert told["codes"] == set()
    everybody = told["came_true"]["groups"][0]
    assert everybody["name"] == "all leads"
    assert everybody["leads"] == told["came_true"]["leads"] > 400
    assert everybody["expected"]["low"] <= everybody["converted"] <= everybody["expected"]["high"]
    assert {each["by"] for each in told["came_true"]["groups"]} == {"all", "band", "attribute", "stage", "age"}
    assert sum(each["leads"] for each in told["came_true"]["periods"]) >= everybody["leads"]
    assert told["inflow"]["known"]
    assert {each["name"] for each in told["sources"]} >= {"leads", "events", "outcomes", "page_viewed"}


def blank(row: Row, column: str) -> Row:
    return {**row, column: ""}


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (lambda came: more_convert(came, every=1), ("level", "all leads")),
        (
            lambda came: replace(came, leads=[blank(each, "company_size") for each in came.leads]),
            ("input", "company_size"),
        ),
        (
            lambda came: with_events(
                came, lambda row: {**row, "event_type": "pv"} if row["event_type"] == "page_viewed" else row
            ),
            ("new_event_type", "pv"),
        ),
        (
            lambda came: with_events(
                came,
                lambda row: None if row["event_type"] == "page_viewed" and row["occurred_at"] > before(25) else row,
            ),
            ("silent_source", "page_viewed"),
        ),
        (
            lambda came: with_events(came, lambda row: None if row["occurred_at"] > before(25) else row),
            ("stale_table", "events"),
        ),
        (
            lambda came: came.with_rows(outcomes=[each for each in came.outcomes if each["occurred_at"] < before(40)]),
            ("stale_table", "outcomes"),
        ),
    ],
    ids=["conversions", "an empty column", "a renamed type", "a silent type", "no events", "no outcomes"],
)
def test_a_planted_fault_raises_its_alarm(
    watched: Callable[[Tables], dict[str, Any]],
    came: Tables,
    fault: Callable[[Tables], Tables],
    expected: tuple[str, str],
) -> None:
    told = watched(fault(came))
    assert expected in told["codes"]
    of_data = expected[0] in ("stale_table", "silent_source", "new_event_type")
    assert of_data == told["advice"].startswith("Mend the data first")


def test_a_level_that_moved_is_followed_and_then_judged_as_it_was_told(trained: Path, came: Tables) -> None:
    let_come(trained, more_convert(came, every=1))
    first, second = (json.loads(watch_workspace(trained, as_json=True)[0]) for _ in range(2))
    number = first["recalibrated"][
        "serves"
    ]  # copies of one workspace share the artifacts of its run, and count together
    assert first["recalibrated"] == {"serves": number, "made": True}
    assert second["recalibrated"] == {"serves": number, "made": False}
    before, after = (each["came_true"]["groups"][0] for each in (first, second))
    assert (before["leads"], before["converted"]) == (after["leads"], after["converted"])
    assert (
        before["expected"]["point"] < after["expected"]["point"] < after["converted"]
    )  # the first were told too little


def test_who_objects_to_profiling_is_judged_no_more(trained: Path, came: Tables) -> None:
    let_come(trained, came)

    def judged() -> tuple[int, int]:
        told = json.loads(watch_workspace(trained, as_json=True, recalibrates=False)[0])["came_true"]
        return told["leads"], told["converted_leads"]

    leads, converted = judged()
    ended = [
        row["lead_id"] for row in came.outcomes if row["outcome"] == "converted" and row["occurred_at"] < before(40)
    ]
    store = open_store(load_workspace(trained))
    with store.writing() as c:
        for lead_id in ended[:20]:
            object_to(c, store, lead_id, now=1)
    store.close()
    left = judged()
    assert leads - 20 <= left[0] < leads
    assert converted - left[1] == leads - left[0]  # those who object had all converted


def test_nothing_is_judged_before_anything_settled(trained: Path) -> None:
    text, code = watch_workspace(trained, as_json=False)
    assert code == ALARM  # these tables end in 2025, and nobody said that they are complete until then
    assert "The table events has gone quiet" in text
    assert "Nothing has settled since the training" in text


def test_without_a_champion_there_is_nothing_to_watch(untrained: Path) -> None:
    assert "propensity train" in propensity("watch", untrained, code=2).err
