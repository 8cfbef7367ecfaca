"""The leakage guard: look at the tables before training, leave out what knows the outcome, and say so by name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from features.definitions import Definitions
from features.history import History
from features.workspace import Workspace
from training.dataset import TrainingSet
from training.leakage.after_the_outcome import (
    back_filled,
    changed_afterwards,
    dates_ahead,
    ended_before_they_came,
    events_at_the_end,
    snapshots,
)
from training.leakage.by_name import by_name
from training.leakage.drift import drift
from training.leakage.finding import LEFT_OUT, SEVERITIES, Finding
from training.leakage.ids_and_times import ids_and_times
from training.leakage.jump import jump_findings, jumps
from training.leakage.known_for_whom import events_for_whom, known_for_whom
from training.leakage.sight import Sight, sampled
from training.leakage.subjects import Subject, made_of, reading, without
from training.leakage.too_good import too_good
from training.split import Split


@dataclass(frozen=True, eq=False)
class Guarded:
    """What the guard found, and which features stay.

    Attributes
    ----------
    findings : the weightiest first.
    kept : int64[k], positions among the definitions that were looked at, ascending.
    """

    findings: tuple[Finding, ...]
    kept: NDArray[np.int64]

    def reduce(self, train_set: TrainingSet) -> TrainingSet:
        """The training set without the features that were left out; the same one where none was."""
        return train_set if len(self.kept) == len(train_set.definitions) else train_set.take_columns(self.kept)


def guard(workspace: Workspace, history: History, whole: TrainingSet, parts: Split) -> Guarded:
    """Look for leaks in a training set, and leave out those that are certain or likely unless the workspace trusts them.

    Labels are looked at among the fitted moments alone, and outcomes until the test begins: what is left out is no
    choice that flatters the evaluation.

    Parameters
    ----------
    whole : all settled moments with all features.
    parts : how they are divided.
    """
    fitted, tested = sampled(whole, parts)
    leads = whole.lead[parts.fit]
    return look(workspace, Sight.of(history, whole.take(fitted), whole.values[tested], leads, parts))


def look(workspace: Workspace, sight: Sight) -> Guarded:
    """The same for what was already drawn: `check` computes the features of these moments alone."""
    definitions, history = sight.fit.definitions, sight.history
    gone = {place for name in workspace.ignore for place in _named(definitions, name)}
    findings: list[Finding] = []

    def settle(found: Iterable[Finding]) -> bool:
        """Keep what was found; whether it took features away."""
        before = len(gone)
        for each in [_settled(each, workspace) for each in found]:
            findings.append(each)
            if each.left_out:
                gone.update(_columns(each, definitions, history))
        return len(gone) > before

    def settled() -> set[Subject]:
        return {Subject(each.about, each.subject) for each in findings if each.left_out or each.trusted is not None}

    if len(definitions):
        alone = list(too_good(sight))
        settle(each for each in (*alone, *_of_rows(sight)) if each.about != "feature")
        # what is made of many types goes with the one that leaks; only where it is still there it is named itself
        settle(each for each in alone if each.about == "feature" and definitions.names.index(each.subject) not in gone)
        while True:
            # one leak hides behind another: what a model hangs on is only seen once the others are gone
            rises = jumps(sight, without(definitions, sorted(gone)))
            named = [each for each in by_name(sight, rises) if Subject(each.about, each.subject) not in settled()]
            if not settle(each for each in named if each.severity in LEFT_OUT):
                break
        settle(each for each in named if each.severity not in LEFT_OUT)
        # what has a better reason already is not warned of for its strength once more
        known = {(each.about, each.subject) for each in findings}
        weaker = (
            *jump_findings(rises),
            *events_for_whom(sight),
            *drift(sight),
            *back_filled(sight),
            *ended_before_they_came(sight),
        )
        settle(each for each in weaker if (each.about, each.subject) not in known)
    findings.sort(key=lambda each: (SEVERITIES.index(each.severity), each.about, each.subject, each.code))
    return Guarded(tuple(findings), without(definitions, sorted(gone)))


def _of_rows(sight: Sight) -> Iterable[Finding]:
    """What the rows of the tables themselves tell, without any rank."""
    return [
        *known_for_whom(sight),
        *snapshots(sight),
        *changed_afterwards(sight),
        *events_at_the_end(sight),
        *dates_ahead(sight),
        *ids_and_times(sight),
    ]


def _settled(finding: Finding, workspace: Workspace) -> Finding:
    """The finding with what the workspace says of its subject."""
    trusted = workspace.trust.get(finding.subject)
    return replace(finding, trusted=trusted, left_out=trusted is None and finding.severity in LEFT_OUT)


def _columns(finding: Finding, definitions: Definitions, history: History) -> list[int]:
    if finding.about == "feature":
        return [definitions.names.index(finding.subject)]
    subject = Subject(finding.about, finding.subject)
    # events at or after the outcome are hardly ever seen among others; those that know the outcome before are
    return (
        made_of(definitions, subject) if finding.code == "event_at_outcome" else reading(definitions, subject, history)
    )


def _named(definitions: Definitions, name: str) -> list[int]:
    """Features made of an event type or a column of events that ``[attributes] ignore`` names."""
    return [
        *made_of(definitions, Subject("event type", name)),
        *made_of(definitions, Subject("column of events", name)),
    ]
