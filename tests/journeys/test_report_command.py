"""`propensity report`: the file is written, says whose report it is, and lies with the run too."""

from __future__ import annotations

from pathlib import Path

from journeys.made_workspace import AGREEMENT
from journeys.running import propensity
from serving.reporting import report_model


def test_the_report_of_a_trained_workspace_is_one_file_with_its_segments_and_the_agreements_cutoffs(
    trained: Path,
) -> None:
    first = propensity("report", trained)
    path = Path(first.out.splitlines()[1])
    assert path.parent == trained / ".propensity" / "reports"
    page = path.read_text(encoding="utf-8")
    assert "version 1" in page
    assert "Company size" in page
    assert "There is no agreement yet" in page
    assert "L0007" not in page

    (trained / "agreement.toml").write_text(AGREEMENT, encoding="utf-8")
    again = Path(propensity("report", trained, "--version", "1", "--no-open").out.splitlines()[1])
    assert again == path
    assert "There is no agreement yet" not in path.read_text(encoding="utf-8")
    assert [each.name for each in path.parent.iterdir()] == [path.name]

    opened: list[str] = []
    assert "No browser" not in report_model(trained, show=lambda address: not opened.append(address))
    assert opened == [path.as_uri()]
    assert "No browser was found" in report_model(trained, show=lambda _: False)


def test_the_run_keeps_the_report_as_it_was_when_the_model_was_trained(trained_once: Path) -> None:
    # copies of the workspace that were trained again keep theirs here too
    reports = list((trained_once / ".propensity").glob("mlartifacts/**/report/*"))
    assert {each.name for each in reports} == {"report.html"}
    kept = min(reports, key=lambda each: each.stat().st_mtime)
    page = kept.read_text(encoding="utf-8")
    assert "Does one model hold for all?" in page
    assert "trained before what moves" not in page
    assert "trained before segments" not in page
    assert "L0007" not in page


def test_a_version_or_a_model_that_is_not_there_is_said_with_what_to_do(trained_once: Path, untrained: Path) -> None:
    assert "no version 9" in propensity("report", trained_once, "--version", "9", code=2).err
    assert "propensity train" in propensity("report", untrained, code=2).err
