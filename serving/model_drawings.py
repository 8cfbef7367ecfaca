"""The model page's three drawings, each with the words that stand for it and the table of its numbers."""

from __future__ import annotations

from typing import Any

from features.wording import Lang
from serving import locales
from serving.page_words import words
from training.bootstrap import Estimate
from training.evaluation import Evaluation
from training.evaluation_curves import SHOWN_PARTS, gains_curves, reliability_points, root_ticks
from training.figures import GAINS
from training.plots_svg import Axes, Curve, curves_svg, reliability_svg, round_ticks


def reliability_drawing(evaluation: Evaluation, lang: Lang) -> dict[str, Any]:
    """What was said against what came true, in groups of one size. Both axes are of square roots: most scores are small."""
    bins = next(iter(evaluation.models.values())).reliability
    points = reliability_points(evaluation)
    told = [(each, locales.percentage(each, lang)) for each in root_ticks(points)]
    axes = Axes(told, told, words("model.scores.x_said", lang), words("model.scores.y_true", lang), root=True)
    inside = sum(each.low <= each.x <= each.high for each in points)
    title = words("model.scores.reliability", lang)
    return {
        "title": title,
        "note": words("model.scores.reliability_note", lang),
        "legend": [],
        "svg": reliability_svg(
            points,
            axes,
            key="reliability",
            title=title,
            described=words("model.scores.reliability_desc", lang, n=len(bins), inside=inside),
        ),
        "heads": [words(f"model.scores.{each}", lang) for each in ("said", "true", "moments")],
        "rows": [
            [_share(each.predicted, lang), _with_range(each.rate, lang), locales.number(each.moments, lang)]
            for each in bins
        ],
    }


def gains_drawing(evaluation: Evaluation, lang: Lang) -> dict[str, Any]:
    """Which share of all conversions the best-scored part holds, beside points and chance."""
    shares = [each / 10 for each in range(0, 11, 2)]
    told = [(each, locales.percentage(each, lang)) for each in shares]
    axes = Axes(told, told, words("model.scores.x_part", lang), words("model.scores.y_caught", lang))
    ours = next(iter(evaluation.models.values())).gains
    title = words("model.scores.gains", lang)
    by_part = dict(zip(GAINS, ours, strict=True))
    curves = gains_curves(evaluation, lambda name: words(f"model.name.{name}", lang))
    return {
        "legend": _legend(curves),
        "title": title,
        "note": words("model.scores.gains_note", lang),
        "svg": curves_svg(
            curves,
            axes,
            key="gains",
            title=title,
            described=words(
                "model.scores.gains_desc",
                lang,
                ten=_share(by_part[0.1].point, lang),
                twenty=_share(by_part[0.2].point, lang),
            ),
        ),
        **_parts_table(evaluation, lang, lift=False),
    }


def lift_drawing(evaluation: Evaluation, lang: Lang) -> dict[str, Any]:
    """How many times the average rate the best-scored part has, beside points and chance."""
    curves = gains_curves(evaluation, lambda name: words(f"model.name.{name}", lang), over=0.02)
    highest = max((max(each.high or each.y) for each in curves), default=1.0)
    shares = [(each / 10, locales.percentage(each / 10, lang)) for each in range(0, 11, 2)]
    heights = [(each, locales.number(each, lang)) for each in round_ticks(min(highest, 1.6 * max(curves[0].y)))]
    axes = Axes(shares, heights, words("model.scores.x_part", lang), words("model.scores.y_lift", lang))
    title = words("model.scores.lift", lang)
    ten = next(iter(evaluation.models.values())).metrics["lift_10"].point
    return {
        "legend": _legend(curves),
        "title": title,
        "note": words("model.scores.lift_note", lang),
        "svg": curves_svg(
            curves,
            axes,
            key="lift",
            title=title,
            described=words("model.scores.lift_desc", lang, ten="–" if ten is None else round(ten, 1)),
        ),
        **_parts_table(evaluation, lang, lift=True),
    }


def _legend(curves: list[Curve]) -> list[dict[str, str]]:
    return [{"name": each.name, "kind": each.kind} for each in curves]


def _parts_table(evaluation: Evaluation, lang: Lang, *, lift: bool) -> dict[str, Any]:
    shown = {name: figures.gains for name, figures in evaluation.models.items() if name != "logistic regression"}
    rows = []
    for place, part in enumerate(GAINS):
        if part in SHOWN_PARTS:
            cells = [gains[place] for gains in shown.values()]
            rows.append(
                [_share(part, lang), *(_times(each, part, lang) if lift else _with_range(each, lang) for each in cells)]
            )
    heads = [words("model.scores.part", lang), *(words(f"model.name.{name}", lang) for name in shown)]
    return {"heads": heads, "rows": rows}


def _share(value: float | None, lang: Lang) -> str:
    return "–" if value is None else locales.percentage(value, lang)


def _with_range(estimate: Estimate, lang: Lang) -> str:
    if estimate.low is None or estimate.high is None:
        return _share(estimate.point, lang)
    spread = words("model.range", lang, low=_share(estimate.low, lang), high=_share(estimate.high, lang))
    return f"{_share(estimate.point, lang)} ({spread})"


def _times(estimate: Estimate, part: float, lang: Lang) -> str:
    if estimate.point is None or estimate.low is None or estimate.high is None:
        return "–"
    low, high = (locales.number(round(each / part, 1), lang) for each in (estimate.low, estimate.high))
    return f"{locales.number(round(estimate.point / part, 1), lang)} ({words('model.range', lang, low=low, high=high)})"
