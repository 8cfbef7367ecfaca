"""What cutoffs would give, in the terminal: the table of all, and any pair beside today's and beside points."""

from __future__ import annotations

from pathlib import Path

from rich.table import Table

from features.errors import UsageError
from features.workspace import Workspace, load_workspace
from serving.agreement import AGREEMENT_FILE, Agreement
from serving.agreement_file import load_agreement
from serving.champion import champion_of
from serving.page_words import words
from serving.serving_model import ServingModel
from serving.simulated import cutoff_text, sentence, table
from serving.simulator import Simulator, Suggestion
from serving.simulator_page import Proposal, compared, cutoff_of, cutoffs_text
from training.bootstrap import Estimate
from training.cutoffs_table import AboveCutoff, Backtest
from training.terminal import printed


def cutoffs_page(folder: Path, *, mql: str | None = None, sql: str | None = None, capacity: float | None = None) -> str:
    """The table of cutoffs from the champion's backtest; of a pair, or a capacity, all that is to be expected of it.

    Parameters
    ----------
    mql, sql : a pair of cutoffs, as percentages or probabilities.
    capacity : SQLs a week that sales can take, instead of a pair.
    """
    workspace = load_workspace(folder)
    simulator = Simulator.of(model := _champion(workspace))
    today = load_agreement(workspace.folder)
    proposal = _proposal(simulator, mql, sql, capacity)
    backtest = model.bundle.backtest
    told = (
        f"{len(backtest):,} tested moments of {model.name} version {model.version},",
        f"which its evaluated scorer never saw ({_span(backtest)}); 95% intervals in brackets.",
    )
    limit = capacity if capacity is not None or today is None else today.sqls_a_week
    suggested = _suggested(simulator.suggestion(limit))
    if proposal is not None:
        return printed(
            f"What these cutoffs would have given on {told[0]}",
            told[1],
            "",
            _side_by_side(simulator, proposal, today),
            "",
            sentence(simulator.outlooks.outlook(proposal.mql, proposal.sql), "en"),
            words("agreement.compare.points_help", "en"),
            "",
            *suggested,
            f"Next: write the pair into {AGREEMENT_FILE} as mql = {proposal.mql:g} and sql = {proposal.sql:g}, then "
            "`propensity agree`.",
        )
    overview = above_table("probability from")
    for row in backtest.table():
        add_above(overview, f"{row.cutoff:.1%}", row)
    return printed(
        f"What a cutoff would have given on {told[0]}",
        told[1],
        "",
        overview,
        "",
        *suggested,
        f"Next: write two of them into {AGREEMENT_FILE} as mql and sql, then `propensity agree`; "
        "with --mql and --sql, or --capacity 40, this command says more of a pair.",
    )


def _proposal(simulator: Simulator, mql: str | None, sql: str | None, capacity: float | None) -> Proposal | None:
    if capacity is not None:
        if mql is not None or sql is not None:
            raise UsageError("--capacity beside a pair", expected="either a capacity or --mql and --sql")
        pair = simulator.for_capacity(capacity)
        if pair is None:
            spans = simulator.outlooks.backtest.lead_weeks > 0
            raise UsageError(
                "no cutoff for that capacity",
                expected="a capacity that the highest cutoff keeps to"
                if spans
                else "tested moments that span some time",
                next_step="look at a pair with --mql and --sql",
            )
        return Proposal(*pair, capacity=capacity)
    if mql is None and sql is None:
        return None
    if mql is None or sql is None:
        raise UsageError("one cutoff", expected="--mql and --sql together", next_step="give both, or --capacity")
    low, high = _cutoff("--mql", mql), _cutoff("--sql", sql)
    if low > high:
        raise UsageError(f"--mql {mql} above --sql {sql}", expected="mql at most as high as sql")
    return Proposal(low, high)


def _cutoff(option: str, text: str) -> float:
    found = cutoff_of(text)
    if found is None:
        raise UsageError(f"{option} {text}", expected="a probability above 0 and below 1, such as 0.12 or 12%")
    return found


def _side_by_side(simulator: Simulator, proposal: Proposal, today: Agreement | None) -> Table:
    columns = compared(simulator, proposal, today)
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    shown.add_column("")
    for name in columns:
        shown.add_column(words(f"agreement.compare.{name}", "en"), justify="right")
    cutoffs = cutoffs_text(columns, "en")
    shown.add_row(words("agreement.compare.cutoffs", "en"), *(cutoffs[name] for name in columns))
    for row in table(columns, "en"):
        shown.add_row(row["name"], *(str(row["cells"][name]) for name in columns))
    return shown


def _suggested(suggestion: Suggestion | None) -> list[str]:
    if suggestion is None:
        return []
    pair = {"mql": cutoff_text(suggestion.mql, "en"), "sql": cutoff_text(suggestion.sql, "en")}
    head = words("agreement.suggestion.title", "en"), words("agreement.suggestion.pair", "en", **pair)
    return [f"{': '.join(head)}.", *(f"  {each}" for each in suggestion.said("en")), ""]


def _champion(workspace: Workspace) -> ServingModel:
    model = champion_of(workspace)
    if model is None:
        raise UsageError(
            "no champion yet",
            expected="a trained model, whose backtest says what cutoffs would give",
            next_step=f"propensity train {workspace.folder.name}",
        )
    return model


def above_table(head: str) -> Table:
    """An empty table of what lies above cutoffs."""
    empty = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    empty.add_column(head)
    for column in ("leads a week", "converted", "of all conversions", "of all moments"):
        empty.add_column(column, justify="right")
    return empty


def add_above(rows: Table, head: str, row: AboveCutoff) -> None:
    """One cutoff as a row of `above_table`."""
    rows.add_row(head, _number(row.leads_a_week), rate_text(row.precision), rate_text(row.caught), rate_text(row.share))


def rate_text(estimate: Estimate) -> str:
    """A rate with its interval."""
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
