"""What the agreement would give, and the two teams' signatures."""

from __future__ import annotations

import time
from pathlib import Path

from rich.table import Table

from features.durations import duration_text
from features.errors import UsageError
from features.workspace import load_workspace
from serving.actor import SOMEONE
from serving.agreement import AGREEMENT_FILE, Agreement
from serving.agreement_file import load_agreement
from serving.agreement_versions import sign_version, volumes_of
from serving.agreement_warnings import agreement_warnings
from serving.agreement_words import agreement_words
from serving.cutoffs_page import above_table, add_above, rate_text
from serving.desk import Desk, open_desk
from serving.serving_model import ServingModel
from serving.signatures import TEAMS, agreement_state, signed_digest
from serving.simulator import Simulator
from serving.store import open_store
from training.terminal import printed


def agree_page(folder: Path, *, team: str | None, name: str | None) -> str:
    """Show what the agreement would give and who has signed it; sign where a team is named."""
    workspace = load_workspace(folder)
    agreement = load_agreement(workspace.folder)
    if agreement is None:
        raise UsageError(
            f"no {AGREEMENT_FILE}",
            expected=f"{AGREEMENT_FILE} in the workspace, with [cutoffs] mql and sql",
            next_step=f"`propensity cutoffs {folder}` shows what cutoffs would give",
        )
    if (team is None) != (name is None):
        raise UsageError(
            "--team without --by" if name is None else "--by without --team",
            expected="both, or neither to look only",
            next_step=f"propensity agree {folder} --team marketing --by NAME",
        )
    desk = open_desk(workspace)
    if team is not None and name is not None:
        _sign(desk, agreement, team, name)
    state = agreement_state(workspace.folder, **desk.meaning)
    signed = [
        f"{each}: signed by {state.signatures[each].name}, {state.signatures[each].time}"
        if each in state.signatures
        else f"{each}: not signed"
        for each in TEAMS
    ]
    return printed(
        *expected_volumes(agreement, desk),
        "",
        *in_words(agreement, desk),
        "",
        *signed,
        "It takes effect." if state.signed else "It takes effect when both teams have signed it as it stands.",
    )


def _sign(desk: Desk, agreement: Agreement, team: str, name: str) -> None:
    """Sign, and keep the version with what it would give, as the page does."""
    model = desk.model if isinstance(desk.model, ServingModel) else None
    store = open_store(desk.workspace)
    try:
        sign_version(
            store,
            desk.workspace.folder,
            sha256=signed_digest(agreement, **desk.meaning),
            team=team,
            name=name,
            actor=SOMEONE,
            meaning=desk.meaning,
            expect=volumes_of(None if model is None else Simulator.of(model), None if model is None else model.version),
            clock=lambda: time.time_ns() // 1000,
        )
    finally:
        store.close()


def in_words(agreement: Agreement, desk: Desk) -> list[str]:
    """The rules as sentences under their headings: what the teams sign, without toml."""
    lines = []
    for heading, sentences in agreement_words(agreement, "en", schema=desk.history.schema):
        lines += [f"{heading}:", *(f"  {each}" for each in sentences)]
    return lines


def expected_volumes(agreement: Agreement, desk: Desk) -> list[str | Table]:
    """What the agreement's cutoffs would have given, from the backtest, and what stands in their way."""
    converted, horizon, stages = desk.meaning["converted"], desk.meaning["horizon"], desk.meaning["stages"]
    lines: list[str | Table] = [
        f'Agreement version {agreement.version}: to convert is "{converted}" within {duration_text(horizon)}.'
    ]
    if isinstance(desk.model, ServingModel):
        pair = desk.model.bundle.backtest.pair(agreement.mql, agreement.sql)
        table = above_table("band")
        add_above(table, f"SQL, from {agreement.sql:.1%}", pair.sql)
        add_above(table, f"MQL and SQL, from {agreement.mql:.1%}", pair.mql)
        lines += [
            table,
            f"Of the MQLs between the cutoffs {rate_text(pair.precision_mql_band)} converted, "
            f"of those below {rate_text(pair.precision_nurture_band)}.",
        ]
    else:
        lines.append(
            "There is no model yet, so nobody can say what the cutoffs would give; the fast lane works without."
        )
    warnings = agreement_warnings(agreement, desk.history, stages)
    lines += [f"Warning: {each}." if not each.endswith("?") else f"Warning: {each}" for each in warnings]
    return lines
