"""Living calibration of the champion: made from what has settled since its training, kept beside it, and undone."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from features.calendar_days import as_datetime
from features.errors import UsageError
from features.history import History
from features.tables import read_history
from features.workspace import Workspace, load_workspace
from training.bundle import load_bundle
from training.calibration_record import Followed, LivingCalibration, save_calibration
from training.living_calibration import FEWEST, UNMOVED
from training.registry import Registry, Version, open_registry
from training.settled_since import living_calibration, mean_step, settled_since
from training.terminal import Steps, printed

WORTH_A_STEP = 0.05
"""A calibration that moves what is told by less, in log-odds (some 5% of the odds), is not worth a new version."""


@dataclass(frozen=True, eq=False)
class Recalibrated:
    """What became of a recalibration.

    Attributes
    ----------
    version : the champion, with the calibration that it serves with now.
    leads : settled since its training.
    made : the new calibration; None where the one before stays.
    step : by how much told log-odds differ from before (root mean square); None where too few leads have settled.
    """

    version: Version
    leads: int
    made: LivingCalibration | None
    step: float | None

    def words(self) -> list[str]:
        """Sentences for people."""
        name = f"{self.version.model} version {self.version.number}"
        if self.step is None:
            return [
                f"{self.leads:,} leads have settled since {name} was trained; {FEWEST} are needed to follow them.",
                stays_words(self.version),
            ]
        if self.made is None:
            return [
                f"{self.leads:,} leads have settled since {name} was trained. What is told follows the newest already: the "
                f"log-odds would move by {self.step:.3f}, and under {WORTH_A_STEP} nothing is changed.",
                stays_words(self.version),
            ]
        return [
            f"{name} serves with living calibration {self.made.number} from now on; services follow within seconds.",
            *calibration_words(self.made),
            "propensity recalibrate --undo goes back.",
        ]


def recalibrate(
    workspace: Workspace,
    *,
    registry: Registry | None = None,
    history: History | None = None,
    clock: Callable[[], int] = lambda: time.time_ns() // 1000,
) -> Recalibrated:
    """Let the champion's probabilities follow what has settled since its training, where that moves them.

    Parameters
    ----------
    registry : of the workspace; None opens it.
    history : read by the champion's schema; None reads it.

    Raises
    ------
    UsageError
        There is no champion.
    """
    registry = registry or open_registry(workspace)
    version = _champion(registry, workspace.folder)
    bundle = load_bundle(registry.fetch(version), digest=version.digest)
    if history is None:
        history = read_history(workspace, schema=bundle.scorer.definitions.schema, set_aside=False).history
    settled = settled_since(bundle, history)
    found = living_calibration(bundle, history, settled, clock=clock)
    if found is None:
        return Recalibrated(version, settled.leads, None, None)
    before = registry.fetch_calibration(version)
    step = mean_step(settled.outcomes, found.moved, UNMOVED if before is None else before.moved)
    if step < WORTH_A_STEP:
        return Recalibrated(version, settled.leads, None, step)
    with tempfile.TemporaryDirectory(prefix="propensity-") as temporary:
        save_calibration(found, Path(temporary) / "calibration")
        version = registry.calibrate(version, Path(temporary) / "calibration")
    return Recalibrated(version, settled.leads, registry.fetch_calibration(version), step)


def recalibrate_workspace(folder: Path, *, undo: bool) -> str:
    """The command: recalibrate, or undo the last time."""
    workspace = load_workspace(folder)
    if undo:
        registry = open_registry(workspace)
        version = registry.undo_calibration(_champion(registry, folder))
        return printed(stays_words(version).replace("serves", "serves again", 1))
    with Steps() as progress:
        progress("following what has settled")
        done = recalibrate(workspace)
    return printed(*done.words())


def stays_words(version: Version) -> str:
    """What a version serves with, as a sentence."""
    name = f"{version.model} version {version.number}"
    if version.calibration is None:
        return f"{name} serves as it left training."
    return f"{name} serves with living calibration {version.calibration}."


def calibration_words(living: LivingCalibration) -> list[str]:
    """What a calibration changes and what it rests on, as sentences in English."""
    about, moved = living.about, living.moved
    said = [
        f"It follows {about.moments:,} moments of {about.leads:,} leads that settled since the training, from "
        f"{_day(about.first_moment)} to {_day(about.last_moment)}: log-odds become {moved.slope:.3f} x what they were "
        f"{'-' if moved.shift < 0 else '+'} {abs(moved.shift):.3f}.",
        f"Of the newest {about.newest:,} moments {about.newest_converted:,} were followed by a conversion: the model "
        f"expected {about.expected_before:,.1f} as it left training, and {about.expected_after:,.1f} so.",
    ]
    return [*said, *_forward_words(about)]


def _forward_words(about: Followed) -> list[str]:
    if about.forward_before is None or about.forward_after is None:
        return []
    return [
        f"Had it been followed since the training, the log loss of {about.forward_moments:,} moments told ahead would "
        f"have been {about.forward_after:.4f} instead of {about.forward_before:.4f}."
    ]


def _champion(registry: Registry, folder: Path) -> Version:
    version = registry.champion()
    if version is None:
        raise UsageError(
            "no champion yet", expected="a model that serves", next_step=f"propensity train {folder} trains one"
        )
    return version


def _day(instant: int) -> str:
    return f"{as_datetime(instant):%Y-%m-%d}"
