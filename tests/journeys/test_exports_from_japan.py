"""Three exports as an office in Tokyo has them, from the tables to one lead's reasons."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq

from journeys.made_workspace import JAPANESE, QUICK, made_tables, write_csv
from journeys.running import explained, propensity

TOKYO = '[workspace]\nname = "東京"\ntimezone = "Asia/Tokyo"\n\n' + QUICK.replace('"converted"', '"受注"')
AGREEMENT = """\
version = 1
[cutoffs]
mql = 0.15
sql = 0.4
[fast_lane."商談予約"]
respond_within = "4h"
counts_for = "14d"
"""


def test_three_japanese_exports_go_the_whole_way(tmp_path: Path) -> None:
    """Semicolons, three encodings, naive local times, dates without times: nothing of it needs a setting but the zone."""
    tables = made_tables()
    dates = [row | {"occurred_at": row["occurred_at"][:10]} for row in tables.outcomes]
    write_csv(tmp_path / "leads.csv", tables.leads, delimiter=";", encoding="cp932", words=JAPANESE)
    write_csv(tmp_path / "events.csv", tables.events, delimiter=";", encoding="utf-8-sig", words=JAPANESE)
    write_csv(tmp_path / "outcomes.csv", dates, delimiter=";", encoding="utf-16", words=JAPANESE)
    (tmp_path / "propensity.toml").write_text(TOKYO, encoding="utf-8")

    checked = propensity("check", tmp_path).out
    assert f"東京: {len(tables.leads):,} leads, {len(tables.events):,} events" in checked
    assert "leads.csv was read as cp932" in checked
    assert "events.csv was read as utf-8-sig" in checked
    assert "outcomes.csv was read as utf-16" in checked
    assert f"outcomes.occurred_at: {len(dates)} date without time" in checked
    assert "Times without an offset are read in Asia/Tokyo" in checked
    assert "価格ページ閲覧" in checked
    assert "Outcomes:" in checked
    assert "受注" in checked
    assert "Set aside" not in checked
    assert "Enough to train on" in checked

    assert "東京 version 1 is the first model of this workspace, and now champion." in propensity("train", tmp_path).out
    assert "東京 version 1 is already champion." in propensity("promote", tmp_path).out
    assert "probability from" in propensity("cutoffs", tmp_path).out

    (tmp_path / "agreement.toml").write_text(AGREEMENT, encoding="utf-8")
    half = propensity("agree", tmp_path, "--team", "marketing", "--by", "田中").out
    assert "marketing: signed by 田中" in half
    assert "sales: not signed" in half
    assert "It takes effect when both teams have signed" in half
    whole = propensity("agree", tmp_path, "--team", "sales", "--by", "鈴木").out
    assert "sales: signed by 鈴木" in whole
    assert "It takes effect.\n" in whole

    propensity("score", tmp_path, "--lang", "ja")
    scores = pq.read_table(tmp_path / "scores.parquet").to_pylist()
    assert scores
    assert all(0.0 < row["probability"] < 1.0 for row in scores)
    assert {row["band"] for row in scores} <= {"nurture", "MQL", "SQL"}
    assert "SQL" in {row["band"] for row in scores}

    lead = max(scores, key=lambda row: row["probability"])["lead_id"]
    english, japanese = (
        propensity("explain", tmp_path, lead).out,
        propensity("explain", tmp_path, lead, "--lang", "ja").out,
    )
    assert "likely to convert within 30 days" in english
    assert "speaks for it" in english
    assert "30日以内に成約する確率" in japanese
    assert "JST時点" in japanese
    assert "speaks for it" not in japanese
    answer = explained(tmp_path, lead)
    (row,) = (each for each in scores if each["lead_id"] == lead)
    assert answer["probability"] == row["probability"], "the page and the table say the same, bit for bit"
    assert answer["agreement"] == {"version": 1, "signed": True}
    reasons = answer["reasons"]
    shown = sum(each["log_odds"] for side in ("for", "against") for each in reasons[side])
    assert abs(reasons["base_log_odds"] + reasons["other_log_odds"] + shown - reasons["raw_log_odds"]) < 1e-6
    assert json.loads(json.dumps(answer)) == answer
