"""Example workspaces: two real histories, and a simulated one whose true probabilities are known."""

from __future__ import annotations

import difflib
from pathlib import Path

from features.errors import UsageError
from features.worlds import b2b, cdnow, completejourney
from features.worlds.workspace_files import (
    Mark,
    Progress,
    already_made,
    refuse_others_files,
    write_files,
)

WORLDS: tuple[str, ...] = ("completejourney", "cdnow", "b2b")

_FILES = {"completejourney": completejourney.FILES, "cdnow": cdnow.FILES, "b2b": b2b.FILES}


def make_world(
    name: str,
    folder: Path,
    *,
    size: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> None:
    """Make an example workspace: its tables and, last of all, its toml.

    A folder that already holds the same world whole is left as it is, with what a person changed in its toml below
    the first line. An older or interrupted example is made anew.

    Parameters
    ----------
    name : one of `WORLDS`.
    folder : made where it is missing.
    size : number of leads, for ``b2b`` alone; the real histories are always whole.
    seed : of the simulation, for ``b2b`` alone.
    progress : called with a plain line now and then.

    Raises
    ------
    UsageError
        An unknown name, a size that makes no sense, a demo package that is not installed, or a folder that holds
        files of the same names which no example made.
    """
    if name not in WORLDS:
        near = difflib.get_close_matches(name, WORLDS, n=1)
        raise UsageError(
            f"there is no world named {name!r}",
            expected=f"one of {', '.join(WORLDS)}",
            next_step=f"did you mean --world {near[0]}?" if near else "choose one of them with --world",
        )
    if size is not None and (name != "b2b" or size < 1):
        raise UsageError(
            f"a size of {size} for the world {name}",
            expected="a number of leads of at least 1, for b2b alone: the real histories are always whole",
            next_step="leave the size out, or choose --world b2b",
        )
    report: Progress = progress or (lambda line: None)
    simulated = name == "b2b"
    leads = size or b2b.DEFAULT_SIZE
    mark = Mark(world=name, size=leads if simulated else None, seed=seed if simulated else 0)
    if already_made(folder, _FILES[name], mark):
        report(f"{name}: {folder} holds it already")
        return
    refuse_others_files(folder, _FILES[name])
    if name == "b2b":
        files = b2b.example_files(leads, seed, report)
    else:
        files = {"completejourney": completejourney, "cdnow": cdnow}[name].example_files(report)
    folder.mkdir(parents=True, exist_ok=True)
    write_files(folder, files, mark)
    report(f"{name}: written to {folder}")
