"""The model report of a version, drawn anew from its bundle with the agreement's cutoffs, and where it was put."""

from __future__ import annotations

import tempfile
import webbrowser
from collections.abc import Callable
from pathlib import Path

from features.errors import UsageError
from features.workspace import load_workspace
from serving.agreement_file import load_agreement
from serving.calibration_page import calibration_part
from serving.champion import model_of
from training.registry import Registry, Version, open_registry
from training.report.page import report_html

REPORTS = "reports"
"""The folder of reports within the workspace's state folder."""


def report_model(folder: Path, *, number: str | None = None, show: Callable[[str], bool] | None = None) -> str:
    """Write the report of a model and say where it lies.

    Parameters
    ----------
    number : of the version, or its run's id; None for the champion.
    show : opens an address in a browser and says whether there was one; None where nobody wants to look.

    Raises
    ------
    UsageError
        There is no such version, or no model yet.
    """
    workspace = load_workspace(folder)
    registry = open_registry(workspace)
    version = _version(registry, number, folder)
    model = model_of(registry, version)
    agreement = load_agreement(workspace.folder)
    agreed = {} if agreement is None else {"MQL": agreement.mql, "SQL": agreement.sql}
    path = workspace.state_folder / REPORTS / f"{version.model}-{version.number}.html"
    zone = model.bundle.scorer.definitions.schema.zone
    since = None if model.calibration is None else calibration_part(model, zone, "en")
    _write(path, report_html(model.bundle, version=version.number, agreed=agreed, since=since))
    lines = [f"The report of {version.model} version {version.number}:", str(path)]
    if show is not None and not show(path.as_uri()):
        lines.append("No browser was found to open it with.")
    return "\n".join(lines) + "\n"  # a path is not wrapped


def in_a_browser(address: str) -> bool:
    """Open an address in the person's browser; False where there is none with a window."""
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return False
    # a browser of the terminal would take over the command's own output
    return not isinstance(browser, webbrowser.GenericBrowser) and browser.open(address)


def _version(registry: Registry, number: str | None, folder: Path) -> Version:
    found = registry.champion() if number is None else registry.find(number)
    if found is None:
        raise UsageError(
            "no model yet" if number is None else f"no version {number}",
            expected="a trained model"
            if number is None
            else "the number of a registered version, or the id of its run",
            next_step=f"propensity train {folder}"
            if number is None
            else "make ui, or the Model page, lists the versions",
        )
    return found


def _write(path: Path, text: str) -> None:
    """Whole or not at all: who has the old one open sees one or the other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as temporary:
        temporary.write(text.encode("utf-8", "surrogateescape"))
    Path(temporary.name).replace(path)
