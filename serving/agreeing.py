"""What cutoffs would give, and the two teams' signatures."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from rich.table import Table

from features.definitions import duration_text
from features.errors import UsageError
from features.workspace import Workspace, load_workspace
from serving.agreement import AGREEMENT_FILE, Agreement
from serving.agreement_file import load_agreement
from serving.agreement_warnings import agreement_warnings
from serving.agreement_words import agreement_words
from serving.champion import champion_of
from serving.desk import Desk, open_desk
from serving.scoring import ServingModel
from serving.signatures import TEAMS, agreement_state, sign
from training.bootstrap import Estimate
from training.cutoffs_table import AboveCutoff, Backtest
from training.terminal import printed


def cutoffs_page(folder: Path) -> str:
    """The table of cutoffs from the champion's backtest."""
    workspace = load_workspace(folder)
    model = _champion(workspace)
    backtest = model.bundle.backtest
    table = _table("probability from")
    for row in backtest.table():
        _add(table, f"{row.cutoff:.1%}", row)
    return printed(
        f"What a cutoff would have given on {len(backtest):,} tested moments of {model.name} version {model.version},",
        f"which its evaluated scorer never saw ({_span(backtest)}); 95% intervals in brackets.",
        "",
        table,
        "",
        f"Next: write two of them into {AGREEMENT_FILE} as mql and sql, then `propensity agree`.",
    )


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
        sign(workspace.folder, agreement, team=team, name=name, clock=lambda: datetime.now(UTC), **desk.meaning)
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
        table = _table("band")
        _add(table, f"SQL, from {agreement.sql:.1%}", pair.sql)
        _add(table, f"MQL and SQL, from {agreement.mql:.1%}", pair.mql)
        lines += [
            table,
            f"Of the MQLs between the cutoffs {_rate(pair.precision_mql_band)} converted, "
            f"of those below {_rate(pair.precision_nurture_band)}.",
        ]
    else:
        lines.append(
            "There is no model yet, so nobody can say what the cutoffs would give; the fast lane works without."
        )
    warnings = agreement_warnings(agreement, desk.history, stages)
    lines += [f"Warning: {each}." if not each.endswith("?") else f"Warning: {each}" for each in warnings]
    return lines


def _champion(workspace: Workspace) -> ServingModel:
    model = champion_of(workspace)
    if model is None:
        raise UsageError(
            "no champion yet",
            expected="a trained model, whose backtest says what cutoffs would give",
            next_step=f"propensity train {workspace.folder.name}",
        )
    return model


def _table(head: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(head)
    for column in ("leads a week", "converted", "of all conversions", "of all moments"):
        table.add_column(column, justify="right")
    return table


def _add(table: Table, head: str, row: AboveCutoff) -> None:
    table.add_row(head, _number(row.leads_a_week), _rate(row.precision), _rate(row.caught), _rate(row.share))


def _rate(estimate: Estimate) -> str:
    if estimate.point is None:
        return "-"
    text = f"{estimate.point:.1%}"
    if estimate.low is not None and estimate.high is not None:
        text += f" [{estimate.low:.0%}-{estimate.high:.0%}]"
    return text


def _number(estimate: Estimate) -> str:
    return "-" if estimate.point is None else f"{estimate.point:,.1f}"


def _span(backtest: Backtest) -> str:
    return f"{backtest.weeks:.1f} weeks" if backtest.weeks else "all at one instant"
