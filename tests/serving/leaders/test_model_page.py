"""What the model page is made of: drawings that say what they show."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from oracles.made_service import HORIZON, NOW, made_history, made_leads
from serving.model_page import model_page
from serving.serving_model import ColdStart
from training.evaluation import evaluate
from training.plots_svg import Axes, Curve, Point, curves_svg, reliability_svg, round_ticks
from training.points import PointsRules
from training.registry import Registered

AXES = Axes([(0.0, "0%"), (0.5, "50%")], [(0.0, "0%"), (0.5, "50%")], "said <b>", "came & true", root=True)


def test_a_drawing_is_well_formed_and_says_what_it_shows() -> None:
    drawn = reliability_svg(
        [Point(0.1, 0.12, 0.0, 0.3)], AXES, key="one", title="Is it <true>?", described="5 < 6 & all"
    )
    root = ET.fromstring(drawn)
    assert root.attrib["role"] == "img"
    assert [each.text for each in root if each.tag in ("title", "desc")] == ["Is it <true>?", "5 < 6 & all"]
    assert root.attrib["aria-labelledby"] == "one-title one-desc"
    assert "style=" not in drawn
    assert {each.text for each in root.iter("text")} >= {"said <b>", "came & true"}


def test_nothing_is_drawn_outside_of_the_axes() -> None:
    drawn = curves_svg(
        [Curve("model", [0.0, 0.9], [-1.0, 7.0], [0.0, 0.0], [9.0, 9.0])], AXES, key="c", title="t", described="d"
    )
    numbers = [float(each) for path in ET.fromstring(drawn).iter("path") for each in _numbers(path.attrib["d"])]
    assert min(numbers) >= 0
    assert max(numbers) <= 420


def _numbers(path: str) -> list[str]:
    return path.replace("M", " ").replace("L", " ").replace("Z", " ").split()


@pytest.mark.parametrize(("highest", "ticks"), [(0.37, 5), (1.0, 6), (7.9, 5), (0.0, 2), (123.0, 6)])
def test_ticks_are_round_and_hold_the_highest(highest: float, ticks: int) -> None:
    found = round_ticks(highest)
    assert found[0] == 0
    assert found[-1] >= highest
    assert len(found) == ticks


def test_drawings_are_made_of_the_evaluation_in_both_languages() -> None:
    from serving.model_drawings import gains_drawing, lift_drawing, reliability_drawing

    draw = np.random.default_rng(4)
    p = draw.beta(1, 8, 600)
    label = (draw.random(600) < p).astype(np.int8)
    evaluation = evaluate(
        label, np.arange(600), {"model": p, "points": draw.random(600), "base rate": np.full(600, 0.1)}, base_rate=0.1
    )
    for drawing in (reliability_drawing, gains_drawing, lift_drawing):
        english, japanese = drawing(evaluation, "en"), drawing(evaluation, "ja")
        ET.fromstring(english["svg"])
        assert english["title"] != japanese["title"]
        assert all(len(row) == len(english["heads"]) for row in english["rows"])
    assert len(reliability_drawing(evaluation, "en")["rows"]) == 15
    assert [each["name"] for each in gains_drawing(evaluation, "en")["legend"]] == ["Model", "Points", "Base rate"]


def test_a_version_that_was_promoted_by_force_says_why() -> None:
    history = made_history(made_leads(5)[0])
    forced = json.dumps({"reason": "agreed with <sales>", "refused": ["calibration slope"], "by": "mori"})
    versions = [
        Registered("2", NOW, NOW, champion=True, challenger=True, was_champion=True, metrics={}, forced=forced),
        Registered("1", NOW, NOW, champion=False, challenger=False, was_champion=True, metrics={}),
    ]
    page = model_page(ColdStart(PointsRules(), HORIZON), history, None, "en", versions=versions, now=NOW)
    assert [each["forced"] for each in page["versions"]] == ["although gates refused it: agreed with <sales>", ""]
