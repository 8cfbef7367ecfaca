"""A challenger's answers: reasons that add up, the same bits alone and among others, and soon."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import numpy as np
import pytest

from features.compute import compute_features
from features.history import History
from features.moments import Moments
from oracles.made_service import made_history, made_leads, made_model, moments_now, signed
from serving.answer_gates import answer_gates, largest_remainder
from serving.serving_model import ServingModel
from serving.side_by_side import Side


@pytest.fixture(scope="module")
def side() -> Side:
    leads, converted = made_leads(250)
    history, model = made_history(leads), made_model(leads, converted)
    return Side(model, history, moments_now(history), signed(), [frozenset()] * len(history))


def clock(seconds: float) -> Iterator[float]:
    """A clock that goes on by so much whenever it is looked at."""
    return (each * seconds for each in count())


def test_a_model_that_adds_up_and_answers_soon_passes(side: Side) -> None:
    slow = clock(0.049)
    adds_up, is_quick = answer_gates(side, clock=lambda: next(slow))
    assert adds_up.passed
    assert "Reasons of 250 leads add up" in adds_up.words
    assert is_quick.passed
    assert "49.0 ms (median); 50 ms are allowed" in is_quick.words


def test_a_model_that_takes_its_time_is_refused(side: Side) -> None:
    slow = clock(0.051)
    assert not answer_gates(side, clock=lambda: next(slow))[1].passed


def test_what_is_missing_of_a_score_is_found(side: Side) -> None:
    values = compute_features(side.history, side.moments, side.model.bundle.scorer.definitions)
    told = side.model.explainer.explain(values, side.model.bundle.scorer.score(values)[0], shown=5)
    assert largest_remainder(told) < 1e-9
    off = told.other.copy()
    off[17] += 3e-6
    assert largest_remainder(replace(told, other=off)) == pytest.approx(3e-6, rel=1e-3)
    assert largest_remainder(replace(told, fit=told.fit - 0.5)) == pytest.approx(0.5)
    assert largest_remainder(replace(told, base=float("nan"))) == np.inf


def test_a_line_whose_shares_do_not_make_its_score_is_refused(side: Side) -> None:
    """As of a fault in the code that explains: the line's base is told otherwise than it is summed."""

    class Faulty(type(side.model.bundle.scorer)):  # type: ignore[misc]
        def explain(self, values: np.ndarray) -> tuple[float, np.ndarray]:
            base, shares = super().explain(values)
            return base + 1e-3, shares

    scorer = side.model.bundle.scorer
    faulty = Faulty(**{name: getattr(scorer, name) for name in scorer.__dataclass_fields__})
    model = ServingModel("b2b", "4", replace(side.model.bundle, scorer=faulty))
    gate = answer_gates(replace(side, model=model))[0]
    assert not gate.passed
    assert "within 1.0e-03" in gate.words


def test_without_open_leads_those_of_the_past_stand_in(side: Side) -> None:
    nobody = Moments(np.empty(0, np.int64), np.empty(0, np.int64))
    assert "Reasons of 250 leads" in answer_gates(replace(side, moments=nobody))[0].words
    history: History = side.history.__class__(
        **{n: getattr(side.history, n) for n in side.history.__dataclass_fields__} | {"now": 0}
    )
    (gate,) = answer_gates(replace(side, moments=nobody, history=history))
    assert gate.passed
    assert gate.warning
