"""Numbers that count the leads, or tell the time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from training.leakage.finding import Finding
from training.leakage.ids_and_times import ids_and_times
from training.leakage.sight import Sight

Found = dict[str, dict[str, Finding]]


def test_a_running_number_and_a_time_written_as_a_number_are_left_out(found: Found) -> None:
    assert found["record_no"]["id_like"].left_out
    assert found["record_no"]["id_like"].figures["distinct"] == 1.0
    assert found["imported_epoch"]["time_like"].left_out


def test_amounts_that_all_differ_are_honest(found: Found) -> None:
    assert "revenue" not in found


@pytest.mark.parametrize(
    ("numbers", "code", "severity"),
    [
        (lambda i, n, draw: i * 1.0, "id_like", "likely"),
        (lambda i, n, draw: i + draw.normal(size=n) * 3, "time_like", "possible"),  # an index of prices, say
        (lambda i, n, draw: 20_250_100.0 + draw.integers(1, 28, n), "time_like", "possible"),
        (lambda i, n, draw: draw.integers(1, n, n) * 1.0, None, None),
        (lambda i, n, draw: draw.integers(20_270_000, 20_280_000, n) * 1.0, None, None),  # no calendar has such days
    ],
)
def test_what_numbers_look_like_decides(leaky: Sight, numbers: object, code: str | None, severity: str | None) -> None:
    history = leaky.history
    order, n = np.argsort(np.argsort(history.created_at)), len(history)
    column = history.schema.attribute_numbers.index("revenue")
    told = history.attributes.numbers.copy()
    lead = np.repeat(np.arange(n), np.diff(history.attributes.offsets))
    told[column] = numbers(order, n, np.random.default_rng(3))[lead]  # type: ignore[operator]
    changed = replace(history, attributes=replace(history.attributes, numbers=told))
    found = {each.subject: each for each in ids_and_times(replace(leaky, history=changed))}
    if code is None:
        assert "revenue" not in found
    else:
        assert (found["revenue"].code, found["revenue"].severity) == (code, severity)
