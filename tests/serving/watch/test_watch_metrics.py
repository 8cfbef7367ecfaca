"""The newest watch on `/metrics`: the same from every worker, few labels, no lead; and what a version of the model served."""

from __future__ import annotations

import re
from typing import get_args

from serving.review_figures import Kind
from serving.review_rows import served_cases
from serving.store import Store
from serving.store.tables import band_changes, handoffs
from serving.watch_figures import Answers, CameTrue, Code, Evidence, Group, Inflow, Sign, Source, Watch
from serving.watch_metrics import Watched, keep_watch
from training.bootstrap import Estimate
from training.intervals import Interval


def watch(*signs: Sign) -> Watch:
    group = Group("band", "", "SQL", 40, 9, Interval(12.5, 7, 19), Interval(0.2, 0.1, 0.4), None, None)
    segment = Group("attribute", "country", "jp", 40, 9, Interval(12.5, 7, 19), Interval(0.2, 0.1, 0.4), None, None)
    came = CameTrue(0, 90, 40, 9, 0, None, (group, segment), (), Estimate(0.8, 0.7, 0.9), Estimate(0.8, 0.7, 0.9))
    return Watch(
        at=0,
        model="b2b",
        version="3",
        trained_until=0,
        learned_converted=77,
        came_true=came,
        inflow=Inflow(0, 0, None, False, None, ()),
        sources=(
            Source("table", "events", 5_000_000, 0, 0, 0, 0, False),
            Source("event_type", "x", 0, 0, 0, 0, 0, True),
        ),
        new_types=(),
        evidence=Evidence(100, None, 20, 5),
        answers=(Answers("sql", 30, 5, 15),),
        signs=signs,
        advice="",
    )


def test_the_newest_watch_is_told_by_every_worker(store: Store) -> None:
    one, other = Watched(store), Watched(store)
    assert one.lines() == b""
    with store.writing() as c:
        keep_watch(c, watch(), at=1_000_000)
        keep_watch(c, watch(Sign("band", True, "SQL", ""), Sign("input", False, "page", "")), at=2_000_000)
    assert one.lines() == b""  # read again after some seconds only
    lines = other.lines().decode()
    assert "propensity_watch_run_timestamp_seconds 2.0" in lines
    assert 'propensity_watch_alarms{check="band"} 1.0' in lines
    assert 'propensity_watch_alarms{check="input"} 0.0' in lines
    assert 'propensity_watch_expected_conversions{band="SQL"} 12.5' in lines
    assert 'propensity_watch_conversions{band="SQL"} 9.0' in lines
    assert 'propensity_watch_newest_row_timestamp_seconds{table="events"} 5.0' in lines
    assert 'propensity_watch_rejected_ratio{kind="sql"} 0.75' in lines
    assert "propensity_watch_score_distance" not in lines  # not known
    assert set(re.findall(r'check="(\w+)"', lines)) == set(get_args(Code))
    assert set(re.findall(r'(\w+)="', lines)) == {"check", "band", "table", "kind"}


def test_what_another_version_served_is_not_judged(store: Store) -> None:
    changed = {"from_band": None, "decided_by": "model", "agreement_version": 1}
    handed = {
        "created_at": 1, "decided_by": "model", "rule": None, "deadline": None, "active_again": False, "payload": {},
        "agreement_version": 1,
    }  # fmt: skip
    with store.writing() as c:
        for version in ("2", "3"):
            row = {**changed, "lead_id": f"m{version}", "at": 5, "to_band": "MQL", "probability": 0.2}
            c.execute(band_changes.insert().values(**row, model_version=version))
            for held in (True, False):
                row = {**handed, "lead_id": f"s{version}", "as_of": 6, "probability": 0.4, "held_back": held}
                c.execute(handoffs.insert().values(**row, handoff_id=f"{version}{held}", model_version=version))
    with store.reading() as c:
        cases = served_cases(c, "3")
    assert {(each.lead_id, each.kind, each.probability) for each in cases} == {
        ("m3", Kind.MQL, 0.2),
        ("s3", Kind.SQL, 0.4),
    }
