"""What is drawn of an evaluation: points of reliability, curves of gains and lift. Words and axes are the page's."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from training.bootstrap import Estimate
from training.evaluation import Evaluation
from training.figures import GAINS
from training.plots_svg import Curve, Point

SHOWN_PARTS = (0.01, 0.05, 0.10, 0.20, 0.30, 0.50, 0.70, 1.0)
"""Best parts that stand in the table beside a drawing."""
_KINDS = {"points": "line is-other is-thin", "base rate": "diagonal"}
_ROOT_TICKS = (0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)


def reliability_points(evaluation: Evaluation) -> list[Point]:
    """Of the scorer: what was said against what came true, in groups of one size."""
    return [_point(each.predicted, each.rate) for each in next(iter(evaluation.models.values())).reliability]


def root_ticks(points: list[Point]) -> list[float]:
    """Ticks for axes of square roots, the last one not below any point: most scores are small."""
    top = max((each for point in points for each in (point.x, point.high)), default=1.0)
    return [each for each in _ROOT_TICKS if each < top] + [next((each for each in _ROOT_TICKS if each >= top), 1.0)]


def gains_curves(evaluation: Evaluation, name_of: Callable[[str], str], *, over: float | None = None) -> list[Curve]:
    """The scorer's share of all conversions in its best part, that of points, and chance.

    Parameters
    ----------
    over : from this part on the share is divided by the part: the lift.
    """
    parts = np.array(GAINS)
    keep = parts >= over if over is not None else np.ones(len(parts), dtype=np.bool_)
    share = parts[keep] if over is not None else np.ones(int(keep.sum()))
    made = []
    for place, (name, figures) in enumerate(evaluation.models.items()):
        if place and name not in ("points", "base rate"):
            continue
        low, point, high = (
            np.array([np.nan if value is None else value for value in values])[keep] / share
            for values in (
                [each.low for each in figures.gains],
                [each.point for each in figures.gains],
                [each.high for each in figures.gains],
            )
        )
        if np.isnan(point).any():
            continue
        banded = place == 0 and not (np.isnan(low).any() or np.isnan(high).any())
        made.append(
            Curve(
                name_of(name),
                parts[keep].tolist(),
                point.tolist(),
                low.tolist() if banded else (),
                high.tolist() if banded else (),
                kind=_KINDS.get(name, "line"),
            )
        )
    return made


def _point(x: float, rate: Estimate) -> Point:
    y = rate.point or 0.0
    return Point(x, y, y if rate.low is None else rate.low, y if rate.high is None else rate.high)
