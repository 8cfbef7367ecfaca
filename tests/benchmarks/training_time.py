"""``propensity train`` on the completejourney world, beside one fit of LightGBM with its defaults on the same matrix."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import Any

from measuring import Line, in_own_process, peak_memory
from trained_world import trained


def measure(*, quick: bool) -> list[Line]:
    folder, ours = trained(quick)
    peer = in_own_process("training_time", "lightgbm_alone", folder=str(folder))
    return [
        Line(
            what=f"propensity train, {peer['rows']:,} moments x {peer['columns']} features, the whole command",
            unit="s",
            ours=ours["seconds"],
            peer_name="LightGBM's defaults, fit alone",
            peer=peer["seconds"],
            our_memory=ours["peak_memory"],
            peer_memory=peer["peak_memory"],
            note="ours reads, computes, chooses on forward folds, fits twice, evaluates, registers; not the same work",
        )
    ]


def lightgbm_alone(folder: str) -> dict[str, Any]:
    import lightgbm
    import numpy as np

    from features.catalogue import build_catalogue
    from features.tables import read_history
    from features.workspace import load_workspace
    from training.dataset import TrainingSet
    from training.labelled import settled_moments

    workspace = load_workspace(Path(folder))
    history = read_history(workspace).history
    labelled = settled_moments(history, workspace.schedule, workspace.horizon)
    definitions = build_catalogue(history, labelled.moments, workspace.horizon)
    whole = TrainingSet.build(history, labelled.moments, labelled.labels, definitions, workspace.horizon)
    categorical = np.flatnonzero(definitions.categorical).tolist()
    started = perf_counter()
    data = lightgbm.Dataset(whole.values, whole.label, categorical_feature=categorical, params={"verbosity": -1})
    lightgbm.train({"objective": "binary", "verbosity": -1}, data, num_boost_round=100)
    return {
        "seconds": perf_counter() - started,
        "peak_memory": peak_memory(),
        "rows": len(whole),
        "columns": len(definitions),
    }
