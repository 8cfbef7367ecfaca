"""The report as one HTML file: no script, nothing from elsewhere, drawn from a bundle alone, so that it can be drawn anew."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from features.calendar_days import DAY
from features.instants import instant_text
from features.wording import duration
from training.bundle import Bundle
from training.limits import limits
from training.report.data_part import data_part, guard_part
from training.report.figures_part import cutoffs_part, figures_part, key_figures
from training.report.how_part import how_part
from training.report.moves_part import moves_part
from training.report.segments_part import segments_part
from training.verdicts import verdicts

FILE = "report.html"


def report_html(
    bundle: Bundle,
    *,
    version: str = "",
    agreed: Mapping[str, float] | None = None,
    since: Mapping[str, Any] | None = None,
) -> str:
    """The report of a model.

    Parameters
    ----------
    version : its number in the registry, once it has one.
    agreed : the cutoffs of the agreement by band, to stand among those of the table.
    since : what has moved its probabilities since the training: "about", a sentence, and "rows" of "name" and "value".
    """
    about, scorer = bundle.manifest, bundle.scorer
    schema = scorer.definitions.schema
    horizon = duration(scorer.horizon, "en")
    age = about.get("oldest_age")
    return _template().render(
        style=files("training").joinpath("report", "report.css").read_text(encoding="utf-8"),
        workspace=about.get("workspace", "Model"),
        version=version,
        converted=about.get("converted", "converted"),
        horizon=horizon,
        trained=instant_text(about["trained_at"], schema.zone)[:16] if "trained_at" in about else "",
        zone=schema.zone,
        verdicts=verdicts(bundle.evaluation, scorer, int(about.get("converted_leads", 0)), "en"),
        figures=key_figures(bundle.evaluation),
        data=data_part(bundle),
        guard=guard_part(about),
        judged=figures_part(bundle.evaluation),
        cutoffs=cutoffs_part(bundle, agreed or {}),
        moves=moves_part(about, schema),
        segments=segments_part(about, schema),
        how=how_part(bundle),
        since=since,
        limits=limits(
            "en",
            horizon=horizon,
            oldest=None if age is None else duration(max(round(age / DAY), 1) * DAY, "en"),
        ),
    )


def write_report(bundle: Bundle, folder: Path) -> Path:
    """Write `FILE` into an existing folder. The same bundle gives the same bytes."""
    path = folder / FILE
    path.write_text(report_html(bundle), encoding="utf-8", errors="surrogateescape")
    return path


@cache
def _template() -> Template:
    environment: Any = Environment(
        loader=PackageLoader("training", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found: Template = environment.get_template("report.html.jinja")
    return found
