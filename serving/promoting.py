"""Promotion and rollback: the gates of training, what the model's answers and the agreement add to them, and force."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from features.errors import GateRefused, Problem, UsageError
from features.workspace import Workspace, load_workspace
from serving.actor import at_command_line
from serving.audit import record
from serving.store import open_store
from training.registry import Registry, Version, open_registry
from training.terminal import Steps, printed

if TYPE_CHECKING:
    from rich.table import Table

    from serving.serving_model import ServingModel
    from training.gates import Gate

LONGEST_REASON = 2000


def promote_challenger(folder: Path, *, force: str | None = None) -> str:
    """Move the alias `champion` to the challenger, if every gate lets it pass.

    Parameters
    ----------
    force : why it is to serve although a gate refuses. The reason is kept, with the gates that refused: in the registry as
        a tag of the version, and in the audit trail.

    Raises
    ------
    GateRefused
        With the figures of every gate that refused, unless forced.
    UsageError
        There is no challenger; a reason that says nothing.
    """
    from serving.champion import model_of

    reason = None if force is None else _reason(force)
    workspace = load_workspace(folder)
    registry = open_registry(workspace)
    challenger, champion = registry.challenger(), registry.champion()
    if challenger is None:
        raise UsageError("no trained model", expected="a challenger to promote", next_step=f"propensity train {folder}")
    if champion is not None and champion.number == challenger.number:
        return printed(f"{challenger.model} version {challenger.number} is already champion.")
    ours = model_of(registry, challenger)
    theirs = None if champion is None else model_of(registry, champion)
    found, moves = _judge(workspace, ours, theirs)
    refused = [gate for gate in found if not gate.passed]
    if refused and reason is None:
        raise GateRefused(problems=[_problem(gate, folder) for gate in refused])
    _promote(workspace, registry, challenger, champion, reason=reason, refused=refused)
    before = f" after version {champion.number}" if champion is not None else ""
    forced = f", by force: {reason}" if refused else ""
    return printed(
        *(f"{_verdict(gate)}: {gate.name}. {gate.words}" for gate in found),
        *moves,
        *([] if reason is None or refused else ["No gate refused: nothing had to be forced."]),
        f"{challenger.model} version {challenger.number} is champion{before}{forced}.",
    )


def roll_back(folder: Path) -> str:
    """Undo the last promotion."""
    workspace = load_workspace(folder)
    registry = open_registry(workspace)
    with closing(open_store(workspace)) as store, store.writing() as c:
        before = registry.champion()
        version = registry.rollback()
        undone = {"before": None if before is None else before.number}
        subject = f"model {version.number}"
        record(c, store, actor=at_command_line(), action="rollback", now=_now(), subject=subject, detail=undone)
    return printed(f"{version.model} version {version.number} is champion again.")


def _judge(
    workspace: Workspace, ours: ServingModel, theirs: ServingModel | None
) -> tuple[list[Gate], Sequence[str | Table]]:
    """All gates, and who would change the band."""
    from serving.answer_gates import answer_gates
    from serving.band_gate import band_gate
    from serving.moves_page import moves_page
    from serving.side_by_side import side_by_side, side_of
    from training.gates import gates
    from training.promotion import compare

    comparison, moves = None, None
    with Steps() as progress:
        if theirs is not None and _comparable(ours, theirs):
            comparison = compare(workspace, ours.as_trained, theirs.as_trained, progress)
        progress("scoring the open leads")
        if theirs is None:
            side, agreed = side_of(workspace, ours), None
        else:
            both = side_by_side(workspace, now=theirs, then=ours)
            side, agreed = both.then, both.now.agreement.agreement
            moves = None if agreed is None else both.moves()
        found = gates(ours.as_trained, None if theirs is None else theirs.as_trained, comparison)
        found += answer_gates(side)
    if agreed is not None and moves is not None and (gate := band_gate(agreed, moves)) is not None:
        found.append(gate)
    return found, [] if moves is None else moves_page(moves, ours.version)


def _promote(
    workspace: Workspace,
    registry: Registry,
    challenger: Version,
    champion: Version | None,
    *,
    reason: str | None,
    refused: Sequence[Gate],
) -> None:
    """Move the alias and write it down: what can't be written down isn't done."""
    actor, names = at_command_line(), [gate.name for gate in refused]
    forced = json.dumps({"reason": reason, "refused": names, "by": actor.name}, ensure_ascii=False) if refused else None
    detail = {
        "before": None if champion is None else champion.number,
        "reason": reason,
        "refused": ", ".join(names) or None,
    }
    told = {key: value for key, value in detail.items() if value is not None}
    with closing(open_store(workspace)) as store, store.writing() as c:
        action, subject = "force_promotion" if refused else "promote", f"model {challenger.number}"
        record(c, store, actor=actor, action=action, now=_now(), subject=subject, detail=told)
        registry.set_champion(challenger.number, forced=forced)


def _reason(told: str) -> str:
    reason = " ".join(told.split())
    if not reason or len(reason) > LONGEST_REASON:
        raise UsageError(
            "--force without a reason" if not reason else f"a reason of {len(reason)} characters",
            expected=f"why this model is to serve although a gate refuses it, up to {LONGEST_REASON} characters",
            next_step='propensity promote FOLDER --force "a sentence that will be understood in a year"',
        )
    return reason


def _verdict(gate: Gate) -> str:
    if not gate.passed:
        return "refused"
    return "passed with a warning" if gate.warning else "passed"


def _problem(gate: Gate, folder: Path) -> Problem:
    step = gate.next_step or "the champion goes on serving; train on more or later data"
    return Problem(
        where=gate.name,
        found=gate.words,
        expected="a gate refuses only where the 95% interval lies wholly on the bad side",
        next_step=f"{step}; or `propensity promote {folder} --force REASON`, which is kept",
    )


def _comparable(ours: ServingModel, theirs: ServingModel) -> bool:
    return ours.horizon == theirs.horizon and ours.converted == theirs.converted


def _now() -> int:
    return time.time_ns() // 1000
