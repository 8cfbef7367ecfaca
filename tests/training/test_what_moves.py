"""What moves scores: sizes of pooled reasons, swarms counted by hand, values of categories, segments."""

from __future__ import annotations

import json

import numpy as np
import pytest

from oracles.made_scorers import made_bundle
from training.bundle import Bundle
from training.dataset import TrainingSet
from training.segments import Mask
from training.what_moves import BINS, MOST_MOVED, Swarm, WhatMoves, what_moves


@pytest.fixture(scope="module")
def made() -> tuple[Bundle, TrainingSet]:
    return made_bundle(200, draws=5)


def test_a_reason_moves_scores_by_the_mean_absolute_share_of_its_features_together(
    made: tuple[Bundle, TrainingSet],
) -> None:
    bundle, train_set = made
    moved = what_moves(bundle.scorer, train_set.values).reasons
    _, contributions = bundle.scorer.explain(train_set.values)
    pages = np.abs(contributions[:, 0] + contributions[:, 1]).mean()
    assert any(each.mean == pytest.approx(pages) and each.group == "engagement" for each in moved)
    assert [each.mean for each in moved] == sorted((each.mean for each in moved), reverse=True)


def test_fit_and_engagement_are_told_as_wholes(made: tuple[Bundle, TrainingSet]) -> None:
    bundle, train_set = made
    groups = {each.group: each for each in what_moves(bundle.scorer, train_set.values).groups}
    fit, engagement = bundle.scorer.fit_engagement(bundle.scorer.explain(train_set.values)[1])
    assert groups["fit"].mean == pytest.approx(np.abs(fit).mean())
    assert groups["engagement"].mean == pytest.approx(np.abs(engagement).mean())
    assert sum(groups["fit"].swarm.counts) == len(train_set)


def test_values_of_a_category_are_told_with_what_they_add_those_for_a_conversion_first(
    made: tuple[Bundle, TrainingSet],
) -> None:
    bundle, train_set = made
    moves = {each.name: each for each in what_moves(bundle.scorer, train_set.values).reasons}
    country = next(each for name, each in moves.items() if "country" in name.lower())
    codes, moved = train_set.values[:, 4], bundle.scorer.explain(train_set.values)[1][:, 4]
    names = train_set.definitions[4].categories
    parts = {**{name: codes == code for code, name in enumerate(names)}, "not known": np.isnan(codes)}
    expected = {name: moved[there].mean() for name, there in parts.items() if there.sum() >= 30}
    assert dict(country.values) == pytest.approx(expected)
    assert [mean for _, mean in country.values] == sorted((mean for _, mean in country.values), reverse=True)
    assert set(country.swarm.height) == {None}
    number = next(each for name, each in moves.items() if name == "size")
    assert number.values == ()


def test_a_swarm_counts_every_moment_and_tells_the_height_of_its_values() -> None:
    log_odds = np.array([-5.0, -0.5, -0.5, -0.5, -0.5, -0.5, 0.0, 0.99, 1.0])
    place = np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, np.nan])
    swarm = Swarm.of(log_odds, 1.0, place)
    assert len(swarm.counts) == BINS
    assert sum(swarm.counts) == 9
    assert swarm.counts[0] == 1, "what lies beyond counts at the end"
    assert swarm.counts[BINS // 4] == 5
    assert swarm.height[BINS // 4] == pytest.approx(0.3)
    assert swarm.counts[BINS // 2] == 1, "0 counts to the right, where nothing is lowered"
    assert swarm.counts[-1] == 2
    assert [each for place, each in enumerate(swarm.height) if place != BINS // 4] == [None] * (BINS - 1)


def test_where_nothing_moves_all_moments_lie_at_one_end_of_no_range() -> None:
    assert sum(Swarm.of(np.zeros(4), 0.0).counts) == 4


def test_segments_are_told_what_moves_them_most(made: tuple[Bundle, TrainingSet]) -> None:
    bundle, train_set = made
    n = len(train_set)
    parted = [
        Mask("all", "", "", np.ones(n, dtype=np.bool_)),
        Mask("stage", "", "decision", np.arange(n) < 60),
        Mask("stage", "", "action", np.arange(n) < 29),
    ]
    found = what_moves(bundle.scorer, train_set.values, parted)
    (segment,) = found.segments
    assert (segment.value, segment.moments, len(segment.most)) == ("decision", 60, MOST_MOVED)
    alone = what_moves(bundle.scorer, train_set.values[:60]).reasons
    assert segment.most[0] == (alone[0].name, pytest.approx(alone[0].mean))


def test_it_survives_json(made: tuple[Bundle, TrainingSet]) -> None:
    found = what_moves(made[0].scorer, made[1].values, [Mask("stage", "", "", np.ones(len(made[1]), dtype=np.bool_))])
    assert WhatMoves.from_json(json.loads(json.dumps(found.to_json()))) == found
