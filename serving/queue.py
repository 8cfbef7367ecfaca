"""The queue as SQL: which leads, in the order to call, a page at a time however many there are.

Pages follow one another by the place of a lead in the order (lane, deadline, score, id), which is an index of the
standings: the thousandth page costs what the first does, and a lead that moves meanwhile is at worst seen later.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from features.schema import STAGES
from serving.problems import Fault, Refused
from serving.settling import LANE_FAST, LANE_MQL, LANE_OTHER, LANE_SQL
from serving.store.tables import standings

ROWS = 50
AT_ONCE = 1000
LONGEST = 200
"""Characters of a search; longer ones are no search."""
LANES: Mapping[str, tuple[int, int]] = {
    "call": (LANE_FAST, LANE_MQL),
    "SQL": (LANE_FAST, LANE_SQL),
    "MQL": (LANE_MQL, LANE_MQL),
    "nurture": (LANE_OTHER, LANE_OTHER),
    "all": (LANE_FAST, LANE_OTHER),
}
"""What can be asked for by band: the first and the last lane of it. "call" are the SQLs and the MQLs."""
OPEN_STATES = ("waiting", "handed_over", "accepted")
STATES = (*OPEN_STATES, "rejected", "held_back", "too_old")
"""What people did about a lead. "open" asks for those that somebody should do something about."""
_ORDER = (standings.c.lane, standings.c.order_deadline, standings.c.order_score, standings.c.lead_id)


@dataclass(frozen=True)
class Wanted:
    """Which leads of the queue are asked for. What is empty asks for nothing.

    Attributes
    ----------
    band : of `LANES`.
    state : of `STATES`, or "open", or "all".
    owner : exactly.
    company, search : parts of the company's name; words each of which stands in id, title, company or owner.
    """

    band: str = "call"
    state: str = "open"
    owner: str = ""
    stage: str = ""
    company: str = ""
    search: str = ""

    @classmethod
    def of_query(cls, asked: Mapping[str, str], *, band: str) -> Wanted:
        """As an address asks; `Refused` (422) where it asks for what there is not.

        Parameters
        ----------
        band : where the address names none.
        """
        texts = {name: asked.get(name, "").replace("\x00", "").strip() for name in FIELDS}
        wanted = cls(**(texts | {"band": texts["band"] or band, "state": texts["state"] or "open"}))
        choices = {"band": tuple(LANES), "state": ("open", "all", *STATES), "stage": ("", *STAGES)}
        faults = [
            Fault(name, "something else", "one of " + ", ".join(filter(None, known)))
            for name, known in choices.items()
            if getattr(wanted, name) not in known
        ]
        faults += [
            Fault(name, f"{len(texts[name])} characters", f"at most {LONGEST}")
            for name in ("owner", "company", "search")
            if len(texts[name]) > LONGEST
        ]
        if faults:
            raise Refused(422, faults)
        return wanted

    @property
    def narrowed(self) -> bool:
        """Whether more is asked for than a band."""
        return self != Wanted(band=self.band)

    def query(self) -> dict[str, str]:
        """The part of an address that asks for the same."""
        told = dataclasses.asdict(self)
        return {name: value for name, value in told.items() if value and not (name == "state" and value == "open")}

    def where(self) -> list[sa.ColumnElement[bool]]:
        s, (first, last) = standings.c, LANES[self.band]
        found: list[sa.ColumnElement[bool]] = [s.lane >= first, s.lane <= last]
        if self.state != "all":
            found.append(s.state.in_(OPEN_STATES) if self.state == "open" else s.state == self.state)
        if self.owner:
            found.append(s.owner == self.owner)
        if self.stage:
            found.append(s.stage == self.stage)
        if self.company:
            spelled = sa.func.lower(s.company).contains(self.company.lower(), autoescape=True)
            found.append(sa.or_(spelled, s.company.contains(self.company, autoescape=True)))
        found += [s.search.contains(word, autoescape=True) for word in self.search.lower().split()[:8]]
        return found


FIELDS = tuple(field.name for field in dataclasses.fields(Wanted))


@dataclass(frozen=True)
class Place:
    """A lead's place in the order to call, and its rank when it was seen there."""

    lane: int
    order_deadline: int
    order_score: float
    lead_id: str
    rank: int

    @classmethod
    def of(cls, row: Mapping[str, Any], rank: int) -> Place:
        return cls(row["lane"], row["order_deadline"], row["order_score"], row["lead_id"], rank)

    def written(self) -> str:
        """As it stands in an address.

        >>> Place.read(Place(1, 2, -0.5, "L-1", 3).written())
        Place(lane=1, order_deadline=2, order_score=-0.5, lead_id='L-1', rank=3)
        """
        packed = json.dumps(dataclasses.astuple(self), separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> Place:
        """From an address; `Refused` (422) where it is no place."""
        try:
            packed = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
            lane, deadline, score, lead_id, rank = json.loads(packed)
            lead_id.encode()
        except (ValueError, TypeError, AttributeError, RecursionError, binascii.Error):
            raise _no_place() from None
        numbers = all(type(each) is int and abs(each) < 2**63 for each in (lane, deadline, rank))
        if not (numbers and type(score) is float and math.isfinite(score) and "\x00" not in lead_id):
            raise _no_place()
        return cls(lane, deadline, score, lead_id, rank)


def _no_place() -> Refused:
    return Refused(422, [Fault("after", "no place in the queue", "an address as the queue's own links have it")])


@dataclass(frozen=True, eq=False)
class Part:
    """Some leads of the queue, one after another.

    Attributes
    ----------
    rows : of the standings.
    rank : of the first, from 1 on.
    before, after : the places around, to read on from; None where there is nothing more.
    """

    rows: list[Mapping[str, Any]]
    rank: int
    before: Place | None
    after: Place | None


def read_part(
    c: sa.Connection, wanted: Wanted, *, after: Place | None = None, before: Place | None = None, rows: int = ROWS
) -> Part:
    """The leads after a place, or before it, or the first ones."""
    if before is not None:
        found = _read(c, wanted, sa.tuple_(*_ORDER) < _values(before), backwards=True, rows=rows + 1)
        more, found = len(found) > rows, found[:rows][::-1]
        rank = max(before.rank - len(found), 1)
        first = Place.of(found[0], rank) if found and more else None
        return Part(found, rank, first, Place.of(found[-1], rank + len(found) - 1) if found else None)
    beyond = () if after is None else (sa.tuple_(*_ORDER) > _values(after),)
    found = _read(c, wanted, *beyond, rows=rows + 1)
    more, found = len(found) > rows, found[:rows]
    rank = 1 if after is None else after.rank + 1
    first = Place.of(found[0], rank) if found and after is not None else None
    return Part(found, rank, first, Place.of(found[-1], rank + len(found) - 1) if more else None)


def every_row(c: sa.Connection, wanted: Wanted) -> Iterator[Mapping[str, Any]]:
    """All leads that are asked for, in order, each once, read as they are needed."""
    place: Place | None = None
    while True:
        part = read_part(c, wanted, after=place, rows=AT_ONCE)
        yield from part.rows
        place = part.after
        if place is None:
            return


def _read(
    c: sa.Connection, wanted: Wanted, *beyond: sa.ColumnElement[bool], rows: int, backwards: bool = False
) -> list[Mapping[str, Any]]:
    order = [each.desc() if backwards else each for each in _ORDER]
    query = sa.select(standings).where(*wanted.where(), *beyond).order_by(*order).limit(rows)
    return [dict(row) for row in c.execute(query).mappings()]


def _values(place: Place) -> sa.Tuple:
    return sa.tuple_(*(sa.literal(each) for each in dataclasses.astuple(place)[:4]))
