"""Plots for notebooks: is a score true, does it rank, and what moves it. The model report draws its own, as part of a page."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from features.schema import Group
from training.bootstrap import Estimate
from training.evaluation import Evaluation
from training.figures import GAINS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INK, _QUIET, _GRID = "#1f4e79", "#8a8f98", "#e4e6ea"
_PIXELS = 96
"""To an inch of a figure."""
_OTHERS = ("#5b8c5a", "#c26a2d", "#9aa0a8")
_GROUPS: tuple[tuple[Group, str, str], ...] = (
    ("engagement", _INK, "engagement: what a lead does"),
    ("fit", "#c26a2d", "fit: who a lead is"),
)


@dataclass(frozen=True)
class Picture:
    """A figure as a notebook shows it, with words for whoever can't see it.

    Its HTML is the only form in which both Jupyter and the exported page take the words: Jupyter shows a bare PNG without.
    """

    figure: Figure
    words: str

    def _repr_html_(self) -> str:
        png = io.BytesIO()
        self.figure.savefig(png, format="png", dpi=2 * _PIXELS)  # two dots a pixel: sharp on screens that have them
        data, width = base64.b64encode(png.getvalue()).decode(), round(self.figure.get_figwidth() * _PIXELS)
        return f'<img src="data:image/png;base64,{data}" alt="{html.escape(self.words)}" width="{width}">'


def picture(figure: Figure, words: str) -> Picture:
    """Show a figure at the end of a cell, once: Jupyter would draw what pyplot still holds open a second time.

    Parameters
    ----------
    words : what there is to see; read out instead of the picture.
    """
    import matplotlib.pyplot as plt

    plt.close(figure)
    return Picture(figure, words)


def reliability_plot(evaluation: Evaluation, probability: NDArray[np.float64]) -> Figure:
    """What the evaluated model said against what came true, with intervals; below, how often it said it.

    Parameters
    ----------
    probability : what it said of each tested moment.
    """
    figure, (axes, below) = _figure(6.4, 6.4, rows=(4, 1))
    name, figures = next(iter(evaluation.models.items()))
    bins = figures.reliability
    said = np.array([each.predicted for each in bins])
    rate = np.array([each.rate.point or 0.0 for each in bins])
    low = np.array([each.rate.point if each.rate.low is None else each.rate.low for each in bins], dtype=float)
    high = np.array([each.rate.point if each.rate.high is None else each.rate.high for each in bins], dtype=float)
    top = min(1.0, 1.08 * float(max(said.max(), high.max(), probability.max())))
    axes.plot([0, top], [0, top], color=_QUIET, linewidth=1, linestyle="--", label="as said")
    spread = np.maximum([rate - low, high - rate], 0)
    axes.errorbar(said, rate, yerr=spread, fmt="o", color=_INK, markersize=5, elinewidth=1.2, label=name)
    axes.set(xlim=(0, top), ylim=(0, top), ylabel="conversion rate that came true")
    axes.set_title("Does a score mean what it says?", loc="left")
    axes.legend(frameon=False, loc="upper left")
    below.hist(probability, bins=list(np.linspace(0, top, 51)), color=_INK, alpha=0.75)
    below.set(
        xlim=(0, top),
        xlabel="predicted probability (above: groups of one size, 95% intervals by lead)",
        ylabel="moments",
    )
    for each in (axes, below):
        each.xaxis.set_major_formatter(_percent())
    axes.yaxis.set_major_formatter(_percent())
    axes.tick_params(labelbottom=False)
    return figure


def gains_plot(evaluation: Evaluation) -> Figure:
    """Which part of all conversions the best-scored moments hold, and how much better than chance that is."""
    figure, (axes, lift) = _figure(10.0, 4.8, columns=2)
    parts = np.array(GAINS)
    colours = (_INK, *_OTHERS)
    for place, (name, figures) in enumerate(evaluation.models.items()):
        colour, wide = colours[min(place, len(colours) - 1)], 2.0 if place == 0 else 1.4
        caught = _points(figures.gains)
        axes.plot(parts, caught, color=colour, linewidth=wide, label=name)
        lift.plot(parts[1:], caught[1:] / parts[1:], color=colour, linewidth=wide, label=name)
        if place == 0:
            low, high = _edges(figures.gains)
            axes.fill_between(parts, low, high, color=colour, alpha=0.15, linewidth=0)
            lift.fill_between(
                parts[1:], low[1:] / parts[1:], high[1:] / parts[1:], color=colour, alpha=0.15, linewidth=0
            )
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="part of the moments, best first", ylabel="part of all conversions")
    axes.set_title("Conversions caught", loc="left")
    lift.set(xlim=(0, 1), xlabel="part of the moments, best first", ylabel="times the average rate")
    lift.set_ylim(bottom=0)
    lift.set_title("Lift", loc="left")
    axes.legend(frameon=False, loc="lower right")
    axes.xaxis.set_major_formatter(_percent())
    axes.yaxis.set_major_formatter(_percent())
    lift.xaxis.set_major_formatter(_percent())
    return figure


def importance_plot(names: Sequence[str], groups: Sequence[Group], means: Sequence[float]) -> Figure:
    """How much each reason moves scores, largest first: mean absolute SHAP value."""
    figure, (axes,) = _figure(8.0, 1.6 + 0.32 * max(len(names), 1))
    places = np.arange(len(names))[::-1]
    for group, colour, words in _GROUPS:
        rows = [row for row, each in enumerate(groups) if each == group]
        if rows:
            axes.barh(places[rows], [means[row] for row in rows], color=colour, height=0.68, label=words)
    axes.set_yticks(places, [_drawable(name, rank) for rank, name in enumerate(names, start=1)])
    axes.set_xlabel("mean |SHAP value|, log-odds")
    axes.set_title("What moves scores", loc="left")
    axes.grid(visible=False, axis="y")
    if names:
        axes.legend(frameon=False, loc="lower right")
    return figure


def _drawable(text: str, rank: int) -> str:
    """The text, or where to read it: the only font that is surely there has no Japanese."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    known = get_font(findfont(FontProperties(family="DejaVu Sans"))).get_charmap()
    return text if all(ord(each) in known for each in text) else f"no. {rank} of the list"


def _points(estimates: Sequence[Estimate]) -> NDArray[np.float64]:
    return np.array([np.nan if each.point is None else each.point for each in estimates])


def _edges(estimates: Sequence[Estimate]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return (
        np.array([np.nan if each.low is None else each.low for each in estimates]),
        np.array([np.nan if each.high is None else each.high for each in estimates]),
    )


def _figure(
    width: float, height: float, *, rows: tuple[int, ...] = (1,), columns: int = 1
) -> tuple[Figure, Sequence[Axes]]:
    """A figure of its own, without pyplot: that keeps every figure and picks a window system."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(
        len(rows), columns, squeeze=False, gridspec_kw={"height_ratios": rows}, sharex="col" if len(rows) > 1 else False
    )
    for axes in grid.ravel():
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(_QUIET)
        axes.tick_params(colors="#444a52")
        axes.grid(visible=True, color=_GRID, linewidth=0.8)
        axes.set_axisbelow(True)
    return figure, list(grid.ravel())


def _percent() -> Any:
    from matplotlib.ticker import PercentFormatter

    return PercentFormatter(1.0, decimals=None)
