# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 5. Agree on cutoffs
#
# Marketing hands over, sales can call only some. This is what any pair of cutoffs would have given on moments that the model
# never saw, with intervals; the page of the service and `propensity cutoffs` count the same way.

# %%
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from features.workspace import load_workspace
from serving.champion import champion_of
from serving.simulator import Simulator
from training.plots import picture

workspace = load_workspace(Path(os.environ.get("PROPENSITY_FOLDER", "demo/completejourney")))
model = champion_of(workspace)
simulator = Simulator.of(model)
outlooks = simulator.outlooks

# %% [markdown]
# ## Each cutoff: how many leads a week, and how many of them convert
#
# Further right fewer leads are handed over, and more of them convert. The shaded parts are 95% intervals, over leads.

# %%
curve = [each for each in outlooks.curve if each.precision.low is not None and each.leads >= 30]
cutoffs = [each.cutoff for each in curve]
figure, (volume, precision) = plt.subplots(2, 1, figsize=(8, 6), layout="constrained", sharex=True)
for axes, name, words in (
    (volume, "leads_a_week", "leads a week at or above"),
    (precision, "precision", "share of them that convert"),
):
    estimates = [getattr(each, name) for each in curve]
    axes.plot(cutoffs, [each.point for each in estimates], color="#1f4e79")
    axes.fill_between(
        cutoffs, [each.low for each in estimates], [each.high for each in estimates], color="#1f4e79", alpha=0.15
    )
    axes.set_ylabel(words)
    axes.set_ylim(bottom=0)
precision.plot(cutoffs, cutoffs, color="#8a8f98", linestyle="--", label="the cutoff itself")
precision.legend(frameon=False)
precision.yaxis.set_major_formatter("{x:.0%}")
precision.xaxis.set_major_formatter("{x:.0%}")
precision.set_xlabel("cutoff")
picture(figure, "Curves by cutoff: leads a week at or above it, and the share of them that convert.")

# %% [markdown]
# ## A pair to start from
#
# In both languages, as the page says it.

# %%
suggestion = simulator.suggestion()
print(
    "\n".join([*suggestion.said("en"), *suggestion.said("ja")])
    if suggestion
    else "too few conversions to suggest a pair"
)

# %% [markdown]
# ## What if sales can take fewer?
#
# For each number of calls a week, the cutoff that fills it, and what it catches, beside the old way: points with the same
# number of leads handed over.

# %%
start = suggestion.outlook.sqls_a_week.point if suggestion else outlooks.lead_weeks
rows = []
for capacity in np.round(np.array([0.5, 1.0, 2.0, 4.0]) * start, 1):
    pair = simulator.for_capacity(float(capacity))
    if pair is None:
        continue
    outlook, by_points = outlooks.outlook(*pair), outlooks.by_points(*pair)
    rows.append(
        {
            "SQLs a week": float(capacity),
            "MQL cutoff": pair[0],
            "SQL cutoff": pair[1],
            "precision": outlook.precision_sql.point,
            "precision by points": by_points.precision_sql.point if by_points else None,
            "conversions caught": outlook.caught_sql.point,
            "days ahead": outlook.days_ahead_sql.point if outlook.days_ahead_sql else None,
        }
    )
pd.DataFrame(rows).round(3)

# %% [markdown]
# ## Sign it
#
# Write the pair into `agreement.toml` (or on the page), look at what it would give, and let both teams sign. Half-signed it
# never takes effect.
#
# ```sh
# propensity agree mine
# propensity agree mine --team marketing --by "Mei Tanaka"
# propensity agree mine --team sales --by "Jonas Weber"
# ```
