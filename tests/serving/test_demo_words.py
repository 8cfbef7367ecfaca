"""What the demo says where there is nobody to call: all leads of CDNOW came on one day, and are too old by its end."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from serving import demo

DESK = cast(
    Any, SimpleNamespace(history=SimpleNamespace(now=0), workspace=SimpleNamespace(folder=Path("x"), zone="UTC"))
)


def test_a_list_of_nobody_says_why() -> None:
    said = " ".join(demo._calls([], DESK).split())
    assert said.startswith("As of 1970-01-01 00:00:00+00:00 nobody: every open lead is older than")


def test_an_invitation_without_a_lead_has_the_request_that_tells_one(capsys: pytest.CaptureFixture[str]) -> None:
    demo._invite("http://localhost:3000", [])
    told = capsys.readouterr().out
    assert "/leads/" not in told
    assert "  curl -s http://localhost:3000/score -H" in told
    demo._invite("http://localhost:3000", [cast(Any, SimpleNamespace(lead_id="h1"))])
    assert "  curl -s http://localhost:3000/leads/h1/score\n" in capsys.readouterr().out
