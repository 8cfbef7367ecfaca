"""May a challenger become champion? Its own figures, its leaks, and how it compares with the champion.

A gate refuses only where the 95% interval of a figure lies wholly on the bad side. With few conversions it warns.
What a promotion asks of the model's answers and of the agreement is added on the floor of serving.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from features.durations import duration_text
from training.bundle import Bundle
from training.follow import PROVISIONAL
from training.gates.calibration import calibration_gates
from training.gates.deciles import deciles_gate
from training.gates.gate import Gate, judged, said
from training.gates.leaks import leakage_gate

if TYPE_CHECKING:
    from training.bootstrap import Estimate
    from training.promotion import Comparison

__all__ = ["Gate", "gates"]


def gates(challenger: Bundle, champion: Bundle | None, comparison: Comparison | None) -> list[Gate]:
    """All gates of a promotion that the model's own figures answer. Without a champion there is nothing to compare with."""
    about = challenger.manifest
    few = int(about["converted_leads"]) < PROVISIONAL
    found = [_settled(about)]
    if champion is not None:
        found.append(_comparable(about, champion.manifest))
    found.append(leakage_gate(about))
    base = challenger.evaluation.differences["base rate"]["log_loss"]
    found.append(_loss("better than the base rate", base, "Log loss less that of the base rate", few))
    if comparison is not None:
        what = f"Log loss less that of the champion ({comparison.champion_by})"
        excuse = "" if champion is None else _champion_leaks(about, champion)
        found.append(_loss("not worse than the champion", comparison.difference, what, few, excuse))
    found += calibration_gates(challenger.evaluation, challenger.backtest, comparison, few=few)
    found.append(deciles_gate(challenger.backtest, few=few))
    return found


def _champion_leaks(about: Mapping[str, Any], champion: Bundle) -> str:
    """What the champion reads although the guard left it out of the challenger: then the honest one looks worse."""
    aside = {str(each["subject"]) for each in about.get("guard") or () if each["left_out"]}
    read = sorted(aside & {name for each in champion.scorer.definitions for name in (each.topic, each.name)})
    return f"But the champion reads what was left out as a suspected leak: {', '.join(read)}." if read else ""


def _settled(about: Mapping[str, Any]) -> Gate:
    late = int(about["split"]["last_test"]) + int(about["horizon"]) - int(about["data_end"])
    words = "All tested moments were settled when the data ended."
    if late > 0:
        words = f"Tested moments reach {duration_text(late)} past the end of the data."
    return Gate("test data settled", late <= 0, words)


def _comparable(about: Mapping[str, Any], champion: Mapping[str, Any]) -> Gate:
    same = about["horizon"] == champion["horizon"] and about["converted"] == champion["converted"]
    words = "Both predict the same outcome within the same horizon."
    if not same:
        words = (
            f'The challenger predicts "{about["converted"]}" within {duration_text(about["horizon"])}, the champion '
            f'"{champion["converted"]}" within {duration_text(champion["horizon"])}: they cannot be compared.'
        )
    return Gate("comparable with the champion", same, words)


def _loss(name: str, difference: Estimate, what: str, few: bool, excuse: str = "") -> Gate:
    """A difference in loss: bad where its interval lies wholly above 0."""
    bad = difference.low is not None and difference.low > 0
    return judged(name, f"{what}: {said(difference)}; below 0 is better.", bad=bad, few=few, excuse=excuse)
