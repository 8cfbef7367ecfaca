"""Reading agreement.toml: what it means, and all that is wrong with it at once."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.calendar_days import DAY, HOUR
from features.errors import UsageError
from serving.agreement import Agreement, Evidence, FastLane
from serving.agreement_file import load_agreement

DESIGNED = """
version = 1
[cutoffs]
mql = 0.10                          # calibrated probabilities, inclusive
sql = 0.30
[evidence]                          # before the model may make a lead SQL
events = 3
days = 2
stage = "decision"                  # at least one event of this stage or a later one
[fast_lane.contact_sales]           # an event type
respond_within = "4h"
counts_for = "14d"
"""


def parse_agreement(text: str) -> Agreement:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "agreement.toml").write_text(text, encoding="utf-8")
        agreement = load_agreement(Path(folder))
    assert agreement is not None
    return agreement


def problems(text: str) -> list[tuple[str, str, str]]:
    with pytest.raises(UsageError) as error:
        parse_agreement(text)
    return [(each.where.removeprefix("agreement.toml "), each.found, each.next_step) for each in error.value.problems]


def test_the_agreement_of_the_contract_reads_as_meant() -> None:
    assert parse_agreement(DESIGNED) == Agreement(
        version=1,
        mql=0.10,
        sql=0.30,
        evidence=Evidence(events=3, days=2, stage="decision"),
        fast_lane={"contact_sales": FastLane("contact_sales", respond_within=4 * HOUR, counts_for=14 * DAY)},
    )


def test_cutoffs_alone_are_an_agreement() -> None:
    bare = parse_agreement("version = 3\n[cutoffs]\nmql = 0.2\nsql = 0.2\n")
    assert bare == Agreement(version=3, mql=0.2, sql=0.2)
    assert bare.content() == {"version": 3, "cutoffs": {"mql": 0.2, "sql": 0.2}}


def test_an_evidence_table_that_asks_for_nothing_is_no_rule() -> None:
    assert parse_agreement("version = 1\ncutoffs = { mql = 0.1, sql = 0.2 }\n[evidence]\n").evidence is None


def test_evidence_may_ask_for_a_stage_alone() -> None:
    text = "version = 1\ncutoffs.mql = 0.1\ncutoffs.sql = 0.2\nevidence.stage = 'action'\n"
    assert parse_agreement(text).evidence == Evidence(stage="action")


def test_event_types_of_other_scripts_are_quoted_keys() -> None:
    lane = '[fast_lane."お問い合わせ"]\nrespond_within = "30m"\ncounts_for = "7d"\n'
    assert list(parse_agreement(DESIGNED + lane).fast_lane) == ["contact_sales", "お問い合わせ"]
    assert problems(DESIGNED + lane.replace("30m", "soon"))[0][:2] == ("line 14", "'soon' is no duration")


def test_all_problems_are_told_at_once_with_their_lines() -> None:
    text = """vershun = 1
[cutoffs]
mql = 30
sql = "0.4"
[evidence]
evnets = 3
days = 0
stage = "desicion"
[fast_lane.contact_sales]
respond_within = 4
[fast_lane]
trial_started = "1h"
"""
    assert problems(text) == [
        ("agreement.toml", "no version", "add it"),
        ("line 1", 'unknown key "vershun"', 'did you mean "version"?'),
        ("line 3", '"cutoffs.mql" is 30', "write 0.3 for 30%"),
        ("line 4", '"cutoffs.sql" is "0.4"', ""),
        ("line 6", 'unknown key "evidence.evnets"', 'did you mean "events"?'),
        ("line 7", '"evidence.days" is 0', ""),
        ("line 8", 'stage "desicion"', 'did you mean "decision"?'),
        ("line 9", 'no "counts_for" in [fast_lane.contact_sales]', "add it"),
        ("line 10", '"fast_lane.contact_sales.respond_within" is a number', ""),
        ("line 12", '"fast_lane.trial_started" is no rule', ""),
    ]


@pytest.mark.parametrize(
    "cutoffs",
    [
        "mql = 0.3\nsql = 0.1",
        "mql = 0\nsql = 0.1",
        "mql = 0.1\nsql = 1",
        "mql = 0.1\nsql = 1.0",
        "mql = nan\nsql = 0.1",
        "mql = 0.1\nsql = inf",
        "mql = true\nsql = 0.1",
        "mql = -0.1\nsql = 0.1",
        "mql = 0.1",
        "",
    ],
)
def test_cutoffs_outside_their_order_are_refused(cutoffs: str) -> None:
    assert all(where and found for where, found, _ in problems(f"version = 1\n[cutoffs]\n{cutoffs}\n"))


@pytest.mark.parametrize("duration", ["0d", "-1d", "1.5d", "d", "14", "14 fortnights", "99999999999d", "１４d"])
def test_durations_that_say_nothing_are_refused(duration: str) -> None:
    lane = f'[fast_lane.call]\nrespond_within = "{duration}"\ncounts_for = "1d"\n'
    assert len(problems(f"version = 1\n[cutoffs]\nmql = 0.1\nsql = 0.2\n{lane}")) == 1


def test_what_is_no_toml_says_where() -> None:
    assert problems("version = 1\nmql 0.1\n")[0][0] == "line 2"


def test_a_folder_without_an_agreement_has_none(tmp_path: Path) -> None:
    assert load_agreement(tmp_path) is None


def test_a_byte_order_mark_does_no_harm_and_other_encodings_are_named(tmp_path: Path) -> None:
    (tmp_path / "agreement.toml").write_text(DESIGNED, encoding="utf-8-sig")
    assert load_agreement(tmp_path) == parse_agreement(DESIGNED)
    (tmp_path / "agreement.toml").write_bytes(DESIGNED.replace("contact_sales", '"問合せ"').encode("cp932"))
    with pytest.raises(UsageError, match="UTF-8"):
        load_agreement(tmp_path)


def test_types_that_satisfy_the_evidence_are_of_its_stage_or_a_later_one() -> None:
    stages = {"mail_opened": "awareness", "pricing_viewed": "decision", "call_booked": "action"}
    asked = parse_agreement(DESIGNED)
    assert asked.evidence_types(stages) == {"pricing_viewed", "call_booked"}
    assert asked.evidence_types({"mail_opened": "interest"}) == set(), "check and agree warn of this"
    assert Agreement(1, 0.1, 0.3).evidence_types(stages) == set()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["mql", "sql", "events", "stage", "counts_for", "x", ""]), inner, max_size=4
            )
        ),
        max_leaves=12,
    ),
    st.sampled_from(["version", "cutoffs", "evidence", "fast_lane", "fast_lane.a", "evidence.stage"]),
)
def test_nonsense_in_any_place_is_a_usage_error_and_never_a_crash(value: object, key: str) -> None:
    text = f"{key} = {_toml(value)}\n"
    assert all(found for _, found, _ in problems(text))


def _toml(value: object) -> str:
    if value is None or isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=True).replace("\\ud", "\\u0")
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{name}" = {_toml(each)}' for name, each in value.items()) + "}"
    return str(value)
