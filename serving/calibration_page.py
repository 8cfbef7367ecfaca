"""The model page's part on living calibration: what moves the probabilities since the training, in a few lines."""

from __future__ import annotations

from typing import Any

import numpy as np

from features.wording import Lang
from serving import locales
from serving.page_words import words
from serving.serving_model import ServingModel

EXAMPLES = (0.05, 0.2, 0.5)
"""Probabilities as the model left training, beside which stands what is told instead."""


def calibration_part(model: ServingModel, zone: str, lang: Lang) -> dict[str, Any]:
    """The content: one sentence without a living calibration, rows of figures with one."""
    living = model.calibration
    if living is None:
        return {"about": words("model.calibration.none", lang), "rows": []}
    about = living.about

    def day(instant: int) -> str:
        return locales.date(instant, zone, lang)

    p = np.array(EXAMPLES)
    odds = living.moved.log_odds(np.log(p) - np.log1p(-p))
    moved = 1.0 / (1.0 + np.exp(-odds))
    examples = [
        words(
            "model.calibration.example",
            lang,
            before=locales.percentage(before, lang),
            after=locales.percentage(float(after), lang),
        )
        for before, after in zip(EXAMPLES, moved, strict=True)
    ]
    told = {
        "number": words("model.calibration.number_is", lang, n=living.number, time=day(about.made_at)),
        "learned": words(
            "model.calibration.learned_is",
            lang,
            leads=about.leads,
            moments=about.moments,
            **{"from": day(about.first_moment), "until": day(about.last_moment)},
        ),
        "newest": words(
            "model.calibration.newest_is",
            lang,
            moments=about.newest,
            converted=about.newest_converted,
            before=locales.number(round(about.expected_before), lang),
            after=locales.number(round(about.expected_after), lang),
        ),
        "moves": words("model.calibration.join", lang).join(examples),
    }
    if about.forward_before is not None and about.forward_after is not None:
        told["forward"] = words(
            "model.calibration.forward_is",
            lang,
            moments=about.forward_moments,
            before=f"{about.forward_before:.4f}",
            after=f"{about.forward_after:.4f}",
        )
    return {
        "about": words("model.calibration.about", lang),
        "rows": [{"name": words(f"model.calibration.{key}", lang), "value": value} for key, value in told.items()],
    }
