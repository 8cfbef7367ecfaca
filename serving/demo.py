"""The whole way on example leads: make a world, check, train, promote, agree, score, and serve."""

from __future__ import annotations

import heapq
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from features.instants import instant_text
from features.moments import Moments
from features.workspace import load_workspace
from features.worlds import make_world
from serving.agreeing import expected_volumes
from serving.agreement import AGREEMENT_FILE
from serving.agreement_file import load_agreement
from serving.call_list import leads_to_call
from serving.champion import Snapshot
from serving.decision import DecidedBy
from serving.demo_past import DemoPast
from serving.desk import Desk, open_desk
from serving.lead_score import LeadScore, call_order
from serving.people_words import between
from serving.promoting import promote_challenger
from serving.score_table import write_scores
from serving.scoring_run import SCORES_FILE, open_moments
from serving.serving_model import ServingModel
from serving.signatures import TEAMS, sign
from serving.store import open_store
from training.cli import check_workspace, train_workspace
from training.registry import open_registry
from training.terminal import Steps, printed

SIGNED_BY = "example signature made by the demo"
TO_CALL = 10
FAST_LANES = ("contact_sales", "discovery_call_booked", "trial_started")
"""Events of the example worlds that make a lead SQL at once."""


def run_demo(world: str, folder: Path, *, size: int | None, serve: bool, port: int) -> None:
    """Run the demo in `folder`; a second run takes up the world and the model that are there."""
    with Steps() as progress:
        make_world(world, folder, size=size, progress=lambda what: progress(what))
    _head("1. The tables")
    workspace = load_workspace(folder)
    click.echo(check_workspace(workspace), nl=False)

    _head("2. A model")
    registry = open_registry(workspace)
    if registry.champion() is None:
        train_workspace(workspace)
    else:
        click.echo(f"A model was trained here before; `propensity train {folder}` trains anew.")
    click.echo(promote_challenger(folder), nl=False)

    _head("3. An agreement")
    _agree(open_desk(workspace))
    desk = open_desk(workspace)  # with what the agreement's rules look at
    assert desk.agreement.agreement is not None
    lines = expected_volumes(desk.agreement.agreement, desk)
    click.echo(printed(*lines, f"Signed for {' and '.join(TEAMS)}: {SIGNED_BY}, nobody's consent."), nl=False)

    _head("4. The last half year")
    _live(desk)

    _head("5. Whom to call first")
    first = _score(desk)
    click.echo(_calls(first, desk), nl=False)
    example = f" One lead: propensity explain {folder} {first[0].lead_id}" if first else ""
    click.echo(f"All scores: {folder / SCORES_FILE}.{example}")
    if serve:
        _head("6. The service")
        from serving.launch import serve as launch

        launch(folder, port=port, ready=lambda address, _: _invite(address, first))


def _invite(address: str, first: Sequence[LeadScore]) -> None:
    requests = [*(f"curl -s {address}/leads/{each.lead_id}/score" for each in first[:1]), _curl(address)]
    click.echo(f"Open {address} in a browser, or paste:\n")
    click.echo("".join(f"  {each}\n" for each in requests))
    click.echo("Ctrl-C ends it.")


def _head(text: str) -> None:
    Console(highlight=False).print(f"\n[bold]{text}[/bold]")


def _agree(desk: Desk) -> None:
    """Write and sign an example agreement where there is none: cutoffs at the best 5% and 20% of the backtest."""
    folder, model = desk.workspace.folder, desk.model
    assert isinstance(model, ServingModel)
    if not (folder / AGREEMENT_FILE).exists():
        backtest = model.bundle.backtest
        mql, sql = (round(float(np.quantile(backtest.probability, 1 - best)), 2) for best in (0.2, 0.05))
        lanes = [each for each in FAST_LANES if each in model.schema.event_types]
        rules = _rules(desk.workspace.name)
        (folder / AGREEMENT_FILE).write_text(_example(max(mql, 0.01), max(sql, 0.02), lanes) + rules, encoding="utf-8")
    agreement = load_agreement(folder)
    assert agreement is not None
    for team in TEAMS:
        if team not in desk.agreement.signatures:
            sign(folder, agreement, team=team, name=SIGNED_BY, clock=lambda: datetime.now(UTC), **desk.meaning)


