"""Shapley values by their definition: every coalition of features, path-dependent expectations from the model's dump.

Slow and obvious: of a tree, a split on a feature that the coalition does not know sends a row both ways, by how many
training rows went there. Of the line, an unknown feature adds nothing to the base.
"""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import numpy as np

from training.linear import Line
from training.ranker import Ranker


def _goes_left(node: dict[str, Any], x: float) -> bool:
    if node["decision_type"] == "==":
        return not math.isnan(x) and x >= 0 and str(int(x)) in node["threshold"].split("||")
    if math.isnan(x):
        if node["missing_type"] == "NaN":
            return bool(node["default_left"])
        x = 0.0
    return x <= node["threshold"]


def _rows(node: dict[str, Any]) -> int:
    return node["leaf_count"] if "leaf_value" in node else node["internal_count"]


def _expected(node: dict[str, Any], x: list[float], known: frozenset[int]) -> float:
    if "leaf_value" in node:
        return node["leaf_value"]
    left, right = node["left_child"], node["right_child"]
    if node["split_feature"] in known:
        return _expected(left if _goes_left(node, x[node["split_feature"]]) else right, x, known)
    whole = _rows(left) + _rows(right)
    return (_rows(left) * _expected(left, x, known) + _rows(right) * _expected(right, x, known)) / whole


def _line_share(line: Line, column: int, x: float) -> float:
    if column in line.tables:
        table = line.tables[column]
        return float(table[int(x)]) if not math.isnan(x) and 0 <= x < len(table) else float(line.missing[column])
    if math.isnan(x):
        return float(line.missing[column])
    z = (math.copysign(math.log1p(abs(x)), x) - line.mean[column]) / line.scale[column]
    return float(line.known[column] + line.slope[column] * min(max(z, -6.0), 6.0))


def shapley_values(ranker: Ranker, row: np.ndarray) -> tuple[float, list[float]]:
    """Base and Shapley value of each feature of one row."""
    x, d = [float(each) for each in row], len(row)
    trees = [each["tree_structure"] for each in ranker.booster.dump_model()["tree_info"]]

    def worth(known: frozenset[int]) -> float:
        grown = sum(_expected(tree, x, known) for tree in trees)
        drawn = ranker.line.base + sum(_line_share(ranker.line, j, x[j]) for j in sorted(known))
        return ranker.weight * grown + (1 - ranker.weight) * drawn

    every = [frozenset(each) for size in range(d + 1) for each in combinations(range(d), size)]
    worths = {known: worth(known) for known in every}
    values = []
    for j in range(d):
        total = 0.0
        for known in every:
            if j not in known:
                chance = math.factorial(len(known)) * math.factorial(d - len(known) - 1) / math.factorial(d)
                total += chance * (worths[known | {j}] - worths[known])
        values.append(total)
    return worths[frozenset()], values
