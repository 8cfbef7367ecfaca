"""What every training begins with: the tables read, settled moments with their features, and which of them are tested."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from features.catalogue import build_catalogue
from features.definitions import Definitions
from features.errors import TooLittleData
from features.history import History
from features.tables import read_history
from features.tables.report import TableReport
from features.workspace import Workspace
from training.dataset import TrainingSet
from training.labelled import Labelled, settled_moments
from training.leakage import Finding, guard
from training.ranker import Progress
from training.split import Split, split


@dataclass(frozen=True, eq=False)
class Prepared:
    """A workspace's tables as a training looks at them.

    Attributes
    ----------
    tables : what was read, and what was put aside.
    labelled : the moments, settled or not.
    whole : all settled moments with all features but those that leak.
    parts : which of them are fitted and which are tested.
    findings : what the leakage guard has to say of the tables.
    read_at : the time that the tables were read as of; no row lies later.
    """

    tables: TableReport
    history: History
    labelled: Labelled
    whole: TrainingSet
    parts: Split
    findings: tuple[Finding, ...]
    read_at: int


def prepare(workspace: Workspace, *, progress: Progress, clock: Callable[[], int]) -> Prepared:
    """Read the tables, compute features, part the tested moments from those that are fitted, and leave out what leaks.

    Raises
    ------
    DataError, TooLittleData
        The tables cannot be used, or hold too few settled outcomes.
    UsageError
        The settings of the model name what the tables don't have.
    """
    progress("reading the tables", 0.0)
    asked: list[int] = []

    def reading_clock() -> int:
        asked.append(clock())
        return asked[-1]

    read = read_history(workspace, clock=reading_clock)
    history = read.history
    _require_conversions(workspace, read.report)
    progress("computing features", 0.0)
    labelled = settled_moments(history, workspace.schedule, workspace.horizon)
    definitions = build_catalogue(history, labelled.moments, workspace.horizon, workspace.model)
    whole = TrainingSet.build(
        history, labelled.moments, labelled.labels, definitions, workspace.horizon, workspace.model
    )
    parts = split(whole, delay=history.outcomes.delay, unsettled=labelled.unsettled)
    progress("looking for leaks", 0.0)
    guarded = guard(workspace, history, whole, parts)
    whole = guarded.reduce(whole)
    _require_features(whole.definitions, guarded.findings)
    return Prepared(
        tables=read.report,
        history=history,
        labelled=labelled,
        whole=whole,
        parts=parts,
        findings=guarded.findings,
        read_at=asked[-1],
    )


def _require_conversions(workspace: Workspace, report: TableReport) -> None:
    if report.outcomes and workspace.converted not in report.outcomes:
        found = ", ".join(f'"{name}" ({leads:,} leads)' for name, leads in list(report.outcomes.items())[:10])
        raise TooLittleData(
            f'0 leads that converted: no outcome is "{workspace.converted}", found {found}',
            expected="at least 30 leads of each: 20 to train on and 10 to test",
            next_step="name the outcome that means converted under [target] in propensity.toml",
        )


def _require_features(definitions: Definitions, findings: Sequence[Finding]) -> None:
    gone = ", ".join(dict.fromkeys(each.named for each in findings if each.left_out))
    if len(definitions) == 0 and gone:
        raise TooLittleData(
            f"no attribute and no event but what knows the outcome: {gone}",
            expected="at least one attribute column, or events, known before the moments",
            next_step="`propensity check` says what each of them was left out for, and how to bring it back",
        )
    if len(definitions) == 0:
        raise TooLittleData(
            "no attribute and no event that tells one lead from another",
            expected="at least one attribute column, or events before the moments",
            next_step="add columns to the leads table or rows to the events table; `propensity check` names what was left out",
        )
