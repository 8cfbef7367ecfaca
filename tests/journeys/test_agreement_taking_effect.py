"""The agreement decides only while both teams' signatures fit what it says."""

from __future__ import annotations

from pathlib import Path

from journeys.made_workspace import AGREEMENT
from journeys.running import explained, propensity

AT = ("--as-of", "2025-11-20")


def sign(folder: Path, team: str) -> str:
    """Sign for a team; what the command says."""
    return propensity("agree", folder, "--team", team, "--by", f"{team} lead").out


def test_bands_come_with_the_second_signature_and_go_with_an_edit(trained: Path) -> None:
    assert "agreement.toml in the workspace" in propensity("agree", trained, code=2).err
    (trained / "agreement.toml").write_text(AGREEMENT)
    shown = propensity("agree", trained).out
    assert "SQL, from 30.0%" in shown
    assert "marketing: not signed" in shown
    before = explained(trained, "L0001", *AT)
    assert (before["band"], before["decided_by"]) == (None, "no_agreement")

    assert "sales: not signed" in sign(trained, "marketing")
    assert explained(trained, "L0001", *AT)["decided_by"] == "no_agreement", "one team's word is no agreement"
    assert "It takes effect.\n" in sign(trained, "sales")
    signed = explained(trained, "L0001", *AT)
    assert signed["band"] in ("nurture", "MQL", "SQL")
    assert signed["probability"] == before["probability"]

    (trained / "agreement.toml").write_text(AGREEMENT.replace("# ", "") + "\n# seen by both\n")
    assert explained(trained, "L0001", *AT)["band"] == signed["band"], "a comment changes nothing that was signed"
    (trained / "agreement.toml").write_text(AGREEMENT.replace("0.3", "0.25"))
    edited = explained(trained, "L0001", *AT)
    assert (edited["band"], edited["decided_by"]) == (None, "no_agreement")
    assert "not signed" in propensity("agree", trained).out


def test_a_fault_in_the_agreement_is_named(trained: Path) -> None:
    (trained / "agreement.toml").write_text(
        AGREEMENT.replace("mql = 0.1", "mql = 0.5").replace("respond_within", "respond")
    )
    error = propensity("agree", trained, code=2).err
    assert "agreement.toml" in error
    assert "respond_within" in error


def test_a_team_signs_with_a_name(trained: Path) -> None:
    (trained / "agreement.toml").write_text(AGREEMENT)
    assert "--team without --by" in propensity("agree", trained, "--team", "sales", code=2).err
    assert "marketing" in propensity("agree", trained, "--team", "finance", "--by", "Kim", code=2).err
