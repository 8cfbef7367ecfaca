from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.calendar_days import as_datetime
from features.schema import Schema
from serving.incoming import Incoming, incoming, instant
from serving.problems import Refused
from serving.strict_json import parse_json
from serving.wire import EXAMPLE_LEAD
from serving.wire_reading import read_envelope, read_lead

NOW = 1_800_000_000_000_000
SCHEMA = Schema(
    attributes={"employees": "number", "job_level": "category", "founded": "date"},
    categories={"job_level": ("director", "intern")},
    event_numbers=("value", "pages"),
    event_categories={"channel": ("web",), "plan": ("team",)},
    zone="Asia/Tokyo",
)
EVENT = {"event_type": "visit", "occurred_at": "2026-01-01T00:00:00Z"}
LEAD: dict[str, Any] = {"lead_id": "L-1", "created_at": "2026-01-01T00:00:00Z", "events": []}


def read(body: bytes | dict[str, Any]) -> Incoming:
    value = parse_json(body if isinstance(body, bytes) else json.dumps(body).encode())
    return incoming(read_lead(value), SCHEMA, now=NOW)


def refusal(body: bytes | dict[str, Any]) -> tuple[int, dict[str, str]]:
    with pytest.raises(Refused) as caught:
        read(body)
    body_json = json.loads(caught.value.body())
    assert body_json["status"] == caught.value.status
    return caught.value.status, {each["field"]: each["found"] for each in body_json["errors"]}


def outcome(body: bytes) -> tuple[int, list[str]]:
    """200, or the status and the fields of the refusal."""
    try:
        read(body)
    except Refused as refused:
        return refused.status, [each["field"] for each in json.loads(refused.body())["errors"]]
    return 200, []


def test_the_example_of_the_contract_is_read() -> None:
    assert read_lead(EXAMPLE_LEAD).events[0].event_type == "pricing_page_viewed"


def test_a_lead_becomes_what_the_features_read() -> None:
    events = [
        {
            **EVENT,
            "recorded_at": "2026-01-01T00:00:01Z",
            "value": 2,
            "channel": "web",
            "event_id": "e1",
            "properties": {"pages": 3, "plan": "team", "colour": "red"},
        }
    ]
    attributes = {"employees": 12, "job_level": "director", "founded": "1999-05-01", "shoe_size": 42}
    told = read({**LEAD, "as_of": "2026-02-01T00:00:00Z", "lang": "ja", "attributes": attributes, "events": events})
    assert told.lang == "ja"
    assert as_datetime(told.as_of).isoformat() == "2026-02-01T00:00:00+00:00"
    assert told.lead.attributes["employees"] == 12.0
    assert (
        as_datetime(int(told.lead.attributes["founded"])).isoformat() == "1999-04-30T15:00:00+00:00"
    )  # midnight in Tokyo
    (event,) = told.lead.events
    assert (event.value, event.channel, event.event_id) == (2.0, "web", "e1")
    assert event.recorded_at == event.occurred_at + 1_000_000
    assert event.properties == {"pages": 3.0, "plan": "team"}
    assert told.ignored == (("property", "colour"), ("attribute", "shoe_size"))


def test_a_null_or_absent_attribute_is_unknown() -> None:
    assert read({**LEAD, "attributes": {"employees": None, "job_level": None}}).lead.attributes == {}


def test_true_and_false_are_the_categories_that_tables_make_of_them() -> None:
    assert read({**LEAD, "attributes": {"job_level": True}}).lead.attributes == {"job_level": "true"}


@pytest.mark.parametrize("missing", [" ", "NA", "n/a", "不明", "なし", "-", "null"])
def test_words_that_mean_missing_in_tables_mean_missing_here(missing: str) -> None:
    told = {
        "attributes": {"job_level": missing},
        "events": [{**EVENT, "channel": missing, "properties": {"plan": missing}}],
    }
    lead = read({**LEAD, **told}).lead
    assert lead.attributes == {}
    assert lead.events[0].channel is None
    assert lead.events[0].properties == {}


def test_spaces_around_a_category_do_not_count() -> None:
    assert read({**LEAD, "attributes": {"job_level": " director\u3000"}}).lead.attributes == {"job_level": "director"}


def test_without_as_of_the_moment_is_now() -> None:
    assert read(LEAD).as_of == NOW


def test_a_time_without_offset_is_read_in_the_zone_of_the_workspace() -> None:
    assert instant("2026-01-01T09:00:00", "Asia/Tokyo") == instant("2026-01-01T00:00:00Z", "UTC")


def test_digits_beyond_the_microsecond_are_cut_off() -> None:
    assert instant("2026-01-01T00:00:00.123456789Z", "UTC") == instant("2026-01-01T00:00:00.123456Z", "UTC")


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-30T00:00:00Z", "2026-01-01T24:30:00Z", "2026-01-01T00:00:60Z", "2026-01-01", "2026-W01-1T00:00Z",
        "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+01:60", "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00Z", "２０２６-01-01T00:00:00Z", "20260101T000000Z", "1767225600",
    ],
)  # fmt: skip
def test_what_is_no_time_between_year_1_and_9999_is_refused(text: str) -> None:
    assert instant(text, "UTC") is None
    assert refusal({**LEAD, "events": [EVENT, {**EVENT, "occurred_at": text}]})[1].keys() == {"events[1].occurred_at"}


