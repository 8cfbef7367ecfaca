"""Choosing by forward loss: how many trees, how strong a ridge, how they mix, which columns stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.dataset import Rows, TrainingSet
from training.losses import log_losses, mean_loss, paired_difference
from training.ranker import Progress, draw_lines, grow_trees, most_telling, rank_columns
from training.recipe import Choices, Recipe, leave_out

Folds = Sequence[tuple[Rows, Rows]]


EVENTS_A_PIECE = 10
"""Converted leads that a fit must hold for each piece of a bent line: the usual ten events a variable (Peduzzi et al. 1996,
A simulation study of the number of events per variable in logistic regression analysis)."""


@dataclass(frozen=True, eq=False)
class _Forward:
    """Forward predictions with one set of columns."""

    trees: Mapping[int, NDArray[np.float64]]
    lines: Mapping[int, Mapping[float, NDArray[np.float64]]]
    label: NDArray[np.int8]
    weight: NDArray[np.float64] | None
    rounds: int
    knots: int
    c: float

    def mix(self, weight: float) -> NDArray[np.float64]:
        return weight * self.trees[self.rounds] + (1.0 - weight) * self.lines[self.knots][self.c]

    def losses(self, weight: float) -> NDArray[np.float64]:
        return log_losses(self.mix(weight), self.label)

    def mean(self, raw: NDArray[np.float64]) -> float:
        return mean_loss(log_losses(raw, self.label), self.weight)


def choose(
    recipe: Recipe, train_set: TrainingSet, rows: Rows, folds: Folds, progress: Progress | None = None
) -> Choices:
    """Make all choices of a recipe on the forward predictions of `folds` (`training.split.choice_folds`).

    Rounds and the ridge are those of the least loss of trees and line alone. The default of each other choice stays unless
    another is better by more than the recipe's number of paired standard errors, clustered by lead: the line's knots by
    the loss of the line alone, columns and weight by that of the mix. Moments count by their weight, where they have one.

    Parameters
    ----------
    rows : what will be fitted; the folds lie within it.
    """
    if not folds or not all(len(fit) and len(predict) for fit, predict in folds):
        raise ValueError("every fold fits and predicts something")
    if not all(np.isin(part, rows).all() for fold in folds for part in fold):
        raise ValueError("the folds must lie within the rows that are fitted")
    without = tuple(name for name in train_set.definitions.names if name in set(recipe.without))
    train_set = leave_out(train_set, without)
    if not len(train_set.definitions):
        raise ValueError("the recipe leaves no column to learn from")
    predicted = np.sort(np.concatenate([predict for _, predict in folds]))
    lead = train_set.lead_hash[predicted]
    many = np.array([len(each.categories) > recipe.many_values for each in train_set.definitions], dtype=np.bool_)
    steps = len(folds) * (2 if many.any() else 1)
    whole = _predict(recipe, train_set, folds, predicted, progress, 0, steps)
    tables: dict[str, dict[str, float]] = {}
    chosen = whole
    dropped = without
    if many.any() and not many.all():
        # all such columns together, as it was measured: three more fits, not three for each
        fewer = train_set.take_columns(np.flatnonzero(~many))
        narrow = _predict(recipe, fewer, folds, predicted, progress, len(folds), steps)
        mean, error = paired_difference(narrow.losses(recipe.weight), whole.losses(recipe.weight), lead, whole.weight)
        tables["columns"] = {
            "all": whole.mean(whole.mix(recipe.weight)),
            "without categories of many values": narrow.mean(narrow.mix(recipe.weight)),
            "paired standard error": error,
        }
        if mean < -recipe.drop_errors * error:
            chosen = narrow
            dropped += tuple(name for name, is_many in zip(train_set.definitions.names, many, strict=True) if is_many)
    if recipe.part < 1:
        kept = leave_out(train_set, dropped)
        telling = set(most_telling(rank_columns(recipe, kept.take(rows)), recipe.part).tolist())
        dropped += tuple(name for place, name in enumerate(kept.definitions.names) if place not in telling)
    usual, weight = chosen.losses(recipe.weight), recipe.weight
    at_first = best = mean_loss(usual, chosen.weight)
    for other in recipe.weights:
        mean, error = paired_difference(chosen.losses(other), usual, lead, chosen.weight)
        if mean < -recipe.weight_errors * error and at_first + mean < best:
            weight, best = other, at_first + mean
    tables["rounds"] = {str(r): chosen.mean(raw) for r, raw in chosen.trees.items()}
    tables["c"] = {str(c): chosen.mean(raw) for c, raw in chosen.lines[chosen.knots].items()}
    tables["knots"] = {str(k): min(chosen.mean(raw) for raw in lines.values()) for k, lines in chosen.lines.items()}
    tables["weight"] = {str(w): chosen.mean(chosen.mix(w)) for w in recipe.weights}
    return Choices(
        rounds=chosen.rounds,
        fitted_rows=float(np.mean([len(fit) for fit, _ in folds])),
        c=chosen.c,
        knots=chosen.knots,
        weight=weight,
        dropped=dropped,
        forward_rows=predicted,
        forward_raw=chosen.mix(weight),
        losses=tables,
    )


def bearable_knots(recipe: Recipe, train_set: TrainingSet, folds: Folds) -> tuple[int, ...]:
    """Those of the recipe's numbers of knots that every fold has enough converted leads for; the first in any case."""
    converted = min(len(np.unique(train_set.lead_hash[fit[train_set.label[fit] == 1]])) for fit, _ in folds)
    most = converted / (EVENTS_A_PIECE * len(train_set.definitions)) - 1
    return (recipe.knots[0], *(knots for knots in recipe.knots[1:] if knots <= most))


