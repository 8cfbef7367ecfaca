"""Plots for notebooks: they are drawn, and shown with words; a name that the font lacks is told by its number."""

from __future__ import annotations

import base64
import io
from html.parser import HTMLParser

from features.schema import Group
from oracles.made_scorers import made_bundle
from training.plots import gains_plot, importance_plot, picture, reliability_plot


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


def test_a_picture_says_in_words_what_it_shows() -> None:
    from matplotlib.image import imread

    figure = importance_plot(["pages viewed"], ["engagement"], [0.5])
    html = picture(figure, 'Bars of "reasons" & <shares>')._repr_html_()
    (image,) = images(html)
    assert image["alt"] == 'Bars of "reasons" & <shares>'
    form, _, data = image["src"].partition(",")
    assert form == "data:image/png;base64"
    pixels = imread(io.BytesIO(base64.b64decode(data)))
    assert pixels.shape[1] == 2 * int(image["width"]) == 2 * 96 * figure.get_figwidth()


def test_a_picture_is_not_left_open_to_be_drawn_twice() -> None:
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots()
    axes.plot([1, 2])
    assert "<img" in picture(figure, "A line.")._repr_html_()
    assert not plt.fignum_exists(figure.number)


def images(html: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []

    class Images(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag == "img":
                found.append({name: value or "" for name, value in attrs})

    Images().feed(html)
    return found
