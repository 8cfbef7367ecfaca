"""From where every score starts to this one, a step a reason: the steps add up, in log-odds."""

from __future__ import annotations

from typing import Any

import numpy as np

from features.wording import Lang, message
from serving.lead_score import LeadScore
from serving.locales import number, percentage
from training.calibration import Calibrator


def waterfall(score: LeadScore, calibrator: Calibrator, lang: Lang) -> list[dict[str, Any]]:
    """The steps: a base, the reasons for and against, everything else, the score. Empty without a model.

    Each has the place of its bar on one scale from 0 to 100, the log-odds that it adds, and the probability reached so far.
    """
    why = score.reasons
    if why is None or why.base_log_odds is None or why.other_log_odds is None or why.raw_log_odds is None:
        return []
    steps = [(each.text, each.log_odds or 0.0) for each in (*why.speak_for, *why.speak_against)]
    steps.append((message("reasons.other", lang), why.other_log_odds))
    reached = why.base_log_odds + np.cumsum([0.0, *(size for _, size in steps)])
    low, high = float(min(reached.min(), why.raw_log_odds)), float(max(reached.max(), why.raw_log_odds))
    room = max((high - low) * 0.04, 1e-9)
    low, width = low - room, high - low + 2 * room
    so_far = calibrator.probability(reached)

    def row(kind: str, name: str, start: float, end: float, amount: str, probability: float) -> dict[str, Any]:
        return {
            "kind": kind,
            "name": name,
            "x": round(100 * (min(start, end) - low) / width, 2),
            "size": round(max(100 * abs(end - start) / width, 0.6), 2),
            "amount": amount,
            "reached": percentage(probability, lang),
        }

    rows = [row("base", message("reasons.base", lang), reached[0] - room / 5, reached[0], "", float(so_far[0]))]
    for step, (name, size) in enumerate(steps):
        kind = "up" if size >= 0 else "down"
        amount = number(size, lang, signed=True, decimals=2)
        rows.append(row(kind, name, reached[step], reached[step + 1], amount, float(so_far[step + 1])))
    total = score.probability if score.probability is not None else float(so_far[-1])
    rows.append(row("total", message("reasons.total", lang), why.raw_log_odds - room / 5, why.raw_log_odds, "", total))
    return rows
