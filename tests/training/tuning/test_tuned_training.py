"""A training that follows another recipe than the default says what that gained, and keeps the recipe."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from features.workspace import load_workspace
from journeys.made_workspace import QUICK as TOML
from journeys.made_workspace import made_tables, write
from training.cli import train
from training.dataset import Rows, TrainingSet
from training.ranker import Progress
from training.recipe import Recipe
from training.retrain import Retrained, retrain
from training.tuned import DEFAULT, Tuned, tuning_words

USUAL = Recipe(rounds=(16, 32), cs=(0.01,))
OTHER = replace(USUAL, num_leaves=8, max_depth=4, weight=0.5, without=("company_size",))
CONFIRMED = {
    "moments": 90, "leads": 80, "default_loss": 0.53, "best_loss": 0.51, "difference": -0.02, "error": 0.01
}  # fmt: skip
STORY = {"trials": 7, "seconds": 90.0, "confirmed": CONFIRMED, "run": None, "why": None}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Retrained, list[Rows]]:
    """A training whose search says at once what it would have found, and which rows it was given."""
    given: list[Rows] = []

    def search(recipe: Recipe, train_set: TrainingSet, rows: Rows, progress: Progress) -> Tuned:
        assert recipe == USUAL
        given.append(rows)
        return Tuned(OTHER, True, {**STORY, "taken": True})

    folder = write(tmp_path_factory.mktemp("tuned") / "company", made_tables(400), toml=TOML)
    return retrain(load_workspace(folder), recipe=USUAL, search=search), given


def test_both_scorers_follow_the_recipe_that_was_found(trained: tuple[Retrained, list[Rows]]) -> None:
    bundle = trained[0].bundle
    assert Recipe.from_json(bundle.manifest["recipe"]) == OTHER
    assert bundle.manifest["choices"]["dropped"] == ["company_size"]
    for scorer in (bundle.scorer, bundle.evaluated_scorer):
        assert "company_size" not in scorer.definitions.names
        assert "[num_leaves: 8]" in scorer.ranker.trees


def test_the_search_is_given_what_is_fitted_and_nothing_of_the_test(trained: tuple[Retrained, list[Rows]]) -> None:
    done, given = trained
    assert [rows.tolist() for rows in given] == [done.split.fit.tolist()]


def test_what_it_gained_stands_beside_the_default_with_intervals(trained: tuple[Retrained, list[Rows]]) -> None:
    bundle = trained[0].bundle
    gain, models = bundle.manifest["tuning"]["gain"], bundle.evaluation.models
    assert list(models) == ["model", "logistic regression", DEFAULT, "points", "base rate"]
    for metric in ("roc_auc", "log_loss"):
        apart = (models["model"].metrics[metric].point or 0) - (models[DEFAULT].metrics[metric].point or 0)
        assert gain[metric]["point"] == pytest.approx(apart, abs=1e-12)
        assert gain[metric]["low"] <= gain[metric]["point"] <= gain[metric]["high"]
    assert models["model"].metrics["log_loss"].point != models[DEFAULT].metrics["log_loss"].point
    words = tuning_words(bundle.manifest["tuning"])
    assert words[0].startswith("Tuning: 7 recipes tried in 1.5 minutes. On 80 leads that the search never looked at")
    assert words[1].startswith("Gained on the test block, tuned less default: ROC-AUC ")


def test_without_a_search_nothing_is_said_of_one() -> None:
    assert tuning_words(None) == []


@pytest.mark.parametrize("told", [("--tune", "0"), ("--tune", "soon"), ("--tune", "1", "--like", "1")])
def test_minutes_that_are_none_or_beside_another_recipe_are_wrong_usage(told: tuple[str, ...], tmp_path: Path) -> None:
    folder = write(tmp_path / "company", made_tables(20), toml=TOML)
    assert CliRunner().invoke(train, [str(folder), *told]).exit_code == 2
