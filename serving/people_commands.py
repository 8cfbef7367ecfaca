"""`propensity user` and `propensity audit`: who may log in, and who decided what."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from features.errors import UsageError
from serving.actor import PEOPLES_ROLES, TEAMS
from training.cli import FOLDER

if TYPE_CHECKING:
    from serving.store import Store

PASSWORD_STDIN = click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")


@click.group()
def user() -> None:
    """Add, list and remove the people who may log in."""


@user.command()
@FOLDER
@click.argument("name")
@click.option("--role", type=click.Choice(PEOPLES_ROLES), required=True, help="Each may do what those before it may.")
@click.option("--team", type=click.Choice(TEAMS), help="Whose agreement this person signs.")
@PASSWORD_STDIN
def add(folder: Path, name: str, role: str, team: str | None, password_stdin: bool) -> None:
    """Add a person; from the first on, everyone is asked to log in."""
    from serving.actor import at_command_line
    from serving.audit import record
    from serving.people import add_user, list_users

    password = _password(password_stdin)
    with _store(folder) as store, store.writing() as c:
        first = not list_users(c)
        person = add_user(c, name, role=role, team=team, password=password, now=_now())
        detail = {"role": person.role, "team": person.team}
        record(c, store, actor=at_command_line(), action="add_user", subject=person.name, detail=detail, now=_now())
    click.echo(f"{person.name} may log in as {person.role}" + (f", team {person.team}" if person.team else ""))
    if first:
        click.echo("From now on the service asks everyone to log in, and programs for a key of PROPENSITY_API_KEYS.")


@user.command("list")
@FOLDER
def list_people(folder: Path) -> None:
    """List the people who may log in."""
    from serving.people import list_users

    with _store(folder) as store, store.reading() as c:
        people = list_users(c)
    for person in people:
        click.echo("\t".join((person.name, person.role, person.team or "")).rstrip())
    if not people:
        click.echo("Nobody: add people with propensity user add", err=True)


@user.command()
@FOLDER
@click.argument("name")
def remove(folder: Path, name: str) -> None:
    """Remove a person and end their sessions."""
    from serving.actor import at_command_line
    from serving.audit import record
    from serving.people import list_users, remove_user

    with _store(folder) as store, store.writing() as c:
        known = remove_user(c, name)
        record(c, store, actor=at_command_line(), action="remove_user", subject=known, now=_now())
        last = not list_users(c)
    click.echo(f"{known} can't log in any more")
    if last:
        click.echo("That was the last user: without keys the service is open to everyone on its machine again.")


@user.command()
@FOLDER
@click.argument("name")
@PASSWORD_STDIN
def password(folder: Path, name: str, password_stdin: bool) -> None:
    """Give a person a new password and end their sessions."""
    from serving.actor import at_command_line
    from serving.audit import record
    from serving.people import change_password

    new = _password(password_stdin)
    with _store(folder) as store, store.writing() as c:
        known = change_password(c, name, password=new)
        record(c, store, actor=at_command_line(), action="change_password", subject=known, now=_now())
    click.echo(f"{known} has a new password")


@click.command()
@FOLDER
@click.option("--lead", "lead_id", help="Only what is about this lead, erased or not.")
@click.option("--last", type=click.IntRange(min=1), default=100, show_default=True, help="How many, the newest.")
def audit(folder: Path, lead_id: str | None, last: int) -> None:
    """Show who decided what and when, oldest first."""
    from serving.audit import audit_line, trail

    with _store(folder) as store, store.reading() as c:
        rows = trail(c, store, lead=lead_id, last=last)
    for row in rows:
        click.echo(audit_line(row))


@contextmanager
def _store(folder: Path) -> Iterator[Store]:
    from features.workspace import load_workspace
    from serving.store import open_store

    store = open_store(load_workspace(folder))
    try:
        yield store
    finally:
        store.close()


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise UsageError(
            "no terminal to type a password into",
            expected="a terminal, or the password on standard input",
            next_step="propensity user ... --password-stdin < FILE",
        )
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


def _now() -> int:
    return time.time_ns() // 1000
