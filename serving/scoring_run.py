"""Scoring from the command line: all open leads, given moments, or one lead."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from features.errors import UsageError
from features.history import History
from features.instants import instant_text, read_instant
from features.moments import Moments
from features.tables.moments_file import read_moments
from features.wording import Lang
from features.workspace import Workspace, load_workspace
from serving.desk import open_desk
from serving.explain_page import explain_page
from serving.score_table import write_scores
from serving.serving_model import ServingModel
from training.terminal import Steps, printed

SCORES_FILE = "scores.parquet"


def score_workspace(folder: Path, *, moments_file: Path | None, as_of: str | None, out: Path | None, lang: Lang) -> str:
    """Write scores to a Parquet file, in the order of the moments or of the queue; returns what to tell."""
    workspace = load_workspace(folder)
    if moments_file is not None and as_of is not None:
        raise UsageError("both --moments and --as-of", expected="one of the two", next_step="leave one of them out")
    path = out or workspace.folder / SCORES_FILE
    told: list[str] = []
    with Steps() as progress:
        progress("reading the tables")
        desk = open_desk(workspace)
        if moments_file is not None:
            given = read_moments(moments_file, desk.history, workspace)
            moments = given.moments
            told += [
                f"{count:,} {'row' if count == 1 else 'rows'} of {moments_file.name} set aside in rejected/moments.parquet: {why}"
                for why, count in given.rejected.items()
            ]
        else:
            moments = open_moments(desk.history, _instant(as_of, workspace, desk.history))
        progress("scoring", 0.0)
        scores = desk.scores(moments, lang=lang)
        count = write_scores(scores, path, progress=lambda done: progress("scoring", done / max(len(moments), 1)))
    by = f"{desk.model.name} version {desk.model.version}" if isinstance(desk.model, ServingModel) else "points"
    return printed(*told, f"{count:,} scores by {by} in {path}")


def explain_lead(folder: Path, lead_id: str, *, as_of: str | None, lang: Lang, as_json: bool) -> str:
    """One lead's score, as a page for the terminal or as the service's JSON."""
    desk = open_desk(load_workspace(folder))
    at = _instant(as_of, desk.workspace, desk.history)
    score = next(desk.scores(moment_of(desk.history, lead_id, at, desk.workspace.zone), lang=lang))
    if as_json:
        return json.dumps(score.to_json(), ensure_ascii=False, indent=1) + "\n"
    return printed(explain_page(score, desk.history.schema, lang=lang, agreement=desk.agreement.valid))


def open_moments(history: History, at: int) -> Moments:
    """All open leads at one instant."""
    leads = history.open_leads(at)
    return Moments(leads, np.full(len(leads), at, dtype=np.int64))


def moment_of(history: History, lead_id: str, at: int, zone: str) -> Moments:
    """One lead at one instant; UsageError where it is unknown or was created later."""
    lead = history.positions(np.array([lead_id], dtype=object))
    if lead[0] < 0:
        raise UsageError(
            "no such lead", expected="a lead_id of the leads table, as it stands there", next_step="check its spelling"
        )
    if history.created_at[lead[0]] >= at:
        raise UsageError(
            f"the lead was created at {instant_text(int(history.created_at[lead[0]]), zone)}",
            expected=f"a time after that, found {instant_text(at, zone)}",
            next_step="give a later --as-of",
        )
    return Moments(lead, np.array([at], dtype=np.int64))


def _instant(told: str | None, workspace: Workspace, history: History) -> int:
    if told is None:
        return history.now
    try:
        return read_instant(told, workspace.zone)
    except ValueError:
        raise UsageError(
            f"--as-of {told!r}", expected="a time such as 2026-11-20T12:00:00Z", next_step="write it so"
        ) from None
