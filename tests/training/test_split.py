"""Who is fitted and who is tested: purge, overlap, the draw of leads, and when there is too little of anything."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import TooLittleData
from oracles.made_training_sets import DAY, made, simulated
from training.dataset import TrainingSet
from training.split import FIT_LEADS, TEST_LEADS, choice_folds, lead_thirds, split


def steady(leads: int = 1000, *, span_days: int = 1000, horizon: int = 30 * DAY, every: int = 4) -> TrainingSet:
    """One moment a lead, evenly over time; every fourth converts."""
    number = np.arange(leads)
    as_of = number * (span_days * DAY // leads)
    return made(number, as_of, (number % every == 0).astype(np.int8), horizon=horizon)


def leads_of(train_set: TrainingSet, rows: np.ndarray) -> set[int]:
    return set(train_set.lead_hash[rows].tolist())


def test_test_is_the_last_fifth_and_what_is_fitted_was_settled_when_it_begins() -> None:
    train_set = steady()
    parts = split(train_set)
    assert parts.kind == "time"
    assert parts.test.tolist() == list(range(800, 1000))
    assert parts.test_begin == train_set.as_of[800]
    assert (train_set.as_of[parts.fit] + 30 * DAY <= parts.test_begin).all()
    assert len(parts.fit) == 771, "the moment exactly a horizon before the test begins is settled"
    assert parts.purged == 29
    assert parts.overlap == parts.overlapping == 0


def test_recording_delay_lengthens_the_purge() -> None:
    train_set = steady()
    assert len(split(train_set, delay=5 * DAY).fit) == 766


def test_a_lead_may_stand_on_both_sides_when_windows_do_not_overlap() -> None:
    number = np.arange(400)
    lead = np.concatenate([number, number])
    as_of = np.concatenate([number * DAY, number * DAY + 500 * DAY])
    parts = split(made(lead, as_of, (lead % 3 == 0).astype(np.int8)))
    assert parts.kind == "time"
    assert leads_of(made(lead, as_of, (lead % 3 == 0).astype(np.int8)), parts.fit)
    assert parts.other_leads == 0


def test_moments_of_one_instant_stay_on_one_side() -> None:
    number = np.arange(1000)
    as_of = (number // 300) * 100 * DAY
    parts = split(made(number, as_of, (number % 4 == 0).astype(np.int8)))
    assert parts.test_begin == 300 * DAY, "0.8 lies within the third block; its end is nearer than its begin"
    assert parts.test.tolist() == list(range(900, 1000))


def test_where_the_purge_leaves_under_half_it_is_shortened_and_leads_stand_on_one_side() -> None:
    train_set = steady(3000, span_days=57, horizon=90 * DAY)
    parts = split(train_set)
    assert parts.kind == "time and lead"
    assert 0 < parts.purge < 90 * DAY
    assert parts.overlap == 90 * DAY - parts.purge
    assert parts.overlapping == len(parts.fit)
    before = int((train_set.as_of < parts.test_begin).sum())
    assert before - parts.purged >= before / 2
    assert before - parts.purged <= before / 2 + 1, "no shorter than needed"
    assert not leads_of(train_set, parts.fit) & leads_of(train_set, parts.test)
    assert (train_set.as_of[parts.test] >= parts.test_begin).all()
    assert len(parts.fit) + len(parts.test) + parts.purged + parts.other_leads == len(train_set)
    assert any("reach" in each for each in parts.words())


def test_the_purge_goes_down_to_none_where_the_counts_need_every_moment() -> None:
    number = np.arange(400)
    as_of = number * DAY
    label = np.zeros(400, dtype=np.int8)
    label[290:320] = 1  # of these, two thirds are fitted: 20
    label[320:] = number[320:] % 2
    parts = split(made(number, as_of, label, horizon=90 * DAY))
    assert parts.kind == "time and lead"
    assert parts.counts["fit_converted"] >= FIT_LEADS
    assert parts.purge <= 10 * DAY


def test_one_instant_is_split_by_lead_alone() -> None:
    train_set = simulated(600, 1, span=0)
    parts = split(train_set)
    assert parts.kind == "lead"
    assert parts.test_begin is None
    assert len(parts.test) == pytest.approx(200, abs=1)
    assert not leads_of(train_set, parts.fit) & leads_of(train_set, parts.test)


def test_time_that_cannot_hold_the_counts_gives_way_to_the_split_by_lead() -> None:
    number = np.arange(500)
    label = (number < 60).astype(np.int8)  # conversions at the begin alone
    parts = split(made(number, number * DAY, label))
    assert parts.kind == "lead"
    assert parts.counts["test_converted"] == 20


def test_thirty_leads_of_each_label_are_enough_and_one_less_is_not() -> None:
    def few(converted: int) -> TrainingSet:
        number = np.arange(converted + 200)
        return made(number, number // 50 * DAY, (number < converted).astype(np.int8), horizon=300 * DAY)

    parts = split(few(30))
    assert parts.counts == {"fit_converted": 20, "fit_other": 133, "test_converted": 10, "test_other": 67}
    with pytest.raises(TooLittleData) as caught:
        split(few(29), unsettled=np.array([10 * DAY, 20 * DAY], dtype=np.int64))
    text = str(caught.value)
    assert caught.value.exit_code == 4
    assert "29 leads that converted" in text
    assert "1 more leads that converted" in text or "1 more lead that converted" in text
    assert "at least 30 leads of each" in text
    assert "1970-11-07" in text
    assert "1970-11-17" in text


@pytest.mark.parametrize("label", [0, 1])
def test_leads_of_one_label_alone_are_too_little(label: int) -> None:
    number = np.arange(300)
    with pytest.raises(TooLittleData):
        split(made(number, number * DAY, np.full(300, label, dtype=np.int8)))


def test_no_moments_at_all_are_too_little() -> None:
    with pytest.raises(TooLittleData, match="0 settled moments"):
        split(made(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int8)))


def test_the_split_says_itself_in_plain_json() -> None:
    figures = split(steady()).to_json()
    assert json.loads(json.dumps(figures)) == figures
    assert figures["fit_moments"] == 771
    assert "20%" in figures["words"][0]


@given(st.integers(60, 400), st.integers(0, 2**32), st.integers(0, 200), st.integers(1, 300))
def test_every_split_is_what_it_promises(leads: int, seed: int, span: int, horizon: int) -> None:
    rng = np.random.default_rng(seed)
    lead = rng.integers(0, leads, 2 * leads)
    as_of = rng.integers(0, span + 1, len(lead)) * DAY
    train_set = made(lead, as_of, (rng.random(len(lead)) < 0.3).astype(np.int8), horizon=horizon * DAY)
    try:
        parts = split(train_set)
    except TooLittleData:
        return
    assert not set(parts.fit.tolist()) & set(parts.test.tolist())
    assert len(parts.fit) + len(parts.test) + parts.purged + parts.other_leads == len(train_set)
    assert min(parts.counts["fit_converted"], parts.counts["fit_other"]) >= FIT_LEADS
    assert min(parts.counts["test_converted"], parts.counts["test_other"]) >= TEST_LEADS
    if parts.kind == "time":
        assert train_set.as_of[parts.fit].max() + train_set.horizon <= train_set.as_of[parts.test].min()
    else:
        assert not leads_of(train_set, parts.fit) & leads_of(train_set, parts.test)
    if parts.kind != "lead":
        assert train_set.as_of[parts.fit].max() < train_set.as_of[parts.test].min()


def test_choices_predict_the_last_36_percent_by_earlier_moments_of_other_leads() -> None:
    train_set = simulated(900, 3)
    rows = np.arange(len(train_set))[:2000]
    folds = choice_folds(train_set, rows)
    assert len(folds) == 3
    predicted = np.concatenate([predict for _, predict in folds])
    assert sorted(predicted.tolist()) == list(range(1280, 2000))
    for fit, predict in folds:
        assert train_set.as_of[fit].max() < train_set.as_of[predict].min()
        assert not leads_of(train_set, fit) & leads_of(train_set, predict)


def test_choices_of_one_instant_or_of_few_conversions_are_made_in_plain_groups_of_leads() -> None:
    for train_set in (simulated(300, 1, span=0), simulated(40, 1)):
        rows = np.arange(len(train_set))
        folds = choice_folds(train_set, rows)
        assert sorted(np.concatenate([predict for _, predict in folds]).tolist()) == rows.tolist()
        for fit, predict in folds:
            assert len(fit) + len(predict) == len(rows)
            assert not leads_of(train_set, fit) & leads_of(train_set, predict)
            assert 0 < train_set.label[fit].mean() < 1


def test_the_draw_of_a_lead_does_not_depend_on_the_order_of_rows() -> None:
    train_set = simulated(200, 1)
    rows = np.arange(200)
    back = np.random.default_rng(1).permutation(200)
    assert (lead_thirds(train_set, rows)[back] == lead_thirds(train_set, rows[back])).all()
    assert np.bincount(lead_thirds(train_set, rows)).tolist() == pytest.approx([67, 67, 66], abs=2)
