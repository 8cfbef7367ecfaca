"""A second model asks to serve: a good one may, one that learned from a wrong export may not."""

from __future__ import annotations

from pathlib import Path

from journeys.made_workspace import made_tables, write_csv
from journeys.running import explained, propensity


def test_a_challenger_serves_once_promoted_and_a_rollback_undoes_it(trained: Path) -> None:
    tables = made_tables()
    before = explained(trained, "L0001", "--as-of", "2025-11-20")
    write_csv(trained / "leads.csv", tables.leads, columns=["lead_id", "created_at", "company_size"])
    said = propensity("train", trained).out
    assert "company version 2 is registered as challenger." in said
    write_csv(trained / "leads.csv", tables.leads)
    waiting = explained(trained, "L0001", "--as-of", "2025-11-20")
    assert waiting["model"]["version"] == "1", "a challenger doesn't serve"
    assert waiting["probability"] == before["probability"]
    promoted = propensity("promote", trained).out
    assert "passed: not worse than the champion" in promoted
    assert "company version 2 is champion after version 1." in promoted
    after = explained(trained, "L0001", "--as-of", "2025-11-20")
    assert after["model"]["version"] == "2"
    assert after["probability"] != before["probability"]

    assert "company version 1 is champion again." in propensity("rollback", trained).out
    assert explained(trained, "L0001", "--as-of", "2025-11-20")["probability"] == before["probability"]
    assert "no champion before" in propensity("rollback", trained, code=2).err


def test_a_challenger_that_learned_from_a_wrong_export_is_refused_with_the_figures(trained: Path) -> None:
    tables = made_tables()
    exchanged = {"converted": "lost", "lost": "converted"}
    write_csv(trained / "outcomes.csv", tables.outcomes, words=exchanged)
    assert "version 2 is registered as challenger" in propensity("train", trained).out
    write_csv(trained / "outcomes.csv", tables.outcomes)
    error = propensity("promote", trained, code=5).err
    assert "not worse than the champion" in error
    assert "Log loss less that of the champion" in error
    assert "[0." in error, "the interval, wholly on the bad side"
    assert "the champion goes on serving" in error
    assert explained(trained, "L0001")["model"]["version"] == "1"