def _example(mql: float, sql: float, lanes: Sequence[str]) -> str:
    text = "# Written by the demo as an example. Change it, and both teams sign anew: propensity agree --help\n"
    text += f"version = 1\n\n[cutoffs]\nmql = {mql}\nsql = {sql}\n"
    for lane in lanes:
        text += f'\n[fast_lane.{lane}]\nrespond_within = "4h"\ncounts_for = "14d"\n'
    return text


def _rules(world: str) -> str:
    """The further rules of a world's example agreement; none where its events would not bear them."""
    found = files("serving").joinpath("examples", f"{world}_agreement.toml")
    return found.read_text(encoding="utf-8") if found.is_file() else ""


def _live(desk: Desk) -> None:
    """Let the example's last half year happen in its store, unless it has."""
    store = open_store(desk.workspace)
    try:
        snapshot = Snapshot(desk.model, desk.history.schema, desk.agreement, ())
        past = DemoPast(store, snapshot, desk.history)
        if past.is_there:
            click.echo("Leads have stood here before: `propensity review` says what came of them.")
            return
        with Steps() as progress:
            progress("living through half a year", 0.0)
            handed = past.live(lambda done: progress("living through half a year", done))
    finally:
        store.close()
    click.echo(f"{handed:,} leads were handed over in half a year; the answers of sales are made up.")


def _score(desk: Desk) -> list[LeadScore]:
    """Score every open lead into the workspace; the first to call, in order, with their reasons."""
    history = desk.history
    moments = open_moments(history, history.now)
    with Steps() as progress:
        progress("scoring", 0.0)
        write_scores(
            desk.scores(moments, lang="en"),
            desk.workspace.folder / SCORES_FILE,
            progress=lambda done: progress("scoring", done / max(len(moments), 1)),
        )
    positions, _ = leads_to_call(history, desk.model)
    young = Moments(positions, np.full(len(positions), history.now, dtype=np.int64))
    return heapq.nsmallest(TO_CALL, desk.scores(young, lang="en"), key=call_order)


def _calls(scores: list[LeadScore], desk: Desk) -> str:
    """The list to call, a lead with its two best reasons."""
    told = f"As of {instant_text(desk.history.now, desk.workspace.zone)}"
    if not scores:
        return printed(f"{told} nobody: every open lead is older than all that the model learned from.")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("lead")
    table.add_column("likely", justify="right")
    table.add_column("band")
    table.add_column("because")
    for score in scores:
        because = "; ".join(each.text for each in score.reasons.speak_for[:2]) if score.reasons is not None else ""
        likely = "-" if score.probability is None else f"{score.probability:.0%}"
        if score.interval is not None:
            likely += f" ({between(score.interval.low, score.interval.high, 'en')})"
        band = str(score.band or "-") + (", fast lane" if score.decided_by is DecidedBy.FAST_LANE else "")
        table.add_row(score.lead_id, likely, band, because)
    average = next((score.average for score in scores if score.average is not None), None)
    return printed(told + (f"; on average {average:.1%} convert." if average is not None else "."), table)


def _curl(address: str) -> str:
    """A request to paste: a lead of two events, told whole."""
    body = {
        "lead_id": "L-1042",
        "created_at": "2026-10-02T09:00:00Z",
        "as_of": "2026-11-20T12:00:00Z",
        "events": [{"event_type": "pricing_page_viewed", "occurred_at": "2026-11-18T10:12:00Z"}],
    }
    return f"curl -s {address}/score -H 'Content-Type: application/json' -d '{json.dumps(body)}'"
