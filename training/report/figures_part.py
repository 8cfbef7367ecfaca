"""What the model is worth on moments that it never saw: figures beside other models', drawings, cutoffs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.bootstrap import Estimate
from training.bundle import Bundle
from training.cutoffs_table import AboveCutoff
from training.evaluation import Evaluation
from training.evaluation_curves import SHOWN_PARTS, gains_curves, reliability_points, root_ticks
from training.figures import GAINS, TOPS
from training.plots_svg import Axes, Curve, curves_svg, reliability_svg, round_ticks
from training.report.written import DASH, count, figure, share, share_spread, spread

_ROWS: Mapping[str, tuple[str, str]] = {
    "roc_auc": ("ROC-AUC", ".3f"),
    "average_precision": ("Average precision", ".3f"),
    "log_loss": ("Log loss", ".4f"),
    "brier": ("Brier score", ".4f"),
    "brier_skill": ("Brier skill against the base rate", ".3f"),
    "calibration_slope": ("Calibration slope (1 is right)", ".2f"),
    "calibration_intercept": ("Calibration intercept (0 is right)", ".2f"),
    "ece": ("Expected calibration error, 15 bins", ".4f"),
    **{f"lift_{top:.0%}".rstrip("%"): (f"Lift, best {top:.0%}", ".2f") for top in TOPS},
    **{f"precision_{top:.0%}".rstrip("%"): (f"Precision, best {top:.0%}", ".3f") for top in TOPS},
}
_NAMES = {
    "model": "Model",
    "default recipe": "Default recipe",
    "logistic regression": "Its line alone",
    "points": "Points",
    "base rate": "Base rate",
}


def name_of(model: str) -> str:
    """What a judged model is called."""
    return _NAMES.get(model, model)


def key_figures(evaluation: Evaluation) -> list[dict[str, str]]:
    """The four that are looked at first."""
    ours = next(iter(evaluation.models.values())).metrics
    base = evaluation.models.get("base rate")
    return [
        {
            "name": "Ranking (ROC-AUC)",
            "value": figure(ours["roc_auc"]),
            "note": f"chance that a lead that converts stands above one that doesn't; {spread(ours['roc_auc'])}",
        },
        {
            "name": "Log loss",
            "value": figure(ours["log_loss"]),
            "note": f"base rate alone {DASH if base is None else figure(base.metrics['log_loss'])}; lower is better",
        },
        {
            "name": "Calibration slope",
            "value": figure(ours["calibration_slope"], ".2f"),
            "note": f"1 is right; {spread(ours['calibration_slope'], '.2f')}",
        },
        {
            "name": "Lift, best 10%",
            "value": figure(ours["lift_10"], ".1f"),
            "note": f"times the average rate; {spread(ours['lift_10'], '.1f')}",
        },
    ]


def figures_part(evaluation: Evaluation) -> dict[str, Any]:
    """All figures of all models, and the paired differences."""
    first = next(iter(evaluation.models))
    compared = list(next(iter(evaluation.differences.values()), {}))
    return {
        "heads": [name_of(each) for each in evaluation.models],
        "rows": [
            {
                "name": name,
                "cells": [
                    {"value": figure(each.metrics[metric], form), "range": spread(each.metrics[metric], form)}
                    for each in evaluation.models.values()
                ],
            }
            for metric, (name, form) in _ROWS.items()
        ],
        "differences_heads": [_ROWS[metric][0] for metric in compared],
        "differences": [
            {
                "name": f"{name_of(first)} less {name_of(other).lower()}",
                "cells": [_difference(row[metric], metric) for metric in compared],
            }
            for other, row in evaluation.differences.items()
        ],
        "drawings": [_reliability(evaluation), _gains(evaluation), _lift(evaluation)],
    }


def cutoffs_part(bundle: Bundle, agreed: Mapping[str, float]) -> dict[str, Any]:
    """What cutoffs would have given on the tested moments, those of the agreement among them."""
    rows = [("", each) for each in bundle.backtest.table()]
    rows += [(name, bundle.backtest.above(cutoff)) for name, cutoff in agreed.items()]
    return {
        "rows": [_cutoff(name, each) for name, each in sorted(rows, key=lambda pair: pair[1].cutoff)],
        "agreed": bool(agreed),
        "moments": count(len(bundle.backtest)),
    }


def _cutoff(name: str, row: AboveCutoff) -> dict[str, Any]:
    return {
        "band": name,
        "cutoff": f"{100 * row.cutoff:.4g}%",
        "share": share(row.share.point),
        "week": DASH if row.leads_a_week.point is None else f"{row.leads_a_week.point:,.1f}",
        "precision": share(row.precision.point),
        "precision_range": share_spread(row.precision),
        "bar": round(100 * (row.precision.point or 0.0), 1),
        "caught": share(row.caught.point),
        "caught_bar": round(100 * (row.caught.point or 0.0), 1),
    }


def _difference(estimate: Estimate, metric: str) -> dict[str, Any]:
    """A difference, and whether its whole interval lies on the good or the bad side."""
    verdict = ""
    if estimate.low is not None and estimate.high is not None and not estimate.low <= 0 <= estimate.high:
        lower_is_better = metric in ("log_loss", "brier")
        verdict = "better" if (estimate.high < 0) == lower_is_better else "worse"
    return {"value": figure(estimate, "+.4f"), "range": spread(estimate, "+.4f"), "verdict": verdict}


def _reliability(evaluation: Evaluation) -> dict[str, Any]:
    bins = next(iter(evaluation.models.values())).reliability
    points = reliability_points(evaluation)
    ticks = [(each, share(each)) for each in root_ticks(points)]
    inside = sum(each.low <= each.x <= each.high for each in points)
    axes = Axes(ticks, ticks, "probability said (square-root scale)", "came true", root=True)
    title = "Does a score mean what it says?"
    return {
        "title": title,
        "note": "Moments in groups of one size: what was said, what came true. On the dotted line both are one.",
        "legend": [],
        "svg": reliability_svg(
            points,
            axes,
            key="reliability",
            title=title,
            described=f"{len(bins)} groups of moments. In {inside} of them the rate that came true agrees with what was "
            "said, within its range. The table below holds the numbers.",
        ),
        "heads": ["Said", "Came true", "Moments"],
        "rows": [[share(each.predicted), _with_range(each.rate), count(each.moments)] for each in bins],
    }


def _gains(evaluation: Evaluation) -> dict[str, Any]:
    parts = [(each / 10, share(each / 10)) for each in range(0, 11, 2)]
    curves = gains_curves(evaluation, name_of)
    ours = dict(zip(GAINS, next(iter(evaluation.models.values())).gains, strict=True))
    title = "How early does it find them?"
    return {
        "title": title,
        "note": "Share of all conversions among the moments with the best scores.",
        "legend": _legend(curves),
        "svg": curves_svg(
            curves,
            Axes(parts, parts, "best-scored part of the moments", "conversions found"),
            key="gains",
            title=title,
            described=f"The best 10% of the moments hold {share(ours[0.1].point)} of all conversions, the best 20% hold "
            f"{share(ours[0.2].point)}. The table below holds the numbers.",
        ),
        **_parts(evaluation, lift=False),
    }


def _lift(evaluation: Evaluation) -> dict[str, Any]:
    curves = gains_curves(evaluation, name_of, over=0.02)
    highest = max((max(each.high or each.y) for each in curves), default=1.0)
    top = min(highest, 1.6 * max(curves[0].y)) if curves else 1.0
    parts = [(each / 10, share(each / 10)) for each in range(0, 11, 2)]
    title = "How much better than calling at random?"
    ten = next(iter(evaluation.models.values())).metrics["lift_10"]
    return {
        "title": title,
        "note": "Conversion rate of the best-scored part, in times of the average.",
        "legend": _legend(curves),
        "svg": curves_svg(
            curves,
            Axes(
                parts,
                [(each, count(each)) for each in round_ticks(top)],
                "best-scored part of the moments",
                "times the average",
            ),
            key="lift",
            title=title,
            described=f"The best 10% convert {figure(ten, '.1f')} times as often as the average. The table below holds the "
            "numbers.",
        ),
        **_parts(evaluation, lift=True),
    }


def _legend(curves: list[Curve]) -> list[dict[str, str]]:
    return [{"name": each.name, "kind": each.kind} for each in curves]


def _parts(evaluation: Evaluation, *, lift: bool) -> dict[str, Any]:
    shown = {name: each.gains for name, each in evaluation.models.items() if name != "logistic regression"}
    rows = []
    for place, part in enumerate(GAINS):
        if part in SHOWN_PARTS:
            cells = [gains[place] for gains in shown.values()]
            rows.append([share(part), *(_times(each, part) if lift else _with_range(each) for each in cells)])
    return {"heads": ["Best part", *(name_of(each) for each in shown)], "rows": rows}


def _times(estimate: Estimate, part: float) -> str:
    if estimate.point is None:
        return DASH
    scaled = Estimate(
        estimate.point / part,
        None if estimate.low is None else estimate.low / part,
        None if estimate.high is None else estimate.high / part,
    )
    text, between = figure(scaled, ".2f"), spread(scaled, ".2f")
    return f"{text} ({between})" if between else text


def _with_range(estimate: Estimate) -> str:
    between = share_spread(estimate)
    return f"{share(estimate.point)} ({between})" if between else share(estimate.point)
