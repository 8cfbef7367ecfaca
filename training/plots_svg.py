"""The model's plots as SVG that stands in the page: no script, no outside resource, classes instead of colours.

Each drawing has a title and a description for those who cannot see it; the numbers stand in a table beside it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

WIDTH, HEIGHT = 420, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 10, 30, 40


@dataclass(frozen=True)
class Point:
    """A figure with its interval over a place on the horizontal axis."""

    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True)
class Curve:
    """A line, with a band where `low` and `high` are given. `kind` is its class: line, line is-other, diagonal."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    kind: str = "line"


@dataclass(frozen=True)
class Axes:
    """What stands at the axes: ticks (value and text) and names; the first and the last tick are the ends.

    Attributes
    ----------
    root : both axes are of square roots, so that small values can be told apart; then they start at 0.
    """

    x_ticks: Sequence[tuple[float, str]]
    y_ticks: Sequence[tuple[float, str]]
    x_name: str
    y_name: str
    root: bool = False

    def x(self, value: float) -> float:
        return round(_LEFT + self._part(value, self.x_ticks) * (WIDTH - _LEFT - _RIGHT), 1)

    def y(self, value: float) -> float:
        return round(HEIGHT - _BOTTOM - self._part(value, self.y_ticks) * (HEIGHT - _TOP - _BOTTOM), 1)

    def _part(self, value: float, ticks: Sequence[tuple[float, str]]) -> float:
        first, last = ticks[0][0], ticks[-1][0]
        part = min(max((value - first) / (last - first), 0.0), 1.0)
        return math.sqrt(part) if self.root else part


def reliability_svg(points: Sequence[Point], axes: Axes, *, key: str, title: str, described: str) -> Markup:
    """What was said against what came true, each with its interval, and the line on which both are one.

    Parameters
    ----------
    key : tells the drawing's ids from those of others on the page.
    """
    end = min(axes.x_ticks[-1][0], axes.y_ticks[-1][0])
    inside = [_line("diagonal", [(axes.x(0), axes.y(0)), (axes.x(end), axes.y(end))])]
    for each in points:
        x = axes.x(each.x)
        inside.append(_line("interval", [(x, axes.y(each.low)), (x, axes.y(each.high))]))
        inside.append(Markup('<circle class="dot" cx="{}" cy="{}" r="3.5"/>').format(x, axes.y(each.y)))
    return _drawing(inside, axes, key=key, title=title, described=described)


def curves_svg(curves: Sequence[Curve], axes: Axes, *, key: str, title: str, described: str) -> Markup:
    """Lines, each with its band where it has one."""
    inside: list[Markup] = []
    for each in curves:
        if each.low:
            there = [(axes.x(x), axes.y(y)) for x, y in zip(each.x, each.high, strict=True)]
            back = [(axes.x(x), axes.y(y)) for x, y in zip(each.x, each.low, strict=True)]
            inside.append(Markup('<path class="area" d="{}Z"/>').format(_path([*there, *reversed(back)])))
        inside.append(_line(each.kind, [(axes.x(x), axes.y(y)) for x, y in zip(each.x, each.y, strict=True)]))
    return _drawing(inside, axes, key=key, title=title, described=described)


def round_ticks(highest: float, *, most: int = 5) -> list[float]:
    """Ticks from 0 to a round number not below `highest`, at most so many steps.

    >>> round_ticks(0.37)
    [0.0, 0.1, 0.2, 0.3, 0.4]
    """
    if not highest > 0:
        return [0.0, 1.0]
    raw = highest / most
    size = 10.0 ** np.floor(np.log10(raw))
    step = next(float(size * factor) for factor in (1, 2, 2.5, 5, 10) if size * factor >= raw * (1 - 1e-9))
    count = int(np.ceil(highest / step - 1e-9))
    return [round(step * each, 12) for each in range(count + 1)]


def _drawing(inside: Sequence[Markup], axes: Axes, *, key: str, title: str, described: str) -> Markup:
    return Markup(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-labelledby="{}-title {}-desc">'
        '<title id="{}-title">{}</title><desc id="{}-desc">{}</desc>{}{}</svg>'
    ).format(WIDTH, HEIGHT, key, key, key, title, key, described, _frame(axes), Markup("").join(inside))


def _frame(axes: Axes) -> Markup:
    bottom, left, right = HEIGHT - _BOTTOM, _LEFT, WIDTH - _RIGHT
    parts: list[Markup] = []
    for value, text in axes.y_ticks:
        y = axes.y(value)
        parts.append(_line("grid", [(left, y), (right, y)]))
        parts.append(_text(left - 7, y + 4, text, anchor="end"))
    parts.append(_line("axis", [(left, bottom), (right, bottom)]))
    for place, (value, text) in enumerate(axes.x_ticks):
        last = place == len(axes.x_ticks) - 1
        parts.append(_text(axes.x(value), bottom + 16, text, anchor="end" if last else "middle"))
    parts.append(_text(0, 12, axes.y_name, anchor="start"))
    parts.append(_text((left + right) / 2, HEIGHT - 6, axes.x_name, anchor="middle"))
    return Markup("").join(parts)


def _text(x: float, y: float, text: str, *, anchor: str) -> Markup:
    return Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(x, y, anchor, text)


def _line(kind: str, points: Sequence[tuple[float, float]]) -> Markup:
    return Markup('<path class="{}" d="{}"/>').format(kind, _path(points))


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x} {y}" for x, y in points)
