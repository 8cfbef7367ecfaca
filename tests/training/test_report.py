"""The report: plots that open, words that say whose figures they are, and no word of any lead."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from features.definitions import CountWithin, Definitions, Selector
from oracles.made_scorers import made_bundle
from training.bundle import Bundle
from training.dataset import TrainingSet
from training.plots import importance_plot, save_plot
from training.report import GAINS, IMPORTANCE, RELIABILITY, WORDS, report_words, what_moves, write_report


@pytest.fixture(scope="module")
def made() -> tuple[Bundle, TrainingSet]:
    return made_bundle(200, draws=20)


def test_a_report_has_three_plots_and_words(made: tuple[Bundle, TrainingSet], tmp_path: Path) -> None:
    write_report(made[0], made[1].values, tmp_path, split_words=["Tested is the last half."])
    assert {path.name for path in tmp_path.iterdir()} == {RELIABILITY, GAINS, IMPORTANCE, WORDS}
    for name in (RELIABILITY, GAINS, IMPORTANCE):
        content = (tmp_path / name).read_bytes()
        assert content.startswith(b"\x89PNG")
        assert len(content) > 10_000
    words = (tmp_path / WORDS).read_text(encoding="utf-8")
    assert "never saw the moments" in words
    assert "- Tested is the last half." in words
    assert "within 30 days" in words
    for name in (RELIABILITY, GAINS, IMPORTANCE):
        assert f"({name})" in words
    assert "lead-" not in words


def test_the_same_training_gives_the_same_report(made: tuple[Bundle, TrainingSet], tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        write_report(made[0], made[1].values, tmp_path / name)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "other" / path.name).read_bytes()


def test_figures_of_all_models_stand_side_by_side(made: tuple[Bundle, TrainingSet]) -> None:
    words = report_words(made[0], [])
    assert "| | model | logistic regression | points | base rate |" in words
    (auc,) = (line for line in words.splitlines() if line.startswith("| ROC-AUC |"))
    model = made[0].evaluation.models["model"].metrics["roc_auc"]
    assert f"{model.point:.3f} [{model.low:.3f}, {model.high:.3f}]" in auc
    assert "| Calibration slope (1 is right) |" in words
    assert "| model - points |" in words


def test_warnings_of_the_training_come_first(made: tuple[Bundle, TrainingSet]) -> None:
    warned = replace(made[0], manifest={**made[0].manifest, "warnings": ["provisional"]})
    words = report_words(warned, [])
    assert words.index("> provisional") < words.index("## Which figures are whose")


def test_what_moves_scores_is_the_mean_absolute_share_of_each_reason(made: tuple[Bundle, TrainingSet]) -> None:
    bundle, train_set = made
    moved = what_moves(bundle.scorer, train_set.values)
    _, contributions = bundle.scorer.explain(train_set.values)
    pages = np.abs(contributions[:, 0] + contributions[:, 1]).mean()
    assert any(each.mean == pytest.approx(pages) and each.group == "engagement" for each in moved)
    assert [each.mean for each in moved] == sorted((each.mean for each in moved), reverse=True)
    assert what_moves(bundle.scorer, train_set.values[:0]) == []


def test_a_plot_names_by_number_what_its_font_can_not_draw(tmp_path: Path) -> None:
    figure = importance_plot(["pages viewed", "資料請求"], ["engagement", "fit"], [0.5, 0.2])
    save_plot(figure, tmp_path / "plot.png")
    labels = [each.get_text() for each in figure.axes[0].get_yticklabels()]
    assert labels == ["pages viewed", "no. 2 of the report's list"]


def test_japanese_event_types_make_a_report(made: tuple[Bundle, TrainingSet], tmp_path: Path) -> None:
    bundle, train_set = made
    items = (CountWithin(Selector("event_type", "謎の行動"), None), *bundle.scorer.definitions.items[1:])
    scorer = replace(bundle.scorer, definitions=Definitions(bundle.scorer.definitions.schema, items))
    write_report(replace(bundle, scorer=scorer), train_set.values, tmp_path)
    assert "謎の行動" in (tmp_path / WORDS).read_text(encoding="utf-8")
