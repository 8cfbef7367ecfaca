"""Do the agreement's bands keep their size with another model, within what the teams allowed?"""

from __future__ import annotations

from math import sqrt

from serving.agreement import Agreement
from serving.band_moves import BandMoves
from serving.decision import Band
from serving.moves_page import unsigned_then
from training.gates import Gate

Z = 1.96


def band_gate(agreement: Agreement, moves: BandMoves) -> Gate | None:
    """Refuses where SQL or MQL surely grows or shrinks by more than ``[promotion] band_change``; None where nobody said.

    The leads that are open now stand for those to come. Of a change by n leads, (those who come) - (those who go), the 95%
    interval reaches 1.96 sqrt(those who come + those who go) to either side, as of two counts; refused is where all of it
    lies outside of what is allowed, and warned of where the change itself does.
    """
    allowed, name = agreement.band_change, "bands keep their size"
    if allowed is None:
        return None
    if unsigned_then(moves):
        return Gate(
            name, True, "The signatures do not hold for this model; its bands cannot be compared.", warning=True
        )
    said, surely, outside = [], False, False
    for band in (Band.SQL, Band.MQL):
        now, then = moves.now(band), moves.then(band)
        coming, going = (sum(n for pair, n in moves.counts.items() if _is_move(pair, band, to)) for to in (True, False))
        change = abs(coming - going)
        outside |= change > allowed * now
        surely |= change - Z * sqrt(coming + going) > allowed * now
        said.append(f"{band} {now:,} to {then:,}")
    words = f"Of the leads open now {', '.join(said)}; a change by {allowed:.0%} is allowed."
    step = "agree on cutoffs for this model, or raise band_change and sign it; `propensity compare` shows who moves"
    return Gate(name, not surely, words, warning=outside and not surely, next_step=step)


def _is_move(pair: tuple[Band | None, Band | None], band: Band, into: bool) -> bool:
    now, then = pair
    return now is not then and (then if into else now) is band
