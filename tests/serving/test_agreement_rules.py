"""The rules and terms of agreement.toml: what each line means, what is refused, and what is signed."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.calendar_days import DAY, HOUR
from features.errors import UsageError
from features.schema import Words
from oracles.made_agreements import agreements
from serving.agreement import Agreement, Evidence, FastLane
from serving.agreement_file import read_agreement
from serving.agreement_rules import (
    AttributeCondition,
    EventCount,
    Exclusion,
    Nurture,
    OpenedShare,
    Persona,
    Trigger,
    alike,
)
from serving.agreement_terms import HeldBack, Hours, Hysteresis, Sla
from serving.mail_domains import domain_of, free_mail_domains
from serving.signatures import signed_digest

CUTOFFS = "version = 1\ncutoffs = { mql = 0.1, sql = 0.3 }\n"
FULL = (
    CUTOFFS
    + """
[exclude.students]
en = "students"
ja = "学生"
attributes.job_level = { in = ["student", "学生"] }
[exclude.free_mail]
attributes.mail = { free_mail = true }
[exclude.competitors]
attributes.mail = { domains = ["rival.example", "@rival.co.jp"] }
[exclude.job_seekers]
events = ["careers_page_viewed"]
at_least = 2
within = "30d"
[trigger.pricing_revisited]
events = ["pricing_page_viewed", "spec_page_viewed"]
at_least = 3
within = "7d"
[trigger.reads_mails]
opened = ["mail_opened"]
sent = ["mail_sent"]
share = 0.5
sent_at_least = 4
within = "60d"
[personas.it_manager]
en = "IT manager"
attributes.department = { in = ["it"] }
attributes.employees = { at_least = 200, at_most = 5000 }
[personas.others]
attributes.department = { not_in = ["it"] }
[nurture.it_manager.interest]
en = "white paper"
ja = "資料"
link = "https://example.com/white-paper"
[nurture.any.any]
en = "newsletter"
[sla]
mql = "3d"
sql = "1d"
[hysteresis]
down_by = 0.02
stays_for = "3d"
[capacity]
sqls_a_week = 40
[facts]
required_for_sql = ["need", "budget"]
[held_back]
share = 0.05
[recycle]
after = "30d"
[promotion]
band_change = 0.25
[hours]
days = ["mon", "wed"]
opens = "9:00"
closes = 17:30:00
timezone = "Asia/Tokyo"
country = "JP"
closed = [2026-12-29, "2026-12-30"]
"""
)


def problems(text: str) -> list[tuple[str, str, str]]:
    with pytest.raises(UsageError) as error:
        read_agreement(CUTOFFS + text)
    return [(each.where.removeprefix("agreement.toml "), each.found, each.next_step) for each in error.value.problems]


def test_every_rule_and_term_reads_as_meant() -> None:
    assert read_agreement(FULL) == Agreement(
        version=1,
        mql=0.1,
        sql=0.3,
        exclude={
            "students": Exclusion(
                Words("students", "学生"), {"job_level": AttributeCondition(one_of=("student", "学生"))}
            ),
            "free_mail": Exclusion(attributes={"mail": AttributeCondition(free_mail=True)}),
            "competitors": Exclusion(
                attributes={"mail": AttributeCondition(domains=("rival.example", "@rival.co.jp"))}
            ),
            "job_seekers": Exclusion(events=EventCount(("careers_page_viewed",), 2, 30 * DAY)),
        },
        triggers={
            "pricing_revisited": Trigger(EventCount(("pricing_page_viewed", "spec_page_viewed"), 3, 7 * DAY)),
            "reads_mails": Trigger(OpenedShare(("mail_opened",), ("mail_sent",), 0.5, 4, 60 * DAY)),
        },
        personas=(
            Persona(
                "it_manager",
                {
                    "department": AttributeCondition(one_of=("it",)),
                    "employees": AttributeCondition(at_least=200.0, at_most=5000.0),
                },
                Words("IT manager"),
            ),
            Persona("others", {"department": AttributeCondition(none_of=("it",))}),
        ),
        nurture={
            "it_manager": {"interest": Nurture(Words("white paper", "資料"), "https://example.com/white-paper")},
            "any": {"any": Nurture(Words("newsletter"))},
        },
        sla=Sla(mql=3 * DAY, sql=DAY),
        hysteresis=Hysteresis(0.02, 3 * DAY),
        sqls_a_week=40,
        facts_required=("budget", "need"),
        held_back=HeldBack(0.05),
        recycle_after=30 * DAY,
        band_change=0.25,
        hours=Hours(
            540, 1050, "Asia/Tokyo", ("mon", "wed"), "JP", "", (dt.date(2026, 12, 29), dt.date(2026, 12, 30))
        ),
    )  # fmt: skip


def test_whoever_reads_a_history_is_told_which_columns_and_types_the_rules_look_at() -> None:
    agreement = read_agreement(FULL + '[fast_lane.call]\nrespond_within = "1h"\ncounts_for = "1d"\n')
    assert agreement.rule_columns() == {"job_level", "mail", "department", "employees"}
    assert agreement.rule_types() == {
        "call", "careers_page_viewed", "pricing_page_viewed", "spec_page_viewed", "mail_opened", "mail_sent",
    }  # fmt: skip
    assert read_agreement(CUTOFFS).rule_columns() == frozenset()


def test_all_faults_are_told_at_once_with_the_nearest_name() -> None:
    text = """[exclude.all]
