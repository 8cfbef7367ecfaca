"""Many recipes tried forward on the same folds: what does not change from one to the next is made once.

Of a set of columns the bins of the trees are kept, and of each kind of line on them its forward predictions; a recipe
then costs its trees alone. They grow on all folds in step, so that a bad recipe shows after its first trees and need
not be finished.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import repeat
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from training.dataset import Rows, TrainingSet
from training.forward import Folds, bearable_knots
from training.losses import log_losses, mean_loss, paired_difference
from training.ranker import CELLS_ALONE, draw_lines, most_telling, rank_columns, tree_data, tree_parameters
from training.recipe import Recipe, leave_out

if TYPE_CHECKING:
    import lightgbm

CS = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1)
"""Strengths of the line's ridge that are tried with each recipe."""
WEIGHTS = (0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0)
"""Weights of the trees that are tried with each recipe."""
MOST_ROWS = 100_000
"""A fold of a search fits at most so many rows, all moments of leads drawn by hash, and predicts half as many: which of
two recipes is better shows on fewer rows than what a recipe is worth."""
LEVELLING = 6
"""Steps of Newton's method; the level is found in three or four."""
PATIENCE = 2
"""Trees grow on until so many numbers of rounds in a row were worse than the best."""
ERRORS = 1.0
"""Paired standard errors that a gain is lessened by: among many recipes the least loss belongs to a lucky one, and luck has
most room where a recipe is far from the default."""


@dataclass(frozen=True)
class Tried:
    """What a recipe came to on the predicted rows.

    Attributes
    ----------
    rounds : the number of trees with the least loss of the trees alone, as `training.forward.choose` takes it.
    c, weight : of the line and of the trees in the mix with the least loss.
    loss : mean log loss of that mix.
    gain : by how much the mean log loss is surely less than the default recipe's: less `ERRORS` paired standard errors,
        clustered by lead. Negative where it may as well be more. Both foretell as many conversions as there were: which of
        two recipes is nearer to the rate of a few leads is luck.
    """

    rounds: int
    c: float
    weight: float
    loss: float
    gain: float = 0.0


