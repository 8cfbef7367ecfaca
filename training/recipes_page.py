"""What `propensity recipes` says: figures of each variant, and by how much it differs from the default."""

from __future__ import annotations

from rich.table import Table

from features.workspace import Workspace
from training.bootstrap import Estimate
from training.evaluation import COMPARED
from training.figures import METRICS
from training.ranker import Progress
from training.recipe_variants import Variants, compare_recipes
from training.registry import Registry
from training.retrain import Search
from training.terminal import printed
from training.tuned import DEFAULT, NAMES, tuning_words

LOWER_IS_BETTER = ("log_loss", "brier")


def recipes_of(workspace: Workspace, registry: Registry, *, search: Search | None, progress: Progress) -> str:
    """Compare the variants of a workspace, write them into a run of their own, and say what came of it."""
    variants = compare_recipes(workspace, search=search, progress=progress)
    progress("logging", 0.0)
    page = recipes_page(variants)
    log_variants(variants, registry, page)
    return page


def log_variants(variants: Variants, registry: Registry, page: str) -> str:
    """One run: figures of each variant as "its_trees_alone.log_loss", differences beside them; returns its id."""
    metrics: dict[str, float | None] = {}
    for name, figures in variants.evaluation.models.items():
        for metric in METRICS:
            _add(metrics, f"{_key(name)}.{metric}", figures.metrics[metric])
    for name, row in variants.evaluation.differences.items():
        for metric, each in row.items():
            _add(metrics, f"{_key(name)}.less_default.{metric}", each.negated())
    metrics |= {f"{_key(name)}.seconds": each for name, each in variants.seconds.items()}
    run = registry.open_run("recipes", tags={"propensity.kind": "recipes"})
    status = "FAILED"
    try:
        split = variants.split.to_json()
        told = {
            "variants": list(variants.evaluation.models),
            "split": split["kind"],
            "test_moments": split["test_moments"],
        }
        registry.log_run(run, params=told, metrics=metrics, texts={"recipes.txt": page})
        search = None if variants.tuning is None else variants.tuning["run"]
        if search is not None and registry.has_run(search):
            registry.nest_run(search, under=run)
        status = "FINISHED"
    finally:
        registry.close_run(run, status=status)
    return run


def recipes_page(variants: Variants) -> str:
    """The figures, the differences with their intervals, and in words which of them are clear."""
    evaluation = variants.evaluation
    figures = _table("on the test block", (*(NAMES[each] for each in COMPARED), "seconds to fit"))
    for name, model in evaluation.models.items():
        cells = [_number(model.metrics[each].point, ".4f") for each in COMPARED]
        figures.add_row(name, *cells, _number(variants.seconds.get(name), ".1f"))
    apart = _table("less the default", tuple(NAMES[each] for each in COMPARED))
    for name, row in evaluation.differences.items():
        apart.add_row(name, *(_difference(row[each].negated()) for each in COMPARED))
    return printed(
        *variants.split.words(),
        "",
        figures,
        "",
        apart,
        "",
        "Differences have 95% intervals, over leads, of paired draws.",
        *_verdicts(variants, "log_loss"),
        *_verdicts(variants, "roc_auc"),
        *tuning_words(variants.tuning),
        "These recipes are compared, not registered: propensity train makes a model.",
    )


def _verdicts(variants: Variants, metric: str) -> list[str]:
    better, worse = [], []
    for name, row in variants.evaluation.differences.items():
        each = row[metric] if metric in LOWER_IS_BETTER else row[metric].negated()  # above 0: better than the default
        if each.low is not None and each.low > 0:
            better.append(name)
        if each.high is not None and each.high < 0:
            worse.append(name)
    parts = [
        f"{what} than the {DEFAULT}: {', '.join(names)}"
        for what, names in (("better", better), ("worse", worse))
        if names
    ]
    return [
        f"By {NAMES[metric]} clearly {'; clearly '.join(parts)}."
        if parts
        else f"By {NAMES[metric]} none is clearly apart."
    ]


def _table(title: str, heads: tuple[str, ...]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(title)
    for each in heads:
        table.add_column(each, justify="right")
    return table


def _difference(each: Estimate) -> str:
    if each.point is None:
        return "-"
    if each.low is None or each.high is None:
        return f"{each.point:+.4f}"
    return f"{each.point:+.4f}\n[{each.low:+.4f}, {each.high:+.4f}]"


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _add(metrics: dict[str, float | None], name: str, each: Estimate) -> None:
    metrics[name], metrics[f"{name}.low"], metrics[f"{name}.high"] = each.point, each.low, each.high


def _key(name: str) -> str:
    return name.replace(" ", "_").replace("'", "")
