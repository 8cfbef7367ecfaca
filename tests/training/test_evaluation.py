"""Figures on the test block against slow, plain implementations and scikit-learn."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.bootstrap import LeadDraws
from training.cutoffs_table import WEEK, Backtest
from training.evaluation import Evaluation, evaluate, paired_difference
from training.figures import GAINS, METRICS, TOPS, Judged


def drawn(n: int = 900, leads: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, leads and over-confident predictions with ties."""
    rng = np.random.default_rng(seed)
    lead = rng.integers(0, leads, n)
    bent = rng.normal(size=leads)[lead] + rng.normal(size=n) - 1.5
    label = (rng.random(n) < 1 / (1 + np.exp(-bent))).astype(np.int8)
    return label, lead, np.round(1 / (1 + np.exp(-1.3 * bent)), 2)


def figures_of(label: np.ndarray, p: np.ndarray, weight: np.ndarray, base: float = 0.2) -> dict[str, float]:
    judged = Judged.of(label, p, base)
    return dict(zip(METRICS, judged.figures(weight @ judged.sums, weight), strict=False))


def plain_top(label: np.ndarray, p: np.ndarray, weight: np.ndarray, part: float) -> float:
    """Converted weight in the best part; those that tie at the border are taken in equal parts."""
    left, caught = part * weight.sum(), 0.0
    for value in sorted(set(p), reverse=True):
        group = weight[p == value].sum()
        taken = min(1.0, left / group) if group else 0.0
        caught += taken * (weight * label)[p == value].sum()
        left -= taken * group
    return caught


@pytest.mark.parametrize("seed", [0, 1])
def test_figures_are_those_of_scikit_learn(seed: int) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

    label, lead, p = drawn(seed=seed)
    weight = np.random.default_rng(9).integers(0, 4, 300)[lead].astype(float)
    found = figures_of(label, p, weight)
    p = np.clip(p, 1e-6, 1 - 1e-6)
    keep = weight > 0
    assert found["roc_auc"] == pytest.approx(roc_auc_score(label, p, sample_weight=weight), abs=1e-12)
    assert found["average_precision"] == pytest.approx(
        average_precision_score(label, p, sample_weight=weight), abs=1e-12
    )
    assert found["log_loss"] == pytest.approx(log_loss(label, p, sample_weight=weight), abs=1e-12)
    assert found["brier"] == pytest.approx(brier_score_loss(label, p, sample_weight=weight), abs=1e-12)
    against = ((label - 0.2) ** 2 * weight).sum() / weight.sum()
    assert found["brier_skill"] == pytest.approx(1 - found["brier"] / against, abs=1e-12)
    log_odds = np.log(p / (1 - p))[:, None]
    line = LogisticRegression(C=np.inf, tol=1e-10).fit(log_odds[keep], label[keep], sample_weight=weight[keep])
    assert found["calibration_slope"] == pytest.approx(float(line.coef_[0, 0]), abs=1e-5)
    assert found["calibration_intercept"] == pytest.approx(float(line.intercept_[0]), abs=1e-5)


@pytest.mark.parametrize("seed", [0, 1])
def test_lift_precision_and_ece_are_those_of_a_plain_count(seed: int) -> None:
    label, lead, p = drawn(seed=seed)
    weight = np.random.default_rng(9).integers(0, 4, 300)[lead].astype(float)
    found = figures_of(label, p, weight)
    for top in TOPS:
        caught = plain_top(label, p, weight, top)
        assert found[f"lift_{top * 100:.0f}"] == pytest.approx(caught / (top * (weight * label).sum()), abs=1e-9)
        assert found[f"precision_{top * 100:.0f}"] == pytest.approx(caught / (top * weight.sum()), abs=1e-9)
    ranks = np.array([(p < each).sum() + ((p == each).sum() + 1) / 2 for each in p])
    bins = np.minimum((15 * (ranks - 0.5) / len(p)).astype(int), 14)
    parts = [abs((weight * (label - p))[bins == each].sum()) for each in range(15)]
    assert found["ece"] == pytest.approx(sum(parts) / weight.sum(), abs=1e-6)


