"""Many recipes tried forward on the same folds: what does not change from one to the next is made once.

Of a set of columns the bins of the trees and the forward predictions of the lines are kept; a recipe then costs its
trees alone. They grow on all folds in step, so that a bad recipe shows after its first trees and need not be finished.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from training.dataset import Rows, TrainingSet
from training.forward import Folds
from training.losses import log_losses, mean_loss
from training.ranker import CELLS_ALONE, draw_lines, tree_data, tree_parameters
from training.recipe import Recipe, leave_out

if TYPE_CHECKING:
    import lightgbm

CS = (0.001, 0.003, 0.01, 0.03, 0.1)
"""Strengths of the line's ridge that are tried with each recipe."""
WEIGHTS = (0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0)
"""Weights of the trees that are tried with each recipe."""
MOST_ROWS = 100_000
"""A fold of a search fits at most so many rows, all moments of leads drawn by hash, and predicts half as many: which of
two recipes is better shows on fewer rows than what a recipe is worth."""
PATIENCE = 2
"""Trees grow on until so many numbers of rounds in a row were worse than the best."""
RANKED_BY = 128
"""Rounds of the trees that rank the columns."""


@dataclass(frozen=True)
class Tried:
    """What a recipe came to on the predicted rows.

    Attributes
    ----------
    rounds : the number of trees with the least loss of the trees alone, as `training.forward.choose` takes it.
    c, weight : of the line and of the trees in the mix with the least loss.
    loss : mean log loss of that mix.
    """

    rounds: int
    c: float
    weight: float
    loss: float


@dataclass(frozen=True, eq=False)
class _Fold:
    """One fold with one set of columns.

    Attributes
    ----------
    part : what is fitted, without rows: its columns and constraints.
    data : the same as LightGBM has it.
    values, place : what is predicted, and where it stands among all predicted rows.
    threads : for its trees; 0 all.
    """

    part: TrainingSet
    data: lightgbm.Dataset
    values: NDArray[np.float64]
    place: NDArray[np.int64]
    threads: int

    def booster(self, recipe: Recipe) -> lightgbm.Booster:
        """No tree yet, but all that is needed to grow a recipe's."""
        import lightgbm

        return lightgbm.Booster({**tree_parameters(recipe, self.part), "num_threads": self.threads}, self.data)


class _Growth:
    """A recipe's trees on one fold, as far as they have grown.

    A round whose draw of rows and columns allows no split leaves no tree. As in `training.forward.choose` so many rounds
    mean so many trees, as long as the recipe's largest number of rounds gives them.
    """

    def __init__(self, fold: _Fold, recipe: Recipe) -> None:
        self.fold = fold
        self._booster = fold.booster(recipe)
        self._left = recipe.rounds[-1]

    def add(self, trees: int) -> NDArray[np.float64]:
        """Grow up to so many trees; what those that are new add to the log-odds of the predicted rows."""
        booster, fold = self._booster, self.fold
        first = booster.num_trees()
        while self._left and booster.num_trees() < trees:
            booster.update()
            self._left -= 1
        if booster.num_trees() == first:
            return np.zeros(len(fold.values))
        added = booster.predict(
            fold.values, start_iteration=first, raw_score=True, num_threads=fold.threads, verbosity=-1
        )
        return np.asarray(added, dtype=np.float64)


