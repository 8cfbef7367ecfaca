"""What a bundle keeps of the leads that its model learned from: counts by bin and stretch of time, and nothing of a lead."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from oracles.made_scorers import made_bundle
from training.bundle import Bundle, load_bundle, save_bundle
from training.dataset import TrainingSet
from training.inputs import A_STRETCH, STRETCHES, Inputs


@pytest.fixture(scope="module")
def made() -> tuple[Bundle, TrainingSet, Inputs]:
    bundle, train_set = made_bundle(520)
    return bundle, train_set, Inputs.of(bundle.scorer, bundle.reference, train_set)


def test_every_moment_is_counted_once_in_each_column(made: tuple[Bundle, TrainingSet, Inputs]) -> None:
    bundle, train_set, inputs = made
    assert len(inputs) == min(len(train_set) // A_STRETCH, STRETCHES) > 1
    for column in range(len(train_set.definitions)):
        bins = slice(*bundle.reference.bin_start[column : column + 2])
        assert (inputs.counts[:, bins].sum(axis=1) == inputs.moments).all()
    assert (inputs.score_counts.sum(axis=1) == inputs.moments).all()
    assert inputs.moments.sum() == len(train_set)


def test_bins_are_those_that_a_reason_is_looked_up_in(made: tuple[Bundle, TrainingSet, Inputs]) -> None:
    bundle, train_set, inputs = made
    reference, values = bundle.reference, train_set.values
    for column in range(values.shape[1]):
        first, last = reference.bin_start[column : column + 2]
        leads = replace(reference, bin_leads=np.full(len(reference.bin_leads), 30), bin_converted=np.arange(last + 999))
        looked_up = leads.in_same_bin(np.full(len(values), column), values[:, column])[0] - first
        expected = np.bincount(looked_up, minlength=last - first)
        assert (inputs.counts[:, first:last].sum(axis=0) == expected).all()


def test_stretches_follow_each_other_in_time(made: tuple[Bundle, TrainingSet, Inputs]) -> None:
    _, train_set, inputs = made
    assert inputs.begin[0] == train_set.as_of[0]
    assert (np.diff(inputs.begin) > 0).all()
    assert np.ptp(inputs.moments) <= 1
    assert ((inputs.leads > 0) & (inputs.leads <= inputs.moments)).all()


def test_a_bundle_brings_them_back_and_one_from_before_has_none(
    made: tuple[Bundle, TrainingSet, Inputs], tmp_path: Path
) -> None:
    bundle, _, inputs = made
    save_bundle(replace(bundle, inputs=inputs), tmp_path / "new")
    found = load_bundle(tmp_path / "new").inputs
    assert found is not None
    assert all((found.arrays()[name] == array).all() for name, array in inputs.arrays().items())
    save_bundle(bundle, tmp_path / "old")
    assert load_bundle(tmp_path / "old").inputs is None
    arrays = inputs.arrays()
    assert Inputs.from_arrays({name: arrays[name] for name in arrays if name != "edges"}) is None


def test_the_spread_of_a_score_counts_every_score_once(made: tuple[Bundle, TrainingSet, Inputs]) -> None:
    _, _, inputs = made
    spread = inputs.spread(np.array([-99.0, *inputs.score_edges, 99.0]))
    assert spread.tolist() == [1, *[1] * (len(inputs.score_edges) - 1), 2]
