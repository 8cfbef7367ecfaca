"""Templates as text: what holds of every page, whatever it shows."""

import re
from pathlib import Path

import pytest

from serving import pages

TEMPLATES = sorted((Path(pages.__file__).parent / "templates").glob("*.html"))


@pytest.mark.parametrize("template", TEMPLATES, ids=[each.stem for each in TEMPLATES])
def test_a_table_that_is_wider_than_a_phone_is_scrolled_by_itself(template: Path) -> None:
    html = template.read_text(encoding="utf-8")
    tables = [found.start() for found in re.finditer(r'<table class="data', html)]
    assert [re.search(r'<div class="scroll"[^<]*>\s*$', html[:place]) is not None for place in tables] == [True] * len(
        tables
    )
