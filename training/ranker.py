"""The ranker: LightGBM trees mixed with a line in log-odds. Both are exactly additive, and so is the mix."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from training.dataset import Rows, TrainingSet
from training.linear import Line
from training.linear_fit import fit_lines
from training.recipe import Choices, Recipe

if TYPE_CHECKING:
    import lightgbm

Progress = Callable[[str, float], None]
"""Told what is being done and which part of it, 0 to 1, is done."""

ALONE = 4096
"""Up to so many rows are scored by one thread: waking others costs more than it gives."""
CELLS_ALONE = 4_000_000
"""Up to so many cells are trained on by one thread, for the same reason. The bits are the same either way."""
BENT_CELLS = 40_000_000
"""A bent line has some more columns for each number, and is fitted on so many fewer rows that its matrix has no more cells."""
RANKED_BY = 128
"""Rounds of the trees that rank the columns."""
FEWEST_COLUMNS = 8
"""A part of the columns holds at least so many."""
MONOTONE_METHOD = "basic"
"""Stricter than need be, and cheap. Of the finer methods models were reported that break their own constraints."""
TREES_FILE, RANKER_FILE = "trees.txt", "ranker.json"


@dataclass(frozen=True, eq=False)
class Ranker:
    """Raw log-odds = weight x trees + (1 - weight) x line, for the d features it was fitted on.

    There is one definition of what the trees say: the text of the model. Reading is safe from many threads at once.

    Attributes
    ----------
    trees : LightGBM's text of the model.
    line : on the same columns.
    weight : of the trees, 0 to 1.
    """

    trees: str
    line: Line
    weight: float

    @cached_property
    def booster(self) -> lightgbm.Booster:
        """The model that the text describes."""
        import lightgbm

        return lightgbm.Booster(model_str=self.trees)

    @cached_property
    def _trees_base(self) -> float:
        """What the trees expect before they know anything: the same for every row."""
        return float(self._tree_shares(np.full((1, len(self.line.mean)), np.nan))[0, -1])

    def raw(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log-odds float64[n] of values float64[n, d]. A row's bits don't depend on what it is scored with."""
        line = self.line.raw(values)
        if len(line) == 0:
            return line
        threads = 1 if len(line) <= ALONE else 0
        trees = np.asarray(self.booster.predict(values, raw_score=True, num_threads=threads), dtype=np.float64)
        return self.weight * trees + (1.0 - self.weight) * line

    def contributions(self, values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """Base and exact shares float64[n, d] (path-dependent TreeSHAP, and the line's); they add up to `raw`
        but for rounding, which is why a probability is never made from their sum."""
        line_base, line = self.line.contributions(values)
        base = self.weight * self._trees_base + (1.0 - self.weight) * line_base
        if len(line) == 0:
            return base, line
        return base, self.weight * self._tree_shares(values)[:, :-1] + (1.0 - self.weight) * line

    def _tree_shares(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        threads = 1 if len(values) <= ALONE else 0
        return np.asarray(self.booster.predict(values, pred_contrib=True, num_threads=threads), dtype=np.float64)

    def save(self, folder: Path) -> None:
        """Write `trees.txt` and `ranker.json` into an existing folder."""
        (folder / TREES_FILE).write_text(self.trees, encoding="utf-8", newline="\n")
        data = {"weight": self.weight, "line": self.line.to_json()}
        (folder / RANKER_FILE).write_text(json.dumps(data, allow_nan=False), encoding="utf-8", newline="\n")

    @classmethod
    def load(cls, folder: Path) -> Ranker:
        """What `save` wrote, to the bit."""
        data = json.loads((folder / RANKER_FILE).read_text(encoding="utf-8"))
        trees = (folder / TREES_FILE).read_text(encoding="utf-8")
        return cls(trees=trees, line=Line.from_json(data["line"]), weight=float(data["weight"]))


def fit_ranker(
    recipe: Recipe, choices: Choices, train_set: TrainingSet, rows: Rows, *, progress: Progress | None = None
) -> Ranker:
    """Fit trees and line on these rows by what was chosen.

    Parameters
    ----------
    train_set : without the dropped columns (`Choices.reduce`).
    """
    if set(choices.dropped) & set(train_set.definitions.names):
        raise ValueError("the training set still has columns that were chosen to be left out")
    part = train_set.take(rows)
    rounds = choices.rounds_for(recipe, len(part))
    text = grow_trees(recipe, part, rounds, progress=progress)
    line = draw_lines(recipe, part, (choices.c,), choices.knots)[0]
    if progress is not None:
        progress("growing trees", 1.0)
    return Ranker(trees=text, line=line, weight=choices.weight)


def rank_columns(recipe: Recipe, part: TrainingSet) -> NDArray[np.int64]:
    """Positions of all columns, those first that trees grown on these rows gain most from.

    The trees are those of the default recipe, with this one's seed: the ranking is the same whatever else a recipe says.
    """
    import lightgbm

    grown = lightgbm.Booster(model_str=grow_trees(Recipe(seed=recipe.seed), part, RANKED_BY))
    return np.argsort(-grown.feature_importance("gain"), kind="stable")


def most_telling(ranked: NDArray[np.int64], part: float) -> NDArray[np.int64]:
    """The first part of ranked columns, at least `FEWEST_COLUMNS`, in ascending order."""
    return np.sort(ranked[: max(FEWEST_COLUMNS, round(part * len(ranked)))])


def draw_lines(recipe: Recipe, part: TrainingSet, cs: tuple[float, ...], knots: int) -> list[Line]:
    """The line of so many knots for each strength of the ridge, on about `Recipe.line_rows` rows at most."""
    most = recipe.line_rows
    if knots:
        most = min(most, BENT_CELLS // ((knots + 2) * len(part.definitions)))
    if len(part) > most:
        drawn = (part.lead_hash % np.uint64(2**32)) < np.uint64(2**32 * most // len(part))
        part = part.take(np.flatnonzero(drawn))
    return fit_lines(
        part.values,
        part.label,
        part.definitions.categorical,
        cs=cs,
        weight=part.fit_weight,
        monotone=part.monotone,
        knots=knots,
    )


def grow_trees(
    recipe: Recipe, part: TrainingSet, rounds: int, *, progress: Progress | None = None, threads: int | None = None
) -> str:
    """LightGBM's text of so many trees; a single constant where the rows are too few for any split.

    Parameters
    ----------
    threads : None takes one, or for large sets all; the text is the same whatever their number.
    """
    import lightgbm

    parameters = {
        **tree_parameters(recipe, part),
        "num_threads": threads or (1 if part.values.size <= CELLS_ALONE else 0),
    }
    data = tree_data(part)

    def report(env: Any) -> None:
        if progress is not None and (env.iteration + 1) % 16 == 0:
            progress("growing trees", (env.iteration + 1) / rounds)

    booster = lightgbm.train(parameters, data, num_boost_round=rounds, callbacks=[report])
    return str(booster.model_to_string(num_iteration=-1))


def tree_parameters(recipe: Recipe, part: TrainingSet) -> dict[str, Any]:
    """What LightGBM is told of a recipe and of the rows' constraints; how many threads it may use is the caller's to say."""
    return {
        "objective": "binary",
        "num_leaves": recipe.num_leaves,
        "max_depth": recipe.max_depth,
        "learning_rate": recipe.learning_rate,
        "min_data_in_leaf": recipe.min_data_in_leaf,
        "bagging_fraction": recipe.bagging_fraction,
        "bagging_freq": 1,
        "feature_fraction": recipe.feature_fraction,
        "lambda_l2": recipe.lambda_l2,
        "cat_smooth": recipe.cat_smooth,
        "cat_l2": recipe.cat_l2,
        "seed": recipe.seed,
        "deterministic": True,
        # by column each histogram is summed by one thread in the order of the rows; by row the order of the sums would
        # follow the number of threads
        "force_col_wise": True,
        "verbosity": -1,
        **_constraints(part),
    }


def tree_data(part: TrainingSet) -> lightgbm.Dataset:
    """The rows as LightGBM bins them; the same for every recipe, so that many can be tried on one."""
    import lightgbm

    return lightgbm.Dataset(
        part.values,
        part.label.astype(np.float64),
        weight=part.fit_weight,
        feature_name=[f"f{i}" for i in range(len(part.definitions))],
        categorical_feature=np.flatnonzero(part.definitions.categorical).tolist(),
        # filtering before would fix the least rows of a leaf
        params={"verbosity": -1, "feature_pre_filter": False},
    )


def _constraints(part: TrainingSet) -> dict[str, Any]:
    """LightGBM's parameters of the constraints; none where all features are free, so that nothing else changes either."""
    if part.monotone is None or not part.monotone.any():
        return {}
    return {"monotone_constraints": part.monotone.tolist(), "monotone_constraints_method": MONOTONE_METHOD}