[exclude.two]
attributes.mail = { in = ["a"], domains = ["b.c"] }
[exclude.words]
attributes.mail = { domians = ["b.c"] }
[exclude.company]
attributes.company = { domains = ["Example Inc"] }
[trigger.often]
events = ["a"]
[trigger.opened]
opened = ["a"]
share = 50
within = "30d"
[personas.any]
attributes.x = { in = ["a"] }
[personas.it]
[nurture.itt.any]
en = "x"
[nurture.it.descision]
en = "x"
[nurture.any.any]
link = "example.com"
[held_back]
draw = 1
[facts]
required_for_sql = ["budgets"]
[hours]
opens = "18:00"
closes = "9:00"
timezone = "Asia/Tokio"
country = "JPN2"
"""
    assert problems(text) == [
        ("line 3", '"exclude.all" asks for nothing', "it would exclude everyone"),
        ("line 5", '"exclude.two.attributes.mail" says in and domains', "write a rule for each"),
        ("line 7", 'unknown key "exclude.words.attributes.mail.domians"', 'did you mean "domains"?'),
        ("line 7", '"exclude.words.attributes.mail" says nothing', ""),
        ("line 9", 'domains has "Example Inc"', ""),
        ("line 10", 'no "within" in [trigger.often]', "add it"),
        ("line 12", 'no "sent" in [trigger.opened]', "add it"),
        ("line 14", '"trigger.opened.share" is 50', "write 0.5 for 50%"),
        ("line 16", 'a persona "any"', '"any" means whatever persona'),
        ("line 18", '"personas.it" has no attributes', "add them"),
        ("line 19", 'no persona "itt"', 'did you mean "it"?'),
        ("line 21", 'no stage "descision"', 'did you mean "decision"?'),
        ("line 23", '"nurture.any.any" has no content', "add them"),
        ("line 24", 'link is "example.com"', ""),
        ("line 25", 'no "share" in [held_back]', "add it"),
        ("line 28", 'required_for_sql has "budgets"', 'did you mean "budget"?'),
        ("line 31", "it closes before it opens", ""),
        ("line 32", 'timezone "Asia/Tokio"', 'did you mean "Asia/Tokyo"?'),
        ("line 33", 'country "JPN2"', ""),
    ]


ANYTHING = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.sampled_from(["", "a", "30d", "mon", "25:00", "example.com"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["in", "domains", "free_mail", "at_least", "events", "within", "attributes", "any", "en", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    ANYTHING,
    st.sampled_from(
        [
            "exclude",
            "exclude.a",
            "exclude.a.attributes",
            "exclude.a.attributes.b",
            "trigger.a",
            "personas",
            "personas.a",
            "nurture",
            "nurture.any",
            "nurture.any.any",
            "sla",
            "hysteresis",
            "capacity",
            "facts",
            "facts.required_for_sql",
            "held_back",
            "recycle",
            "promotion",
            "promotion.band_change",
            "hours",
            "hours.days",
            "hours.closed",
            "hours.opens",
        ]
    ),
)
def test_nonsense_in_any_place_is_a_usage_error_or_an_agreement_and_never_a_crash(value: object, key: str) -> None:
    with suppress(UsageError):
        assert read_agreement(f"{CUTOFFS}{key} = {_toml(value)}\n").version == 1


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {_toml(each)}" for name, each in value.items()) + "}"
    return str(value)


# ---- what is signed


def digest(agreement: Agreement, stages: dict[str, str] | None = None) -> str:
    return signed_digest(agreement, horizon=90 * DAY, converted="won", stages=stages or {})


def test_agreements_of_before_keep_their_signatures() -> None:
    """Digests as the version before these rules computed them."""
    bare = Agreement(1, 0.1, 0.3)
    evidence = Agreement(
        2, 0.1, 0.3, Evidence(3, 2, "decision"), {"call": FastLane("call", 4 * HOUR, DAY)}
    )  # fmt: skip
    stages = {"pricing_viewed": "decision", "mail_opened": "awareness"}
    assert digest(bare) == "60eca748922f2cb6f98e5cd57284beaec09d03e97d838445aea866f6bb30175d"
    assert digest(evidence, stages) == "1a9e3064ef09ec47f2c07a02b7fa9db171957482e1ceae026ef93b46ac964fe3"


def test_every_rule_and_term_is_signed() -> None:
    full = read_agreement(FULL)
    nothing = Agreement(1, 0.1, 0.3)
    parts = [
        "exclude", "triggers", "personas", "nurture", "sla", "hysteresis", "sqls_a_week", "facts_required", "held_back",
        "recycle_after", "hours", "band_change",
    ]  # fmt: skip
    without = [digest(replace(full, **{part: getattr(nothing, part)} | _less(part))) for part in parts]
    assert len({digest(full), *without}) == len(parts) + 1


def _less(part: str) -> dict[str, object]:
    """Content for personas can't stay where these go."""
    return {"nurture": {}} if part == "personas" else {}


