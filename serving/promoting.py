"""Promotion and rollback: the gates of training, and what the agreement adds to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from features.errors import GateRefused, Problem, UsageError
from features.workspace import Workspace, load_workspace
from training.bundle import Bundle, load_bundle
from training.registry import open_registry
from training.terminal import Steps, printed

if TYPE_CHECKING:
    from training.promotion import Gate

AgreementGate = Callable[[Workspace, Bundle, Bundle | None], "list[Gate]"]


def promote_challenger(folder: Path, *, agreement_gates: Sequence[AgreementGate] = ()) -> str:
    """Move the alias `champion` to the challenger, if every gate lets it pass.

    Raises
    ------
    GateRefused
        With the figures of every gate that refused.
    """
    from serving.moves_page import moves_on_promotion
    from serving.scoring import ServingModel
    from training.promotion import compare, gates

    workspace = load_workspace(folder)
    registry = open_registry(workspace)
    challenger, champion = registry.challenger(), registry.champion()
    if challenger is None:
        raise UsageError("no trained model", expected="a challenger to promote", next_step=f"propensity train {folder}")
    if champion is not None and champion.number == challenger.number:
        return printed(f"{challenger.model} version {challenger.number} is already champion.")
    ours = load_bundle(registry.fetch(challenger), digest=challenger.digest)
    theirs = None if champion is None else load_bundle(registry.fetch(champion), digest=champion.digest)
    comparison = None
    if theirs is not None and _comparable(ours, theirs):
        with Steps() as progress:
            comparison = compare(workspace, ours, theirs, progress)
    found = [
        *gates(ours, theirs, comparison),
        *(gate for add in agreement_gates for gate in add(workspace, ours, theirs)),
    ]
    refused = [gate for gate in found if not gate.passed]
    if refused:
        raise GateRefused(
            problems=[
                Problem(
                    where=gate.name,
                    found=gate.words,
                    expected="a gate refuses only where the 95% interval lies wholly on the bad side",
                    next_step="the champion goes on serving; train on more or later data",
                )
                for gate in refused
            ]
        )
    moves = moves_on_promotion(
        workspace,
        ServingModel(challenger.model, challenger.number, ours),
        None if champion is None or theirs is None else ServingModel(champion.model, champion.number, theirs),
    )
    registry.set_champion(challenger.number)
    lines = [f"{'passed with a warning' if gate.warning else 'passed'}: {gate.name}. {gate.words}" for gate in found]
    before = f" after version {champion.number}" if champion is not None else ""
    return printed(*lines, *moves, f"{challenger.model} version {challenger.number} is champion{before}.")


def roll_back(folder: Path) -> str:
    """Undo the last promotion."""
    registry = open_registry(load_workspace(folder))
    version = registry.rollback()
    return printed(f"{version.model} version {version.number} is champion again.")


def _comparable(ours: Bundle, theirs: Bundle) -> bool:
    return all(ours.manifest[key] == theirs.manifest[key] for key in ("horizon", "converted"))
