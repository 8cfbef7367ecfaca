"""The search for a better recipe: it finds one where there is one, keeps to the default where there is none, and goes on
where it was cut."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from oracles.made_training_sets import DAY, made, simulated
from training.dataset import TrainingSet
from training.evaluation import paired_difference
from training.follow import follow
from training.forward import choose
from training.ranker import grow_trees
from training.recipe import Recipe
from training.split import choice_folds
from training.trial_folds import TrialFolds
from training.tuned import Tuned, confirm, halves, tuning_words
from training.tuning import tune
from training.tuning_space import Space

QUICK = Recipe(rounds=(8, 16, 32))
PLAIN = simulated(600, 1, seed=1, categories=(6, 12))
ROWS = np.arange(len(PLAIN))


@dataclass
class Watch:
    """A log that is its own clock: each trial takes a minute. It can interrupt the search as Ctrl-C does."""

    interrupt_at: int = -1
    now: float = 0.0
    tried: list[Mapping[str, Any]] = field(default_factory=list)
    closed: list[bool] = field(default_factory=list)
    opened: list[str | None] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def open(self, run: str | None, about: Mapping[str, Any]) -> str:
        json.dumps(about, allow_nan=False)
        self.opened.append(run)
        return run or "run-1"

    def trial(
        self, run: str, number: int, params: Mapping[str, Any], metrics: Mapping[str, float], *, pruned: bool
    ) -> None:
        if len(self.tried) == self.interrupt_at:
            raise KeyboardInterrupt
        self.now += 60.0
        self.tried.append(params)

    def close(self, run: str, metrics: Mapping[str, float], *, killed: bool) -> None:
        self.closed.append(killed)


def tuned(storage: Path, watch: Watch, minutes: float, train_set: TrainingSet = PLAIN, recipe: Recipe = QUICK) -> Tuned:
    return tune(
        recipe, train_set, np.arange(len(train_set)), lambda what, part: None, minutes=minutes, storage=storage, log=watch,
        clock=watch,
    )  # fmt: skip


def interacting(leads: int, seed: int) -> TrainingSet:
    """Leads that convert where five numbers all lie above 0: trees that see few columns each learn it slowly, a line
    never."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(leads, 8)) + 0.9
    all_five = (values[:, :5] > 0).all(axis=1)
    label = (rng.random(leads) < np.where(all_five, 0.95, 0.03)).astype(np.int8)
    return made(np.arange(leads), np.arange(leads) * DAY, label, values)


def test_where_the_default_is_a_poor_recipe_a_better_one_is_found_and_better_on_later_leads(tmp_path: Path) -> None:
    world, recipe = interacting(3600, 0), Recipe(rounds=(16, 32, 64, 128))
    fit, test = np.arange(2400), np.arange(2400, 3600)
    watch = Watch()
    found = tune(
        recipe, world, fit, lambda what, part: None, minutes=4, storage=tmp_path / "t.db", log=watch, clock=watch
    )
    assert found.taken
    assert found.recipe != recipe
    ours, theirs = (
        follow(each, world, fit, what="", progress=lambda what, part: None) for each in (found.recipe, recipe)
    )
    gain = paired_difference(
        world.label[test],
        world.lead_hash[test],
        ours.scorer.score(ours.choices.reduce(world).values[test])[1],
        theirs.scorer.score(theirs.choices.reduce(world).values[test])[1],
    )
    assert gain.high is not None
    assert gain.high < 0
    words = tuning_words(found.story)
    assert words[0].endswith("it is followed.")
    assert json.loads(json.dumps(found.story, allow_nan=False)) == found.story


