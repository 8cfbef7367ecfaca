"""Is anything among the features that smells of the future? What the guard found when the challenger was trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from training.gates.gate import Gate

LEAKS = ("certain", "likely")
"""Severities that may not be among the features without a reason."""


def leakage_gate(about: Mapping[str, Any]) -> Gate:
    """Refuses a certain or likely leak that is neither left out nor trusted, and warns of what is trusted.

    Parameters
    ----------
    about : the manifest; of before there was a guard it has no key "guard".
    """
    name = "no leakage left"
    findings = about.get("guard")
    if findings is None:
        return Gate(name, True, "The model is of before leaks were looked for: train again.", warning=True)
    leaks = [each for each in findings if each["severity"] in LEAKS]
    trusted = [each for each in leaks if each["trusted"]]
    aside = [each for each in leaks if each["left_out"] and not each["trusted"]]
    left = [each for each in leaks if not each["left_out"] and not each["trusted"]]
    if left:
        step = "train again: the guard leaves them out; or say under [attributes] trust why they are known in time"
        return Gate(name, False, f"Still among the features: {_named(left)}.", next_step=step)
    words = f"Suspected and left out: {_named(aside)}." if aside else "No certain or likely leak is among the features."
    if trusted:
        words += f" Suspected and trusted, by [attributes] trust: {_named(trusted)}."
    return Gate(name, True, words, warning=bool(trusted))


def _named(findings: Sequence[Mapping[str, Any]]) -> str:
    """Each subject once, in order."""
    return ", ".join(dict.fromkeys(str(each["subject"]) for each in findings))
