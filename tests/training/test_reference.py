"""Leads of the past: who is drawn, who is similar, where a lead stands, and the bins of one feature."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracles.made_training_sets import definitions_of
from training.dataset import hash_leads
from training.reference import FEWEST, Reference, Similar, draw_one_at_most


def reference(
    probability: list[float] | np.ndarray,
    label: list[int] | np.ndarray | None = None,
    values: np.ndarray | None = None,
    categories: tuple[int, ...] = (),
    fit: np.ndarray | None = None,
) -> Reference:
    m = len(probability)
    values = np.zeros((m, 1)) if values is None else values
    return Reference.build(
        definitions_of(values.shape[1] - len(categories), categories),
        values=values,
        label=np.zeros(m, np.int8) if label is None else np.asarray(label, dtype=np.int8),
        probability=np.asarray(probability, dtype=float),
        fit=np.zeros(m) if fit is None else fit,
        engagement=np.zeros(m),
    )


def test_rates_among_drawn_moments_are_those_of_all_moments() -> None:
    """Half of the leads convert after their first moment, the others have four and never do."""
    hashes = np.repeat(hash_leads(f"lead-{i}" for i in range(4000)), np.tile([1, 4], 2000))
    converted = np.repeat(np.tile([1, 0], 2000), np.tile([1, 4], 2000))
    rows = draw_one_at_most(hashes)
    assert len(np.unique(hashes[rows])) == len(rows)
    assert converted.mean() == 0.2
    assert converted[rows].mean() == pytest.approx(0.2, abs=0.02)


def test_a_lead_of_very_many_moments_takes_nobodys_place() -> None:
    hashes = np.concatenate([np.repeat(hash_leads(["busy"]), 500), hash_leads(f"lead-{i}" for i in range(100))])
    assert len(draw_one_at_most(hashes)) == 101
    assert len(draw_one_at_most(hashes[:0])) == 0


def test_where_all_have_as_many_moments_one_of_each_lead_is_drawn_by_its_id_alone() -> None:
    ids = [f"lead-{i % 500}" for i in range(2000)]
    hashes = hash_leads(ids)
    rows = draw_one_at_most(hashes)
    assert sorted(hashes[rows].tolist()) == sorted(set(hashes.tolist()))
    assert rows.tolist() == sorted(rows.tolist())
    which = rows // 500
    assert np.bincount(which, minlength=4).min() > 90, "each of a lead's moments has about the same chance"
    # other leads don't matter
    some = np.flatnonzero(hashes % np.uint64(3) == 0)
    assert set(some[draw_one_at_most(hashes[some])].tolist()) <= set(rows.tolist())


def test_which_moment_is_drawn_does_not_follow_the_fold_of_the_lead() -> None:
    hashes = np.repeat(hash_leads(f"lead-{i}" for i in range(3000)), 3)
    rows = draw_one_at_most(hashes)
    for fold in range(3):
        which = (rows % 3)[hashes[rows] % np.uint64(3) == fold]
        assert np.bincount(which, minlength=3).min() > 250


@given(st.lists(st.sampled_from([0.1, 0.2, 0.2, 0.5, 0.9]), min_size=1), st.floats(0, 1))
def test_percentile_is_the_share_below_plus_half_of_the_ties(known: list[float], x: float) -> None:
    found = reference(known).percentile(np.array([x, 0.2]))
    for value, each in zip((x, 0.2), found, strict=True):
        below = sum(p < value for p in known) + sum(p == value for p in known) / 2
        assert each == pytest.approx(below / len(known))


def nearest_by_sorting(p: np.ndarray, label: np.ndarray, x: float, most: int) -> tuple[int, int]:
    """The slow way: all by their distance, then fewer of them until they stand about where the lead does."""
    order = np.argsort(np.abs(p - x), kind="stable")
    k = most
    while k > 30 and abs(p[order[:k]].mean() - x) > 0.5 * np.sqrt(x * (1 - x) / k):
        k = max(int(0.75 * k), 30)
    return int(label[order[:k]].sum()), k


@pytest.mark.parametrize(("m", "most"), [(5000, 200), (1000, 100), (300, 30), (150, 30)])
def test_similar_are_the_nearest_two_hundred_but_a_tenth_at_most_and_fewer_at_the_ends(m: int, most: int) -> None:
    rng = np.random.default_rng(0)
    p = rng.beta(1, 6, m)
    label = (rng.random(m) < p).astype(np.int8)
    x = np.r_[rng.random(50), rng.beta(1, 6, 50), p.max(), p.min(), 1e-6, 1 - 1e-6]
    found = reference(p, label).similar(x)
    assert found is not None
    for value, converted, leads in zip(x, *found, strict=True):
        assert (converted, leads) == nearest_by_sorting(p, label, value, most)
    middle = (x > np.quantile(p, 0.2)) & (x < np.quantile(p, 0.8))
    assert (found[1][middle] == most).all()
    assert found[1].min() == 30


def test_the_interval_holds_the_true_rate_as_often_as_it_says_for_the_best_leads_too() -> None:
    rng, held, best_held = np.random.default_rng(1), [], []
    for _ in range(60):
        p = np.sort(rng.beta(1, 9, 3000))
        label = (rng.random(3000) < p).astype(np.int8)
        x = p[rng.integers(0, 3000, 100)]
        for leads, into in ((x, held), (p[-60:-10], best_held)):
            found = reference(p, label).similar(leads)
            assert found is not None
            for value, each in zip(leads, map(Similar, *(each.tolist() for each in found)), strict=True):
                into.append(each.interval.holds(value))
    assert 0.93 < np.mean(held) < 0.98
    assert np.mean(best_held) > 0.9, "the nearest 200 would hold it in half of the cases"


@given(st.integers(0, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n + 1))))
def test_the_interval_is_narrower_the_more_leads_there_are(counts: tuple[int, int]) -> None:
    one, more = Similar(*counts), Similar(4 * counts[0], 4 * counts[1])
    assert 0 <= one.interval.low <= one.converted / one.leads <= one.interval.high <= 1
    assert one.interval.holds(more.interval.low)
    assert one.interval.holds(more.interval.high)
    assert more.interval.high - more.interval.low < one.interval.high - one.interval.low


def test_fewer_than_thirty_similar_leads_say_nothing() -> None:
    assert reference(np.linspace(0, 1, 149)).similar(np.array([0.5])) is None
    assert reference(np.linspace(0, 1, 150)).similar(np.array([0.5])) is not None
    assert reference([]).similar(np.array([0.5])) is None


def test_similar_takes_as_many_where_all_predictions_are_one() -> None:
    found = reference(np.full(1000, 0.1), np.arange(1000) % 10 == 0).similar(np.array([0.0, 0.1, 1.0]))
    assert found is not None
    assert found[1].tolist() == [30, 100, 30], (
        "those that stand elsewhere are told to stand there by as few as say anything"
    )
    assert (found[0] <= found[1]).all()


def test_grades_are_the_top_fifth_the_next_three_tenths_and_the_rest() -> None:
    fit = np.random.default_rng(0).normal(size=1000)
    grades = reference(np.zeros(1000), fit=fit).grades(fit, "fit")
    assert np.bincount(grades).tolist() == [200, 300, 500]
    assert fit[grades == 0].min() > fit[grades == 1].max() > fit[grades == 2].max()


def test_leads_that_all_are_alike_are_in_the_middle() -> None:
    assert reference(np.zeros(50)).grades(np.zeros(2), "engagement").tolist() == [1, 1]


def test_bins_of_a_number_are_missing_zero_and_quantiles_of_the_rest() -> None:
    rng = np.random.default_rng(1)
    x = np.r_[np.full(100, np.nan), np.zeros(200), rng.lognormal(size=1000), [-3.0]]
    label = (np.arange(len(x)) % 7 == 0).astype(np.int8)
    found = reference(np.zeros(len(x)), label, x[:, None])
    assert int(np.diff(found.bin_start)[0]) == 12
    converted, leads = found.in_same_bin(np.zeros(len(x), np.int64), x)
    assert leads[:100].tolist() == [100] * 100
    assert leads[100:300].tolist() == [200] * 200
    assert set(leads[300:].tolist()) <= set(range(95, 107))
    for value in (np.nan, 0.0, *x[300:320], -3.0):
        same = np.isnan(x) if np.isnan(value) else x == 0 if value == 0 else np.zeros(len(x), bool)
        if not same.any():
            borders = found.edges
            same = (
                (x != 0)
                & ~np.isnan(x)
                & (np.searchsorted(borders, x, "right") == np.searchsorted(borders, value, "right"))
            )
        assert found.in_same_bin(np.array([0]), np.array([value]))[1][0] == same.sum()
        assert found.in_same_bin(np.array([0]), np.array([value]))[0][0] == label[same].sum()
    assert converted.min() >= 0


@given(st.lists(st.sampled_from([float("nan"), 0.0, 1.0, 1.0, 2.0, -5.0, 1e308, float("inf")]), max_size=300))
def test_every_value_that_was_seen_has_its_bin(cells: list[float]) -> None:
    x = np.array(cells)
    found = reference(np.zeros(len(x)), np.ones(len(x), np.int8), x[:, None])
    assert found.bin_leads.sum() == len(x)
    converted, leads = found.in_same_bin(np.zeros(len(x), np.int64), x)
    assert (converted[leads > 0] == leads[leads > 0]).all()
    assert (leads[leads > 0] >= FEWEST).all()


def test_each_category_is_a_bin_and_a_rare_one_says_nothing() -> None:
    codes = np.r_[np.zeros(40), np.ones(29), np.full(31, np.nan)]
    found = reference(np.zeros(100), np.r_[np.ones(10), np.zeros(90)], codes[:, None], categories=(4,))
    converted, leads = found.in_same_bin(np.zeros(5, np.int64), np.array([0.0, 1.0, 3.0, np.nan, 9.0]))
    assert leads.tolist() == [40, 0, 0, 31, 0]
    assert converted.tolist() == [10, -1, -1, 0, -1]
    assert found.in_same_bin(np.empty(0, np.int64), np.empty(0))[0].tolist() == []


def test_arrays_make_an_equal_reference() -> None:
    rng = np.random.default_rng(2)
    one = reference(rng.random(500), rng.random(500) < 0.2, rng.random((500, 2)))
    other = Reference(**one.arrays())
    for name, array in one.arrays().items():
        assert np.array_equal(array, getattr(other, name))
