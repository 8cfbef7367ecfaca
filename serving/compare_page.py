"""`propensity compare`: champion and challenger over the open leads, in the terminal and as a CSV file."""

from __future__ import annotations

import csv
import os
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from features.errors import UsageError
from features.wording import percent
from features.workspace import load_workspace
from serving.champion import model_of
from serving.lead_score import LeadScore, iso_instant
from serving.moves_page import band_name, moves_page
from serving.queue_export import harmless
from serving.serving_model import ServingModel
from serving.side_by_side import side_by_side
from serving.two_models import Change, Mover, TwoModels, two_models
from training.registry import Registry, Version, open_registry
from training.terminal import Steps, plain, printed

SHOWN = 20
"""Leads in the terminal; the file has all."""
REASONS, TOPICS, TOP = 2, 5, 50
COLUMNS = (
    "lead_id", "as_of", "band_now", "band_then", "decided_by_now", "decided_by_then", "probability_now", "probability_then",
    "why",
)  # fmt: skip


def compare_page(folder: Path, *, version: str | None = None, out: Path | None = None) -> str:
    """Score the open leads with both models and show who moves between bands, and why.

    Parameters
    ----------
    version : of the model to compare the champion with; None takes the challenger.
    out : a CSV file to write all open leads to.

    Raises
    ------
    UsageError
        There are no two models; no such version; the file is no CSV file.
    """
    if out is not None and out.suffix.lower() != ".csv":
        raise UsageError(f"--out {out}", expected="a file that ends in .csv", next_step="name it so")
    workspace = load_workspace(folder)
    registry = open_registry(workspace)
    champion, other = _versions(registry, folder, version)
    with Steps() as progress:
        progress("reading the tables")
        models = [model_of(registry, each) for each in (champion, other)]
        both = side_by_side(workspace, now=models[0], then=models[1])
        progress("scoring the open leads with both models")
        found = two_models(both)
    told: list[RenderableType] = _said(found, *models)
    if out is not None:
        _write(found, out)
        told.append(f"All {len(found.now):,} open leads are in {out}")
    return printed(*told)


def _versions(registry: Registry, folder: Path, told: str | None) -> tuple[Version, Version]:
    champion = registry.champion()
    other = registry.challenger() if told is None else registry.find(told)
    if champion is None or (told is None and other is None):
        raise UsageError(
            "no trained model", expected="a champion and a challenger", next_step=f"propensity train {folder}"
        )
    if other is None:
        raise UsageError(
            f"no version {told}",
            expected=f"the number of a version of {champion.model}",
            next_step="`make ui FOLDER=...` lists them",
        )
    if other.number == champion.number:
        raise UsageError(
            f"version {other.number} is the champion itself",
            expected="a challenger, or another --version",
            next_step=f"propensity train {folder} makes a challenger",
        )
    return champion, other


def _said(found: TwoModels, now: ServingModel, then: ServingModel) -> list[RenderableType]:
    if not found.now:
        return ["No lead is open now: there is nobody to compare the models on."]
    top = min(TOP, max(len(found.now) // 10, 1))
    said: list[RenderableType] = [
        f"{now.name}: version {now.version}, which serves, and version {then.version} over {len(found.now):,} leads "
        f"that are open at {iso_instant(found.now[0].as_of)}.",
        f"Mean probability {_mean(found.now):.1%} now, {_mean(found.then):.1%} then. Of the {top} leads on top now "
        f"{found.still_on_top(top)} are on top then.",
        "",
    ]
    if found.by_band:
        said += moves_page(found.moves, then.version)
    else:
        said.append("No agreement is signed by both teams, so that no lead has a band: the largest changes instead.")
    if not found.movers:
        return said
    said += ["", "Why, over those who move (mean change of the log-odds):", _topics(found.movers)]
    heading = "Who moves, into or out of SQL first:" if found.by_band else "Who moves, the most first:"
    said += ["", heading, _movers(found.movers[:SHOWN], by_band=found.by_band)]
    if len(found.movers) > SHOWN:
        said.append(f"and {len(found.movers) - SHOWN:,} more; --out FILE.csv writes all.")
    return said


def _mean(scores: Sequence[LeadScore]) -> float:
    return sum(each.probability or 0.0 for each in scores) / len(scores)


def _topics(movers: Sequence[Mover]) -> Table:
    """The parts that changed most, each over all who move."""
    sums: dict[str, float] = defaultdict(float)
    sizes: dict[str, float] = defaultdict(float)
    for mover in movers:
        for each in mover.changes:
            sums[each.feature or each.text] += each.log_odds / len(movers)
            sizes[each.feature or each.text] += abs(each.log_odds) / len(movers)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("because of")
    table.add_column("change", justify="right")
    table.add_column("either way", justify="right")
    for name in sorted(sizes, key=lambda each: (-sizes[each], each))[:TOPICS]:
        table.add_row(Text(plain(name)), f"{sums[name]:+.2f}", f"{sizes[name]:.2f}")
    return table


def _movers(movers: Sequence[Mover], *, by_band: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("lead", overflow="fold")
    if by_band:
        table.add_column("band", no_wrap=True)
    table.add_column("probability", no_wrap=True, justify="right")
    table.add_column("why, in log-odds", overflow="fold", ratio=1)
    for each in movers:
        table.add_row(
            Text(plain(each.now.lead_id)),
            *([f"{band_name(each.now.band)} → {band_name(each.then.band)}"] if by_band else []),
            f"{percent(each.now.probability or 0.0, 'en')} → {percent(each.then.probability or 0.0, 'en')}",
            Text(plain(_why(each.why[:REASONS]))),
        )
    return table


def _why(changes: Sequence[Change]) -> str:
    return "; ".join(f"{each.log_odds:+.2f} {each.text}" for each in changes)


def _write(found: TwoModels, out: Path) -> None:
    """All open leads, whole or not at all; no cell that a spreadsheet would run."""
    why = {each.now.lead_id: _why(each.why[:SHOWN]) for each in found.movers}
    out.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{out.name}.", dir=out.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8-sig", newline="") as file:
            lines = csv.writer(file)
            lines.writerow(COLUMNS)
            for now, then in zip(found.now, found.then, strict=True):
                cells = (
                    now.lead_id, iso_instant(now.as_of), band_name(now.band), band_name(then.band), now.decided_by.value,
                    then.decided_by.value, now.probability, then.probability, why.get(now.lead_id, ""),
                )  # fmt: skip
                lines.writerow([harmless(each) if isinstance(each, str) else each for each in cells])
        os.chmod(temporary, 0o644)
        os.replace(temporary, out)
    finally:
        Path(temporary).unlink(missing_ok=True)
