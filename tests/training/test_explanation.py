"""Reasons: exact, pooled, and adding up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from oracles.brute_force_shapley import shapley_values
from oracles.made_scorers import made_reference, made_scorer, spoken
from oracles.made_training_sets import simulated
from training.calibration import IDENTITY
from training.dataset import TrainingSet
from training.explanation import SMALLEST, Explainer, Pools
from training.scorer import Scorer


@pytest.fixture(scope="module")
def train_set() -> TrainingSet:
    return spoken(simulated(700, seed=3))


@pytest.fixture(scope="module")
def scorer(train_set: TrainingSet) -> Scorer:
    return made_scorer(train_set)


@pytest.fixture(scope="module")
def explainer(scorer: Scorer, train_set: TrainingSet) -> Explainer:
    return Explainer.of(scorer, made_reference(scorer, train_set))


@pytest.mark.parametrize("weight", [1.0, 0.0, 0.75], ids=["trees", "line", "mix"])
def test_contributions_are_brute_force_shapley_values(train_set: TrainingSet, weight: float) -> None:
    # small leaves and little smoothing, so that categories and missing values are split on deeply
    scorer = made_scorer(
        train_set,
        weight=weight,
        rounds=12,
        num_leaves=8,
        min_data_in_leaf=10,
        cat_smooth=1.0,
        cat_l2=1.0,
        feature_fraction=1.0,
    )
    dump = str(scorer.ranker.booster.dump_model())
    assert "'=='" in dump
    assert "'missing_type': 'NaN'" in dump
    rows = np.concatenate([train_set.values[:40], np.full((1, 5), np.nan), np.zeros((1, 5)), [[1, 2, 3, 4, 99.0]]])
    base, contributions = scorer.explain(rows)
    for row, found in zip(rows, contributions, strict=True):
        expected_base, expected = shapley_values(scorer.ranker, row)
        assert base == pytest.approx(expected_base, abs=1e-9)
        assert found == pytest.approx(expected, abs=1e-9)


def test_contributions_of_the_trees_are_those_of_the_shap_package() -> None:
    shap = pytest.importorskip("shap")
    rows = spoken(simulated(700, seed=3))
    scorer = made_scorer(rows, weight=1.0)
    explained = shap.TreeExplainer(scorer.ranker.booster)(rows.values[:200])
    base, contributions = scorer.explain(rows.values[:200])
    assert contributions == pytest.approx(explained.values, abs=1e-9)
    assert explained.base_values == pytest.approx(base, abs=1e-9)


def test_contributions_of_the_trees_are_those_of_shaps_own_code() -> None:
    # for LightGBM shap asks LightGBM itself; told that the trees are another's, it walks them with its own code, which
    # knows missing values but not splits by category
    shap = pytest.importorskip("shap")
    rows = simulated(700, seed=3, categories=())
    scorer = made_scorer(rows, weight=1.0)
    explainer = shap.TreeExplainer(scorer.ranker.booster)
    explainer.model.model_type = "unknown"
    base, contributions = scorer.explain(rows.values[:200])
    assert np.isnan(rows.values[:200]).any()
    assert contributions == pytest.approx(np.asarray(explainer.shap_values(rows.values[:200])), abs=1e-9)
    assert base == pytest.approx(float(np.ravel(explainer.expected_value)[0]), abs=1e-9)


def test_base_rest_and_shown_reasons_add_up_to_the_raw_score(explainer: Explainer, train_set: TrainingSet) -> None:
    raw, _ = explainer.scorer.score(train_set.values)
    for shown in (0, 1, 3, 100):
        for each in explainer.explain(train_set.values, raw, shown=shown):
            reasons = sum(reason.log_odds for reason in each.for_ + each.against)
            assert each.base + each.other_log_odds + reasons == pytest.approx(each.raw, abs=1e-6)
            assert each.fit + each.engagement == pytest.approx(each.raw - each.base, abs=1e-6)


def test_a_lead_alone_gets_the_same_bits_as_in_a_batch(explainer: Explainer, train_set: TrainingSet) -> None:
    raw, probability = explainer.scorer.score(train_set.values)
    batch = explainer.explain(train_set.values, raw)
    for row in range(0, len(train_set), 37):
        values = train_set.values[row : row + 1]
        alone_raw, alone_probability = explainer.scorer.score(values)
        assert alone_raw[0] == raw[row]
        assert alone_probability[0] == probability[row]
        assert explainer.explain(values, alone_raw)[0] == batch[row]


def test_reasons_pool_all_windows_of_one_event_type(explainer: Explainer, train_set: TrainingSet) -> None:
    values = train_set.values[:50]
    raw, _ = explainer.scorer.score(values)
    _, contributions = explainer.scorer.explain(values)
    for row, each in enumerate(explainer.explain(values, raw, shown=10)):
        for reason in each.for_ + each.against:
            members = [
                j
                for j, d in enumerate(explainer.scorer.definitions)
                if (d.group, d.topic) == (reason.group, reason.feature)
            ]
            share = contributions[row, members]
            assert reason.log_odds == pytest.approx(share.sum(), abs=1e-12)
            best = members[int(np.argmax(share * np.sign(reason.log_odds)))]
            assert reason.leading == explainer.scorer.definitions[best]


def test_reasons_are_sorted_signed_and_worth_telling(explainer: Explainer, train_set: TrainingSet) -> None:
    raw, _ = explainer.scorer.score(train_set.values)
    for each in explainer.explain(train_set.values, raw, shown=2):
        sizes = [reason.log_odds for reason in each.for_]
        assert sizes == sorted(sizes, reverse=True)
        assert all(size >= SMALLEST for size in sizes)
        against = [reason.log_odds for reason in each.against]
        assert against == sorted(against)
        assert all(size <= -SMALLEST for size in against)
        assert len(sizes) <= 2
        assert len(against) <= 2


def test_score_points_are_what_the_score_loses_without_the_reason(explainer: Explainer, train_set: TrainingSet) -> None:
    raw, probability = explainer.scorer.score(train_set.values[:30])
    for row, each in enumerate(explainer.explain(train_set.values[:30], raw)):
        for reason in each.for_ + each.against:
            without = explainer.scorer.calibrator.probability(np.array([raw[row] - reason.log_odds]))[0]
            assert reason.score_points == pytest.approx(100 * (probability[row] - without), abs=1e-9)
            assert reason.score_points * reason.log_odds > 0


def test_values_are_numbers_category_texts_or_none(explainer: Explainer, train_set: TrainingSet) -> None:
    raw, _ = explainer.scorer.score(train_set.values)
    kinds = set()
    for row, each in enumerate(explainer.explain(train_set.values, raw, shown=9)):
        for reason in each.for_ + each.against:
            column = explainer.scorer.definitions.names.index(reason.leading.name)
            cell = train_set.values[row, column]
            if np.isnan(cell):
                assert reason.value is None
            elif reason.leading.categorical:
                assert reason.value == reason.leading.categories[int(cell)]
            else:
                assert reason.value == cell
            kinds.add(type(reason.value))
    assert kinds == {float, str, type(None)}


def test_similar_counts_leads_of_the_leading_features_bin(explainer: Explainer, train_set: TrainingSet) -> None:
    raw, _ = explainer.scorer.score(train_set.values)
    found = [
        reason.similar
        for each in explainer.explain(train_set.values, raw, shown=9)
        for reason in each.for_ + each.against
        if reason.similar
    ]
    assert found
    assert all(30 <= each.leads <= 700 and 0 <= each.converted <= each.leads for each in found)


def test_no_leads_have_no_reasons(explainer: Explainer) -> None:
    nothing = explainer.explain(np.empty((0, 5)), np.empty(0))
    assert list(nothing) == []
    assert nothing.base == explainer.scorer.explain(np.zeros((1, 5)))[0]


def test_topics_of_one_name_in_two_groups_stay_apart(train_set: TrainingSet) -> None:
    pools = Pools.of(train_set.definitions)
    assert list(zip(pools.groups, pools.topics, strict=True)) == [
        ("engagement", "page_viewed"),
        ("fit", "size"),
        ("engagement", "any"),
        ("fit", "country"),
    ]
    assert pools.pool.tolist() == [0, 0, 1, 2, 3]


def test_a_reason_keeps_its_sign_through_any_calibrator(scorer: Scorer, train_set: TrainingSet) -> None:
    plain = replace(scorer, calibrator=IDENTITY)
    explainer = Explainer.of(plain, made_reference(plain, train_set))
    raw, _ = plain.score(train_set.values[:50])
    for each in explainer.explain(train_set.values[:50], raw):
        assert all(reason.score_points > 0 for reason in each.for_)
        assert all(reason.score_points < 0 for reason in each.against)
