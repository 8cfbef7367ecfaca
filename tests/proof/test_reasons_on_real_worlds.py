"""Reasons of models that were really trained on real histories: exact, and adding up.

The trees' shares are compared with Shapley values by their definition too: a tree of the recipe asks of at most three
features, so that every coalition of them can be gone through, whatever the number of columns.
"""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from oracles.brute_force_shapley import _expected
from training.explanation import Explainer

Floats = NDArray[np.float64]


@pytest.fixture(scope="module", params=["completejourney", "cdnow", "b2b"])
def world(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def sample(world: Any) -> Floats:
    rows = np.random.default_rng(8).choice(len(world.values), 1_000, replace=False)
    return np.ascontiguousarray(world.values[rows])


def _tree_shares(world: Any, values: Floats) -> tuple[float, Floats]:
    """Base and shares of the trees alone, taken from those of the mix."""
    ranker = world.bundle.scorer.ranker
    base, shares = ranker.contributions(values)
    line_base, line = ranker.line.contributions(values)
    weight = ranker.weight
    return (base - (1 - weight) * line_base) / weight, (shares - (1 - weight) * line) / weight


def test_base_rest_and_shown_reasons_add_up_to_the_raw_score(world: Any, sample: Floats) -> None:
    scorer = world.bundle.scorer
    raw, _ = scorer.score(sample)
    told = Explainer.of(scorer, world.bundle.reference).explain(sample, raw, shown=5)
    assert told.base + told.other + told.log_odds.sum(axis=1) == pytest.approx(raw, abs=1e-6)
    assert told.fit + told.engagement == pytest.approx(raw - told.base, abs=1e-6)
    assert (told.reason >= 0).sum() > len(sample)


def test_shares_of_the_trees_are_those_of_the_shap_package(world: Any, sample: Floats) -> None:
    shap = pytest.importorskip("shap")
    explained = shap.TreeExplainer(world.bundle.scorer.ranker.booster)(sample[:300])
    base, shares = _tree_shares(world, sample[:300])
    assert shares == pytest.approx(explained.values, abs=1e-9)
    assert explained.base_values == pytest.approx(base, abs=1e-9)


def test_shares_of_the_trees_are_shapley_values_by_their_definition(world: Any, sample: Floats) -> None:
    trees = [each["tree_structure"] for each in world.bundle.scorer.ranker.booster.dump_model()["tree_info"]]
    rows = sample[:12]
    base, shares = _tree_shares(world, rows)
    expected, expected_base = np.zeros_like(rows), 0.0
    for tree in trees:
        used = sorted(_features(tree))
        assert len(used) <= 3
        expected_base += _expected(tree, [], frozenset())
        for i, row in enumerate(rows):
            for feature, value in _shapley(tree, row.tolist(), used):
                expected[i, feature] += value
    assert base == pytest.approx(expected_base, abs=1e-9)
    assert shares == pytest.approx(expected, abs=1e-9)


def _features(node: dict[str, Any]) -> set[int]:
    if "leaf_value" in node:
        return set()
    return {node["split_feature"]} | _features(node["left_child"]) | _features(node["right_child"])


def _shapley(tree: dict[str, Any], row: list[float], used: list[int]) -> list[tuple[int, float]]:
    known = [frozenset(each) for size in range(len(used) + 1) for each in combinations(used, size)]
    worth = {each: _expected(tree, row, each) for each in known}
    n = len(used)
    return [
        (
            feature,
            sum(
                math.factorial(len(each)) * math.factorial(n - len(each) - 1) / math.factorial(n)
                * (worth[each | {feature}] - worth[each])
                for each in known
                if feature not in each
            ),
        )
        for feature in used
    ]  # fmt: skip


def test_a_higher_raw_score_has_a_higher_probability(world: Any) -> None:
    raw, probability = world.bundle.scorer.score(world.values)
    order = np.argsort(raw, kind="stable")
    apart = np.diff(raw[order]) > 1e-9
    steps = np.diff(probability[order])
    assert (steps >= 0).all()
    assert (steps[apart] > 0).all()
    assert apart.sum() > len(raw) / 20


def test_a_reason_moves_the_score_in_its_own_direction(world: Any, sample: Floats) -> None:
    scorer = world.bundle.scorer
    raw, _ = scorer.score(sample)
    told = Explainer.of(scorer, world.bundle.reference).explain(sample, raw, shown=5)
    used = told.reason >= 0
    assert (np.sign(told.score_points[used]) == np.sign(told.log_odds[used])).all()
    assert np.abs(told.score_points[used]).max() < 100
