"""Agreements that Hypothesis makes up, with every kind of rule and term."""

from __future__ import annotations

import datetime as dt
from typing import Any

from hypothesis import strategies as st

from features.calendar_days import DAY, HOUR
from features.schema import STAGES, Words
from serving.agreement import Agreement, Evidence, FastLane
from serving.agreement_rules import (
    ANY,
    AttributeCondition,
    EventCount,
    Exclusion,
    Nurture,
    OpenedShare,
    Persona,
    Trigger,
)
from serving.agreement_terms import FACTS, WEEKDAYS, HeldBack, Hours, Hysteresis, Sla

names = st.sampled_from(["a", "b_c", "d-e", "役職", "with space", 'quo"te', "x.y", "any2"])
texts = st.text(st.characters(exclude_categories=("C",)), min_size=1, max_size=8).filter(
    lambda text: text.strip() != ""
)
times = st.sampled_from([HOUR, 4 * HOUR, DAY, 14 * DAY, 90 * DAY, 90_000_000])
types = st.lists(names, min_size=1, max_size=3).map(tuple)
words = st.builds(Words, en=st.just("") | texts, ja=st.just("") | texts)
shares = st.floats(0.001, 0.999)
some = st.lists(texts, min_size=1, max_size=3).map(tuple)
conditions = st.one_of(
    st.builds(AttributeCondition, one_of=some),
    st.builds(AttributeCondition, none_of=some),
    st.builds(AttributeCondition, domains=st.just(("example.com", "例え.jp")), free_mail=st.booleans()),
    st.just(AttributeCondition(free_mail=True)),
    st.builds(
        AttributeCondition, at_least=st.sampled_from([None, -1.0, 1.0, 0.5]), at_most=st.sampled_from([1.0, 5e6])
    ),
)
attributes = st.dictionaries(names, conditions, min_size=1, max_size=2)
counts = st.builds(EventCount, types, at_least=st.integers(1, 9), within=times)
opened = st.builds(OpenedShare, types, types, share=shares, sent_at_least=st.integers(1, 9), within=times)
exclusions = st.one_of(
    st.builds(Exclusion, words, attributes, st.none() | counts),
    st.builds(Exclusion, words, st.just({}), st.builds(EventCount, types, at_least=st.integers(1, 9))),
)
contents = st.builds(
    Nurture, words.filter(lambda each: bool(each.en or each.ja)), st.sampled_from(["", "https://a.b/c"])
)
offices = st.builds(
    Hours,
    opens=st.integers(0, 700),
    closes=st.integers(701, 1440),
    timezone=st.sampled_from(["UTC", "Asia/Tokyo"]),
    days=st.sets(st.sampled_from(WEEKDAYS), min_size=1).map(tuple),
    country=st.sampled_from(["", "JP"]),
    closed=st.lists(st.dates(dt.date(2026, 1, 1), dt.date(2027, 1, 1)), max_size=2).map(tuple),
)


@st.composite
def agreements(draw: st.DrawFn) -> Agreement:
    """An agreement; half of its rules are usually absent."""

    def maybe(strategy: st.SearchStrategy[Any], nothing: Any = None) -> Any:
        return draw(st.just(nothing) | strategy)

    mql = draw(shares)
    lanes = draw(st.dictionaries(names, st.tuples(times, times), max_size=2))
    personas = draw(
        st.lists(st.builds(Persona, names, attributes, words), max_size=2, unique_by=lambda each: each.name)
    )
    who = st.sampled_from([ANY, *(each.name for each in personas)])
    where = st.sampled_from([ANY, *STAGES])
    return Agreement(
        version=draw(st.integers(1, 99)),
        mql=mql,
        sql=draw(st.floats(mql, 0.9999)),
        evidence=maybe(st.builds(Evidence, st.integers(0, 9), st.integers(0, 9), st.sampled_from([None, *STAGES]))),
        fast_lane={name: FastLane(name, *pair) for name, pair in lanes.items()},
        exclude=draw(st.dictionaries(names, exclusions, max_size=2)),
        triggers=draw(st.dictionaries(names, st.builds(Trigger, counts | opened, words), max_size=2)),
        personas=tuple(personas),
        nurture=draw(st.dictionaries(who, st.dictionaries(where, contents, min_size=1, max_size=2), max_size=2)),
        sla=maybe(st.builds(Sla, mql=st.none() | times, sql=st.none() | times)),
        hysteresis=maybe(st.builds(Hysteresis, down_by=st.just(0.0) | shares, stays_for=st.just(0) | times)),
        sqls_a_week=maybe(st.integers(1, 99)),
        facts_required=tuple(draw(st.sets(st.sampled_from(FACTS)))),
        held_back=maybe(st.builds(HeldBack, shares, st.integers(1, 9))),
        recycle_after=maybe(times),
        hours=maybe(offices),
        band_change=maybe(st.sampled_from([0.25, 0.5, 1.0])),
    )
