"""What a search may change of a recipe, and between which bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from training.dataset import TrainingSet
from training.ranker import FEWEST_COLUMNS
from training.recipe import Recipe
from training.trial_folds import CS, WEIGHTS, TrialFolds

DEPTHS, MOST_LEAVES = (2, 5), 16
ALL_COLUMNS = "all"
PARTS = {"the most telling half": 0.5, "the most telling quarter": 0.25, "the most telling eighth": 0.125}


class Suggests(Protocol):
    """What proposes values: a trial of the search."""

    @property
    def params(self) -> dict[str, Any]: ...

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float: ...

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int: ...

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any: ...


@dataclass(frozen=True)
class Space:
    """What may differ from the default recipe, and between which bounds; the default lies within.

    Attributes
    ----------
    recipe : the default.
    columns : choice of columns to the names that it leaves out and the part that it keeps of the others.
    knots : numbers of the line's knots.
    categorical : whether there is any categorical column.
    rows : about how many one fold fits.
    """

    recipe: Recipe
    columns: Mapping[str, tuple[tuple[str, ...], float]]
    knots: tuple[int, ...]
    categorical: bool
    rows: int

    @classmethod
    def of(cls, recipe: Recipe, train_set: TrainingSet, folds: TrialFolds) -> Space:
        """For these columns: all, those without many values, and those that trees gain most from."""
        definitions = train_set.definitions
        columns = {ALL_COLUMNS: (recipe.without, recipe.part)}
        many = {each.name for each in definitions if len(each.categories) > recipe.many_values}
        if many and len(many) < len(definitions):
            columns["without categories of many values"] = (tuple(sorted({*recipe.without, *many})), recipe.part)
        remain = len(set(definitions.names) - set(recipe.without))
        for name, part in PARTS.items():
            if round(part * remain) >= FEWEST_COLUMNS:
                columns[name] = (recipe.without, part)
        return cls(recipe, columns, folds.knots, bool(definitions.categorical.any()), folds.fitted_rows)

    def suggest(self, trial: Suggests) -> Recipe:
        """The recipe that a trial proposes."""
        for name, (low, high, log) in self._floats().items():
            trial.suggest_float(name, low, high, log=log)
        for name, (least, most, log) in self._whole().items():
            trial.suggest_int(name, least, most, log=log)
        trial.suggest_categorical("knots", list(self.knots))
        trial.suggest_categorical("columns", list(self.columns))
        return self.recipe_from(trial.params)

    def default(self) -> dict[str, Any]:
        """The default recipe as a trial's parameters."""
        params: dict[str, Any] = {name: getattr(self.recipe, name) for name in (*self._floats(), *self._whole())}
        # so many leaves cannot lie deeper than this: the same trees as without a bound
        params["max_depth"] = self._depth()
        return {**params, "knots": self.recipe.knots[0], "columns": ALL_COLUMNS}

    def recipe_from(self, params: Mapping[str, Any]) -> Recipe:
        """Trees, knots and columns of a trial; the line's strength and the mix are the default's until they are tried.

        Numbers of rounds are as many steps of learning as the default's: with half of its learning rate twice as many.
        """
        told = {name: float(f"{params[name]:.3g}") for name in self._floats()}
        slower = self.recipe.learning_rate / told["learning_rate"]
        depth = int(params["max_depth"])
        without, part = self.columns[params["columns"]]
        return replace(
            self.recipe,
            **told,  # type: ignore[arg-type]  # all of them are floats
            num_leaves=min(int(params["num_leaves"]), 2**depth),
            max_depth=depth,
            min_data_in_leaf=int(params["min_data_in_leaf"]),
            rounds=tuple(sorted({max(1, round(each * slower)) for each in self.recipe.rounds})),
            knots=(int(params["knots"]),),
            without=without,
            part=part,
        )

    def mixed(self, recipe: Recipe, *, c: float, weight: float) -> Recipe:
        """The recipe of a trial with the line's strength and the weight that did best with its trees."""
        return replace(recipe, cs=(c,), weight=weight, weights=tuple(sorted({*self.recipe.weights, weight})))

    def to_json(self) -> dict[str, Any]:
        """All that a search depends on but the rows."""
        return {
            "recipe": self.recipe.to_json(),
            "floats": self._floats(),
            "whole": self._whole(),
            "cs": CS,
            "weights": WEIGHTS,
            "knots": self.knots,
            "columns": {name: [list(left), part] for name, (left, part) in self.columns.items()},
        }

    def _depth(self) -> int:
        return min(max(self.recipe.num_leaves - 1, DEPTHS[0]), DEPTHS[1])

    def _floats(self) -> dict[str, tuple[float, float, bool]]:
        bounds = {
            "learning_rate": (0.02, 0.12, True),
            "bagging_fraction": (0.4, 1.0, False),
            "feature_fraction": (0.1, 1.0, False),
            "lambda_l2": (0.1, 100.0, True),
        }
        if self.categorical:
            bounds |= {"cat_smooth": (5.0, 200.0, True), "cat_l2": (1.0, 100.0, True)}
        usual = {name: float(getattr(self.recipe, name)) for name in bounds}
        return {name: (min(low, usual[name]), max(high, usual[name]), log) for name, (low, high, log) in bounds.items()}

    def _whole(self) -> dict[str, tuple[int, int, bool]]:
        usual = self.recipe.min_data_in_leaf
        most = max(usual, min(300, self.rows // 20))
        return {
            "max_depth": (*DEPTHS, False),
            "num_leaves": (min(3, self.recipe.num_leaves), max(MOST_LEAVES, self.recipe.num_leaves), True),
            "min_data_in_leaf": (min(10, usual), most, True),
        }