def _predict(
    recipe: Recipe,
    train_set: TrainingSet,
    folds: Folds,
    predicted: Rows,
    progress: Progress | None,
    done: int,
    steps: int,
) -> _Forward:
    import lightgbm

    tried = bearable_knots(recipe, train_set, folds)
    trees = {rounds: np.empty(len(predicted)) for rounds in recipe.rounds}
    lines = {knots: {c: np.empty(len(predicted)) for c in recipe.cs} for knots in tried}
    label = train_set.label[predicted]
    weight = None if train_set.weight is None else train_set.weight[predicted]
    for number, (fit, predict) in enumerate(folds, start=done):

        def report(what: str, part: float, number: int = number) -> None:
            if progress is not None:
                progress("choosing on earlier moments", (number + 0.9 * part) / steps)

        report("", 0.0)
        part, values = train_set.take(fit), train_set.values[predict]
        if recipe.part < 1:
            # each fold by itself: who is predicted must not have a say in what is looked at
            telling = most_telling(rank_columns(recipe, part), recipe.part)
            part, values = part.take_columns(telling), values[:, telling]
        place = np.searchsorted(predicted, predict)
        booster = lightgbm.Booster(model_str=grow_trees(recipe, part, recipe.rounds[-1], progress=report))
        raw, grown = np.zeros(len(predict)), 0
        for rounds in recipe.rounds:
            # only the trees that were added since; past the last tree there are none
            if grown < booster.num_trees():
                raw = raw + booster.predict(values, start_iteration=grown, num_iteration=rounds - grown, raw_score=True)
            trees[rounds][place], grown = raw, rounds
        for knots in tried:
            for c, line in zip(recipe.cs, draw_lines(recipe, part, recipe.cs, knots), strict=True):
                lines[knots][c][place] = line.raw(values)
    if progress is not None:
        progress("choosing on earlier moments", (done + len(folds)) / steps)
    rounds = min(trees, key=lambda r: mean_loss(log_losses(trees[r], label), weight))
    knots, c = _line_of(recipe, lines, label, train_set.lead_hash[predicted], weight)
    return _Forward(trees, lines, label, weight, rounds, knots, c)


def _line_of(
    recipe: Recipe,
    lines: Mapping[int, Mapping[float, NDArray[np.float64]]],
    label: NDArray[np.int8],
    lead: NDArray[np.uint64],
    weight: NDArray[np.float64] | None,
) -> tuple[int, float]:
    """Knots and strength of the line that is drawn."""
    losses: dict[int, NDArray[np.float64]] = {}
    cs: dict[int, float] = {}
    for knots, raws in lines.items():
        each = {c: log_losses(raw, label) for c, raw in raws.items()}
        cs[knots] = min(each, key=lambda c: mean_loss(each[c], weight))
        losses[knots] = each[cs[knots]]
    usual = recipe.knots[0]
    chosen, best = usual, 0.0
    for knots in losses:
        mean, error = paired_difference(losses[knots], losses[usual], lead, weight)
        if mean < -recipe.knot_errors * error and mean < best:
            chosen, best = knots, mean
    return chosen, cs[chosen]
