"""Whether one model holds for all: segments are found, counted by hand, and called off only beyond chance."""

from __future__ import annotations

import json

import numpy as np
import pytest

from features.calendar_days import DAY
from features.definitions import Definitions
from features.history import History
from features.moments import Moments, Schedule
from features.one_lead import RawEvent, RawLead, history_of_leads
from features.schema import Schema
from training.dataset import TrainingSet, hash_leads
from training.intervals import how_many
from training.segment_columns import topic_of
from training.segments import BEST, Mask, Segment, judge, masks, segments_of_test

NOW = 20_000 * DAY
WEEKLY = Schedule(after_creation=(7 * DAY, 30 * DAY))


def in_parts(**parts: np.ndarray) -> list[Mask]:
    return [Mask("attribute", "size", name, there) for name, there in parts.items()]


def test_a_segment_is_off_only_beyond_what_chance_gives_in_all_of_them() -> None:
    p = np.full(400, 0.2)
    label = np.zeros(400, dtype=np.int8)
    label[:20], label[200:245] = 1, 1
    first, second = np.arange(400) < 200, np.arange(400) >= 200
    everyone = Mask("all", "", "", np.ones(400, dtype=np.bool_))
    found = judge(p, label, [everyone, *in_parts(big=first, small=second, tiny=np.arange(400) < 29)])
    assert [(each.value, each.leads, each.converted, each.off) for each in found] == [
        ("", 400, 65, False),
        ("big", 200, 20, True),
        ("small", 200, 45, False),
    ]
    assert found[1].expected == how_many(p[first])


def test_true_probabilities_are_seldom_off_in_any_segment() -> None:
    draw, off = np.random.default_rng(2), 0
    for _ in range(100):
        p = draw.beta(1, 8, 900)
        label = (draw.random(900) < p).astype(np.int8)
        part = draw.integers(0, 10, 900)
        off += any(each.off for each in judge(p, label, in_parts(**{f"v{k}": part == k for k in range(10)})))
    assert off <= 8


def test_the_best_tenth_is_of_all_leads_and_its_conversions_are_counted_where_they_lie() -> None:
    p = np.linspace(0.01, 0.99, 200)
    label = (np.arange(200) % 2).astype(np.int8)
    low, high = judge(p, label, in_parts(low=np.arange(200) < 185, high=np.arange(200) >= 170))
    assert (low.best, high.best) == (5, 20)
    assert (low.caught, high.caught) == (2, 10)
    assert BEST * 200 == 20


def test_ranking_within_a_segment_says_nothing_of_under_ten_leads_of_a_kind() -> None:
    p = np.linspace(0.01, 0.99, 120)
    label = np.zeros(120, dtype=np.int8)
    label[-15:] = 1
    right, few = judge(p, label, in_parts(right=np.arange(120) >= 20, few=np.arange(120) < 114))
    assert right.ranking is not None
    assert (right.ranking.point, right.ranking.high) == (1.0, 1.0)
    assert few.ranking is None


def test_segments_survive_json() -> None:
    p = np.linspace(0.01, 0.99, 120)
    found = judge(p, (p > 0.8).astype(np.int8), in_parts(all=np.ones(120, dtype=np.bool_), low=p < 0.5))
    assert tuple(Segment.from_json(json.loads(json.dumps(each.to_json()))) for each in found) == found


@pytest.mark.parametrize(
    ("column", "topic"),
    [
        ("country", "country"),
        ("BillingCountryCode", "country"),
        ("都道府県", "country"),
        ("言語", "language"),
        ("locale", "language"),
        ("company_size", "company size"),
        ("NumberOfEmployees", "company size"),
        ("従業員規模", "company size"),
        ("counterparty", None),
        ("source", None),
        ("household_size", None),
    ],
)
def test_columns_are_known_by_the_words_of_their_names(column: str, topic: str | None) -> None:
    assert topic_of(column) == topic


def made(leads: int = 90) -> History:
    """Of each three leads one is known to be in Japan and one in Germany; companies of 5, 300 and 5,000 people."""
    schema = Schema(
        event_types=("call", "mail"),
        stages={"call": "action", "mail": "awareness"},
        attributes={"country": "category", "employees": "number", "source": "category", "score": "number"},
        categories={"country": ("DE", "JP"), "source": ("fair", "web")},
    )
    rows = [
        RawLead(
            f"lead-{number}",
            NOW - 60 * DAY,
            {
                **({"country": ("JP", "DE")[number % 3]} if number % 3 < 2 else {}),
                "employees": str((5, 300, 5000)[number % 3]),
                "source": "web",
            },
            [RawEvent("call" if number % 2 else "mail", NOW - 59 * DAY, None)],
        )
        for number in range(leads)
    ]
    return history_of_leads(schema, rows, as_of=NOW)


def test_segments_are_the_countries_the_sizes_the_other_attributes_the_stages_and_the_ages() -> None:
    history = made()
    moments = Moments(np.arange(90), np.full(90, NOW - 53 * DAY))
    found = [each for each in masks(history, moments, WEEKLY) if each.leads.any()]
    assert [(each.by, each.column, each.value, int(each.leads.sum())) for each in found] == [
        ("all", "", "", 90),
        ("attribute", "country", "DE", 30),
        ("attribute", "country", "JP", 30),
        ("attribute", "country", "", 30),
        ("attribute", "employees", "1–10", 30),
        ("attribute", "employees", "201–1,000", 30),
        ("attribute", "employees", "1,001+", 30),
        ("attribute", "source", "web", 90),
        ("stage", "", "awareness", 45),
        ("stage", "", "action", 45),
        ("age", "", str(7 * DAY), 90),
    ]
    assert [each.topic for each in found[1:5]] == ["country"] * 3 + ["company size"]
    assert list(masks(history, moments.take(np.arange(0)), WEEKLY)) == []


def test_a_test_block_counts_each_lead_once() -> None:
    history = made()
    lead = np.concatenate([np.arange(90), np.arange(90)])
    as_of = np.repeat([NOW - 53 * DAY, NOW - 30 * DAY], 90)
    test = TrainingSet(
        definitions=Definitions(history.schema, ()),
        lead=lead,
        lead_hash=hash_leads(f"lead-{each}" for each in lead.tolist()),
        as_of=as_of,
        horizon=30 * DAY,
        label=(lead % 4 == 0).astype(np.int8),
        values=np.empty((180, 0)),
    )
    everyone, *others = segments_of_test(history, test, np.full(180, 0.25), WEEKLY)
    assert (everyone.leads, everyone.converted, everyone.expected.point) == (90, 23, 22.5)
    assert sum(each.leads for each in others if each.by == "age") == 90
