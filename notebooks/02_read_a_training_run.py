# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 2. Read a training run
#
# What came of `propensity train`: which choices were made and on what grounds, whether the probabilities are true, whether
# they rank, and what moves them. All figures are those of the *evaluated* scorer, which never saw the moments it is tested on.

# %%
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from features.durations import duration_text
from features.tables import read_history
from features.workspace import load_workspace
from training.bundle import load_bundle
from training.dataset import TrainingSet
from training.explanation import Explainer
from training.labelled import settled_moments
from training.plots import gains_plot, importance_plot, picture, reliability_plot
from training.registry import open_registry
from training.what_moves import what_moves

workspace = load_workspace(Path(os.environ.get("PROPENSITY_FOLDER", "demo/completejourney")))
registry = open_registry(workspace)
version = registry.champion()
bundle = load_bundle(registry.fetch(version), digest=version.digest)
about = bundle.manifest
f"{version.model} version {version.number}: converts within {duration_text(about['horizon'])}"

# %% [markdown]
# ## How the moments were parted

# %%
print("\n".join(about["split"]["words"]))
print("\n".join(about["warnings"]))

# %% [markdown]
# ## What was chosen
#
# On the last part of the fitted moments, predicted by fits that saw neither the lead nor anything later. The number of
# trees, the ridge, and how trees and line are mixed: the lowest forward loss wins, and the default stays unless another is
# clearly better.

# %%
losses = about["evaluated_choices"]["losses"]
titles = {"rounds": "number of trees", "c": "ridge", "weight": "weight of the trees"}
figure, panels = plt.subplots(1, 3, figsize=(11, 3.2), layout="constrained")
for axes, name in zip(panels, titles, strict=True):
    axes.plot(list(losses[name]), list(losses[name].values()), marker="o", color="#1f4e79")
    axes.set(title=titles[name], ylabel="forward log loss" if name == "rounds" else "")
picture(figure, "Three lines: the forward log loss by number of trees, by ridge and by the weight of the trees.")

# %%
pd.DataFrame(about["evaluated_calibrations"]).T.rename_axis("calibrator")

# %% [markdown]
# ## Is a score true?
#
# Of the moments that were told 20%, about 20% should convert: the dots lie on the line where they do. Below the plot, how
# often which probability was told.

# %%
picture(
    reliability_plot(bundle.evaluation, bundle.backtest.probability),
    "Dots by the probability told: the rate that came true, beside the line where it is as told; below, a histogram.",
)

# %% [markdown]
# ## Does it rank?

# %%
picture(
    gains_plot(bundle.evaluation),
    "Curves of each model by moments called, best first: conversions caught, and the lift over the average.",
)

# %%
shown = ("roc_auc", "average_precision", "log_loss", "brier", "ece", "calibration_slope")
pd.DataFrame(
    {
        name: {
            metric: "–"
            if (each := figures.metrics[metric]).point is None
            else f"{each.point:.3f}" + (f" [{each.low:.3f}, {each.high:.3f}]" if each.low is not None else "")
            for metric in shown
        }
        for name, figures in bundle.evaluation.models.items()
    }
)

# %% [markdown]
# ## What moves scores
#
# Exact shares (SHAP values) of the raw log-odds, pooled over the definitions that mean one thing to a person. The features
# of a sample of training moments are computed anew from the tables.

# %%
history = read_history(workspace, schema=bundle.scorer.definitions.schema, data_end=about["data_end"]).history
labelled = settled_moments(history, workspace.schedule, bundle.scorer.horizon)
train_set = TrainingSet.build(
    history, labelled.moments, labelled.labels, bundle.scorer.definitions, bundle.scorer.horizon
)
sample = train_set.take(np.unique(np.linspace(0, len(train_set) - 1, min(len(train_set), 2000)).astype(np.int64)))
moved = what_moves(bundle.scorer, sample.values).reasons
picture(
    importance_plot([each.name for each in moved], [each.group for each in moved], [each.mean for each in moved]),
    f"Bars, longest first: how much each reason moves scores. First comes {moved[0].name}.",
)

# %% [markdown]
# ## One score, taken apart
#
# The highest of the sample. Base and shares add up to the raw log-odds; the probability is the calibrated raw score.

# %%
raw, probability = bundle.scorer.score(sample.values)
best = int(np.argmax(probability))
explanation = Explainer.of(bundle.scorer, bundle.reference).explain(
    sample.values[best : best + 1], raw[best : best + 1]
)[0]
reasons = [*explanation.for_, *explanation.against]
pd.DataFrame(
    [
        {"part": "base", "log-odds": explanation.base},
        *({"part": each.feature, "value": each.value, "log-odds": each.log_odds} for each in reasons),
        {"part": "all others", "log-odds": explanation.other_log_odds},
        {"part": f"raw, told as {probability[best]:.1%}", "log-odds": explanation.raw},
    ]
).set_index("part")
