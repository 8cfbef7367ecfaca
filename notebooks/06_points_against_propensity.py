# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 6. Points against propensity
#
# The old way and the new on the same leads: so many points for an action, decaying, against a calibrated probability. Both
# are judged on the test block, which neither saw.

# %%
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from features.workspace import load_workspace
from serving.champion import champion_of
from training.figures import GAINS
from training.plots import picture
from training.points import PointsRules

workspace = load_workspace(Path(os.environ.get("PROPENSITY_FOLDER", "demo/completejourney")))
bundle = champion_of(workspace).bundle
evaluation, backtest = bundle.evaluation, bundle.backtest
probability, points, converted = backtest.probability, backtest.points, backtest.label

# %% [markdown]
# ## The rules of the old way
#
# Points by event type and attribute, from the toml where it says so.

# %%
rules = PointsRules.from_json(bundle.manifest["points"])
pd.Series({each: rules.of_type(each) for each in bundle.scorer.definitions.schema.event_types}, name="points").head(15)

# %% [markdown]
# ## Who calls the better leads?
#
# Of the best part of all moments by each, which part of all conversions lies in it.

# %%
figure, axes = plt.subplots(figsize=(6.4, 5), layout="constrained")
for name, words, colour in (("model", "propensity", "#1f4e79"), ("points", "points", "#c26a2d")):
    gains = evaluation.models[name].gains
    axes.plot(GAINS, [each.point for each in gains], color=colour, label=words)
    axes.fill_between(GAINS, [each.low for each in gains], [each.high for each in gains], color=colour, alpha=0.12)
axes.plot([0, 1], [0, 1], color="#8a8f98", linestyle="--", label="by chance")
axes.set(xlabel="moments called, best first", ylabel="conversions among them", xlim=(0, 1), ylim=(0, 1))
axes.xaxis.set_major_formatter("{x:.0%}")
axes.yaxis.set_major_formatter("{x:.0%}")
axes.legend(frameon=False)
picture(figure, "Curves of propensity and points: conversions by moments called, beside the line of chance.")

# %% [markdown]
# ## The difference, with its interval
#
# Propensity less points, paired on the same draws of leads. Where the interval holds 0, the two can't be told apart.

# %%
pd.DataFrame({metric: each.to_json() for metric, each in evaluation.differences["points"].items()}).T.rename_axis(
    "propensity less points"
)

# %% [markdown]
# ## Where they disagree
#
# The tenth that each would call first. Who is right about leads that only one of them would call?

# %%
many = max(len(probability) // 10, 1)
by_propensity = np.isin(np.arange(len(probability)), np.argsort(-probability, kind="stable")[:many])
by_points = np.isin(np.arange(len(points)), np.argsort(-points, kind="stable")[:many])
groups = {
    "both": by_propensity & by_points,
    "propensity alone": by_propensity & ~by_points,
    "points alone": by_points & ~by_propensity,
    "neither": ~by_propensity & ~by_points,
}
pd.DataFrame(
    {
        name: {
            "moments": int(rows.sum()),
            "told by propensity": float(probability[rows].mean()) if rows.any() else None,
            "converted": float(converted[rows].mean()) if rows.any() else None,
        }
        for name, rows in groups.items()
    }
).T.round(3)

# %% [markdown]
# ## What a point is worth
#
# Points rank at best; they don't say how likely. The same number of points, split by what propensity says: were points all
# there is to know, both bars would be of one height.

# %%
edges = np.unique(np.quantile(points, np.linspace(0, 1, 6)))
bins = pd.cut(points, edges, include_lowest=True)
halves = pd.DataFrame({"points": bins, "probability": probability, "converted": converted})
halves["half"] = np.where(
    halves["probability"] > halves.groupby("points", observed=True)["probability"].transform("median"),
    "upper half by propensity",
    "lower half",
)
rates = halves.pivot_table(index="points", columns="half", values="converted", aggfunc="mean", observed=True)

figure, axes = plt.subplots(figsize=(8, 3.8), layout="constrained")
rates.plot.bar(ax=axes, color=["#8a8f98", "#1f4e79"][: len(rates.columns)], rot=0)
axes.set(xlabel="points", ylabel="converted")
axes.yaxis.set_major_formatter("{x:.0%}")
axes.legend(frameon=False, title="")
picture(figure, "Bars by points: the share that converted in the lower and the upper half by propensity.")
