"""Writing an agreement back into its file: the same meaning, and people's comments stay."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings

from oracles.made_agreements import agreements
from serving.agreement import Agreement
from serving.agreement_file import agreement_toml, read_agreement

COMMENTED = """# Our third round; ask Hanako before you change it.
version = 3

[cutoffs]          # calibrated
mql = 0.10         # one in ten
sql = 0.30

[exclude.free_mail]   # nobody's company
attributes.mail = { free_mail = true }

[trigger.pricing_revisited]
events = "pricing_page_viewed"   # one type alone may stand without a list
within = "2w"

[hours]
opens = 09:00:00
closes = "18:00"
timezone = "Asia/Tokyo"
closed = [2026-12-29]
"""


@given(agreements())
@settings(deadline=None, max_examples=60)
def test_what_is_written_reads_as_the_same_agreement(agreement: Agreement) -> None:
    text = agreement_toml(agreement, "")
    assert read_agreement(text) == agreement
    assert read_agreement(text).content() == agreement.content()
    assert agreement_toml(agreement, text) == text


@given(agreements(), agreements())
@settings(deadline=None, max_examples=60)
def test_any_agreement_can_be_written_over_any_other(old: Agreement, new: Agreement) -> None:
    assert read_agreement(agreement_toml(new, agreement_toml(old, ""))) == new
    assert read_agreement(agreement_toml(new, COMMENTED)) == new


def test_what_did_not_change_stays_as_it_was_written() -> None:
    agreement = read_agreement(COMMENTED)
    assert agreement_toml(agreement, COMMENTED) == COMMENTED
    changed = agreement_toml(replace(agreement, version=4, sql=0.35), COMMENTED)
    assert changed == COMMENTED.replace("version = 3", "version = 4").replace("sql = 0.30", "sql = 0.35")


def test_a_rule_that_goes_takes_no_other_comment_with_it() -> None:
    changed = agreement_toml(replace(read_agreement(COMMENTED), triggers={}, sqls_a_week=40), COMMENTED)
    assert "# Our third round" in changed
    assert "# nobody's company" in changed
    assert "pricing" not in changed
    assert "[capacity]\nsqls_a_week = 40" in changed


def test_what_is_no_toml_is_written_anew() -> None:
    agreement = read_agreement(COMMENTED)
    assert read_agreement(agreement_toml(agreement, "mql 0.1")) == agreement
    assert read_agreement(agreement_toml(agreement, "\ufeff" + COMMENTED)) == agreement
    assert read_agreement(agreement_toml(agreement, COMMENTED.replace("\n", "\r\n"))) == agreement
