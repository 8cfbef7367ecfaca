# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 4. Compare and promote
#
# A challenger asks to serve. Is it better on moments that neither saw, and whom would it move between the bands? Here the
# challenger is a draft, trained in this notebook and registered nowhere: the line without trees. For a registered one:
# `propensity compare mine`, `propensity promote mine`, and `propensity rollback mine` to undo it.

# %%
import os
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from features.workspace import load_workspace
from serving.champion import champion_of
from serving.serving_model import ServingModel
from serving.side_by_side import side_by_side
from serving.two_models import two_models
from training.gates import gates
from training.plots import picture
from training.promotion import compare
from training.recipe import Recipe
from training.registry import open_registry
from training.retrain import retrain

workspace = load_workspace(Path(os.environ.get("PROPENSITY_FOLDER", "demo/completejourney")))
champion = champion_of(workspace)

# %% [markdown]
# ## What was registered so far

# %%
pd.DataFrame(
    [
        {
            "version": each.number,
            "trained": pd.to_datetime(each.trained_at, unit="us", utc=True).floor("s"),
            "champion": each.champion,
            "ROC-AUC": each.metrics.get("roc_auc"),
            "log loss": each.metrics.get("log_loss"),
        }
        for each in open_registry(workspace).versions()
    ]
).set_index("version")

# %% [markdown]
# ## A draft

# %%
line_alone = replace(Recipe(), weights=(0.0,), weight=0.0)
draft = ServingModel(champion.name, "draft", retrain(workspace, recipe=line_alone).bundle)

# %% [markdown]
# ## On the same later moments
#
# The draft's test block, scored by both; of the champion stands in whichever of its scorers saw nothing of it.

# %%
comparison = compare(workspace, draft.bundle, champion.bundle)
difference = comparison.difference
figure, axes = plt.subplots(figsize=(8, 1.6), layout="constrained")
axes.axvline(0, color="#8a8f98", linestyle="--")
axes.errorbar(
    [difference.point],
    [0],
    xerr=[[difference.point - difference.low], [difference.high - difference.point]],
    fmt="o",
    color="#1f4e79",
)
axes.set(xlabel="log loss of the draft less that of the champion: left of 0 the draft is better", yticks=[])
picture(figure, "A dot with its interval: the log loss of the draft less that of the champion, beside a line at 0.")

# %% [markdown]
# ## The gates
#
# They refuse only where the 95% interval lies wholly on the bad side.

# %%
pd.DataFrame(
    [
        {"gate": each.name, "verdict": "passes" if each.passed else "refuses", "figures": each.words}
        for each in gates(draft.bundle, champion.bundle, comparison)
    ]
).set_index("gate")

# %% [markdown]
# ## Who moves
#
# The leads of the queue, by both. With an agreement that both teams signed, those who move are the ones that change their band.

# %%
both = two_models(side_by_side(workspace, now=champion, then=draft))
now, then = (np.array([each.probability for each in side]) for side in (both.now, both.then))
figure, axes = plt.subplots(figsize=(5.5, 5.5), layout="constrained")
axes.plot([1e-3, 1], [1e-3, 1], color="#8a8f98", linestyle="--")
axes.plot(now, then, ".", color="#1f4e79", alpha=0.4)
axes.set(xscale="log", yscale="log", xlabel="told by the champion", ylabel="told by the draft")
picture(figure, "A dot for each lead, by what champion and draft told, beside the line where both agree.")

# %%
pd.DataFrame(
    [
        {
            "now": mover.now.probability,
            "then": mover.then.probability,
            "band now": mover.now.band,
            "band then": mover.then.band,
            "why": "; ".join(f"{each.text} ({each.log_odds:+.2f})" for each in mover.changes[:2]),
        }
        for mover in both.movers[:10]
    ]
).round(3)
