"""What `propensity train` says when it is done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from features.durations import duration_text
from features.schema import Schema
from training.bootstrap import Estimate
from training.bundle import Bundle
from training.check_page import rejected_lines
from training.evaluation import Evaluation
from training.gates import gates
from training.leakage.lines import guard_lines
from training.registry import Version
from training.retrain import Retrained
from training.segment_names import off_summary
from training.segments import Segment
from training.terminal import printed
from training.tuned import tuning_words

ROWS = (
    ("ROC-AUC", "roc_auc", 3),
    ("average precision", "average_precision", 3),
    ("log loss", "log_loss", 4),
    ("Brier skill", "brier_skill", 3),
    ("calibration slope", "calibration_slope", 2),
    ("ECE", "ece", 4),
    ("lift in the top 10%", "lift_10", 2),
    ("precision in the top 10%", "precision_10", 3),
)


def train_page(trained: Retrained, version: Version, *, first: bool) -> str:
    """The figures of the test block, beside the old way's, and what to do next."""
    about, evaluation = trained.bundle.manifest, trained.bundle.evaluation
    lines: list[str | Table] = [
        f"Trained on {about['settled_moments']:,} settled moments of {about['leads']:,} leads, "
        f"{about['converted_leads']:,} of which converted within {duration_text(about['horizon'])}.",
        *rejected_lines(trained.tables),
        *guard_lines(trained.findings),
        *trained.split.words(),
        *about.get("model_settings", {}).get("words", []),
        "",
        figures_table(evaluation),
        *tuning_words(about.get("tuning")),
        "Figures are of the evaluated model, which never saw the tested moments; what serves is the same recipe on all.",
        *segments_off(about, trained.bundle.scorer.definitions.schema),
        *(f"Warning: {each}" for each in trained.warnings),
        "",
    ]
    if first:
        lines.append(
            f"{version.model} version {version.number} is the first model of this workspace, and now champion."
        )
        lines += warnings_of_a_first(trained.bundle)
    else:
        lines.append(f"{version.model} version {version.number} is registered as challenger.")
        lines.append("Next: propensity promote FOLDER lets it serve if it passes the gates.")
    lines.append("propensity report FOLDER shows all of it: leaks, figures, what moves scores, every segment.")
    return printed(*lines)


def warnings_of_a_first(bundle: Bundle) -> list[str]:
    """A sentence for each gate that this model would not pass, were it not the first."""
    refusing = [gate for gate in gates(bundle, None, None) if not gate.passed]
    return [f"Warning: a later model like this would not be promoted. {gate.words}" for gate in refusing]


def segments_off(about: Mapping[str, Any], schema: Schema) -> list[str]:
    """A sentence where segments of the test block did not convert as said; nothing where all did."""
    found = [Segment.from_json(each) for each in about.get("segments", ())]
    return [f"Warning: {off_summary(found, schema)}"] if any(each.off for each in found) else []


def figures_table(evaluation: Evaluation) -> Table:
    """Each model's figures with 95% intervals."""
    table = Table(box=None, pad_edge=False, title_justify="left", padding=(0, 2, 0, 0))
    table.add_column("on the test block")
    for name in evaluation.models:
        table.add_column(name, justify="right")
    for label, metric, digits in ROWS:
        cells = [figures.metrics[metric] for figures in evaluation.models.values()]
        table.add_row(label, *(_cell(each, digits, interval=place == 0) for place, each in enumerate(cells)))
    return table


def _cell(estimate: Estimate, digits: int, *, interval: bool) -> str:
    if estimate.point is None:
        return "-"
    text = f"{estimate.point:.{digits}f}"
    if interval and estimate.low is not None and estimate.high is not None:
        text += f" [{estimate.low:.{digits}f}, {estimate.high:.{digits}f}]"
    return text
