"""Every notebook runs from top to bottom on a trained workspace, and what its cells show can be drawn."""

from __future__ import annotations

import ast
from datetime import timedelta
from pathlib import Path
from typing import Any

import jupytext
import pytest

from journeys.made_workspace import ENDS, stamp

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.py"))
SOURCES = ("fair", "web", "referral")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_and_shows(path: Path, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import matplotlib as mpl

    with (trained / "leads.csv").open("a", encoding="utf-8") as leads:  # a queue that is not empty
        leads.writelines(f"N{n},{stamp(ENDS - timedelta(days=3))},501+,{source}\n" for n, source in enumerate(SOURCES))
    monkeypatch.setenv("PROPENSITY_FOLDER", str(trained))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    mpl.use("agg")
    import matplotlib.pyplot as plt

    names: dict[str, Any] = {"__name__": "__main__"}
    drawn = 0
    for cell in jupytext.read(path).cells:
        if cell.cell_type == "code":
            shown = run_cell(cell.source, names)
            if hasattr(shown, "savefig"):
                shown.canvas.draw()
                drawn += 1
            elif hasattr(shown, "_repr_html_"):
                assert "<td>" in shown._repr_html_(), "an empty table"
    plt.close("all")
    assert drawn, "a notebook shows plots"


def run_cell(source: str, names: dict[str, Any]) -> Any:
    """Run a cell as Jupyter does; its last expression is what it shows."""
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    return None if last is None else eval(compile(ast.Expression(last.value), "cell", "eval"), names)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_defines_nothing_that_the_packages_could_know(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert [each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef | ast.ClassDef)] == []
