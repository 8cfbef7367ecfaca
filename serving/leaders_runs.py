"""The leaders' reports from the command line: the profile of a sales-ready lead, and the review."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from features.durations import EXPECTED, read_duration
from features.errors import UsageError
from features.wording import Lang
from features.workspace import load_workspace
from serving.desk import open_desk, people_now
from serving.known_facts import facts_of
from serving.people_words import names
from serving.profile import Ready, make_profile
from serving.profile_page import profile_text
from serving.review_figures import Clock
from serving.review_page import review_page
from serving.review_rows import ends_of_history, ends_of_store, read_review
from serving.review_terminal import review_json, review_text
from serving.serving_model import ServingModel
from serving.store import open_store
from serving.withheld import Withheld
from training.terminal import printed


def profile_workspace(folder: Path, *, lang: Lang, sql: str | None = None) -> str:
    """What sales-ready leads have in common, for the terminal."""
    workspace = load_workspace(folder)
    asked = None if sql is None else _cutoff(sql)
    desk = open_desk(workspace)
    if not isinstance(desk.model, ServingModel):
        raise UsageError(
            "no champion yet",
            expected="a trained model, which says which leads are sales-ready",
            next_step=f"propensity train {folder}",
        )
    store = open_store(workspace)
    try:
        withheld = Withheld(store)
        withheld.look()
        with store.reading() as c:
            facts = facts_of(c, None, as_of=people_now(workspace, desk.history))
        ready = Ready.by(desk.model, desk.agreement, asked)
        profile = make_profile(desk.history, desk.model, ready, facts, withheld=withheld.holds)
    finally:
        store.close()
    return printed(*profile_text(profile, desk.model, desk.history.schema, lang))


def review_workspace(folder: Path, *, since: str, lang: Lang, as_json: bool) -> str:
    """What came of the leads of a period, for the terminal or as JSON."""
    try:
        length = read_duration(since)
    except ValueError:
        raise UsageError(f"--since {since!r}", expected=EXPECTED, next_step="write it so") from None
    workspace = load_workspace(folder)
    desk, store = open_desk(workspace), open_store(workspace)
    now = people_now(workspace, desk.history)
    try:
        with store.reading() as c:
            if workspace.store is not None:
                ends, moment = ends_of_store(c, converted=desk.meaning["converted"], now=now), now
            else:
                ends, moment = ends_of_history(desk.history), desk.history.now
            review = read_review(
                c, ends, Clock(length, moment, now), horizon=desk.meaning["horizon"], agreement=desk.agreement.valid
            )
    finally:
        store.close()
    if as_json:
        return json.dumps(review_json(review), ensure_ascii=False, indent=1) + "\n"

    def title_of(lead_id: str) -> str:
        position = int(desk.history.positions(np.array([lead_id], dtype=object))[0])
        return lead_id if position < 0 else names(desk.history, position)[0]

    page = review_page(review, lang, zone=desk.history.schema.zone, since=since, delay=ends.delay, title_of=title_of)
    return printed(*review_text(page, lang))


def _cutoff(text: str) -> float:
    """A probability, as 0.3 or as 30%."""
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = -1.0
    if not 0 < value < 1:
        raise UsageError(f"--sql {text!r}", expected="a probability, such as 0.3 or 30%", next_step="write it so")
    return value
