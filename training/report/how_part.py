"""How the model was chosen, and all that is needed to make it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from training.bundle import Bundle
from training.report.written import count
from training.tuned import tuning_words

_CALIBRATORS = {"identity": "none: the mix as it is", "platt": "Platt", "beta": "beta"}
_RECIPE = {
    "num_leaves": "leaves a tree",
    "max_depth": "depth, at most",
    "learning_rate": "learning rate",
    "min_data_in_leaf": "rows a leaf",
    "bagging_fraction": "part of the rows each round",
    "feature_fraction": "part of the features each tree",
    "lambda_l2": "L2 of the leaves",
    "seed": "seed",
}
NAMED = 12
"""So many columns are named; of more it is said how many there are."""


def how_part(bundle: Bundle) -> dict[str, Any]:
    """What the workspace set, what forward loss chose, the recipe, versions and digests."""
    about = bundle.manifest
    choices, recipe = about.get("choices", {}), about.get("recipe", {})
    tables = about.get("tables", {}).get("tables", {})
    return {
        "tuning": tuning_words(about.get("tuning")),
        "chosen": _chosen(choices),
        "losses": [
            {
                "name": table.replace("_", " "),
                "rows": [{"name": name, "loss": f"{loss:.4f}"} for name, loss in rows.items()],
            }
            for table, rows in choices.get("losses", {}).items()
            if rows
        ],
        "calibrations": _calibrations(about.get("evaluated_calibrations", {})),
        "settings": about.get("model_settings", {}).get("words", []),
        "recipe": [(words, _setting(name, recipe[name])) for name, words in _RECIPE.items() if name in recipe],
        "versions": sorted(about.get("versions", {}).items()),
        "commit": (about.get("commit") or "")
        + (" with uncommitted changes" if about.get("uncommitted_changes") else ""),
        "lock": about.get("lock") or "",
        "machine": about.get("machine") or "",
        "digest": bundle.digest,
        "digests": [(name, sha) for each in tables.values() for name, sha in sorted(each["digests"].items())],
    }


def _setting(name: str, value: float) -> str:
    return "no limit" if name == "max_depth" and value < 0 else str(value)


def _chosen(choices: Mapping[str, Any]) -> list[tuple[str, str]]:
    if not choices:
        return []
    knots = choices.get("knots", 0)
    return [
        ("Rounds of trees", f"{count(choices['rounds'])} in the forward fits"),
        ("Weight of the trees", f"{choices['weight']:.0%}, the rest is the line's"),
        ("Shape of the line", f"bent at {knots} quantiles of each number" if knots else "straight"),
        ("Strength of the line's ridge", f"C = {choices['c']:g}"),
        ("Columns left out as too fine or telling too little", _named(choices["dropped"])),
    ]


def _named(columns: Sequence[str]) -> str:
    if len(columns) <= NAMED:
        return ", ".join(columns) or "none"
    return f"{', '.join(columns[:NAMED])} and {count(len(columns) - NAMED)} more"


def _calibrations(table: Mapping[str, Mapping[str, float]]) -> list[dict[str, str]]:
    return [
        {
            "name": _CALIBRATORS.get(kind, kind),
            "loss": f"{row['loss']:.4f}",
            "difference": f"{row['difference']:+.4f}".replace("-", "−"),
            "error": f"{row['error']:.4f}",
        }
        for kind, row in table.items()
    ]
