"""Features that alone rank leads as only the outcome could."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from oracles.leaky_company import LEAKING_EVENT
from training.leakage.finding import Finding
from training.leakage.guard import Guarded
from training.leakage.sight import Sight
from training.leakage.subjects import Subject, reading
from training.leakage.too_good import too_good

Found = dict[str, dict[str, Finding]]


def test_the_outcome_under_another_name_is_certain(found: Found) -> None:
    finding = found["was_bought"]["label_twin"]
    assert (finding.severity, finding.left_out) == ("certain", True)
    assert finding.figures["roc_auc"] > 0.995


def test_a_column_that_knows_too_much_is_likely_a_leak(found: Found) -> None:
    finding = found["x7"]["too_good"]
    assert (finding.severity, finding.left_out) == ("likely", True)
    assert 0.95 < finding.figures["roc_auc"] < 0.995


def test_with_a_back_dated_event_type_goes_all_that_counts_its_events_among_others(
    found: Found, leaky: Sight, guarded: Guarded
) -> None:
    assert found[LEAKING_EVENT]["too_good"].left_out
    subject = Subject("event type", LEAKING_EVENT)
    names = leaky.fit.definitions.names
    gone = {names[place] for place in reading(leaky.fit.definitions, subject, leaky.history)}
    assert {f"{LEAKING_EVENT}.count.ever", "any.count.ever", "stage=action.count.ever", "any.last_event_type.1"} <= gone
    left = {names[place] for place in guarded.kept}
    assert not left & gone
    assert "page_viewed.count.ever" in left
    assert not [each for each in left if ".share." in each]


def test_a_shuffled_label_is_known_by_nothing(leaky: Sight) -> None:
    """What is found hangs on the labels of the fitted moments, not on the shape of a column."""
    shuffled = np.random.default_rng(0).permutation(leaky.fit.label)
    blind = replace(leaky, fit=replace(leaky.fit, label=shuffled), won=np.random.default_rng(0).permutation(leaky.won))
    assert list(too_good(blind)) == []


def test_honest_features_raise_no_alarm(honest: tuple[Sight, object]) -> None:
    assert list(too_good(honest[0])) == []
