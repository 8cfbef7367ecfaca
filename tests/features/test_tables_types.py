"""What columns are taken for, what is left out, and how a model's schema reads tables that changed since."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from features.schema import Schema
from features.tables import ReadTables, read_history
from features.tables.personal_data import personal_by_name
from features.tables.schema_inference import leads_for_a_type
from features.tables.stage_words import stage_of
from oracles.written_workspaces import EVENTS, LEADS, NOW, TARGET, at, read, write_workspace


def read_leads(folder: Path, toml: str = TARGET, **columns: list[Any]) -> ReadTables:
    """Leads with these columns, as CSV text."""
    n = len(next(iter(columns.values())))
    lines = [",".join(["lead_id", "created_at", *columns])]
    for i in range(n):
        cells = [
            "" if values[i] is None else '"' + str(values[i]).replace('"', '""') + '"' for values in columns.values()
        ]
        lines.append(",".join([f"L{i:03d}", "2026-01-01", *cells]))
    return read(folder, leads="\n".join(lines) + "\n", toml=toml)


def test_numbers_dates_booleans_and_texts_are_told_apart(tmp_path: Path) -> None:
    got = read_leads(
        tmp_path,
        plain=[1, 2.5, "-3", "1e3"] * 10,
        full_width=["１，０００", "２", "−３", "４．５"] * 10,
        thousands=["1,234.5", "12", "NA", "1,000,000"] * 10,
        padded=["007", "12", "13", "14"] * 10,
        day=["2026-01-05", "2026年3月14日", "不明", "2026/3/4 9:05"] * 10,
        flag=["TRUE", "false", "", "True"] * 10,
        size=["big", "small", "n/a", "なし"] * 10,
        digits_and_text=["1", "2", "many", "-"] * 10,
    )
    assert got.history.schema.attributes == {
        "plain": "number", "full_width": "number", "thousands": "number", "padded": "category", "day": "date",
        "flag": "category", "size": "category", "digits_and_text": "category",
    }  # fmt: skip
    assert got.history.schema.categories == {
        "padded": ("007", "12", "13", "14"), "flag": ("false", "true"), "size": ("big", "small"),
        "digits_and_text": ("1", "2", "many"),
    }  # fmt: skip
    numbers = dict(zip(got.history.schema.attribute_numbers, got.history.attributes.numbers, strict=True))
    assert list(numbers["full_width"][:4]) == [1000.0, 2.0, -3.0, 4.5]
    np.testing.assert_array_equal(numbers["thousands"][:4], [1234.5, 12.0, np.nan, 1_000_000.0])
    np.testing.assert_array_equal(
        numbers["day"][:4], [at("2026-01-05"), at("2026-03-14"), np.nan, at("2026-03-04T09:05")]
    )


def test_booleans_are_the_same_categories_from_any_source(tmp_path: Path) -> None:
    cells = [True, False, None, True] * 5
    of_parquet = read(
        tmp_path,
        leads=pa.table({"lead_id": [f"L{i:03d}" for i in range(20)], "created_at": ["2026-01-01"] * 20, "flag": cells}),
    ).history
    of_text = read_leads(tmp_path, flag=["True", "FALSE", None, "true"] * 5).history
    assert of_parquet.schema.categories == of_text.schema.categories == {"flag": ("false", "true")}
    np.testing.assert_array_equal(of_parquet.attributes.codes, of_text.attributes.codes)


def test_columns_that_can_tell_nothing_are_left_out_with_the_reason(tmp_path: Path) -> None:
    got = read_leads(
        tmp_path,
        constant=["x"] * 40,
        nothing=[None] * 40,
        token=[f"a{i}z" for i in range(40)],
        rare=[f"v{i % 13}" for i in range(40)],
        note_told=["p", "q"] * 20,
        sometimes=["yes", None] * 20,
        toml=TARGET + '[attributes]\nignore = ["note_told"]\n',
    )
    assert got.report.left_out == {
        "leads.constant": "the same in every row",
        "leads.nothing": "empty",
        "leads.token": "id-like: nearly every row has a text of its own",
        "leads.rare": "no text that 5 leads have",
        "leads.note_told": "told to ignore it",
    }
    assert got.history.schema.categories == {"sometimes": ("yes",)}


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ([f"p{i}@example.com" if i % 4 else "x" for i in range(40)], "mail address"),
        ([f"+81 3-1234-{i:04d}" for i in range(40)], "phone number"),
        ([f"090{i:08d}" for i in range(40)], "phone number"),
        ([f"{i} Long Street" for i in range(40)], "address"),
        ([f"東京都港区赤坂{i}丁目" for i in range(40)], "address"),
        ([f"Please call me back about offer {i} soon" for i in range(40)], "free text"),
        ([f"{i}番の製品について、詳しく、教えてください。お願いします" for i in range(40)], "free text"),
        ([f"Anna{chr(97 + i % 26)} Smith{chr(97 + i // 2)}" for i in range(40)], "name"),
        ([f"山田 太{'一二三四五六七八九十'[i % 10]}" for i in range(40)], "name"),
    ],
)
def test_personal_data_are_recognised_by_content(tmp_path: Path, cells: list[str], kind: str) -> None:
    got = read_leads(tmp_path, kept=["a", "b"] * 20, told=cells)
    assert got.report.left_out == {"leads.told": f"personal data: {kind}, by the column's content"}
    assert "told" not in got.history.schema.attributes


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("name", "name"), ("FirstName", "name"), ("contact_full_name", "name"), ("担当者名", "name"), ("氏名", "name"),
        ("フリガナ", "name"), ("email", "mail address"), ("work_e-mail", "mail address"), ("メールアドレス", "mail address"),
        ("phone", "phone number"), ("mobile_phone_number", "phone number"), ("携帯電話番号", "phone number"),
        ("ＴＥＬ", "phone number"), ("address_line_2", "address"), ("ip_address", "address"), ("住所", "address"),
        ("notes", "free text"), ("備考", "free text"), ("お問い合わせ内容", "free text"),
        ("email_opt_in", None), ("campaign_name", None), ("product_name", None), ("page_views", None), ("都道府県", None),
        ("company_size", None), ("phone_verified", None), ("業種", None), ("number_of_calls", None), ("title", None),
    ],
)  # fmt: skip
def test_personal_data_are_recognised_by_name(column: str, kind: str | None) -> None:
    assert personal_by_name(column) == kind


def test_answers_of_a_questionnaire_and_cities_are_no_personal_data(tmp_path: Path) -> None:
    got = read_leads(
        tmp_path,
        answer=["I would like to see a demo of the product", "We are only looking around for now, thanks"] * 20,
        town=["New York", "San Diego", "Los Angeles", "Las Vegas"] * 10,
    )
    assert got.history.schema.attributes == {"answer": "category", "town": "category"}


def test_event_types_need_leads_of_their_own_and_further_columns_are_typed(tmp_path: Path) -> None:
    leads = "lead_id,created_at\n" + "".join(f"L{i:02d},2026-01-01\n" for i in range(60))
    rows = [
        f"L{i:02d},2026-01-{2 + j:02d},{'common' if j else 'rare' if i < 2 else 'usual'},{i},{'web' if i % 2 else ''},"
        f"{'pro' if i % 2 else 'free'},{i * 10},2026-01-01,{i}-{j}-x,x{i}@example.com\n"
        for i in range(60)
        for j in range(2)
    ]
    header = "lead_id,occurred_at,event_type,value,channel,plan,amount,due,session,email\n"
    got = read(tmp_path, leads=leads, events=header + "".join(rows))
    schema = got.history.schema
    assert schema.event_types == ("common", "usual")
    assert got.report.event_types == {"common": 60, "rare": 2, "usual": 58}
    assert schema.event_numbers == ("value", "amount")
    assert schema.event_categories == {"channel": ("web",), "plan": ("free", "pro")}
    assert schema.event_code_columns == ("event_type", "channel", "plan")
    assert got.report.left_out == {
        "events.due": "the same in every row",
        "events.session": "id-like: nearly every row has a text of its own",
        "events.email": "personal data: mail address, by the column's name",
    }
    assert list(got.history.events.numbers[1][:4]) == [0.0, 0.0, 10.0, 10.0]
    assert got.history.events.vocabularies[2] == ("free", "pro")


def test_unreadable_values_are_missing_and_counted(tmp_path: Path) -> None:
    events = "lead_id,occurred_at,event_type,value\nL1,2026-01-03,x,12\nL1,2026-01-04,x,twelve\nL1,2026-01-05,x,NA\n"
    got = read(tmp_path, events=events)
    np.testing.assert_array_equal(got.history.events.numbers[0], [12.0, np.nan, np.nan])
    assert got.report.tables["events"].unreadable == {"value": 1}
    assert any("events.value: 1 cells" in warning for warning in got.report.warnings)


def test_how_many_leads_a_type_needs_follows_the_size_of_the_table() -> None:
    assert [leads_for_a_type(n) for n in (1, 10, 80, 200, 399, 400, 10**6)] == [3, 3, 4, 10, 19, 20, 20]


@pytest.mark.parametrize(
    ("event_type", "stage"),
    [
        ("pricing_page_viewed", "decision"), ("PageViewed", "awareness"), ("page view", "awareness"),
        ("trial_started", "action"), ("whitepaper-downloaded", "interest"), ("discovery_call_booked", "action"),
        ("資料請求ダウンロード", "interest"), ("料金ページ閲覧", "decision"), ("メール開封", "awareness"),
        ("商談予約", "action"), ("メルマガ解除", None), ("unsubscribed", None), ("x17", None), ("recall", None),
    ],
)  # fmt: skip
def test_the_word_list_gives_stages(event_type: str, stage: str | None) -> None:
    assert stage_of(event_type) == stage


def test_the_toml_gives_stages_and_words_before_the_list(tmp_path: Path) -> None:
    toml = (
        TARGET
        + '[events]\npage_viewed = { stage = "interest", en = "saw a page", ja = "閲覧" }\npage_veiwed = { points = 1 }\n'
    )
    got = read(tmp_path, toml=toml, events=EVENTS + "L1,2026-01-03,page_viewed\nL1,2026-01-03,x9\n")
    assert got.history.schema.stages == {"page_viewed": "interest"}
    assert got.history.schema.event_words["page_viewed"].en == "saw a page"
    assert got.report.unmapped_event_types == ("x9",)
    assert any(
        '"page_veiwed"' in warning and 'did you mean "page_viewed"?' in warning for warning in got.report.warnings
    )


SCHEMA = Schema(
    event_types=("page",), event_numbers=("value", "amount"), event_categories={"channel": ("web",), "plan": ("pro",)},
    attributes={"size": "number", "sector": "category", "since": "date"}, categories={"sector": ("a", "b")}, zone="Asia/Tokyo",
)  # fmt: skip


def test_a_given_schema_reads_tables_that_lost_and_gained_columns(tmp_path: Path) -> None:
    got = read(
        tmp_path,
        schema=SCHEMA,
        leads="lead_id,created_at,size,since,fresh\nL1,2026-01-01,10,2025-12-01,1\nL2,2026-01-02,large,soon,2\n",
        events="lead_id,occurred_at,event_type,value,plan,fresh\nL1,2026-01-03,page,1,pro,x\nL1,2026-01-04,unheard,2,team,y\n",
    )
    history = got.history
    assert history.schema is SCHEMA
    assert history.created_at[0] == at("2026-01-01T00:00+09:00")
    np.testing.assert_array_equal(
        history.attributes.numbers, [[at("2025-12-01T00:00+09:00"), np.nan], [10.0, np.nan]]
    )  # rows: since, size
    np.testing.assert_array_equal(history.attributes.codes, [[-1, -1]])
    assert history.events.vocabularies == (("page", "unheard"), (), ("pro", "team"))
    np.testing.assert_array_equal(history.events.numbers, [[1.0, 2.0], [np.nan, np.nan]])
    np.testing.assert_array_equal(history.events.codes, [[0, 1], [-1, -1], [0, 1]])
    told = "\n".join(got.report.warnings)
    for part in (
        "trained with timezone Asia/Tokyo", "attribute sector is gone", "events.amount is gone", "events.channel is gone",
        "leads.size: 1 cells", "leads.since: 1 cells",
    ):  # fmt: skip
        assert part in told


def test_no_lead_and_no_name_of_a_lead_stands_in_report_or_schema(tmp_path: Path) -> None:
    got = read_leads(tmp_path, email=[f"p{i}@example.com" for i in range(40)], kept=["a", "b"] * 20)
    told = str(got.report.to_json()) + str(got.history.schema.to_json())
    assert "example.com" not in told
    assert "L001" not in told


def test_the_report_is_json(tmp_path: Path) -> None:
    import json

    workspace = write_workspace(tmp_path, leads=LEADS)
    report = read_history(workspace, clock=lambda: NOW).report
    assert json.loads(json.dumps(report.to_json()))["tables"]["leads"]["rows"] == 2
    assert set(report.digests) == {"leads.csv", "events.csv", "outcomes.csv"}


def test_what_is_made_of_events_may_be_trusted_and_ignored_and_a_slip_of_the_pen_is_told(tmp_path: Path) -> None:
    """A single feature, which has a dot in its name, may be trusted as well."""
    told = read(
        tmp_path,
        leads="lead_id,created_at,source\nL1,2026-01-01T00:00:00Z,web\nL2,2026-01-02T00:00:00Z,fair\n",
        events="lead_id,occurred_at,event_type,device\nL1,2026-01-03T00:00:00Z,page_viewed,phone\n",
        toml=TARGET
        + '[attributes]\nignore = ["device", "sauce"]\n[attributes.trust]\npage_viewed = "a"\n"any.count.ever" = "b"\n'
        'suorce = "c"\n',
    ).report.warnings
    assert [each for each in told if "is no column" in each] == [
        '[attributes] "sauce" is no column of leads or attributes did you mean "source"?',
        '[attributes] "suorce" is no column of leads or attributes did you mean "source"?',
    ]
