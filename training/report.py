"""The model report: what was trained, which figures are whose, and the plots that show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.calendar_days import as_datetime
from features.schema import Group
from features.wording import duration, label, topic_label
from training.bootstrap import Estimate
from training.bundle import Bundle
from training.evaluation import Evaluation, ModelFigures
from training.explanation import Pools
from training.figures import TOPS
from training.plots import gains_plot, importance_plot, reliability_plot, save_plot
from training.scorer import Scorer

RELIABILITY, GAINS, IMPORTANCE = "reliability.png", "lift.png", "shap.png"
WORDS = "report.md"
SHOWN = 15
_ROWS: Mapping[str, tuple[str, str]] = {
    "roc_auc": ("ROC-AUC", ".3f"),
    "average_precision": ("Average precision", ".3f"),
    "log_loss": ("Log loss", ".4f"),
    "brier": ("Brier score", ".4f"),
    "brier_skill": ("Brier skill against the base rate", ".3f"),
    "calibration_slope": ("Calibration slope (1 is right)", ".2f"),
    "calibration_intercept": ("Calibration intercept (0 is right)", ".2f"),
    "ece": ("Expected calibration error, 15 bins", ".4f"),
    **{f"lift_{top:.0%}".rstrip("%"): (f"Lift, top {top:.0%}", ".2f") for top in TOPS},
    **{f"precision_{top:.0%}".rstrip("%"): (f"Precision, top {top:.0%}", ".3f") for top in TOPS},
}


def write_report(bundle: Bundle, values: NDArray[np.float64], folder: Path, *, split_words: Sequence[str] = ()) -> None:
    """Write the plots and the words into an existing folder.

    Parameters
    ----------
    values : float64[n, d], a sample of settled moments for the global reasons; some thousands are enough.
    split_words : how test and training were parted (`training.split.Split.words`).
    """
    moved = what_moves(bundle.scorer, values)[:SHOWN]
    save_plot(reliability_plot(bundle.evaluation, bundle.backtest.probability), folder / RELIABILITY)
    save_plot(gains_plot(bundle.evaluation), folder / GAINS)
    figure = importance_plot(
        [each.name for each in moved], [each.group for each in moved], [each.mean for each in moved]
    )
    save_plot(figure, folder / IMPORTANCE)
    (folder / WORDS).write_text(report_words(bundle, moved, split_words=split_words), encoding="utf-8")


@dataclass(frozen=True)
class Moves:
    """A reason, and by how much it moves scores: its mean absolute contribution in log-odds."""

    name: str
    group: Group
    mean: float


def what_moves(scorer: Scorer, values: NDArray[np.float64]) -> list[Moves]:
    """The reasons that move these scores at all, most first."""
    pools = Pools.of(scorer.definitions)
    _, contributions = scorer.explain(values)
    means = np.abs(pools.sums(contributions)).mean(axis=0) if len(values) else np.zeros(len(pools))
    order = [each for each in np.argsort(-means, kind="stable").tolist() if means[each] > 0]
    return [Moves(_name(pools, each), pools.groups[each], float(means[each])) for each in order]


def report_words(bundle: Bundle, moved: Sequence[Moves], *, split_words: Sequence[str] = ()) -> str:
    """The report as Markdown."""
    evaluation, scorer, manifest = bundle.evaluation, bundle.scorer, bundle.manifest
    lines = [
        f"# {manifest.get('workspace', 'Model')}: model report",
        "",
        f"Predicts whether a lead converts within {duration(scorer.horizon, 'en')}.",
        *([_until(manifest)] if "data_end" in manifest else []),
        "",
    ]
    if manifest.get("warnings"):
        lines += [*(f"> {each}" for each in manifest["warnings"]), ""]
    lines += [
        "## Which figures are whose",
        "",
        "All figures below are those of the *evaluated* model, which never saw the moments that it is tested on. The model "
        "that *serves* follows the same recipe, fitted again on all settled moments, those of the test too; by how much it "
        "is better nobody can measure yet. The reasons at the end are those of the model that serves.",
        "",
        *(f"- {each}" for each in split_words),
        "",
        f"Tested on {evaluation.moments:,} moments of {evaluation.leads:,} leads, of which {evaluation.converted_leads:,} "
        f"converted within the horizon. Conversion rate before the test: {evaluation.base_rate:.2%}; in it: "
        f"{evaluation.converted / evaluation.moments:.2%}. Intervals are 95%, over leads.",
        "",
        "## Figures",
        "",
        *_figures_table(evaluation.models),
        "",
        "Drawing leads again adds calibration error: its interval leans upwards and may leave out the figure itself.",
        "",
        *_differences_table(evaluation),
        "## Calibration",
        "",
        f"![reliability]({RELIABILITY})",
        "",
        "| said | came true | 95% interval | moments |",
        "| ---: | ---: | ---: | ---: |",
        *(
            f"| {each.predicted:.1%} | {_share(each.rate.point)} | {_share(each.rate.low)} to {_share(each.rate.high)} "
            f"| {each.moments:,} |"
            for each in next(iter(evaluation.models.values())).reliability
        ),
        "",
        "## Lift",
        "",
        f"![lift and gains]({GAINS})",
        "",
        "## What cutoffs would have given",
        "",
        "| cutoff | part of the moments | leads a week | convert | part of all conversions |",
        "| ---: | ---: | ---: | ---: | ---: |",
        *(
            f"| {100 * each.cutoff:.4g}% | {_share(each.share.point)} | {_number(each.leads_a_week, '.1f')} "
            f"| {_share(each.precision.point)} ({_share(each.precision.low)} to {_share(each.precision.high)}) "
            f"| {_share(each.caught.point)} |"
            for each in bundle.backtest.table()
        ),
        "",
        "## What moves scores",
        "",
        f"![global SHAP values]({IMPORTANCE})",
        "",
        *(f"{rank}. {each.name} ({each.group}): {each.mean:.3f} log-odds" for rank, each in enumerate(moved, start=1)),
        "",
    ]
    return "\n".join(lines)


def _until(manifest: Mapping[str, Any]) -> str:
    text = f"The tables are complete until {as_datetime(manifest['data_end']):%Y-%m-%d %H:%M} UTC."
    if "settled_moments" in manifest:
        text += f" {manifest['settled_moments']:,} settled moments"
        if "leads" in manifest and "converted_leads" in manifest:
            text += f" of {manifest['leads']:,} leads, {manifest['converted_leads']:,} of which converted"
        text += "."
    return text


def _figures_table(models: Mapping[str, ModelFigures]) -> list[str]:
    header = f"| | {' | '.join(models)} |"
    lines = [header, "| --- |" + " ---: |" * len(models)]
    for metric, (name, form) in _ROWS.items():
        cells = [_number(figures.metrics[metric], form, interval=True) for figures in models.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def _differences_table(evaluation: Evaluation) -> list[str]:
    if not evaluation.differences:
        return []
    first = next(iter(evaluation.models))
    metrics = list(next(iter(evaluation.differences.values())))
    lines = [
        f"Differences, {first} less the other, on the same draws of leads:",
        "",
        f"| | {' | '.join(_ROWS[metric][0] for metric in metrics)} |",
        "| --- |" + " ---: |" * len(metrics),
    ]
    for name, row in evaluation.differences.items():
        cells = [_number(row[metric], "+.4f", interval=True) for metric in metrics]
        lines.append(f"| {first} - {name} | {' | '.join(cells)} |")
    return [*lines, ""]


def _name(pools: Pools, reason: int) -> str:
    """A reason in English; where it is made of one feature, that feature's name."""
    members = np.flatnonzero(pools.pool == reason)
    definition = pools.definitions[int(members[0])]
    return (label if len(members) == 1 else topic_label)(definition, pools.definitions.schema, "en")


def _number(estimate: Estimate, form: str, *, interval: bool = False) -> str:
    if estimate.point is None:
        return "–"
    text = format(estimate.point, form)
    if interval and estimate.low is not None and estimate.high is not None:
        text += f" [{format(estimate.low, form)}, {format(estimate.high, form)}]"
    return text


def _share(number: float | None) -> str:
    return "–" if number is None else f"{number:.1%}"
