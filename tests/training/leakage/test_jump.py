"""A column without which a quick model falls apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from training.leakage.jump import jump_findings, jumps
from training.leakage.sight import Sight
from training.leakage.subjects import Subject


@pytest.fixture
def carried(honest: tuple[Sight, object]) -> Sight:
    """The honest company, whose `source` was filled in by somebody who often knew the outcome."""
    sight = honest[0]
    place = sight.fit.definitions.names.index("source")
    knows = np.random.default_rng(0).random(len(sight.fit)) < 0.75
    values = sight.fit.values.copy()
    values[:, place] = np.where(knows, sight.fit.label, 1 - sight.fit.label)
    return replace(sight, fit=replace(sight.fit, values=values))


def everything(sight: Sight) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.arange(len(sight.fit.definitions))


def test_an_attribute_that_carries_the_model_is_warned_of(carried: Sight) -> None:
    (finding,) = jump_findings(jumps(carried, everything(carried)))
    assert (finding.code, finding.severity, finding.subject) == ("carries_the_model", "possible", "source")
    assert finding.figures["roc_auc"] - finding.figures["roc_auc_without"] > 0.08
    assert finding.setting == '[attributes] ignore = ["source"]'


def test_columns_that_share_what_they_know_are_not(honest: tuple[Sight, object]) -> None:
    assert list(jump_findings(jumps(honest[0], everything(honest[0])))) == []


def test_a_column_that_is_gone_already_is_not_looked_at(carried: Sight) -> None:
    others = np.delete(everything(carried), carried.fit.definitions.names.index("source"))
    assert Subject("attribute", "source") not in jumps(carried, others)
