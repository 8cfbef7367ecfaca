# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # 1. Look at histories
#
# Before anything is learned: what stands in the tables, when leads convert, and what those who convert do beforehand.
# `PROPENSITY_FOLDER` names the workspace; `make notebooks FOLDER=mine` sets it.

# %%
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from features.calendar_days import DAY
from features.compute import compute_features
from features.definitions import ALL, CountWithin, DaysSinceLast, Definitions
from features.tables import read_history
from features.wording import duration, label
from features.workspace import load_workspace
from training.labelled import settled_moments
from training.plots import picture

workspace = load_workspace(Path(os.environ.get("PROPENSITY_FOLDER", "demo/completejourney")))
read = read_history(workspace)
history, schema = read.history, read.history.schema

# %% [markdown]
# ## What the tables hold
#
# Rows that can't be used were set aside with their reason, and lie in `rejected/`.

# %%
pd.DataFrame(
    [
        {"table": name, "rows used": table.rows, "set aside": sum(table.rejected.values())}
        for name, table in read.report.tables.items()
    ]
).set_index("table")

# %% [markdown]
# ## When leads convert
#
# A lead counts as converted only where its first outcome is a conversion within the horizon. A horizon much longer than
# this curve needs makes everybody wait for figures; a shorter one calls late winners losers.

# %%
won = history.outcomes.converted
days_to_convert = (history.outcomes.at[won] - history.created_at[won]) / DAY

figure, axes = plt.subplots(figsize=(8, 3.6), layout="constrained")
axes.hist(days_to_convert, bins=60, color="#1f4e79")
axes.axvline(workspace.horizon / DAY, color="#c26a2d", label=f"horizon: {duration(workspace.horizon, 'en')}")
axes.set(xlabel="days from creation to conversion", ylabel="leads")
axes.legend(frameon=False)
picture(figure, "Histogram of the days from creation to conversion, with the horizon as a line.")

# %% [markdown]
# ## Do leads of one month fare like those of another?
#
# Where this line moves a lot, base rates drift: test on the latest moments (as `propensity train` does), and let the
# calibration follow the outcomes (`propensity recalibrate`). The newest months look low because their leads are still open.

# %%
cohorts = (
    pd.DataFrame({"created": pd.to_datetime(history.created_at, unit="us"), "converted": won})
    .set_index("created")["converted"]
    .resample("MS")
    .agg(["mean", "size"])
)
figure, axes = plt.subplots(figsize=(8, 3.6), layout="constrained")
axes.plot(cohorts.index, cohorts["mean"], marker="o", color="#1f4e79")
axes.set(ylabel="share converted so far", xlabel="month of creation")
axes.set_ylim(bottom=0)
axes.yaxis.set_major_formatter("{x:.0%}")
axes.tick_params(axis="x", rotation=30)
picture(figure, "Line by month of creation: the share of its leads that converted so far.")

# %% [markdown]
# ## One history
#
# The busiest lead that converted: each dot an event, the line its conversion. A moment is scored from what stands to
# the left of it, and was recorded by then.

# %%
events = history.events
per_lead = np.diff(events.offsets)
lead = int(np.flatnonzero(won)[np.argmax(per_lead[won])]) if won.any() else int(np.argmax(per_lead))
rows = slice(events.offsets[lead], events.offsets[lead + 1])
place = schema.event_code_columns.index("event_type")
kinds = np.array(events.vocabularies[place], dtype=object)[events.codes[place, rows]]

figure, axes = plt.subplots(figsize=(8, 1.4 + 0.35 * len(set(kinds))), layout="constrained")
axes.plot((events.occurred_at[rows] - history.created_at[lead]) / DAY, kinds, "o", color="#1f4e79", alpha=0.5)
if won[lead]:
    axes.axvline((history.outcomes.at[lead] - history.created_at[lead]) / DAY, color="#c26a2d", label="converted")
    axes.legend(frameon=False)
axes.set(xlabel="days since the lead came in")
picture(figure, "Dots by event type over the days since the lead came in, with a line where it converted.")

# %% [markdown]
# ## What do leads do before they convert?
#
# Moments are those of training, each labelled by what followed within the horizon. Values come from `compute_features`,
# the only way to a feature value: the service computes the same bits.

# %%
labelled = settled_moments(history, workspace.schedule, workspace.horizon)
settled = labelled.labels >= 0
moments, followed = labelled.moments.take(settled), labelled.labels[settled] == 1
looks = Definitions(schema, (CountWithin(ALL, 7 * DAY), CountWithin(ALL, 30 * DAY), DaysSinceLast(ALL)))
values = compute_features(history, moments, looks)

pd.DataFrame(
    {
        "before a conversion": np.nanmedian(values[followed], axis=0),
        "otherwise": np.nanmedian(values[~followed], axis=0),
    },
    index=[label(each, schema, "en") for each in looks],
).rename_axis("median")

# %%
recent = np.minimum(values[:, 0], np.quantile(values[:, 0], 0.98))
bins = pd.cut(recent, np.unique(np.quantile(recent, np.linspace(0, 1, 9))), include_lowest=True)
rates = pd.Series(followed).groupby(bins, observed=True).agg(["mean", "size"])

figure, axes = plt.subplots(figsize=(8, 3.6), layout="constrained")
axes.bar([str(each) for each in rates.index], rates["mean"], color="#1f4e79")
axes.axhline(followed.mean(), color="#8a8f98", linestyle="--", label="average")
axes.set(xlabel="events in the last 7 days", ylabel=f"converted within {duration(workspace.horizon, 'en')}")
axes.yaxis.set_major_formatter("{x:.0%}")
axes.legend(frameon=False)
picture(figure, "Bars by events in the last 7 days: the share that converted, beside a line at the average.")
