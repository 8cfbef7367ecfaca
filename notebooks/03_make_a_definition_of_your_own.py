# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 3. Make a definition of your own
#
# A definition says what to compute about a lead at a moment, as data. Before one goes into `propensity.toml`: what does it
# say of real leads, does it go with conversions, and does it tell the model anything that it does not know yet?

# %%
import os
import time
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from features.calendar_days import DAY
from features.compute import compute_features
from features.definitions import CountWithin, Definitions, DistinctDays, Selector, Trend
from features.moments import Moments
from features.wording import label, say
from features.workspace import load_workspace
from training.forward import choose
from training.losses import log_losses, paired_difference
from training.plots import picture
from training.prepared import prepare
from training.recipe import Recipe
from training.split import choice_folds

workspace = load_workspace(Path(os.environ.get("PROPENSITY_FOLDER", "demo/completejourney")))
prepared = prepare(workspace, progress=lambda what, part: None, clock=lambda: time.time_ns() // 1000)
history, whole, fit = prepared.history, prepared.whole, prepared.parts.fit
schema = history.schema

# %% [markdown]
# ## What there is already
#
# The catalogue is made from the tables' columns; labels are never looked at.

# %%
pd.Series([type(each).__name__ for each in whole.definitions]).value_counts().rename("definitions").to_frame()

# %% [markdown]
# ## Three that are not there yet
#
# Of the busiest event type: how often in the last five days, on how many days of the last three weeks, and whether it
# is picking up.

# %%
event_type = max(prepared.tables.event_types, key=lambda each: prepared.tables.event_types[each])
selector = Selector("event_type", event_type)
own = Definitions(
    schema, (CountWithin(selector, 5 * DAY), DistinctDays(selector, 21 * DAY), Trend(selector, 5 * DAY, 21 * DAY))
)
values = compute_features(history, Moments(whole.lead, whole.as_of), own)
row = int(np.argmax(np.nan_to_num(values[:, 0])))
pd.DataFrame(
    [
        {
            "definition": label(each, schema, "en"),
            "what sales would read": say(each, values[row, place], schema, "en"),
            "in Japanese": say(each, values[row, place], schema, "ja"),
        }
        for place, each in enumerate(own)
    ]
).set_index("definition")

# %% [markdown]
# ## Do they go with conversions?
#
# On the fitted moments alone: the test block is for the end.

# %%
converted = whole.label[fit]
figure, panels = plt.subplots(1, len(own), figsize=(11, 3.4), layout="constrained", sharey=True)
for axes, definition, column in zip(panels, own, values[fit].T, strict=True):
    edges = np.unique(np.nanquantile(column, np.linspace(0, 1, 6)))
    bins = pd.cut(column, edges if len(edges) > 1 else 2, include_lowest=True)
    rates = pd.Series(converted).groupby(bins, observed=True).mean()
    axes.bar([str(each) for each in rates.index], rates, color="#1f4e79")
    axes.axhline(converted.mean(), color="#8a8f98", linestyle="--")
    axes.set_title(label(definition, schema, "en"), fontsize=9)
    axes.tick_params(axis="x", rotation=30, labelsize=8)
panels[0].yaxis.set_major_formatter("{x:.0%}")
panels[0].set_ylabel("converted")
picture(figure, "Three panels of bars by value: the share that converted, beside a line at the average.")

# %% [markdown]
# ## Do they tell the model anything new?
#
# The recipe's choices are made with them and without, on forward predictions within the fitted moments. The difference is
# that of log losses, below 0 the new ones help; beside it its standard error, clustered by lead.

# %%
names = {each.name for each in whole.definitions}
new = [place for place, each in enumerate(own) if each.name not in names]
with_own = replace(
    whole,
    definitions=Definitions(schema, (*whole.definitions, *(own[place] for place in new))),
    values=np.column_stack([whole.values, values[:, new]]),
    monotone=None,
)
folds = choice_folds(whole, fit)
before = choose(Recipe(), whole, fit, folds)
after = choose(Recipe(), with_own, fit, folds)
predicted = whole.take(before.forward_rows)
difference, error = paired_difference(
    log_losses(after.forward_raw, predicted.label), log_losses(before.forward_raw, predicted.label), predicted.lead_hash
)
f"{difference:+.5f} ± {error:.5f}: " + ("they help" if difference < -error else "not clearly better: leave them out")

# %% [markdown]
# ## Keep it
#
# In `propensity.toml`; from the next training on it is computed by the same pass as all others, in batch and online.
# `docs/model.toml` explains each key.
#
# ```toml
# [[definitions]]
# kind = "count"
# name = "lately"
# where = { event_type = "pricing_page_viewed" }
# window = "5d"
# en = "price pages viewed lately"
# ja = "最近の価格ページ閲覧"
# ```
