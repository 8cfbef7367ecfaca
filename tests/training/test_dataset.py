"""Training sets refuse nonsense, keep their order, and hold what compute_features says."""

import numpy as np
import pytest

from features.compute import compute_features
from features.definitions import Definitions
from features.moments import Moments
from oracles.made_histories import DAY, SCHEMA, MadeEvent, MadeLead, every_definition, history_of
from oracles.made_training_sets import definitions_of, made
from training.dataset import TrainingSet, hash_leads


def test_rows_are_sorted_by_time_then_lead_and_unsettled_ones_are_left_out() -> None:
    leads = {
        name: MadeLead(created_at=0, events=(MadeEvent(occurred_at=DAY, event_type="page"),))
        for name in ("a", "b", "c")
    }
    history = history_of(leads)
    moments = Moments(np.array([2, 1, 0, 1, 0]), np.array([2 * DAY, 2 * DAY, 9 * DAY, 3 * DAY, 2 * DAY]))
    labels = np.array([1, 0, -1, 1, 0], dtype=np.int8)
    definitions = Definitions(SCHEMA, every_definition(SCHEMA)[:20])
    train_set = TrainingSet.build(history, moments, labels, definitions, 5 * DAY)
    assert train_set.lead.tolist() == [0, 1, 2, 1]
    assert train_set.as_of.tolist() == [2 * DAY, 2 * DAY, 2 * DAY, 3 * DAY]
    assert train_set.label.tolist() == [0, 0, 1, 1]
    assert train_set.lead_hash.tolist() == hash_leads(["a", "b", "c", "b"]).tolist()
    again = compute_features(history, Moments(train_set.lead, train_set.as_of), definitions)
    assert np.array_equal(train_set.values, again, equal_nan=True)


def test_no_settled_moment_gives_an_empty_set() -> None:
    history = history_of({"a": MadeLead(created_at=0)})
    moments = Moments(np.array([0]), np.array([DAY]))
    definitions = Definitions(SCHEMA, every_definition(SCHEMA)[:3])
    train_set = TrainingSet.build(history, moments, np.array([-1], dtype=np.int8), definitions, DAY)
    assert len(train_set) == 0
    assert train_set.values.shape == (0, 3)


def test_hash_of_a_lead_is_that_of_its_text() -> None:
    first, second, odd = hash_leads(["lead-1", "リード", "\ud800"]).tolist()
    assert first == 18182300169668353423, "else every draw of leads would change with a release"
    assert len({first, second, odd}) == 3


def test_columns_and_rows_can_be_taken() -> None:
    values = np.arange(12.0).reshape(4, 3)
    train_set = made(np.arange(4), np.arange(4) * DAY, np.array([0, 1, 0, 1], dtype=np.int8), values)
    assert train_set.take(np.array([1, 3])).values.tolist() == [[3, 4, 5], [9, 10, 11]]
    assert train_set.take(train_set.label == 1).as_of.tolist() == [DAY, 3 * DAY]
    fewer = train_set.take_columns(np.array([2, 0]))
    assert fewer.definitions.names == ("n2", "n0")
    assert fewer.values[0].tolist() == [2, 0]


@pytest.mark.parametrize("wrong", ["short", "wide", "unsettled", "unsorted"])
def test_nonsense_is_refused(wrong: str) -> None:
    n = 3
    label = np.array([0, 1, -1 if wrong == "unsettled" else 1], dtype=np.int8)
    with pytest.raises(ValueError, match=r"length|definitions|settled|sorted"):
        TrainingSet(
            definitions=definitions_of(2),
            lead=np.arange(n),
            lead_hash=np.arange(n - (wrong == "short"), dtype=np.uint64),
            as_of=np.array([0, 2, 1]) if wrong == "unsorted" else np.arange(n),
            horizon=DAY,
            label=label,
            values=np.zeros((n, 3 if wrong == "wide" else 2)),
        )
