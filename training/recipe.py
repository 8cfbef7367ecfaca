"""The recipe of a ranker as data, and what is chosen by forward loss while following it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.dataset import Rows, TrainingSet


@dataclass(frozen=True)
class Recipe:
    """How trees and line are grown and mixed: small slow trees and a robust line, good on eight real sets.

    Attributes
    ----------
    num_leaves .. cat_l2 : LightGBM's parameters of these names; bagging draws anew every round. A `max_depth` of -1 is
        no limit but that of the leaves.
    rounds : numbers of trees to choose from. The floor matters: forward losses of fewer are luck.
    gain : a refit on (1 + g) times the rows of the forward fits has (1 + gain * g) times their rounds.
    cs : strengths of the line's ridge to choose from.
    weights : weights of the trees to choose from; `weight` unless another is better by `weight_errors` paired errors.
    many_values : a category with more values is one of high cardinality, and stays unless the forward loss without
        such columns is better by more than `drop_errors` paired errors.
    line_rows : the line is fitted on about so many rows, all moments of leads drawn by hash: its matrix is dense, and
        more rows no longer move it.
    knots : numbers of quantiles of each number at which the line's slope may change, to choose from; 0: it is straight. The
        first stays unless the forward loss of the line alone is better with another by more than `knot_errors` paired errors.
    without : names of columns that are left out before anything is chosen; one that isn't there is no fault.
    part : of the columns that remain so large a part is kept, those that trees gain most from on the rows that are fitted
        (`training.ranker.rank_columns`), but no fewer than 8; 1: all.
    seed : of bagging and feature sampling.
    """

    num_leaves: int = 4
    max_depth: int = -1
    learning_rate: float = 0.04
    min_data_in_leaf: int = 50
    bagging_fraction: float = 0.7
    feature_fraction: float = 0.4
    lambda_l2: float = 10.0
    cat_smooth: float = 50.0
    cat_l2: float = 20.0
    rounds: tuple[int, ...] = (64, 90, 128, 181, 256, 362, 512, 800)
    gain: float = 0.5
    cs: tuple[float, ...] = (0.001, 0.01, 0.1)
    weights: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0)
    weight: float = 0.75
    weight_errors: float = 0.5
    many_values: int = 30
    drop_errors: float = 1.0
    line_rows: int = 50_000
    knots: tuple[int, ...] = (0, 4)
    knot_errors: float = 1.0
    without: tuple[str, ...] = ()
    part: float = 1.0
    seed: int = 20170920

    def __post_init__(self) -> None:
        if not self.rounds or list(self.rounds) != sorted(set(self.rounds)) or self.rounds[0] < 1:
            raise ValueError(f"rounds are positive and ascending, found {self.rounds}")
        if not self.cs or min(self.cs) <= 0:
            raise ValueError(f"strengths of the ridge are positive, found {self.cs}")
        if not self.knots or min(self.knots) < 0:
            raise ValueError(f"numbers of knots are 0 or more, found {self.knots}")
        if not 0 < self.part <= 1:
            raise ValueError(f"the part of the columns that is kept is above 0 and up to 1, found {self.part}")
        if self.weight not in self.weights or not all(0 <= w <= 1 for w in self.weights):
            raise ValueError(f"the usual weight {self.weight} must be among {self.weights}, all from 0 to 1")

    def to_json(self) -> dict[str, Any]:
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Recipe:
        """A recipe of before has not all keys: what is missing was then as it is now where nobody says otherwise. Lines
        were straight.

        Raises
        ------
        ValueError
            A key that no recipe has.
        """
        known = {each.name for each in fields(cls)}
        if not set(data) <= known:
            raise ValueError(f"a recipe has the keys {sorted(known)}, found {sorted(set(data) - known)} too")
        arguments: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in data.items()}
        return cls(**{"knots": (0,), **arguments})


@dataclass(frozen=True, eq=False)
class Choices:
    """What forward loss chose, and the predictions that it was measured on.

    Attributes
    ----------
    rounds : best number of trees in the forward fits.
    fitted_rows : mean number of rows of these fits; a refit on more has more rounds.
    c : strength of the line's ridge.
    knots : of the line.
    weight : weight of the trees.
    dropped : names of the columns that are left out: those the recipe is without, those of high cardinality where the
        forward loss said so, and those that tell too little where the recipe keeps a part.
    forward_rows : int64[m], ascending rows of the training set that were predicted.
    forward_raw : float64[m], their log-odds by fits that saw neither the lead nor, where time allows, anything later.
    losses : mean log losses of all that was tried, for the report.
    """

    rounds: int
    fitted_rows: float
    c: float
    knots: int
    weight: float
    dropped: tuple[str, ...]
    forward_rows: Rows
    forward_raw: NDArray[np.float64]
    losses: Mapping[str, Mapping[str, float]]

    def rounds_for(self, recipe: Recipe, rows: int) -> int:
        """Rounds of a fit on so many rows; never fewer than were chosen."""
        return max(self.rounds, round(self.rounds * (1 + recipe.gain * (rows / self.fitted_rows - 1))))

    def reduce(self, train_set: TrainingSet) -> TrainingSet:
        """The training set without the dropped columns."""
        return leave_out(train_set, self.dropped)

    def to_json(self) -> dict[str, Any]:
        """All but the predictions."""
        return {
            "rounds": self.rounds,
            "fitted_rows": self.fitted_rows,
            "c": self.c,
            "knots": self.knots,
            "weight": self.weight,
            "dropped": list(self.dropped),
            "losses": {table: dict(rows) for table, rows in self.losses.items()},
        }


def leave_out(train_set: TrainingSet, names: Collection[str]) -> TrainingSet:
    """The training set without the columns of these names."""
    left = set(names)
    kept = [i for i, name in enumerate(train_set.definitions.names) if name not in left]
    if len(kept) == len(train_set.definitions):
        return train_set
    return train_set.take_columns(np.array(kept, dtype=np.int64))
