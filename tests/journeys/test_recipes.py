"""Recipes side by side, as a person asks for them."""

import sqlite3
from contextlib import closing
from pathlib import Path

from journeys.running import propensity


def test_variants_stand_side_by_side_with_a_search_and_in_a_run_of_their_own(untrained: Path) -> None:
    done = propensity("recipes", untrained, "--tune", "0.02", env={"OMP_NUM_THREADS": "1"})
    for name in ("default recipe", "its trees alone", "its line alone", "LightGBM's defaults", "points", "base rate"):
        assert sum(line.startswith(name) for line in done.out.splitlines()) >= 1, name
    less = done.out[done.out.index("less the default ") :].splitlines()
    row = next(place for place, line in enumerate(less) if line.startswith("base rate"))
    assert less[row].split()[2].startswith("-0.")  # ROC-AUC below the default's
    assert less[row + 1].count("[") == 4  # an interval of each difference
    assert "Tuning: " in done.out
    assert "By log loss clearly worse than the default recipe: " in done.out
    assert "trying recipes" in done.err
    with closing(sqlite3.connect(untrained / ".propensity" / "mlflow.db")) as store:
        kinds = store.execute(
            "select value, count(*) from tags where key = 'propensity.kind' group by value"
        ).fetchall()
        (worse,) = store.execute(
            "select value from metrics where key = 'LightGBMs_defaults.less_default.log_loss.low'"
        ).fetchone()
        assert store.execute("select count(*) from model_versions").fetchone() == (0,)
    # how many recipes fit into a second depends on the machine
    assert {name: count for name, count in kinds if name != "recipe"} == {"recipes": 1, "tuning": 1}
    assert worse > 0
