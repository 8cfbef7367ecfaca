"""No certain or likely leak among the features, unless the workspace says why it is none."""

from typing import Any

import pytest

from training.gates.leaks import leakage_gate


def finding(severity: str = "likely", *, left_out: bool = False, trusted: str | None = None) -> dict[str, Any]:
    return {"severity": severity, "subject": "duration", "left_out": left_out, "trusted": trusted}


@pytest.mark.parametrize("severity", ["certain", "likely"])
def test_a_leak_among_the_features_is_refused_by_name(severity: str) -> None:
    gate = leakage_gate({"guard": [finding(severity), finding(severity)]})
    assert not gate.passed
    assert gate.words == "Still among the features: duration."
    assert "[attributes] trust" in gate.next_step


def test_what_is_left_out_or_only_possible_passes() -> None:
    gate = leakage_gate({"guard": [finding("certain", left_out=True), finding("possible")]})
    assert gate.passed
    assert not gate.warning
    assert gate.words == "Suspected and left out: duration."
    assert leakage_gate({"guard": []}).words == "No certain or likely leak is among the features."


def test_what_is_trusted_passes_with_a_warning() -> None:
    gate = leakage_gate({"guard": [finding(trusted="known before the call")]})
    assert gate.passed
    assert gate.warning
    assert "trusted, by [attributes] trust: duration" in gate.words


def test_a_model_of_before_the_guard_is_warned_of() -> None:
    gate = leakage_gate({})
    assert gate.passed
    assert gate.warning
