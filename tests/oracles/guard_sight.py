"""What the guard of a training sees of a workspace, made as a training makes it."""

from __future__ import annotations

from dataclasses import dataclass

from features.catalogue import build_catalogue
from features.tables import ReadTables, read_history
from features.workspace import Workspace
from training.dataset import TrainingSet
from training.labelled import settled_moments
from training.leakage.sight import Sight, sampled
from training.split import Split, split


@dataclass(frozen=True, eq=False)
class Seen:
    """A workspace read once, and all that follows from it."""

    workspace: Workspace
    read: ReadTables
    whole: TrainingSet
    parts: Split
    sight: Sight


def seen(workspace: Workspace) -> Seen:
    read = read_history(workspace, set_aside=False)
    history = read.history
    labelled = settled_moments(history, workspace.schedule, workspace.horizon)
    definitions = build_catalogue(history, labelled.moments, workspace.horizon)
    whole = TrainingSet.build(history, labelled.moments, labelled.labels, definitions, workspace.horizon)
    parts = split(whole, delay=history.outcomes.delay)
    fitted, tested = sampled(whole, parts)
    sight = Sight.of(history, whole.take(fitted), whole.values[tested], whole.lead[parts.fit], parts)
    return Seen(workspace, read, whole, parts, sight)