class TrialFolds:
    """The folds that recipes are tried on; used in a ``with`` block, which ends its threads.

    Parameters
    ----------
    folds : pairs of fitted and predicted rows, the predicted ones disjoint.
    recipe : says how many rows a line is fitted on.
    """

    def __init__(self, train_set: TrainingSet, folds: Folds, recipe: Recipe) -> None:
        self._train_set, self._recipe = train_set, recipe
        self._parts = [
            (_drawn(train_set, fit, MOST_ROWS), _drawn(train_set, predict, MOST_ROWS // 2)) for fit, predict in folds
        ]
        self.predicted: Rows = np.sort(np.concatenate([predict for _, predict in self._parts]))
        self.fitted_rows = int(np.mean([len(fit) for fit, _ in self._parts]))
        self._label = train_set.label[self.predicted]
        self._weight = None if train_set.weight is None else train_set.weight[self.predicted]
        self._made: dict[frozenset[str], tuple[list[_Fold], NDArray[np.float64]]] = {}
        self._pool = ThreadPoolExecutor(max_workers=min(len(self._parts), os.cpu_count() or 1), initializer=_quiet)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def forward(self, recipe: Recipe, report: Callable[[int, float], None] = lambda step, loss: None) -> Tried:
        """Try a recipe: its trees and columns, with the best of `CS` and `WEIGHTS`.

        Strength and weight are not sampled as the trees are: all of them together cost less than one tree.

        Parameters
        ----------
        report : told after each of the recipe's numbers of rounds its place and the least loss so far; what it raises
            ends the trial.
        """
        folds, lines = self._of(recipe)
        growths = [_Growth(each, recipe) for each in folds]
        # of few rows each fold has a thread; of many one fold after the other has all of them
        share = self._pool.map if folds[0].threads == 1 else map
        raw = np.zeros(len(self._label))
        best, least, worse = Tried(0, 0.0, 0.0, float("inf")), float("inf"), 0
        for step, rounds in enumerate(recipe.rounds):
            for growth, added in zip(growths, share(_Growth.add, growths, repeat(rounds)), strict=True):
                raw[growth.fold.place] += added
            alone = self._loss(raw)
            if alone < least:
                least, worse, best = alone, 0, self._mixed(rounds, raw, lines)
            else:
                worse += 1
            report(step, best.loss)
            if worse == PATIENCE:
                break
        return best

    def telling(self) -> list[str]:
        """Names of all columns, those first that the recipe's trees on the fitted rows gain most from."""
        folds, _ = self._of(self._recipe)
        gains = np.zeros(len(self._train_set.definitions))
        for fold in folds:
            booster = fold.booster(self._recipe)
            for _ in range(RANKED_BY):
                booster.update()
            gains += booster.feature_importance("gain")
        names = self._train_set.definitions.names
        return [names[each] for each in np.argsort(-gains, kind="stable").tolist()]

    def _mixed(self, rounds: int, trees: NDArray[np.float64], lines: NDArray[np.float64]) -> Tried:
        tried = [
            Tried(rounds, c, weight, self._loss(weight * trees + (1.0 - weight) * line))
            for c, line in zip(CS, lines, strict=True)
            for weight in WEIGHTS
        ]
        return min(tried, key=lambda each: each.loss)

    def _loss(self, raw: NDArray[np.float64]) -> float:
        return mean_loss(log_losses(raw, self._label), self._weight)

    def _of(self, recipe: Recipe) -> tuple[list[_Fold], NDArray[np.float64]]:
        """The folds with a recipe's columns, and the forward predictions float64[len(CS), n] of the lines on them."""
        key = frozenset(recipe.without)
        if key not in self._made:
            narrow = leave_out(self._train_set, key)
            folds, lines = [], np.empty((len(CS), len(self.predicted)))
            for fit, predict in self._parts:
                part, values = narrow.take(fit), narrow.values[predict]
                place = np.searchsorted(self.predicted, predict)
                for row, line in enumerate(draw_lines(self._recipe, part, CS)):
                    lines[row, place] = line.raw(values)
                threads = 1 if part.values.size <= CELLS_ALONE else 0
                folds.append(_Fold(part.take(part.lead[:0]), tree_data(part).construct(), values, place, threads))
            self._made[key] = folds, lines
        return self._made[key]


def _quiet() -> None:
    """LightGBM keeps for each thread how much it says, and this one was told nothing yet."""
    import lightgbm

    lightgbm.Dataset(np.zeros((1, 1)), params={"verbosity": -1}).construct()


def _drawn(train_set: TrainingSet, rows: Rows, most: int) -> Rows:
    """About so many of these rows at most, all of a lead or none."""
    if len(rows) <= most:
        return rows
    return rows[(train_set.lead_hash[rows] % np.uint64(2**32)) < np.uint64(2**32 * most // len(rows))]
