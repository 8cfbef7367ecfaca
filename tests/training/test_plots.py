"""Plots for notebooks: they are drawn, and a name that the font lacks is told by its number."""

from __future__ import annotations

from features.schema import Group
from oracles.made_scorers import made_bundle
from training.plots import gains_plot, importance_plot, reliability_plot


def test_a_plot_names_by_number_what_its_font_can_not_draw() -> None:
    groups: list[Group] = ["engagement", "fit"]
    figure = importance_plot(["pages viewed", "資料請求"], groups, [0.5, 0.2])
    figure.canvas.draw()
    labels = [each.get_text() for each in figure.axes[0].get_yticklabels()]
    assert labels == ["pages viewed", "no. 2 of the list"]


def test_an_evaluation_is_drawn_with_its_models_and_its_groups() -> None:
    bundle, _ = made_bundle(120, draws=10)
    gains = gains_plot(bundle.evaluation)
    gains.canvas.draw()
    assert len(gains.axes[0].lines) == len(bundle.evaluation.models)
    reliability = reliability_plot(bundle.evaluation, bundle.backtest.probability)
    reliability.canvas.draw()
    (points,) = reliability.axes[0].containers
    assert len(points.lines[0].get_xdata()) == len(bundle.evaluation.models["model"].reliability)
