"""Which definitions a name in the toml means, and which way it holds them."""

from __future__ import annotations

import pytest

from features.definitions import (
    ALL,
    AttributeAge,
    AttributeCategory,
    AttributeNumber,
    Called,
    CountWithin,
    DaysSinceCreation,
    DaysSinceFirst,
    DaysSinceLast,
    Definition,
    DistinctValues,
    LastCategory,
    MeanGap,
    MeanWithin,
    Selector,
    Share,
    SumWithin,
    Trend,
)
from features.errors import UsageError
from features.kinds import KINDS_BY_WORD, kind_word
from features.model_settings import ModelSettings
from features.naming import check_names, is_in, names_of, sign_of
from oracles.made_histories import DAY, SCHEMA, every_definition

PAGE = Selector("event_type", "page")
OWN = CountWithin(PAGE, 3 * DAY, called=Called("lately"))
EVERY = every_definition(SCHEMA)


def held(definition: Definition, **monotone: int) -> int:
    return sign_of(definition, ModelSettings(monotone=monotone))


@pytest.mark.parametrize(
    ("definition", "sign"),
    [
        (CountWithin(PAGE, None), 1),
        (Share(PAGE, DAY), 1),
        (Trend(PAGE, 1, 2), 1),
        (SumWithin(PAGE, DAY, "value"), 1),
        (DaysSinceLast(PAGE), -1),
        (MeanGap(PAGE), -1),
        (DaysSinceFirst(PAGE), 0),
        (MeanWithin(PAGE, DAY, "value"), 0),
        (SumWithin(PAGE, DAY, "amount"), 0),
        (CountWithin(ALL, None), 0),
        (CountWithin(Selector("stage", "awareness"), None), 0),
        (OWN, 1),
    ],
)
def test_more_of_an_event_type_and_more_lately(definition: Definition, sign: int) -> None:
    assert held(definition, page=1) == sign
    assert held(definition, page=-1) == -sign


def test_other_names_mean_the_value_itself() -> None:
    assert held(MeanWithin(PAGE, DAY, "amount"), **{"page/amount": 1}) == 1
    assert held(SumWithin(PAGE, DAY, "amount"), **{"page/amount": -1}) == -1
    assert held(AttributeNumber("age"), age=-1) == -1
    assert held(AttributeAge("renewal"), renewal=1) == 1
    assert held(DaysSinceCreation(), created=-1) == -1
    assert held(DaysSinceLast(PAGE), **{"page.since_last": 1}) == 1
    assert held(DistinctValues("channel", None), **{"distinct channel": 1}) == 1
    assert held(CountWithin(Selector("stage", "decision"), None), **{"stage=decision": 1}) == 1


def test_the_name_of_one_feature_counts_before_what_it_is_about() -> None:
    assert held(DaysSinceLast(PAGE), page=1, **{"page.since_last": 1}) == 1
    assert held(OWN, page=1, lately=-1) == -1


def test_a_category_is_never_held() -> None:
    assert held(AttributeCategory("size", ("big",)), size=1) == 0
    assert held(LastCategory("channel", 1, ("web",)), **{"last channel": 1}) == 0


def test_names_of_groups_kinds_columns_and_topics() -> None:
    names = names_of(SumWithin(PAGE, 7 * DAY, "amount"), {})
    assert names == {"page.sum.amount.7d", "page/amount", "page", "engagement", "sum", "amount", "event_type"}
    assert names_of(AttributeNumber("age"), {"age": "demographic"}) == {"age", "fit", "attribute", "demographic"}
    assert "channel" in names_of(CountWithin(Selector("channel", "web"), None), {})


def test_in_and_out() -> None:
    only = ModelSettings(groups=("fit", "page"), leave_out=("share", "size"))
    kept = {each.name for each in EVERY if is_in(each, only)}
    assert "age" in kept
    assert "size" not in kept
    assert "page.count.ever" in kept
    assert "page.share.ever" not in kept
    assert "call.count.ever" not in kept
    assert "created.since" not in kept
    out = ModelSettings(leave_out=("page",))
    assert not any(str(getattr(each, "selector", "")) == "page" for each in EVERY if is_in(each, out))
    assert all(is_in(each, ModelSettings()) for each in EVERY)


def test_a_definition_of_ones_own_stays_unless_it_is_named() -> None:
    assert is_in(OWN, ModelSettings(groups=("fit",), leave_out=("count", "page")), own=True)
    assert not is_in(OWN, ModelSettings(leave_out=("lately",)), own=True)


def test_every_kind_has_a_word_which_stands_in_its_name() -> None:
    assert {kind_word(each) for each in EVERY} == set(KINDS_BY_WORD)
    for each in EVERY:
        if hasattr(each, "selector"):
            assert f".{kind_word(each).replace('_number', '')}" in each.name


def test_names_that_mean_nothing_are_refused_together() -> None:
    settings = ModelSettings(
        monotone={"pages": 1, "size": 1, "age": 1},
        groups=("fitt",),
        leave_out=("trends", "trend"),
        places={"monotone.pages": "propensity.toml line 9", "leave_out.trends": "propensity.toml line 4"},
    )
    with pytest.raises(UsageError) as error:
        check_names(settings, [], EVERY)
    found = [(each.where, each.found, each.next_step) for each in error.value.problems]
    assert found == [
        ("propensity.toml line 9", 'monotone "pages" means no feature of these tables', 'did you mean "page"?'),
        ("", '"size" is a category', "take it out"),
        ("", 'groups "fitt" means no feature of these tables', 'did you mean "fit"?'),
        ("propensity.toml line 4", 'leave_out "trends" means no feature of these tables', 'did you mean "trend"?'),
    ]


def test_leaving_everything_out_is_refused() -> None:
    with pytest.raises(UsageError, match="leave no feature"):
        check_names(ModelSettings(leave_out=("fit", "engagement")), [], EVERY)
    check_names(ModelSettings(leave_out=("fit", "engagement")), [OWN], EVERY)
