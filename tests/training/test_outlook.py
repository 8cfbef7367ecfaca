"""What pairs of cutoffs give, against plain counts over lists."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from statistics import median_low

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.calendar_days import DAY
from oracles.made_backtests import made_backtest
from oracles.made_scorers import made_bundle
from training.bundle import load_bundle, save_bundle
from training.cutoffs_table import WEEK, Backtest
from training.outlook import GRID, ROUND, Outlook, Outlooks, points_like


def plainly(backtest: Backtest, values: np.ndarray, mql: float, sql: float) -> dict[str, float | None]:
    """The same figures as an outlook's, one lead after another."""
    assert backtest.lead_time is not None
    rows = list(
        zip(values.tolist(), backtest.label.tolist(), backtest.lead.tolist(), backtest.lead_time.tolist(), strict=True)
    )
    best: dict[int, float] = {}
    coming: dict[int, float] = {}
    for value, label, lead, _ in rows:
        best[lead] = max(best.get(lead, -1e9), value)
        if label:
            coming[lead] = max(coming.get(lead, -1e9), value)

    def rate(low: float, high: float) -> float | None:
        inside = [label for value, label, _, _ in rows if low <= value < high]
        return sum(inside) / len(inside) if inside else None

    def ahead(cutoff: float) -> float | None:
        first: dict[int, int] = {}
        for value, label, lead, before in rows:
            if label and value >= cutoff:
                first[lead] = max(first.get(lead, -1), before)
        return median_low(first.values()) / DAY if first else None

    def a_week(count: int) -> float | None:
        return count / (backtest.weeks * backtest.part) if backtest.weeks else None

    return {
        "sqls_a_week": a_week(sum(each >= sql for each in best.values())),
        "mqls_a_week": a_week(sum(mql <= each < sql for each in best.values())),
        "precision_sql": rate(sql, 1e9),
        "precision_mql": rate(mql, sql),
        "precision_nurture": rate(-1e9, mql),
        "caught_sql": sum(each >= sql for each in coming.values()) / len(coming) if coming else None,
        "caught": sum(each >= mql for each in coming.values()) / len(coming) if coming else None,
        "missed_a_week": a_week(sum(each < mql for each in coming.values())),
        "days_ahead_sql": ahead(sql),
        "days_ahead": ahead(mql),
    }


def assert_same(found: Outlook, plain: dict[str, float | None]) -> None:
    for name, value in plain.items():
        estimate = getattr(found, name)
        assert estimate.point == (None if value is None else pytest.approx(value, rel=1e-6)), name
        if value is not None and estimate.low is not None:
            assert estimate.low <= estimate.high


@given(
    moments=st.integers(1, 60),
    leads=st.integers(1, 25),
    seed=st.integers(0, 10_000),
    cutoffs=st.tuples(st.floats(0.0005, 0.999), st.floats(0.0005, 0.999)),
)
def test_any_pair_gives_what_a_plain_count_gives(
    moments: int, leads: int, seed: int, cutoffs: tuple[float, float]
) -> None:
    backtest = made_backtest(moments, leads, seed)
    outlooks = Outlooks.of(backtest, draws=3)
    for mql, sql in (sorted(cutoffs), sorted(float(f"{each:.2g}") or 0.01 for each in cutoffs)):
        if sql >= 1:
            continue
        assert_same(outlooks.outlook(mql, sql), plainly(backtest, backtest.probability, mql, sql))
        by_points = outlooks.by_points(mql, sql)
        assert by_points is not None
        assert backtest.points is not None
        assert_same(by_points, plainly(backtest, backtest.points, by_points.mql, by_points.sql))


def test_an_outlook_agrees_with_the_pair_of_the_table_intervals_included() -> None:
    backtest = made_backtest()
    found, pair = Outlooks.of(backtest).outlook(0.1, 0.3), backtest.pair(0.1, 0.3)
    assert found.sqls_a_week == pair.sql.leads_a_week
    assert found.precision_sql == pair.sql.precision
    assert (found.caught_sql, found.caught) == (pair.sql.caught, pair.mql.caught)
    assert (found.precision_mql, found.precision_nurture) == (pair.precision_mql_band, pair.precision_nurture_band)
    json.dumps(found.to_json(), allow_nan=False)


def test_a_cutoff_off_the_grid_is_counted_as_well_as_one_on_it() -> None:
    backtest = made_backtest()
    outlooks = Outlooks.of(backtest, draws=50)
    assert 0.12345 not in GRID
    assert outlooks.outlook(0.12345, 0.3).sqls_a_week == outlooks.outlook(0.1, 0.3).sqls_a_week
    assert outlooks.outlook(0.12345, 0.3).caught == backtest.above(0.12345, draws=50).caught


@pytest.mark.parametrize("pair", [(0.3, 0.1), (0.0, 0.5), (0.5, 1.0), (float("nan"), 0.5)])
def test_cutoffs_that_no_agreement_could_have_are_refused(pair: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="mql <= sql"):
        Outlooks.of(made_backtest(), draws=2).outlook(*pair)


