"""What the figures of a test mean, in sentences: in the report and on the page, in the same words."""

from __future__ import annotations

from features.wording import Lang, message
from training.evaluation import Evaluation
from training.scorer import Scorer


def verdicts(evaluation: Evaluation, scorer: Scorer, converted_leads: int, lang: Lang) -> list[str]:
    """Whether the model beats points and whether its probabilities hold, each said only as far as its interval goes.

    Parameters
    ----------
    converted_leads : of the training; told where the model is provisional.
    """
    told = []
    against = evaluation.differences.get("points", {}).get("log_loss")
    if against is not None and against.low is not None and against.high is not None:
        told.append("better" if against.high < 0 else "worse" if against.low > 0 else "same")
    slope = next(iter(evaluation.models.values())).metrics["calibration_slope"]
    if slope.low is not None and slope.high is not None:
        told.append("slope_bold" if slope.high < 1 else "slope_timid" if slope.low > 1 else "slope_right")
    said = [message(f"verdict.{each}", lang) for each in told]
    return [*said, message("verdict.provisional", lang, n=converted_leads)] if scorer.provisional else said
