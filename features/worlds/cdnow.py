"""CDNOW: who of 23,570 first-time buyers of an online music shop buys again. Real, 1997-1998, one moment a lead.

The books open for everyone on 1997-01-01; a lead is scored once, 273 days (39 weeks) later, on its purchases so
far, and converts with its first purchase from then on. Source: Fader and Hardie, as shipped with `lifetimes`.
"""

from __future__ import annotations

import pandas as pd

from features.worlds.installed_data import installed_data
from features.worlds.workspace_files import ExampleFiles, Progress, table_of

FILES = ("leads.parquet", "events.parquet", "outcomes.parquet")

_BOOKS_OPEN = pd.Timestamp("1997-01-01")
_SCORED_AT = pd.Timestamp("1997-10-01")

TOML = """
[workspace]
name = "cdnow"

[tables]
leads = "leads.parquet"
events = "events.parquet"
outcomes = "outcomes.parquet"

[target]
converted = "converted"
horizon = "273d"
data_end = 1998-07-01T00:00:00Z

[moments]
after_creation = ["273d"]

[events]
purchase = { stage = "action", points = 10, en = "bought music", ja = "CDを購入" }
"""


def example_files(progress: Progress) -> ExampleFiles:
    """The complete history as the contract's tables; of several purchases on a day one event, at noon."""
    path = installed_data("lifetimes", "datasets", distribution="lifetimes") / "CDNOW_master.txt"
    progress("cdnow: reading 69,659 purchases")
    lines = pd.read_csv(
        path,
        sep=r"\s+",
        skiprows=1,
        header=None,
        names=["lead_id", "date", "n_cds", "value"],
        dtype={"lead_id": str, "date": str},
    )
    # The file knows only the day. Noon keeps a purchase inside its day whatever a reader's time zone is.
    lines["occurred_at"] = pd.to_datetime(lines["date"], format="%Y%m%d") + pd.Timedelta(hours=12)
    purchases = lines.groupby(["lead_id", "occurred_at"], as_index=False).agg(
        value=("value", "sum"), n_cds=("n_cds", "sum")
    )

    leads = pd.DataFrame({"lead_id": sorted(purchases["lead_id"].unique())}).assign(created_at=_BOOKS_OPEN)
    events = purchases.assign(event_type="purchase")[["lead_id", "occurred_at", "event_type", "value", "n_cds"]]
    outcomes = (
        purchases[purchases["occurred_at"] >= _SCORED_AT]
        .groupby("lead_id", as_index=False)["occurred_at"]
        .min()
        .assign(outcome="converted")
        .sort_values(["occurred_at", "lead_id"], kind="stable")
    )
    tables = {"leads.parquet": leads, "events.parquet": events, "outcomes.parquet": outcomes}
    return ExampleFiles(TOML, {name: table_of(frame) for name, frame in tables.items()})