def test_the_order_of_personas_is_signed_and_that_of_other_rules_is_not() -> None:
    full = read_agreement(FULL)
    assert digest(full) != digest(replace(full, personas=full.personas[::-1]))
    assert digest(full) == digest(replace(full, exclude=dict(reversed(full.exclude.items()))))


def test_stages_are_signed_where_content_is_for_a_stage() -> None:
    full = read_agreement(FULL)
    stages = {"page": "interest", "mail": "awareness"}
    assert digest(full, stages) != digest(full, stages | {"mail": "interest"})
    assert digest(full, stages) == digest(full, stages | {"like": "awareness"}), "no content is for awareness"
    bare = Agreement(1, 0.1, 0.3, nurture={"any": {"any": Nurture(Words("newsletter"))}})
    assert digest(bare, stages) == digest(bare)


def test_the_published_list_is_signed_where_a_rule_relies_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    full, bare = read_agreement(FULL), Agreement(1, 0.1, 0.3)
    before = digest(full), digest(bare)
    monkeypatch.setattr("serving.agreement.free_mail_digest", lambda: "another list")
    assert digest(full) != before[0]
    assert digest(bare) == before[1]


@given(agreements())
def test_content_is_plain_json_and_says_all(agreement: Agreement) -> None:
    assert len(digest(agreement)) == 64
    assert digest(agreement) != digest(replace(agreement, version=agreement.version + 1))


# ---- conditions


@pytest.mark.parametrize(
    ("condition", "met", "unmet"),
    [
        (AttributeCondition(one_of=("Student", "学生")), ["student", " ＳＴＵＤＥＮＴ ", "学生"], ["students", ""]),
        (AttributeCondition(one_of=("1000",)), ["1,000", "1000.0", "１０００"], ["1001", "10 00"]),
        (AttributeCondition(none_of=("it",)), ["sales", "itx"], ["IT"]),
        (AttributeCondition(domains=("rival.example",)), ["a@rival.example", "A@Mail.Rival.Example", "rival.example"],
         ["a@notrival.example", "rival.example.com", "rival"]),
        (AttributeCondition(free_mail=True), ["x@gmail.com", "x@yahoo.co.jp", "gmail.com"], ["x@example.com", "gmail"]),
        (AttributeCondition(at_least=200.0), ["200", "1,000", "２００"], ["199.9", "many", "0200"]),
        (AttributeCondition(at_least=1.0, at_most=2.0), ["1", "2.0"], ["0.99", "2.01"]),
    ],
)  # fmt: skip
def test_conditions_compare_without_case_and_width(
    condition: AttributeCondition, met: list[str], unmet: list[str]
) -> None:
    assert all(map(condition.met_by, met))
    assert not any(map(condition.met_by, unmet))


def test_values_of_the_file_may_be_numbers_and_truths() -> None:
    rule = read_agreement(CUTOFFS + "[exclude.a]\nattributes.b = { in = [5, 5.5, true, 'x'] }\n").exclude["a"]
    assert rule.attributes["b"].one_of == ("5", "5.5", "true", "x")


def test_the_published_list_holds_plain_domains() -> None:
    assert {"gmail.com", "yahoo.co.jp", "qq.com", "docomo.ne.jp", "gmx.de"} <= free_mail_domains()
    assert all(domain_of(each) == each for each in free_mail_domains())
    assert "example.com" not in free_mail_domains()


@given(st.text(max_size=30))
def test_any_text_can_be_compared(text: str) -> None:
    assert alike(alike(text)) == alike(text)
    found = domain_of(text)
    assert found is None or domain_of(found) == found


# ---- held back


def test_a_leads_lot_never_changes_and_the_share_is_held() -> None:
    held = HeldBack(0.05)
    drawn = [held.holds(f"L-{i}") for i in range(20_000)]
    assert drawn == [HeldBack(0.05).holds(f"L-{i}") for i in range(20_000)]
    assert 850 < sum(drawn) < 1150
    other = [HeldBack(0.05, draw=2).holds(f"L-{i}") for i in range(20_000)]
    assert sum(a and b for a, b in zip(drawn, other, strict=True)) < 100, "another draw, another lot"
    more = [HeldBack(0.10).holds(f"L-{i}") for i in range(20_000)]
    assert all(b for a, b in zip(drawn, more, strict=True) if a), "a larger share only adds"
