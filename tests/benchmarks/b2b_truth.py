"""How near the default recipe comes to the ideal observer of the simulated world, on moments that it never saw.

Log losses are expected ones, by the true probabilities: those of what happened vary by a few percent with who happened
to convert. The filter's is the least that anybody can reach from the same tables.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from measuring import Line, in_own_process


def measure(*, quick: bool) -> list[Line]:
    size = 3000 if quick else 20_000
    with TemporaryDirectory() as folder:
        found = in_own_process("b2b_truth", "losses", folder=folder, size=size)
    return [
        Line(
            what=f"log loss on b2b, {size:,} leads, {name}",
            unit="nats",
            ours=found[name],
            peer_name="exact filter",
            peer=found["filter"],
            note="1 cannot be passed",
        )
        for name in ("model", "logistic regression", "points")
    ]


def losses(folder: str, size: int) -> dict[str, float]:
    """Expected log loss on the test block of the evaluated model, its line, points and the truth itself."""
    import numpy as np
    import pandas as pd

    from features.moments import Moments
    from features.tables import read_history
    from features.workspace import load_workspace
    from features.worlds import make_world
    from training.dataset import TrainingSet
    from training.labelled import settled_moments
    from training.points import PointsRules, points_as_probability, points_of
    from training.retrain import retrain
    from training.split import split

    make_world("b2b", Path(folder), size=size)
    workspace = load_workspace(Path(folder))
    scorer = retrain(workspace).bundle.evaluated_scorer
    history = read_history(workspace, schema=scorer.definitions.schema).history
    labelled = settled_moments(history, workspace.schedule, workspace.horizon)
    whole = TrainingSet.build(history, labelled.moments, labelled.labels, scorer.definitions, workspace.horizon)
    parts = split(whole, delay=history.outcomes.delay)
    test = whole.take(parts.test)
    table = pd.read_parquet(Path(folder) / "truth" / "truth.parquet").set_index(["lead_id", "as_of"])["probability"]
    keys = [history.lead_ids[test.lead], pd.to_datetime(test.as_of, unit="us", utc=True)]
    truth = table.reindex(pd.MultiIndex.from_arrays(keys)).to_numpy()
    points = points_of(history, Moments(whole.lead, whole.as_of), PointsRules.of(workspace, history.schema))
    said = {
        "model": scorer.score(test.values)[1],
        "logistic regression": 1.0 / (1.0 + np.exp(-scorer.ranker.line.raw(test.values))),
        "points": points_as_probability(points[parts.fit], whole.label[parts.fit], points[parts.test]),
        "filter": truth,
    }
    return {name: float(-(truth * np.log(p) + (1 - truth) * np.log1p(-p)).mean()) for name, p in said.items()}