def test_where_a_line_says_all_there_is_to_say_the_default_stays(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(size=(1200, 6))
    label = (rng.random(1200) < 0.25).astype(np.int8)
    noise = made(np.arange(1200), np.arange(1200) * DAY, label, values)
    found = tuned(tmp_path / "t.db", Watch(), 6, noise)
    assert (found.taken, found.recipe) == (False, QUICK)
    assert tuning_words(found.story)[0].endswith("The default recipe stays: none was surely better.")


def test_the_first_recipe_is_the_default_and_grows_the_same_trees(tmp_path: Path) -> None:
    watch = Watch()
    found = tuned(tmp_path / "t.db", watch, 1)
    assert [each["num_leaves"] for each in watch.tried] == [QUICK.num_leaves]
    assert found.story["default_loss"] == found.story["best"]["loss"]
    parted = halves(PLAIN, ROWS)
    assert parted is not None
    with TrialFolds(PLAIN, parted[0], QUICK) as folds:
        space = Space.of(QUICK, PLAIN, folds)
    first = space.recipe_from(space.default())
    assert first == replace(QUICK, max_depth=3, knots=(0,))
    texts = [grow_trees(each, PLAIN, 16).split("parameters:")[0] for each in (first, QUICK)]
    assert texts[0] == texts[1]


def test_a_search_that_was_interrupted_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole, first, second = Watch(), Watch(interrupt_at=13), Watch()
    at_once = tuned(tmp_path / "whole.db", whole, 14)
    with pytest.raises(KeyboardInterrupt):
        tuned(tmp_path / "cut.db", first, 14)
    assert first.closed == [True]
    in_two = tuned(tmp_path / "cut.db", second, 14)
    assert second.opened == ["run-1"]
    assert [*first.tried, *second.tried] == whole.tried
    assert in_two.recipe == at_once.recipe
    assert in_two.story["confirmed"] == at_once.story["confirmed"]
    assert in_two.story["trials"] == at_once.story["trials"] == 14


def test_asked_again_it_repeats_nothing_and_with_more_minutes_goes_on(tmp_path: Path) -> None:
    first, again, more, other = Watch(), Watch(), Watch(), Watch()
    found = tuned(tmp_path / "t.db", first, 3)
    same = tuned(tmp_path / "t.db", again, 3)
    assert (len(first.tried), len(again.tried)) == (3, 0)
    assert (same.recipe, same.story) == (found.recipe, found.story)
    tuned(tmp_path / "t.db", more, 5)
    assert len(more.tried) == 2
    changed = replace(PLAIN, values=PLAIN.values + (np.arange(len(PLAIN)) == 7)[:, None])
    tuned(tmp_path / "t.db", other, 2, changed)  # other tables are another search
    assert (other.opened, len(other.tried)) == ([None], 2)


def test_nothing_outside_of_the_rows_it_is_given_is_looked_at(tmp_path: Path) -> None:
    rows, first, again = ROWS[: 3 * len(ROWS) // 4], Watch(), Watch()
    later = ~np.isin(ROWS, rows)
    turned = replace(PLAIN, label=np.where(later, 1 - PLAIN.label, PLAIN.label).astype(np.int8))
    found, same = (
        tune(QUICK, world, rows, lambda what, part: None, minutes=2, storage=tmp_path / "t.db", log=watch, clock=watch)
        for world, watch in ((PLAIN, first), (turned, again))
    )
    assert (len(first.tried), len(again.tried)) == (2, 0)  # it is the same search
    assert same.story == found.story


def test_the_kept_leads_never_move_what_is_tried() -> None:
    parted = halves(PLAIN, ROWS)
    assert parted is not None
    searched, kept = parted
    label = PLAIN.label.copy()
    for _, predict in kept:
        label[predict] = 1 - label[predict]
    deep = replace(QUICK, num_leaves=8)
    with TrialFolds(PLAIN, searched, QUICK) as folds, TrialFolds(replace(PLAIN, label=label), searched, QUICK) as other:
        assert folds.forward(deep, QUICK) == other.forward(deep, QUICK)


def test_too_few_leads_are_not_searched(tmp_path: Path) -> None:
    few, watch = simulated(90, 1, seed=3), Watch()
    found = tuned(tmp_path / "t.db", watch, 5, few)
    assert (found.taken, found.recipe, watch.tried) == (False, QUICK, [])
    assert not (tmp_path / "t.db").exists()
    assert "too few" in tuning_words(found.story)[0]


def test_a_time_that_is_too_short_for_one_recipe_keeps_the_default(tmp_path: Path) -> None:
    ticks = iter(range(10_000))
    found = tune(
        QUICK, PLAIN, ROWS, lambda what, part: None, minutes=0.01, storage=tmp_path / "t.db",
        clock=lambda: float(next(ticks)),
    )  # fmt: skip
    assert (found.taken, found.story["trials"], found.story["run"]) == (False, 0, None)
    assert "so short a time" in tuning_words(found.story)[0]


def test_the_default_does_not_beat_itself() -> None:
    parted = halves(PLAIN, ROWS)
    assert parted is not None
    taken, figures = confirm(QUICK, QUICK, PLAIN, ROWS, parted[1], progress=lambda what, part: None)
    assert not taken
    assert figures["difference"] == 0.0


def test_all_that_is_proposed_lies_within_the_bounds_of_the_issue(tmp_path: Path) -> None:
    watch = Watch()
    wide = simulated(480, 1, seed=4, categories=(6, 40, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5))
    found = tuned(tmp_path / "t.db", watch, 6, wide)
    assert {each["columns"] for each in watch.tried} <= {
        "all", "without categories of many values", "the most telling half"
    }  # fmt: skip
    assert all(2 <= each["max_depth"] <= 5 and 2 <= each["num_leaves"] <= 16 for each in watch.tried)
    assert all(each["left_out"] in (0, 1, 8, 9) for each in watch.tried)
    assert len({each["left_out"] for each in watch.tried}) > 1
    told = Recipe.from_json(json.loads(json.dumps(found.recipe.to_json())))
    assert told == found.recipe
    choose(told, wide, np.arange(len(wide)), choice_folds(wide, np.arange(len(wide))))
