"""What the data scientist asks for: check and train."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from features.workspace import Workspace, load_workspace
from training.terminal import Steps

if TYPE_CHECKING:
    from features.history import History
    from training.registry import Registry, Version
    from training.retrain import Retrained, Search

FOLDER = click.argument("folder", type=click.Path(path_type=Path))
"""The workspace, first argument of every command."""


MINUTES = click.FloatRange(min=0, min_open=True)
TUNING = "tuning.db"
"""File in the workspace's state folder that keeps what searches tried."""


@click.command()
@FOLDER
@click.option("--tune", "minutes", type=MINUTES, metavar="MINUTES", help="Search so long for a better recipe first.")
@click.option("--like", "run", metavar="RUN", help="Make the model of this version, or of this run's id, again.")
@click.option("--other-tables", is_flag=True, help="With --like: its recipe and settings, on the tables as they are.")
def train(folder: Path, minutes: float | None, run: str | None, other_tables: bool) -> None:
    """Train, evaluate, track and register a challenger; the first model becomes champion."""
    if other_tables and run is None:
        raise click.UsageError("--other-tables belongs to --like")
    if run is None:
        train_workspace(load_workspace(folder), tune_minutes=minutes)
        return
    if minutes is not None:
        raise click.UsageError(
            "--tune searches for a recipe, and --like follows the one of another training: give one of them"
        )
    from training.train_like import train_like

    train_like(load_workspace(folder), run, other_tables=other_tables)


@click.command()
@FOLDER
@click.option("--tune", "minutes", type=MINUTES, metavar="MINUTES", help="Search so long for a better recipe too.")
def recipes(folder: Path, minutes: float | None) -> None:
    """Compare the default recipe with its parts and with others, on the same test block."""
    from training.recipes_page import recipes_of
    from training.registry import open_registry

    workspace = load_workspace(folder)
    with Steps() as progress:
        registry = open_registry(workspace)
        search = None if minutes is None else searching(workspace, registry, minutes, say=progress.note)
        page = recipes_of(workspace, registry, search=search, progress=progress)
    click.echo(page, nl=False)


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


def train_workspace(workspace: Workspace, *, tune_minutes: float | None = None) -> Version:
    """Train on a workspace's tables, register the model and say what it is worth.

    Parameters
    ----------
    tune_minutes : to search for a better recipe; None follows the default one.
    """
    from training.publish import publish
    from training.registry import open_registry
    from training.retrain import retrain
    from training.train_page import train_page

    with Steps() as progress:
        registry = open_registry(workspace)
        search = None if tune_minutes is None else searching(workspace, registry, tune_minutes, say=progress.note)
        trained: Retrained = retrain(workspace, search=search, progress=progress)
        version, first = publish(trained, registry, progress=progress)
    click.echo(train_page(trained, version, first=first), nl=False)
    return version


def searching(workspace: Workspace, registry: Registry, minutes: float, *, say: Callable[[str], None]) -> Search:
    """The search for a better recipe in a workspace: kept in its state folder, and logged to its registry."""
    from training.trial_log import TrialRuns
    from training.tuning import tune

    return partial(tune, minutes=minutes, storage=workspace.state_folder / TUNING, log=TrialRuns(registry), say=say)