def test_the_cutoff_for_a_capacity_is_the_lowest_that_fits() -> None:
    backtest = made_backtest()
    outlooks = Outlooks.of(backtest, draws=2)
    for capacity in (0.5, 3, 10, 41.5):
        cutoff = outlooks.cutoff_for(capacity)
        assert cutoff is not None
        volumes = {each: backtest.above(each, draws=0).leads_a_week.point for each in GRID.tolist()}
        fitting = [each for each, volume in volumes.items() if volume is not None and volume <= capacity]
        assert cutoff == min(fitting)
        among = outlooks.cutoff_for(capacity, ROUND.tolist())
        assert among == min(each for each in fitting if each in ROUND)


def test_a_capacity_says_nothing_of_moments_at_one_instant() -> None:
    backtest = replace(made_backtest(), weeks=0.0)
    outlooks = Outlooks.of(backtest, draws=2)
    assert outlooks.cutoff_for(40) is None
    found = outlooks.outlook(0.1, 0.3)
    assert found.sqls_a_week.point is None
    assert found.missed_a_week.point is None
    assert found.caught.point is not None


def test_points_take_as_many_leads_as_the_probability_does_where_points_differ() -> None:
    backtest = made_backtest(moments=400, leads=400)
    backtest = replace(backtest, points=np.random.default_rng(1).permutation(len(backtest)).astype(np.float64))
    outlooks = Outlooks.of(backtest, draws=2)
    for mql, sql in ((0.05, 0.2), (0.1, 0.31), (0.777, 0.999)):
        ours, theirs = outlooks.outlook(mql, sql), outlooks.by_points(mql, sql)
        assert theirs is not None
        assert (theirs.sqls_a_week.point, theirs.mqls_a_week.point) == (ours.sqls_a_week.point, ours.mqls_a_week.point)


def test_of_equal_points_the_nearest_count_is_taken_and_the_fewer_of_two_as_near() -> None:
    """
    leads by points   3 3 3 | 2 | 1 1      reached at 1: 6, at 2: 4, at 3: 3, above: 0
    """
    points = np.array([3.0, 3, 3, 2, 1, 1])
    p, zero = np.linspace(0.1, 0.6, 6), np.zeros(6, np.int8)
    backtest = Backtest.of(p, zero, np.arange(6), np.arange(6) * WEEK, points=points)
    found = points_like(backtest, np.array([6, 5, 4, 3, 2, 1, 0], dtype=np.float32))
    assert found.tolist() == [1, 2, 2, 3, 3, np.nextafter(3, np.inf), np.nextafter(3, np.inf)]


def test_the_chart_falls_in_volume_as_the_cutoff_rises() -> None:
    curve = Outlooks.of(made_backtest(), draws=20).curve
    cutoffs = [each.cutoff for each in curve]
    assert cutoffs == sorted(cutoffs)
    assert set(cutoffs) <= set(ROUND.tolist())
    volumes = [each.leads_a_week.point or 0 for each in curve]
    assert volumes == sorted(volumes, reverse=True)
    assert len(set(volumes)) == len(volumes)
    assert volumes[-1] > 0


def test_a_bundle_of_before_lead_times_still_loads_and_says_nothing_of_them(tmp_path: Path) -> None:
    bundle, _ = made_bundle()
    old = replace(bundle, backtest=replace(bundle.backtest, lead_time=None, points=None))
    save_bundle(old, tmp_path / "old")
    assert sorted(path.stem for path in (tmp_path / "old" / "backtest").iterdir()) == [
        "label",
        "lead",
        "part",
        "probability",
        "weeks",
    ]
    backtest = load_bundle(tmp_path / "old").backtest
    assert backtest.lead_time is None
    outlooks = Outlooks.of(backtest, draws=5)
    assert outlooks.by_points(0.1, 0.3) is None
    found = outlooks.outlook(0.1, 0.3)
    assert found.days_ahead_sql is None
    assert found.days_ahead is None


def test_lead_times_and_points_come_back_from_a_bundle_as_they_were(tmp_path: Path) -> None:
    bundle = replace(made_bundle()[0], backtest=made_backtest())
    save_bundle(bundle, tmp_path / "new")
    found = load_bundle(tmp_path / "new").backtest
    for name, array in bundle.backtest.arrays().items():
        assert np.array_equal(array, found.arrays()[name]), name


def test_a_lead_time_without_a_conversion_is_refused() -> None:
    with pytest.raises(ValueError, match="lead time"):
        replace(made_backtest(), lead_time=np.full(600, 5))


def test_rows_of_one_lead_are_sorted_by_what_else_is_kept() -> None:
    drawn = made_backtest()
    order = np.random.default_rng(3).permutation(len(drawn))

    def of_one_lead(rows: np.ndarray) -> Backtest:
        assert drawn.lead_time is not None
        assert drawn.points is not None
        return Backtest.of(
            drawn.probability[rows],
            drawn.label[rows],
            np.zeros(len(rows), np.int64),
            np.zeros(len(rows), np.int64),
            lead_time=drawn.lead_time[rows],
            points=drawn.points[rows],
        )

    one, other = of_one_lead(np.arange(len(drawn))), of_one_lead(order)
    for name, array in one.arrays().items():
        assert np.array_equal(array, other.arrays()[name]), name
