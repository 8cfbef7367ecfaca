"""Score and reasons of leads in batch, beside LightGBM's predict and shap's TreeExplainer on the same matrix."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from measuring import Line, in_own_process, seconds_of
from trained_world import environment, trained

LEADS = 5_000


def measure(*, quick: bool) -> list[Line]:
    folder, _ = trained(quick)
    figures = in_own_process("scoring_time", "both_sides", folder=str(folder), leads=500 if quick else LEADS)
    n, d = figures["leads"], figures["columns"]
    return [
        Line(
            what=f"probability and contributions from the matrix, a lead ({n:,} leads x {d} features)",
            unit="us",
            ours=figures["scorer"],
            peer_name="LightGBM predict + shap.TreeExplainer",
            peer=figures["shap"],
            note="ours adds the line and the calibrator to the same trees",
        ),
        Line(
            what="whole answer, a lead: features, probability, band, reasons in words",
            unit="us",
            ours=figures["answers"],
            peer_name="LightGBM predict + shap.TreeExplainer",
            peer=figures["shap"],
            note=f"not the same work; without reasons {figures['without_reasons']:.0f} us",
        ),
        Line(
            what="probability alone from the matrix, a lead",
            unit="us",
            ours=figures["score_alone"],
            peer_name="LightGBM predict",
            peer=figures["predict"],
        ),
    ]


def both_sides(folder: str, leads: int) -> dict[str, Any]:
    import os

    os.environ.pop("MLFLOW_TRACKING_URI", None)
    os.environ.update(environment())
    import lightgbm
    import numpy as np
    import shap

    from features.compute import compute_features
    from features.moments import Moments
    from features.workspace import load_workspace
    from serving.desk import open_desk
    from serving.scoring import score_leads
    from serving.serving_model import ServingModel

    desk = open_desk(load_workspace(Path(folder)))
    assert isinstance(desk.model, ServingModel), "training left no champion"
    scorer = desk.model.bundle.scorer
    created = np.flatnonzero(desk.history.created_at < desk.history.now)
    chosen = created[np.arange(leads) % len(created)]
    moments = Moments(chosen, np.full(leads, desk.history.now))
    values = compute_features(desk.history, moments, scorer.definitions)
    booster = lightgbm.Booster(model_str=scorer.ranker.trees)
    explainer = shap.TreeExplainer(booster)

    def answers(reasons: bool) -> None:
        scored_at = time.time_ns() // 1000
        for _ in score_leads(desk.model, desk.agreement, desk.history, moments, scored_at=scored_at, reasons=reasons):
            pass

    def contributions() -> None:
        scorer.score(values)
        scorer.explain(values)

    def with_shap() -> None:
        booster.predict(values)
        explainer.shap_values(values)

    sides = {
        "scorer": contributions,
        "shap": with_shap,
        "answers": lambda: answers(True),
        "without_reasons": lambda: answers(False),
        "score_alone": lambda: scorer.score(values),
        "predict": lambda: booster.predict(values),
    }
    for side in sides.values():
        side()
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(3):  # in turn
        for name, side in sides.items():
            taken[name].append(seconds_of(side))
            time.sleep(0.05)
    per_lead = {name: sorted(each)[1] / leads * 1e6 for name, each in taken.items()}
    return per_lead | {"leads": leads, "columns": len(scorer.definitions)}
