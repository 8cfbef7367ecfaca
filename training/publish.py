"""From a finished training to a registered version: bundle, report and run, all or nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training.bundle import save_bundle
from training.figures import METRICS
from training.ranker import Progress
from training.registry import Registry, Version
from training.retrain import Retrained


def publish(
    trained: Retrained,
    registry: Registry,
    *,
    tags: Mapping[str, str] = {},
    progress: Progress = lambda what, fraction: None,
) -> tuple[Version, bool]:
    """Register a training as challenger; the first of a workspace becomes champion at once.

    Nothing appears in the workspace before all of it is made, and a version only after its run is complete.

    Parameters
    ----------
    tags : of the run, beside the commit.

    Returns
    -------
    The version, and whether it became champion.
    """
    bundle = trained.bundle
    progress("drawing the report", 0.0)
    with tempfile.TemporaryDirectory(prefix="propensity-") as temporary:
        from training.report.page import write_report

        saved, report = Path(temporary) / "bundle", Path(temporary) / "report"
        save_bundle(bundle, saved)
        report.mkdir()
        write_report(bundle, report)
        progress("registering", 0.0)
        about = bundle.manifest
        version = registry.register(
            saved,
            params=_params(trained),
            metrics=_metrics(trained),
            tags={**({"mlflow.source.git.commit": about["commit"]} if about["commit"] else {}), **tags},
            report_folder=report,
        )
    search = about.get("tuning", {}).get("run")
    if search is not None and registry.has_run(search):
        registry.nest_run(search, under=version.run_id)
    first = registry.champion() is None
    if first:
        registry.set_champion(version.number)
    return version, first


def _params(trained: Retrained) -> dict[str, Any]:
    about = trained.bundle.manifest
    return {
        "horizon": about["horizon"],
        "converted": about["converted"],
        "data_end": about["data_end"],
        "schedule": about["schedule"],
        **{f"recipe.{name}": value for name, value in about["recipe"].items()},
        **{f"chosen.{name}": about["choices"][name] for name in ("rounds", "c", "knots", "weight", "dropped")},
        "split": about["split"]["kind"],
        "guard.left_out": sorted({each.subject for each in trained.findings if each.left_out}),
        **({"model_settings": about["model_settings"]} if about.get("model_settings") else {}),
        "tables": trained.tables.digests,
        "seed": about["recipe"]["seed"],
        "lock": about["lock"],
        "uncommitted_changes": about["uncommitted_changes"],
        "versions": about["versions"],
    }


def _metrics(trained: Retrained) -> dict[str, float | None]:
    """Figures of every model on the test block, the scorer's without a prefix, each with its interval."""
    found: dict[str, float | None] = {}
    for name, figures in trained.bundle.evaluation.models.items():
        prefix = "" if name == "model" else name.replace(" ", "_") + "."
        for metric in METRICS:
            estimate = figures.metrics[metric]
            found[f"{prefix}{metric}"] = estimate.point
            found[f"{prefix}{metric}.low"], found[f"{prefix}{metric}.high"] = estimate.low, estimate.high
    about = trained.bundle.manifest
    return {**found, **{name: about[name] for name in ("settled_moments", "leads", "converted_leads")}}
