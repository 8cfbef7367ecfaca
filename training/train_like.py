"""`propensity train --like RUN`: a training made again, or its recipe followed on other tables."""

from __future__ import annotations

import click

from features.workspace import Workspace
from training.bundle import bundle_files
from training.made_again import follow_run, refuse_other_tables
from training.publish import publish
from training.registry import Version, open_registry
from training.retrain import retrain
from training.terminal import Steps
from training.train_page import train_page

LIKE_TAG = "propensity.like"
"""Tag of a run: the id of the run that it was made after."""


def train_like(workspace: Workspace, run: str, *, other_tables: bool) -> Version:
    """Train as a registered model was trained, register the result as challenger, and say whether it is the same.

    Parameters
    ----------
    run : the version's number, or the id of its run.
    other_tables : follow recipe and settings on the tables as they are today, up to their own end.

    Raises
    ------
    DataError
        The tables are not those of then, unless `other_tables`; each is named with both digests.
    """
    registry = open_registry(workspace)
    then = follow_run(registry, run)
    today = then.workspace(workspace)
    differing = then.other_tables(today)
    if not other_tables:
        refuse_other_tables(then, differing)
    for name, (before, now) in sorted(differing.items()):
        click.echo(f"{name}: SHA-256 {now[:12]}, then {before[:12]}", err=True)
    for each in then.other_surroundings(workspace):
        click.echo(each, err=True)
    with Steps() as progress:
        trained = retrain(
            today,
            recipe=then.recipe,
            progress=progress,
            reading_clock=None if other_tables else lambda: then.read_at,
        )
        version, first = publish(trained, registry, tags={LIKE_TAG: then.version.run_id}, progress=progress)
    click.echo(train_page(trained, version, first=first), nl=False)
    if other_tables:
        click.echo(f"It follows recipe and settings of {then.named} on the tables of today.")
    else:
        click.echo(then.verdict(trained.bundle, bundle_files(registry.fetch(version))))
    return version
