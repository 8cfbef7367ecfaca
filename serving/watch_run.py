"""`propensity watch`: reads a workspace, holds its champion against what has happened since, and says what is wrong."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np

from features.errors import UsageError
from features.workspace import load_workspace
from serving.desk import Desk, open_desk, people_now
from serving.recalibrating import recalibrate
from serving.review_rows import ends_of_history, ends_of_store, served_cases
from serving.serving_model import ServingModel
from serving.store import Store, open_store
from serving.watch_advice import advice
from serving.watch_figures import Watch
from serving.watch_inputs import inflow
from serving.watch_metrics import keep_watch
from serving.watch_outcomes import came_true
from serving.watch_page import watch_json, watch_text
from serving.watch_people import answers_of, evidence_of
from serving.watch_signs import signs
from serving.watch_sources import new_types, sources
from serving.withheld import Withheld

ALARM = 6
"""Exit code of a watch that found something to act on."""


def watch_workspace(folder: Path, *, as_json: bool, recalibrates: bool = True) -> tuple[str, int]:
    """Watch a workspace's champion, and keep the figures for `/metrics`.

    Parameters
    ----------
    recalibrates : afterwards let its probabilities follow what has settled (`serving.recalibrating`). What is judged is
        what was told before.

    Returns
    -------
    What to tell, and the exit code: `ALARM`, or 0.

    Raises
    ------
    UsageError
        There is no champion yet.
    """
    desk = open_desk(load_workspace(folder))
    if not isinstance(desk.model, ServingModel):
        raise UsageError("no champion yet", expected="a model to watch", next_step=f"propensity train {folder}")
    store = open_store(desk.workspace)
    try:
        watch = make_watch(desk, desk.model, store)
        with store.writing() as c:
            keep_watch(c, watch, at=time.time_ns() // 1000)
    finally:
        store.close()
    code = ALARM if watch.alarms else 0
    done = recalibrate(desk.workspace, history=desk.history) if recalibrates else None
    if as_json:
        followed = None if done is None else {"serves": done.version.calibration, "made": done.made is not None}
        return json.dumps(watch_json(watch) | {"recalibrated": followed}, ensure_ascii=False, indent=1) + "\n", code
    more = [] if done is None else done.words()
    return watch_text(watch, zone=desk.history.schema.zone, more=more), code


def make_watch(desk: Desk, model: ServingModel, store: Store) -> Watch:
    """All figures of a watch."""
    history, agreement, zone = desk.history, desk.agreement.valid, desk.history.schema.zone
    now, trained_until = people_now(desk.workspace, history), int(model.bundle.manifest["data_end"])
    guard = Withheld(store)
    guard.look()
    withheld = np.array([guard.holds(str(each)) for each in history.lead_ids], dtype=np.bool_)
    with store.reading() as c:
        if desk.workspace.store is not None:
            ends, moment = ends_of_store(c, converted=model.converted, now=now), now
        else:
            ends, moment = ends_of_history(history), history.now
        served = served_cases(c, model.version)
        answers = answers_of(c, ends, moment=moment, now=now, horizon=model.horizon, agreement=agreement)
    came = came_true(history, model, desk.agreement.agreement, withheld, served, ends)
    today = inflow(history, model, withheld)
    flowing = sources(history, now=now, trained_until=trained_until)
    unknown = new_types(history, model.bundle.manifest, now=now)
    evidence = evidence_of(history, model, agreement, withheld)
    found = signs(came, today, flowing, unknown, evidence, answers, zone=zone)
    return Watch(
        at=now,
        model=model.name,
        version=model.version,
        trained_until=trained_until,
        learned_converted=model.converted_leads,
        came_true=came,
        inflow=today,
        sources=flowing,
        new_types=unknown,
        evidence=evidence,
        answers=answers,
        signs=found,
        advice=advice(
            found,
            came,
            today,
            learned=model.converted_leads,
            trained_until=trained_until,
            now=now,
            zone=zone,
            follows=model.calibration is not None,
        ),
    )
