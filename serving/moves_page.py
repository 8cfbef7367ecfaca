"""Which open leads would change their band if a challenger served: shown before a promotion."""

from __future__ import annotations

from rich.table import Table

from serving.band_moves import BANDS, BandMoves
from serving.decision import Band


def moves_page(moves: BandMoves, version: str) -> list[str | Table]:
    """The table of bands now and then.

    A signature given for another horizon or other stages does not count for the challenger, and then every lead falls out
    of its band: that is warned of.

    Parameters
    ----------
    version : of the model that would serve.
    """
    if moves.leads == 0:
        return ["No lead is open now, so that none changes its band."]
    said = f"Of {moves.leads:,} open leads {moves.moving:,} change their band with version {version}:"
    if unsigned_then(moves):
        return [said, _table(moves), "Warning: the signatures do not hold for this model; both teams must sign anew."]
    return [said, _table(moves)]


def unsigned_then(moves: BandMoves) -> bool:
    """Whether the agreement speaks of fewer leads with the other model."""
    return moves.then(None) > moves.now(None)


def _table(moves: BandMoves) -> Table:
    shown = [band for band in BANDS if moves.now(band) or moves.then(band)]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("band now")
    for band in shown:
        table.add_column(f"then {band_name(band)}", justify="right")
    for now in shown:
        table.add_row(band_name(now), *(f"{moves.counts.get((now, then), 0):,}" for then in shown))
    return table


def band_name(band: Band | None) -> str:
    return "no band" if band is None else str(band)
