"""Every notebook runs from top to bottom on a trained workspace; its tables hold rows, its plots marks, each shown once."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jupytext
import numpy as np
import pytest

from journeys.made_workspace import ENDS, stamp
from training.plots import Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.py"))
SOURCES = ("fair", "web", "referral")


@pytest.fixture(autouse=True)
def _no_window() -> Iterator[None]:
    import matplotlib as mpl

    mpl.use("agg")
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_and_shows(path: Path, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import matplotlib.pyplot as plt

    with (trained / "leads.csv").open("a", encoding="utf-8") as leads:  # a queue that is not empty
        leads.writelines(f"N{n},{stamp(ENDS - timedelta(days=3))},501+,{source}\n" for n, source in enumerate(SOURCES))
    monkeypatch.setenv("PROPENSITY_FOLDER", str(trained))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    names: dict[str, Any] = {"__name__": "__main__"}
    pictures = 0
    for cell in jupytext.read(path).cells:
        if cell.cell_type == "code":
            shown = run_cell(cell.source, names)
            if isinstance(shown, Picture):
                pictures += 1
                assert "<img" in shown._repr_html_()
                assert [marks(axes) for axes in shown.figure.axes if marks(axes) == 0] == [], f"empty: {shown.words}"
            elif hasattr(shown, "_repr_html_"):
                assert "<td>" in shown._repr_html_(), "an empty table"
            assert plt.get_fignums() == [], f"Jupyter would draw it (again) at the end of this cell:\n{cell.source}"
    assert pictures, "a notebook shows plots"


def test_lines_to_compare_with_are_no_marks_and_bars_of_no_height_are_none() -> None:
    import matplotlib.pyplot as plt

    _, axes = plt.subplots()
    axes.plot([0, 1], [0, 1], linestyle="--")
    axes.axvline(0.5)
    axes.plot([], [], marker="o")
    axes.hist([], bins=5)
    axes.plot([1, 2], [np.nan, np.nan])
    assert marks(axes) == 0
    axes.plot(["call", "mail"], [1, np.nan], "o")
    axes.bar([1, 2], [0, 3])
    axes.errorbar([1], [0], xerr=[[1], [1]], fmt="o")
    assert marks(axes) == 3


def marks(axes: Axes) -> int:
    """How many points and bars a panel holds, without lines to compare with: dashed ones, and ones right across."""
    lines = (each for each in axes.lines if each.get_linestyle() != "--" and each.get_transform() == axes.transData)
    points = sum(int(np.isfinite(each.get_xydata()).all(axis=1).sum()) for each in lines)
    return points + sum(bool(each.get_width() and each.get_height()) for each in axes.patches)


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
