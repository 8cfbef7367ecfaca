"""What the data scientist asks for: check and train."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from features.workspace import Workspace, load_workspace
from training.terminal import Steps

if TYPE_CHECKING:
    from features.history import History
    from training.registry import Version
    from training.retrain import Retrained

FOLDER = click.argument("folder", type=click.Path(path_type=Path))
"""The workspace, first argument of every command."""


@click.command()
@FOLDER
@click.option("--like", "run", metavar="RUN", help="Make the model of this version, or of this run's id, again.")
@click.option("--other-tables", is_flag=True, help="With --like: its recipe and settings, on the tables as they are.")
def train(folder: Path, run: str | None, other_tables: bool) -> None:
    """Train, evaluate, track and register a challenger; the first model becomes champion."""
    if other_tables and run is None:
        raise click.UsageError("--other-tables belongs to --like")
    if run is not None:
        from training.train_like import train_like

        train_like(load_workspace(folder), run, other_tables=other_tables)
        return
    train_workspace(load_workspace(folder))


def check_workspace(
    workspace: Workspace,
    *,
    rule_columns: Collection[str] = (),
    warnings: Callable[[History], Sequence[str]] = lambda _: (),
) -> str:
    """Read a workspace's tables and say what is in them.

    Parameters
    ----------
    rule_columns : that the agreement's rules look at.
    warnings : what the agreement has to say of the tables.
    """
    from features.tables import read_history
    from training.check_page import check_page

    with Steps() as progress:
        progress("reading the tables")
        read = read_history(workspace, rule_columns=rule_columns)
    report = replace(read.report, warnings=(*read.report.warnings, *warnings(read.history)))
    return check_page(workspace, read.history, report)


def train_workspace(workspace: Workspace) -> Version:
    """Train on a workspace's tables, register the model and say what it is worth."""
    from training.publish import publish
    from training.registry import open_registry
    from training.retrain import retrain
    from training.train_page import train_page

    with Steps() as progress:
        trained: Retrained = retrain(workspace, progress=progress)
        version, first = publish(trained, open_registry(workspace), progress=progress)
    click.echo(train_page(trained, version, first=first), nl=False)
    return version
