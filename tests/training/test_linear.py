"""The line: fitted like scikit-learn's on the same matrix, scored in one order, explained exactly."""

import json
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from oracles.made_training_sets import simulated
from training.linear import Line
from training.linear_fit import CLIP, fit_lines

TRAIN_SET = simulated(800, 2, seed=3, categories=(6, 40))
CATEGORICAL = TRAIN_SET.definitions.categorical
LINE = fit_lines(TRAIN_SET.values, TRAIN_SET.label, CATEGORICAL, cs=(0.01,))[0]
BENT = fit_lines(TRAIN_SET.values, TRAIN_SET.label, CATEGORICAL, cs=(0.01,), knots=4)[0]
BOTH = pytest.mark.parametrize("line", [LINE, BENT], ids=["straight", "bent"])


def plain_matrix(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The transformed matrix, written down a second time from the words of the recipe."""
    n, columns = len(values), []
    common = max(20, math.ceil(0.003 * n))
    for column, is_category in enumerate(CATEGORICAL):
        x = values[:, column]
        parts = [np.isnan(x).astype(float)] if common <= np.isnan(x).sum() <= n - common else []
        if is_category:
            parts += [(x == v).astype(float) for v in range(50) if common <= (x == v).sum() <= n - common]
        else:
            tamed = np.sign(x) * np.log1p(np.abs(x))
            parts += [np.where(np.isnan(x), np.nanmedian(tamed), tamed)]
        columns += [np.clip((part - part.mean()) / part.std(), -6, 6) for part in parts]
    return np.column_stack(columns)


@pytest.mark.parametrize("c", [0.001, 0.01, 0.1])
def test_the_line_is_the_ridge_regression_that_scikit_learn_fits(c: float) -> None:
    from sklearn.linear_model import LogisticRegression

    z = plain_matrix(TRAIN_SET.values)
    other = LogisticRegression(C=c, solver="newton-cholesky", tol=1e-10, max_iter=500).fit(z, TRAIN_SET.label)
    line = fit_lines(TRAIN_SET.values, TRAIN_SET.label, CATEGORICAL, cs=(c,))[0]
    assert line.raw(TRAIN_SET.values) == pytest.approx(other.decision_function(z), abs=2e-3)


def test_a_bent_line_is_the_ridge_regression_on_the_pieces_of_each_number() -> None:
    """Written down a second time: beside each number its parts between four quantiles, standardised."""
    from sklearn.linear_model import LogisticRegression

    z = plain_matrix(TRAIN_SET.values)
    columns = []
    for x in z.T:
        columns.append(x)
        if len(np.unique(x)) == 2:  # missing or not, a category or not
            continue
        inner = np.unique(np.quantile(x, [0.2, 0.4, 0.6, 0.8]))
        edges = [-6.0, *inner[(inner > x.min()) & (inner < x.max())], 6.0]
        pieces = [np.clip(x, low, high) for low, high in pairwise(edges)] if len(edges) > 2 else []
        columns += [(piece - piece.mean()) / piece.std() for piece in pieces if piece.std() > 1e-6]
    wide = np.column_stack(columns)
    assert wide.shape[1] > z.shape[1] + 8
    other = LogisticRegression(C=0.01, solver="newton-cholesky", tol=1e-10, max_iter=500).fit(wide, TRAIN_SET.label)
    assert BENT.raw(TRAIN_SET.values) == pytest.approx(other.decision_function(wide), abs=2e-3)


def test_a_bent_line_follows_a_number_that_speaks_for_a_conversion_in_the_middle_only() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=4000)
    label = (rng.random(4000) < np.where(np.abs(x) < 0.7, 0.6, 0.1)).astype(np.int8)
    straight, bent = (
        fit_lines(x[:, None], label, np.zeros(1, dtype=np.bool_), cs=(0.1,), knots=knots)[0].raw(
            np.array([[-1.5], [0.0], [1.5]])
        )
        for knots in (0, 4)
    )
    assert bent[1] - max(bent[0], bent[2]) > 1.5
    assert np.ptp(straight) < 0.5


def test_the_path_gives_what_single_fits_give() -> None:
    path = fit_lines(TRAIN_SET.values, TRAIN_SET.label, CATEGORICAL, cs=(0.1, 0.001))
    alone = fit_lines(TRAIN_SET.values, TRAIN_SET.label, CATEGORICAL, cs=(0.1,))[0]
    assert path[0].raw(TRAIN_SET.values) == pytest.approx(alone.raw(TRAIN_SET.values), abs=2e-3)
    assert np.abs(path[1].raw(TRAIN_SET.values)).mean() < np.abs(path[0].raw(TRAIN_SET.values)).mean()


def test_the_number_of_threads_changes_no_bit() -> None:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        one = fit_lines(TRAIN_SET.values, TRAIN_SET.label, CATEGORICAL, cs=(0.01,))[0]
    with threadpool_limits(limits=2):
        two = fit_lines(TRAIN_SET.values, TRAIN_SET.label, CATEGORICAL, cs=(0.01,))[0]
    assert one.to_json() == two.to_json() == LINE.to_json()


@BOTH
def test_a_row_alone_has_the_bits_it_has_among_others(line: Line) -> None:
    together = line.raw(TRAIN_SET.values)
    alone = np.concatenate([line.raw(TRAIN_SET.values[i : i + 1]) for i in range(len(TRAIN_SET))])
    assert np.array_equal(together, alone)
    assert np.array_equal(together[::3], line.raw(TRAIN_SET.values[::3]))


@BOTH
def test_base_and_shares_add_up_to_the_score(line: Line) -> None:
    base, shares = line.contributions(TRAIN_SET.values)
    assert base + shares.sum(axis=1) == pytest.approx(line.raw(TRAIN_SET.values), abs=1e-12)


def test_a_feature_that_never_varies_has_no_share() -> None:
    values = np.column_stack([TRAIN_SET.values[:, 1], np.full(len(TRAIN_SET), 7.0), np.full(len(TRAIN_SET), np.nan)])
    line = fit_lines(values, TRAIN_SET.label, np.zeros(3, dtype=np.bool_), cs=(0.1,))[0]
    assert (line.contributions(values)[1][:, 1:] == 0).all()


def test_no_columns_leave_the_rate() -> None:
    values = np.zeros((len(TRAIN_SET), 0))
    line = fit_lines(values, TRAIN_SET.label, np.zeros(0, dtype=np.bool_), cs=(0.1,))[0]
    rate = TRAIN_SET.label.mean()
    assert line.raw(values) == pytest.approx(np.full(len(values), math.log(rate / (1 - rate))), abs=1e-4)


def test_one_odd_cell_cannot_carry_a_score_away() -> None:
    for odd in (1e308, -1e308, math.inf, -math.inf):
        values = np.array([TRAIN_SET.values[0]])
        values[0, 0] = odd
        assert abs(LINE.contributions(values)[1][0, 0]) <= CLIP * abs(LINE.slope[0]) + abs(LINE.known[0]) + 1e-12


@BOTH
def test_a_code_that_training_never_saw_is_as_a_missing_one(line: Line) -> None:
    values = np.repeat(TRAIN_SET.values[:1], 3, axis=0)
    values[:, 4] = [np.nan, 6.0, 999.0]
    shares = line.contributions(values)[1][:, 4]
    assert shares[0] == shares[1] == shares[2]


def test_rare_values_of_a_category_share_one_share() -> None:
    rows = simulated(400, 1, seed=5, categories=(3, 300))
    line = fit_lines(rows.values, rows.label, rows.definitions.categorical, cs=(0.1,))[0]
    assert len(np.unique(line.tables[5])) == 1


@BOTH
def test_written_and_read_again_it_is_the_same_to_the_bit(line: Line) -> None:
    again = Line.from_json(json.loads(json.dumps(line.to_json())))
    assert np.array_equal(again.raw(TRAIN_SET.values), line.raw(TRAIN_SET.values))


def test_a_matrix_of_another_width_is_refused() -> None:
    with pytest.raises(ValueError, match="6 features"):
        LINE.raw(np.zeros((2, 5)))


@BOTH
@given(values=hnp.arrays(np.float64, (5, 6), elements=st.floats(allow_nan=True, allow_infinity=True)))
def test_every_row_has_a_finite_score_that_its_shares_explain(line: Line, values: NDArray[np.float64]) -> None:
    base, shares = line.contributions(values)
    raw = line.raw(values)
    assert np.isfinite(raw).all()
    assert base + shares.sum(axis=1) == pytest.approx(raw, abs=1e-9)
    assert np.array_equal(raw, np.concatenate([line.raw(values[i : i + 1]) for i in range(5)]))
