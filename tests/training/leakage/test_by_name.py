"""Names say when a column is filled in; behaviour decides."""

from __future__ import annotations

import pytest

from training.leakage.finding import Finding
from training.leakage.names import a_length, an_id, kept_by_sales, of_the_end

Found = dict[str, dict[str, Finding]]


@pytest.mark.parametrize(
    "name",
    ["status", "Lead Status", "dealStage", "owner", "account-owner", "disposition", "lost_reason", "close_reason",
     "LeadScore", "opportunity_amount", "is_won", "assigned_to", "ステータス", "失注理由", "営業担当", "商談フェーズ",
     "受注確度"],
)  # fmt: skip
def test_fields_of_sales_are_known_by_name(name: str) -> None:
    assert kept_by_sales(name)


@pytest.mark.parametrize(
    "name",
    ["marital_status", "employment_status", "state", "score", "amount", "home_ownership", "poutcome", "contact", "country",
     "company_size", "campaign_type", "income", "credit_rating", "従業員規模", "業種", "雇用状況"],
)  # fmt: skip
def test_other_columns_are_not(name: str) -> None:
    assert not kept_by_sales(name)


def test_lengths_ends_and_ids_are_known_by_name() -> None:
    assert all(map(a_length, ("duration", "call_seconds", "talk time", "days_to_close", "通話時間")))
    assert not any(map(a_length, ("age", "tenure", "length", "contract_term", "従業員数")))
    assert all(map(of_the_end, ("closed_at", "lastModified", "order_date", "受注日", "最終更新日")))
    assert not any(map(of_the_end, ("birth_date", "founded", "renewal_at", "登録日")))
    assert all(map(an_id, ("household_id", "CustomerNo", "id", "顧客番号")))
    assert not any(map(an_id, ("paid", "revenue", "employees", "売上")))


def test_a_length_that_tells_much_is_left_out_and_one_that_tells_nothing_is_not_even_named(found: Found) -> None:
    assert found["call_duration"]["length_of_contact"].left_out
    assert "contract_duration_days" not in found


def test_a_field_of_sales_that_tells_much_is_left_out_and_any_other_warned_of(found: Found) -> None:
    assert found["lead_status"]["field_of_sales"].left_out
    owner = found["owner"]["field_of_sales"]
    assert (owner.severity, owner.left_out) == ("possible", False)
    assert owner.setting == '[attributes] ignore = ["owner"]'
    assert "marital_status" not in found
