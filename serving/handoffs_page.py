"""What `propensity handoffs` does and says: lists hand-offs, sends dead letters again, delivers what is due."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from features.errors import UsageError
from features.wording import Lang
from features.workspace import load_workspace
from serving import locales
from serving.delivery import Deliverer, replay
from serving.handoff import DEAD, DELIVERED, PENDING
from serving.handoff_settings import HANDOFF_FILE, HandoffSettings, load_handoff_settings
from serving.mail import zone_name
from serving.page_words import words
from serving.store import Store, open_store
from serving.store.tables import deliveries, handoffs

HELD_BACK, NO_CHANNEL = "held back", "no channel"
STATES = (DEAD, PENDING, DELIVERED, HELD_BACK, NO_CHANNEL)
"""In the order in which they are listed: what needs somebody comes first."""
MOST_ROWS = 50


@dataclass(frozen=True)
class Row:
    """One line of the list: a delivery, or a hand-off without any."""

    handoff_id: str
    lead_id: str
    created_at: int
    decided_by: str
    state: str
    channel: str = ""
    attempts: int = 0
    next_attempt_at: int | None = None
    last_error: str | None = None


def list_page(folder: Path, *, all_rows: bool = False) -> str:
    """Counts by state, then the deliveries, what needs somebody first; newest first within a state."""
    with _opened(folder) as (store, zone):
        rows = listed(store)
        counts = {state: sum(row.state == state for row in rows) for state in STATES}
        shown = rows if all_rows else rows[:MOST_ROWS]
        if not rows:
            return "No hand-offs yet: they are made where a lead becomes SQL under a signed agreement.\n"
        lines = [", ".join(f"{count:,} {state}" for state, count in counts.items() if count), ""]
        lines += [_line(row, zone) for row in shown]
        if len(rows) > len(shown):
            lines.append(f"... and {len(rows) - len(shown):,} more: --all shows them")
        if counts[DEAD]:
            lines += ["", f"Next: mend the receiver, then `propensity handoffs {folder} replay --dead`."]
        return "\n".join(lines) + "\n"


def replay_page(folder: Path, *, handoff_id: str | None, dead: bool) -> str:
    """Send one hand-off again, or all dead letters."""
    if (handoff_id is None) != dead:
        raise UsageError(
            "both an id and --dead" if dead else "neither an id nor --dead",
            expected="one of the two",
            next_step=f"propensity handoffs {folder} replay ID, or replay --dead",
        )
    with _opened(folder) as (store, _), store.writing() as c:
        count = replay(c, now=_now(), handoff_ids=None if handoff_id is None else [handoff_id])
        if handoff_id is not None and not count:
            raise UsageError(
                "no delivery of a hand-off with this id",
                expected="the id of a hand-off that was sent or is to be sent",
                next_step=f"`propensity handoffs {folder}` lists them",
            )
    if not count:
        return "There are no dead letters.\n"
    return (
        f"{_deliveries(count)} will be sent again, under the same id.\n"
        f"Next: `propensity serve {folder}` sends them, or `propensity handoffs {folder} drain`.\n"
    )


def drain_page(folder: Path) -> str:
    """Deliver now what is due, and say what is left."""
    workspace = load_workspace(folder)
    settings = load_handoff_settings(workspace, os.environ)
    if not settings.channels:
        raise UsageError(
            f"no channel in {HANDOFF_FILE}",
            expected="[webhook] or [mail]",
            next_step="docs/handoff.md shows both",
            where=HANDOFF_FILE,
        )
    with _opened(folder) as (store, zone):
        attempts = Deliverer(store, settings, _now).run_once()
        left = [row for row in listed(store) if row.state in (DEAD, PENDING)]
        stuck = sum(row.channel not in settings.channels for row in left)
        lines = [f"{attempts:,} attempted, {_deliveries(len(left))} left."]
        if left:
            lines += ["", *(_line(row, zone) for row in left[:MOST_ROWS])]
        if stuck:
            lines.append(f"{_deliveries(stuck)} for a channel that {HANDOFF_FILE} no longer has.")
        return "\n".join(lines) + "\n"


def channel_words(settings: HandoffSettings, lang: Lang = "en") -> list[str]:
    """What `propensity serve` says of where hand-offs go."""
    if not settings.channels:
        return [words("handoff.serve.none", lang)]
    said = [words("handoff.serve.channels", lang, channels=", ".join(settings.channels))]
    return said if settings.public_url is not None else [*said, words("handoff.serve.no_link", lang)]


def listed(store: Store) -> list[Row]:
    """All deliveries, and hand-offs without one, in the order of the list."""
    query = (
        sa.select(
            handoffs.c.handoff_id, handoffs.c.lead_id, handoffs.c.created_at, handoffs.c.decided_by, handoffs.c.held_back,
            deliveries.c.state, deliveries.c.channel, deliveries.c.attempts, deliveries.c.next_attempt_at,
            deliveries.c.last_error,
        )
        .outerjoin(deliveries, deliveries.c.handoff_id == handoffs.c.handoff_id)
        .order_by(handoffs.c.created_at.desc(), handoffs.c.handoff_id, deliveries.c.channel.desc())
    )  # fmt: skip
    with store.reading() as c:
        rows = [
            Row(
                handoff_id=row.handoff_id,
                lead_id=row.lead_id,
                created_at=row.created_at,
                decided_by=row.decided_by,
                state=row.state or (HELD_BACK if row.held_back else NO_CHANNEL),
                channel=row.channel or "",
                attempts=row.attempts or 0,
                next_attempt_at=row.next_attempt_at if row.state == PENDING else None,
                last_error=row.last_error,
            )
            for row in c.execute(query)
        ]
    return sorted(rows, key=lambda row: STATES.index(row.state))


def _line(row: Row, zone: str) -> str:
    """One delivery on one line, so that an id can be copied and lines can be searched."""
    said = [f"lead {row.lead_id}", f"by {row.decided_by}", _time(row.created_at, zone)]
    if row.attempts:
        said.append("1 try" if row.attempts == 1 else f"{row.attempts} tries")
    if row.last_error:
        said.append(row.last_error)
    if row.next_attempt_at is not None and row.attempts:
        said.append(f"next {_time(row.next_attempt_at, zone)}")
    return f"{row.state:<10} {row.handoff_id} {row.channel:<8} {'; '.join(said)}"


def _time(instant: int, zone: str) -> str:
    return f"{locales.moment(instant, zone, 'en')} {zone_name(instant, zone)}"


def _deliveries(count: int) -> str:
    return "1 delivery" if count == 1 else f"{count:,} deliveries"


def _now() -> int:
    return time.time_ns() // 1000


@contextmanager
def _opened(folder: Path) -> Iterator[tuple[Store, str]]:
    workspace = load_workspace(folder)
    store = open_store(workspace)
    try:
        yield store, workspace.zone
    finally:
        store.close()