def test_gains_curve_is_that_of_a_plain_count() -> None:
    label, lead, p = drawn()
    gains = evaluate(label, lead, {"model": p}, base_rate=0.2, draws=20).models["model"].gains
    for part, found in zip(GAINS, gains, strict=True):
        assert found.point == pytest.approx(plain_top(label, p, np.ones(len(p)), part) / label.sum(), abs=1e-9)
    assert gains[0].point == 0
    assert gains[-1].point == 1


@given(
    st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.sampled_from([0.0, 0.1, 0.5, 0.5, 0.9, 1.0])), min_size=1)
)
def test_any_test_block_has_figures_or_none_and_they_are_plain_json(rows: list[tuple[int, bool, float]]) -> None:
    lead, label, p = (np.array(column) for column in zip(*rows, strict=True))
    found = evaluate(label.astype(np.int8), lead, {"a": p, "b": np.full(len(p), 0.3)}, base_rate=0.3, draws=8)
    text = json.dumps(found.to_json(), allow_nan=False)
    assert Evaluation.from_json(json.loads(text)) == found
    auc = found.models["a"].metrics["roc_auc"].point
    assert (auc is None) == (label.all() or not label.any())
    assert sum(each.moments for each in found.models["a"].reliability) == len(rows)


def test_the_same_leads_and_seed_give_the_same_intervals() -> None:
    label, lead, p = drawn()
    one = evaluate(label, lead, {"model": p}, base_rate=0.2, draws=50)
    other = evaluate(label, np.array([f"lead {each:05d}" for each in lead]), {"model": p}, base_rate=0.2, draws=50)
    assert one == other


def test_an_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    # moments of one lead share a label: an interval over moments would be far too narrow and cover much less
    covered = 0
    for seed in range(120):
        rng = np.random.default_rng(seed)
        lead = np.repeat(np.arange(100), 8)
        label = np.repeat(rng.random(100) < 0.3, 8).astype(np.int8)
        backtest = Backtest.of(np.full(800, 0.5), label, lead, np.arange(800) * WEEK)
        rate = backtest.above(0.5, draws=300).precision
        assert rate.low is not None
        assert rate.high is not None
        covered += rate.low <= 0.3 <= rate.high
    assert 0.87 <= covered / 120 <= 1.0


def test_paired_difference_is_that_of_the_means_and_far_narrower_than_each() -> None:
    label, lead, p = drawn(2000, 700)
    other = np.clip(p * 1.05, 0, 1)
    found = paired_difference(label, lead, p, other)

    def loss(q: np.ndarray) -> float:
        q = np.clip(q, 1e-6, 1 - 1e-6)
        return float(-np.mean(np.where(label == 1, np.log(q), np.log(1 - q))))

    assert found.point == pytest.approx(loss(p) - loss(other), abs=1e-12)
    alone = evaluate(label, lead, {"model": p}, base_rate=0.2, draws=200).models["model"].metrics["log_loss"]
    assert found.high - found.low < (alone.high - alone.low) / 4  # type: ignore[operator]
    swapped = paired_difference(label, lead, other, p)
    assert (swapped.low, swapped.high) == pytest.approx((-found.high, -found.low))  # type: ignore[operator]


@pytest.mark.parametrize("metric", ["roc_auc", "average_precision", "brier"])
def test_paired_difference_takes_any_metric(metric: str) -> None:
    label, lead, p = drawn()
    noise = np.clip(p + np.random.default_rng(1).normal(0, 0.2, len(p)), 0, 1)
    pair = evaluate(label, lead, {"a": p, "b": noise}, base_rate=0.2, draws=50).differences["b"][metric]
    found = paired_difference(label, lead, p, noise, metric=metric, draws=50)
    assert (found.point, found.low, found.high) == pytest.approx((pair.point, pair.low, pair.high))


def test_a_constant_prediction_has_no_slope_and_an_auc_of_a_half() -> None:
    label, lead, _ = drawn()
    metrics = (
        evaluate(label, lead, {"base rate": np.full(len(label), 0.25)}, base_rate=0.25, draws=20)
        .models["base rate"]
        .metrics
    )
    assert metrics["roc_auc"].point == pytest.approx(0.5)
    assert metrics["calibration_slope"].point is None
    assert metrics["brier_skill"].point == 0
    assert metrics["lift_1"].point == pytest.approx(1.0)


