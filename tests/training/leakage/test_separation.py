"""The rank of one binned column, against slow and obvious twins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from training.leakage.separation import Coded, auc, auc_error, strength


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1)), min_size=2, max_size=60))
def test_auc_is_sklearns(rows: list[tuple[int, int]]) -> None:
    said, label = np.array([a for a, _ in rows], float), np.array([b for _, b in rows], np.int8)
    if label.min() == label.max():
        assert np.isnan(auc(said, label))
    else:
        assert auc(said, label) == pytest.approx(roc_auc_score(label, said))


@settings(max_examples=40)
@given(st.lists(st.one_of(st.just(np.nan), st.floats(-1e9, 1e9)), min_size=1, max_size=80))
def test_bins_are_ordered_like_the_values_and_missing_has_its_own(cells: list[float]) -> None:
    column = np.array(cells)[:, None]
    coded = Coded.of(column, column, np.array([False]))
    codes, known = coded.fit[0], ~np.isnan(column[:, 0])
    assert (codes[~known] == 0).all()
    assert (codes[known] > 0).all()
    assert (np.diff(codes[known][np.argsort(column[known, 0])]) >= 0).all()
    assert codes.max() < coded.sizes[0]
    assert (coded.tested == coded.fit).all()


def test_a_rate_is_judged_where_it_was_not_learned() -> None:
    """A category for each row knows all labels that it has seen, and nothing of others."""
    draw = np.random.default_rng(0)
    label = draw.integers(0, 2, 400).astype(np.int8)
    codes, rows = np.arange(400, dtype=np.int32), np.arange(400)
    apart = [(rows[:200], rows[200:])]
    assert strength(codes, label, [(rows, rows)], 400) == 1.0
    assert strength(codes, label, apart, 400) == 0.5


def test_the_error_of_an_auc_is_about_that_of_many_draws_and_no_smaller() -> None:
    draw = np.random.default_rng(1)
    label = np.r_[np.ones(40, np.int8), np.zeros(160, np.int8)]
    values = [auc(draw.normal(size=200) + 1.2 * label, label) for _ in range(400)]
    assert 1.0 < auc_error(float(np.mean(values)), 40, 160) / float(np.std(values)) < 1.4
