"""How often somebody may try a password: by the name that is tried, and by the address it comes from."""

from __future__ import annotations

import ipaddress

import sqlalchemy as sa

from serving.store import Store
from serving.store.tables import login_failures

WINDOW = 15 * 60 * 1_000_000
TRIES_OF_NAME = 5
TRIES_OF_ADDRESS = 20
"""More than of a name: a whole office may come from one address."""
_LOCK = 0x6C6F67696E
"""Of PostgreSQL's advisory locks: attempts are counted one after the other."""


def begin_attempt(store: Store, name: str, address: str, *, now: int) -> int:
    """Count an attempt before its password is looked at; 0 where it may go on, else the seconds to wait.

    Counted first, so that a hundred at once are no more than five. `forget_failures` takes back what a success counted.
    """
    tried = _who(store, name, address)
    with store.writing() as c:
        if c.dialect.name == "postgresql":
            c.execute(sa.text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        c.execute(sa.delete(login_failures).where(login_failures.c.at <= now - WINDOW))
        waits = [_wait(c, who, most, now) for who, most in zip(tried, (TRIES_OF_NAME, TRIES_OF_ADDRESS), strict=True)]
        if not any(waits):
            c.execute(login_failures.insert(), [{"who": who, "at": now} for who in tried])
    return max(waits)


def forget_failures(c: sa.Connection, store: Store, name: str, address: str, *, now: int) -> None:
    """After a success: the name's failures are forgotten, and of the address what this attempt counted."""
    by_name, by_address = _who(store, name, address)
    c.execute(sa.delete(login_failures).where(login_failures.c.who == by_name))
    same = (login_failures.c.who == by_address) & (login_failures.c.at == now)
    one = sa.select(sa.func.min(login_failures.c.number)).where(same).scalar_subquery()
    c.execute(sa.delete(login_failures).where(login_failures.c.number == one))


def _wait(c: sa.Connection, who: str, most: int, now: int) -> int:
    """Seconds until one more attempt is allowed: when the oldest of the last `most` is past."""
    newest = sa.select(login_failures.c.at).where(login_failures.c.who == who).order_by(login_failures.c.at.desc())
    oldest = c.execute(newest.offset(most - 1).limit(1)).scalar()
    return 0 if oldest is None else max(1, -((now - oldest - WINDOW) // 1_000_000))


def _who(store: Store, name: str, address: str) -> tuple[str, str]:
    return store.hash_of(f"login name\n{name}"), store.hash_of(f"login address\n{_network(address)}")


def _network(address: str) -> str:
    """An address as one caller holds it: of IPv6 the first half, since anyone has all addresses of it."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 6 and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(getattr(found, "ipv4_mapped", None) or found)
