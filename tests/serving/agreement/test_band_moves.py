"""Which open leads would change their band under other cutoffs."""

from __future__ import annotations

import pytest

from features.wording import LANGS, Lang
from oracles.made_agreement_site import add_standing
from serving.agreement_page import moves_part
from serving.band_moves import BandMoves, moves_of, moves_under
from serving.decision import Band
from serving.store import Store

MADE = """
    band     probability  decided_by            under 0.05 / 0.5
    SQL      0.6          model                 SQL
    SQL      0.4          model                 MQL
    SQL      0.01         fast_lane             SQL
    MQL      0.9          too_little_evidence   MQL
    MQL      0.01         trigger               MQL
    MQL      0.04         model                 nurture
    MQL      0.5          model                 SQL
    nurture  0.9          excluded              nurture
    nurture  0.05         model                 MQL
    -        0.3          no_agreement          MQL
    -        -            points                -
"""


def rows() -> list[list[str]]:
    return [line.split() for line in MADE.strip().splitlines()[1:]]


def test_rules_of_people_stay_and_cutoffs_move_the_others(store: Store) -> None:
    with store.writing() as c:
        for number, (band, probability, decided_by, _) in enumerate(rows()):
            add_standing(
                c,
                f"L-{number}",
                band=None if band == "-" else band,
                probability=None if probability == "-" else float(probability),
                decided_by=decided_by,
            )
        add_standing(c, "too old", band="SQL", probability=0.2, state="too_old")
    with store.reading() as c:
        found = moves_under(c, 0.05, 0.5)
    bands = {"-": None, **{band.value: band for band in Band}}
    assert found == moves_of([bands[row[0]] for row in rows()], [bands[row[3]] for row in rows()])
    assert found.leads == 11
    assert found.moving == 5


def test_without_leads_nothing_moves(store: Store) -> None:
    with store.reading() as c:
        assert moves_under(c, 0.1, 0.3) == BandMoves({})


@pytest.mark.parametrize("lang", LANGS)
def test_the_table_adds_up_and_names_those_that_move(lang: Lang) -> None:
    moves = BandMoves({(Band.SQL, Band.SQL): 3, (Band.SQL, Band.MQL): 1, (Band.NURTURE, Band.NURTURE): 1200})
    part = moves_part(moves, lang)
    assert part["total"] == "1,204"
    assert [row["total"] for row in part["rows"]] == ["4", "0", "1,200"]
    assert [each["text"] for each in part["totals"]] == ["3", "1", "1,200"]
    assert [cell["key"] for row in part["rows"] for cell in row["cells"] if cell["moves"]] == ["SQL:MQL"]
    assert "1,204" in part["sentence"]
    assert len(part["bands"]) == 3, "no column for leads without a band where there is none"