@dataclass(frozen=True, eq=False)
class _Narrow:
    """What a fold fits, what it predicts, and where that stands among all predicted rows, with one set of columns."""

    part: TrainingSet
    values: NDArray[np.float64]
    place: NDArray[np.int64]


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
    recipe : the default, which others are held against.

    Attributes
    ----------
    predicted : ascending rows of the training set.
    knots : the numbers of the line's knots that there are enough conversions for.
    fitted_rows : about how many a fold fits.
    """

    def __init__(self, train_set: TrainingSet, folds: Folds, recipe: Recipe) -> None:
        self._train_set, self._recipe = train_set, recipe
        self._parts = [
            (_drawn(train_set, fit, MOST_ROWS), _drawn(train_set, predict, MOST_ROWS // 2)) for fit, predict in folds
        ]
        self.predicted: Rows = np.sort(np.concatenate([predict for _, predict in self._parts]))
        self.knots = bearable_knots(recipe, train_set, folds)
        self.fitted_rows = int(np.mean([len(fit) for fit, _ in self._parts]))
        self._label = train_set.label[self.predicted]
        self._weight = None if train_set.weight is None else train_set.weight[self.predicted]
        self._lead = train_set.lead_hash[self.predicted]
        self._usual: NDArray[np.float64] | None = None
        self._ranked: dict[tuple[int, frozenset[str]], NDArray[np.int64]] = {}
        self._folds: dict[tuple[frozenset[str], float], list[_Fold]] = {}
        self._lines: dict[tuple[frozenset[str], float, int], NDArray[np.float64]] = {}
        self._pool = ThreadPoolExecutor(max_workers=min(len(self._parts), os.cpu_count() or 1), initializer=_quiet)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def forward(
        self, recipe: Recipe, usual: Recipe, report: Callable[[int, float], None] = lambda step, loss: None
    ) -> Tried:
        """Try a recipe: its trees, columns and the first of its numbers of knots, with the best of `CS` and `WEIGHTS`.

        Strength and weight are not sampled as the trees are: all of them together cost less than one tree.

        Parameters
        ----------
        usual : what it is held against, with the mix that suits it best: the same in all calls.
        report : told after each of the recipe's numbers of rounds its place and the least loss so far; what it raises
            ends the trial.
        """
        tried, raw = self._tried(recipe, report)
        if self._usual is None:
            self._usual = raw if recipe == usual else self._tried(usual, lambda step, loss: None)[1]
        ours, theirs = (log_losses(self._levelled(each), self._label) for each in (raw, self._usual))
        less, error = paired_difference(theirs, ours, self._lead, self._weight)
        return replace(tried, gain=less - ERRORS * error)

    def _tried(self, recipe: Recipe, report: Callable[[int, float], None]) -> tuple[Tried, NDArray[np.float64]]:
        """What a recipe came to, and the log-odds of its mix."""
        folds, lines = self._folds_of(recipe), self._lines_of(recipe)
        growths = [_Growth(each, recipe) for each in folds]
        # of few rows each fold has a thread; of many one fold after the other has all of them
        share = self._pool.map if folds[0].threads == 1 else map
        raw = np.zeros(len(self._label))
        best, mix, least, worse = Tried(0, 0.0, 0.0, float("inf")), raw, float("inf"), 0
        for step, rounds in enumerate(recipe.rounds):
            for growth, added in zip(growths, share(_Growth.add, growths, repeat(rounds)), strict=True):
                raw[growth.fold.place] += added
            alone = self._loss(raw)
            if alone < least:
                least, worse, (best, mix) = alone, 0, self._mixed(rounds, raw, lines)
            else:
                worse += 1
            report(step, best.loss)
            if worse == PATIENCE:
                break
        return best, mix

    def _mixed(
        self, rounds: int, trees: NDArray[np.float64], lines: NDArray[np.float64]
    ) -> tuple[Tried, NDArray[np.float64]]:
        best, mix = None, trees
        for c, line in zip(CS, lines, strict=True):
            for weight in WEIGHTS:
                raw = weight * trees + (1.0 - weight) * line
                loss = self._loss(raw)
                if best is None or loss < best.loss:
                    best, mix = Tried(rounds, c, weight, loss), raw
        assert best is not None
        return best, mix

    def _levelled(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log-odds shifted so that they foretell as many conversions as there were (Newton's method)."""
        counts = np.ones(len(raw)) if self._weight is None else self._weight
        shift = 0.0
        for _ in range(LEVELLING):
            told = 1.0 / (1.0 + np.exp(-np.clip(raw + shift, -700.0, 700.0)))
            shift += float(counts @ (self._label - told)) / max(float(counts @ (told * (1.0 - told))), 1e-9)
        return raw + shift

    def _loss(self, raw: NDArray[np.float64]) -> float:
        return mean_loss(log_losses(raw, self._label), self._weight)

    def _narrow(self, recipe: Recipe) -> list[_Narrow]:
        """What each fold fits and predicts, with a recipe's columns: of a part of them, those that its fitted rows name."""
        whole = leave_out(self._train_set, recipe.without)
        made = []
        for number, (fit, predict) in enumerate(self._parts):
            part, values = whole.take(fit), whole.values[predict]
            if recipe.part < 1:
                key = number, frozenset(recipe.without)
                if key not in self._ranked:
                    self._ranked[key] = rank_columns(self._recipe, part)
                telling = most_telling(self._ranked[key], recipe.part)
                part, values = part.take_columns(telling), np.ascontiguousarray(values[:, telling])
            made.append(_Narrow(part, values, np.searchsorted(self.predicted, predict)))
        return made

    def _folds_of(self, recipe: Recipe) -> list[_Fold]:
        """The folds with a recipe's columns."""
        key = frozenset(recipe.without), recipe.part
        if key not in self._folds:
            self._folds[key] = [
                _Fold(
                    part=each.part.take(each.part.lead[:0]),
                    data=tree_data(each.part).construct(),
                    values=each.values,
                    place=each.place,
                    threads=1 if each.part.values.size <= CELLS_ALONE else 0,
                )
                for each in self._narrow(recipe)
            ]
        return self._folds[key]

    def _lines_of(self, recipe: Recipe) -> NDArray[np.float64]:
        """Forward predictions float64[len(CS), n] of the lines on a recipe's columns."""
        knots = recipe.knots[0]
        key = frozenset(recipe.without), recipe.part, knots
        if key not in self._lines:
            lines = np.empty((len(CS), len(self.predicted)))
            for each in self._narrow(recipe):
                for row, line in enumerate(draw_lines(recipe, each.part, CS, knots)):
                    lines[row, each.place] = line.raw(each.values)
            self._lines[key] = lines
        return self._lines[key]


def _quiet() -> None:
    """LightGBM keeps for each thread how much it says, and this one was told nothing yet."""
    import lightgbm

    lightgbm.Dataset(np.zeros((1, 1)), params={"verbosity": -1}).construct()


def _drawn(train_set: TrainingSet, rows: Rows, most: int) -> Rows:
    """About so many of these rows at most, all of a lead or none."""
    if len(rows) <= most:
        return rows
    return rows[(train_set.lead_hash[rows] % np.uint64(2**32)) < np.uint64(2**32 * most // len(rows))]