@given(st.datetimes(timezones=st.timezones()))
def test_every_time_that_python_writes_is_read_back(when: Any) -> None:
    text = when.isoformat()
    if when.utcoffset().total_seconds() % 60:
        return  # offsets with seconds, of the 19th century, are no ISO 8601
    read_back = instant(text, "UTC")
    expected = when.replace(tzinfo=None) - when.utcoffset() if 2 < when.year < 9998 else None
    if expected is not None:
        assert read_back is not None
        assert as_datetime(read_back).replace(tzinfo=None) == expected


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"lead_id": 7}, "lead_id"),
        ({"lead_id": ""}, "lead_id"),
        ({"lead_id": "x" * 257}, "lead_id"),
        ({"created_at": None}, "created_at"),
        ({"created_at": 1767225600}, "created_at"),
        ({"events": None}, "events"),
        ({"events": [7]}, "events[0]"),
        ({"events": [{**EVENT, "value": "12"}]}, "events[0].value"),
        ({"events": [{**EVENT, "value": True}]}, "events[0].value"),
        ({"events": [{**EVENT, "value": float("nan")}]}, "events[0].value"),
        ({"events": [{**EVENT, "value": 10**400}]}, "events[0].value"),
        ({"events": [{**EVENT, "colour": "red"}]}, "events[0].colour"),
        ({"events": [{**EVENT, "properties": {"pages": "3"}}]}, "events[0].properties.pages"),
        ({"events": [{**EVENT, "properties": {"plan": 3}}]}, "events[0].properties.plan"),
        ({"events": [{**EVENT, "properties": {"plan": ["team"]}}]}, "events[0].properties.plan"),
        ({"attributes": {"employees": "12"}}, "attributes.employees"),
        ({"attributes": {"employees": True}}, "attributes.employees"),
        ({"attributes": {"job_level": 3}}, "attributes.job_level"),
        ({"attributes": {"founded": "soon"}}, "attributes.founded"),
        ({"attributes": {"anything": float("inf")}}, "attributes.anything"),
        ({"attributes": []}, "attributes"),
        ({"colour": "red"}, "colour"),
        ({"lang": "fr"}, "lang"),
        ({"as_of": "2026-01-01T00:00:00Z"}, "created_at"),
    ],
)
def test_a_fault_is_named_by_its_field(change: dict[str, Any], field: str) -> None:
    assert refusal({**LEAD, **change})[0] == 422
    assert set(refusal({**LEAD, **change})[1]) == {field}


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"", 400, "body"),
        (b"{", 400, "body"),
        (b"[]", 422, "body"),
        (b"\xff\xfe", 400, "body"),
        (b'{"lead_id": "a", "lead_id": "b"}', 400, "lead_id"),
        (b'{"events": [{}, {"value": 1, "value": 2}]}', 400, "events[1].value"),
        (b'{"events": [{"event_type": "\\ud83d"}]}', 400, "events[0].event_type"),
        (b'{"attributes": {"\\udc00": 1}}', 400, "attributes"),
        (b'{"attributes": {"deep": ' + b"[" * 200_000, 400, "attributes.deep[0][0]"),
        (b'{"events": [{}, {"properties": ' + b'{"a":' * 5000, 400, "events[1].properties.a"),
    ],
)
def test_what_is_not_json_as_it_should_be_is_refused_with_its_place(body: bytes, status: int, field: str) -> None:
    found = refusal(body)
    assert found[0] == status
    assert field in found[1]


@pytest.mark.parametrize("number", [b"1e999", b"-1e999", b"NaN", b"Infinity", b"9" * 6000])
def test_a_number_beyond_all_bounds_is_named(number: bytes) -> None:
    status, fields = refusal(b'{"events": [{"value": ' + number + b"}]}")
    assert status == 422
    assert fields["events[0].value"] == "NaN or a number beyond all bounds"


def test_a_whole_surrogate_pair_is_one_character() -> None:
    assert (
        read(b'{"lead_id": "\\ud83d\\ude00", "created_at": "2026-01-01T00:00:00Z", "events": []}').lead.lead_id == "😀"
    )


def test_more_than_10000_events_are_too_many() -> None:
    assert refusal({**LEAD, "events": [EVENT] * 10_001}) == (413, {"events": "10001 entries"})


def test_more_than_1000_leads_are_too_many() -> None:
    with pytest.raises(Refused) as caught:
        read_envelope({"leads": [LEAD] * 1001})
    assert caught.value.status == 413


def test_a_reply_never_repeats_what_was_sent() -> None:
    with pytest.raises(Refused) as caught:
        read({**LEAD, "events": [{**EVENT, "value": "secret"}], "attributes": {"employees": "secret"}})
    assert b"secret" not in caught.value.body()


def test_of_many_faults_twenty_are_named_and_the_others_counted() -> None:
    with pytest.raises(Refused) as caught:
        read({**LEAD, "events": [{}] * 100})
    body = caught.value.to_json()
    assert (len(body["errors"]), body["more_errors"]) == (20, 180)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from([*LEAD, "as_of", "lang", "attributes", "zzz"]), json_values, max_size=5),
    st.data(),
)
def test_whatever_is_sent_is_read_or_refused_with_a_field(value: dict[str, Any], data: st.DataObject) -> None:
    event = data.draw(st.dictionaries(st.sampled_from([*EVENT, "value", "channel", "properties", "q"]), json_values))
    for body in (value, {**LEAD, **value}, {**LEAD, "events": [{**EVENT, **event}]}):
        status, fields = outcome(json.dumps(body).encode())
        assert status == 200 or (400 <= status < 500 and all(fields))


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    assert outcome(body)[0] in (200, 400, 422)
