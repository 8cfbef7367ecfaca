"""Columns that tell the tested moments from the fitted ones; no label is looked at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.leakage.drift import drift
from training.leakage.sight import Sight


def test_an_attribute_whose_values_moved_is_warned_of(honest: tuple[Sight, object]) -> None:
    sight = honest[0]
    assert list(drift(sight)) == []
    place = sight.fit.definitions.names.index("source")
    codes = len(sight.fit.definitions[place].categories)
    fit, tested = sight.fit.values.copy(), sight.tested.copy()
    fit[:, place], tested[:, place] = 0.0, codes - 1.0
    moved = replace(sight, fit=replace(sight.fit, values=fit), tested=tested)
    (finding,) = drift(moved)
    assert (finding.code, finding.severity, finding.subject) == ("drift", "possible", "source")
    assert finding.figures["roc_auc"] > 0.99
    assert not list(drift(replace(moved, in_time=False))), "leads split by hash differ by chance alone"


def test_labels_are_not_looked_at(honest: tuple[Sight, object]) -> None:
    sight = honest[0]
    blind = replace(sight, fit=replace(sight.fit, label=np.zeros(len(sight.fit), np.int8)))
    assert list(drift(blind)) == list(drift(sight))