def test_a_bin_without_conversions_has_an_interval_that_grows_as_leads_get_fewer() -> None:
    def top(leads: int) -> float:
        label, lead = np.zeros(600, dtype=np.int8), np.arange(600) % leads
        label[:10] = 1
        p = np.r_[np.full(10, 0.9), np.linspace(0.01, 0.2, 590)]
        lowest = evaluate(label, lead, {"model": p}, base_rate=0.1, draws=20).models["model"].reliability[0]
        assert lowest.rate.point == lowest.rate.low == 0
        return lowest.rate.high or math.nan

    assert 0 < top(600) < top(20) < 0.5


def test_cutoffs_give_what_a_plain_count_gives() -> None:
    label, lead, p = drawn()
    as_of = np.random.default_rng(5).integers(0, 10 * WEEK, len(p))
    backtest = Backtest.of(p, label, lead, as_of, part=0.5)
    pair = backtest.pair(0.2, 0.6, draws=50)
    weeks = (as_of.max() - as_of.min()) / WEEK
    for cutoff, found in ((0.2, pair.mql), (0.6, pair.sql)):
        inside = p >= cutoff
        assert found.cutoff == cutoff
        assert found.share.point == pytest.approx(inside.mean())
        assert found.precision.point == pytest.approx(label[inside].mean())
        seen_coming = set(lead[inside & (label == 1)])
        assert found.caught.point == pytest.approx(len(seen_coming) / len(set(lead[label == 1])))
        assert found.leads_a_week.point == pytest.approx(len(set(lead[inside])) / weeks / 0.5)
        assert found == backtest.above(cutoff, draws=50)
        for each in (found.share, found.precision, found.caught, found.leads_a_week):
            assert each.low <= each.point <= each.high  # type: ignore[operator]
    between = (p >= 0.2) & (p < 0.6)
    assert pair.precision_mql_band.point == pytest.approx(label[between].mean())
    assert pair.precision_nurture_band.point == pytest.approx(label[p < 0.2].mean())
    json.dumps(pair.to_json(), allow_nan=False)


def test_the_table_of_cutoffs_goes_from_low_to_high_and_agrees_with_each_cutoff() -> None:
    label, lead, p = drawn()
    backtest = Backtest.of(p, label, lead, np.arange(len(p)) * WEEK)
    table = backtest.table(draws=20)
    cutoffs = [each.cutoff for each in table]
    assert cutoffs == sorted(set(cutoffs))
    assert 5 <= len(cutoffs) <= 20
    assert table[3] == backtest.above(cutoffs[3], draws=20)


def test_cutoffs_of_one_instant_have_no_weekly_count() -> None:
    backtest = Backtest.of(np.array([0.1, 0.7]), np.array([0, 1], np.int8), np.array([1, 2]), np.array([5, 5]))
    found = backtest.pair(0.5, 0.9)
    assert found.mql.leads_a_week.point is None
    assert found.mql.caught.point == 1
    assert found.sql.precision.point is None, "nobody is above it"


def test_a_pair_the_wrong_way_round_is_refused() -> None:
    backtest = Backtest.of(np.array([0.1]), np.array([0], np.int8), np.array([1]), np.array([5]))
    with pytest.raises(ValueError, match="must not lie above"):
        backtest.pair(0.5, 0.4)


def test_a_backtest_keeps_neither_ids_nor_instants_nor_their_order() -> None:
    label, lead, p = drawn()
    order = np.random.default_rng(2).permutation(len(p))
    one = Backtest.of(p, label, lead, np.arange(len(p)))
    other = Backtest.of(p[order], label[order], lead[order], np.arange(len(p))[order])
    assert set(one.arrays()) == {"probability", "label", "lead", "weeks", "part"}
    for name, array in one.arrays().items():
        assert np.array_equal(array, other.arrays()[name])


def test_every_draw_holds_as_many_leads_as_there_are() -> None:
    draws = LeadDraws.of(np.array(["b", "a", "b", "c"]), draws=200)
    weights = np.concatenate(list(draws.weights()))
    assert weights.shape == (200, 3)
    assert (weights.sum(axis=1) == 3).all()
    assert draws.totals(np.ones((4, 1))).shape == (200, 1)
