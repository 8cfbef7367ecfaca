"""A search as MLflow shows it: one run, and below it one for each recipe."""

from pathlib import Path
from typing import Any

import numpy as np

from oracles.made_training_sets import simulated
from training.recipe import Recipe
from training.registry import PARENT_TAG, Registry, tracking_uri
from training.trial_log import TrialRuns
from training.tuning import tune

QUICK = Recipe(rounds=(8, 16))


def test_each_recipe_is_a_run_below_that_of_its_search_which_a_later_call_takes_up(tmp_path: Path) -> None:
    registry = Registry(tracking_uri(tmp_path, {}), "b2b", state_folder=tmp_path)
    world = simulated(600, 1, seed=1)

    def seconds() -> float:
        """A clock by which each trial takes a second: it goes on when the trial has been logged."""
        return float(len(_below(registry, "recipe")))

    def search(count: int) -> str:
        found = tune(
            QUICK, world, np.arange(len(world)), lambda what, part: None, minutes=count / 60, storage=tmp_path / "t.db",
            log=TrialRuns(registry), clock=seconds,
        )  # fmt: skip
        assert found.story["trials"] == count
        return str(found.story["run"])

    run = search(2)
    (shown,) = _below(registry, "tuning")
    assert (shown.info.run_id, shown.info.status) == (run, "FINISHED")
    assert shown.data.metrics["trials"] == 2
    recipes = sorted(_below(registry, "recipe"), key=lambda each: str(each.info.run_name))
    assert [each.info.run_name for each in recipes] == ["recipe 1", "recipe 2"]
    assert {each.data.tags[PARENT_TAG] for each in recipes} == {run}
    assert recipes[0].data.params["num_leaves"] == "4"
    assert recipes[0].data.metrics["log_loss"] > 0
    training = registry.open_run("training")
    registry.nest_run(run, under=training)
    assert _below(registry, "tuning")[0].data.tags[PARENT_TAG] == training
    assert search(3) == run
    assert (len(_below(registry, "tuning")), len(_below(registry, "recipe"))) == (1, 3)
    registry._client.delete_run(run)
    assert not registry.has_run(run)
    assert TrialRuns(registry).open(run, {"columns": {}}) != run  # somebody deleted it: another is begun


def _below(registry: Registry, kind: str) -> list[Any]:
    found = registry._client.get_experiment_by_name("b2b")
    if found is None:
        return []
    return list(registry._client.search_runs([found.experiment_id], f"tags.`propensity.kind` = '{kind}'"))
