"""Versions of the agreement: saved with author and reason, noticed where the file was edited by hand, signed by a team."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from features.calendar_days import as_datetime
from features.errors import UsageError, UserError
from serving.actor import Actor
from serving.agreement import Agreement
from serving.agreement_file import load_agreement, read_agreement
from serving.agreement_replacing import agreement_text, changed_meanwhile, replacing
from serving.agreement_writing import agreement_toml
from serving.audit import record
from serving.desk import Meaning
from serving.signatures import Signature, load_signatures, sign, signed_digest
from serving.simulator import Simulator
from serving.store import Store
from serving.store.tables import agreements

BY_HAND = "by hand"
"""The author of a version whose file somebody edited outside of this product."""
LONGEST_REASON = 2000

Expected = Mapping[str, Any]
"""What a version's cutoffs would give a week, as plain JSON; see `volumes_of`."""
Expect = Callable[[Agreement], "Expected | None"]


@dataclass(frozen=True)
class Version:
    """One version of the agreement as it was saved or first seen.

    Attributes
    ----------
    saved_at : microseconds, UTC; of a file edited by hand when it was first seen.
    author : who saved it; `BY_HAND` where nobody knows.
    content : `Agreement.content()`.
    sha256 : digest of what is signed.
    expected : volumes a week that its cutoffs give by the backtest of the time, and below "before" those of the version
        before; None while there was no model.
    """

    version: int
    saved_at: int
    author: str
    reason: str | None
    content: Mapping[str, Any]
    toml: str
    sha256: str
    expected: Expected | None

    @property
    def by_hand(self) -> bool:
        """Whether nobody knows who wrote it: the file was edited outside of this product."""
        return self.author == BY_HAND


def volumes_of(simulator: Simulator | None, model_version: str | None) -> Expect:
    """What is kept with a version: its cutoffs' volumes a week by the backtest of the time."""

    def expect(agreement: Agreement) -> Mapping[str, Any] | None:
        if simulator is None:
            return None
        found = simulator.outlooks.outlook(agreement.mql, agreement.sql)
        figures = ("sqls_a_week", "mqls_a_week", "precision_sql", "precision_mql", "caught", "missed_a_week")
        return {
            "mql": agreement.mql,
            "sql": agreement.sql,
            "model_version": model_version,
            **{name: getattr(found, name).to_json() for name in figures},
        }

    return expect


def versions(c: sa.Connection, *, most: int = 50) -> list[Version]:
    """The newest versions, the last saved first."""
    rows = c.execute(sa.select(agreements).order_by(agreements.c.number.desc()).limit(most)).mappings()
    names = Version.__dataclass_fields__
    return [Version(**{name: row[name] for name in names}) for row in rows]


def notice_version(store: Store, folder: Path, *, meaning: Meaning, expect: Expect, now: int) -> None:
    """Keep the version that stands in the file, as edited by hand, unless it is known already."""
    agreement, text = load_agreement(folder), agreement_text(folder)
    if agreement is None:
        return
    with store.reading() as c:
        if _is_known(c, signed_digest(agreement, **meaning)):
            return
    with suppress(IntegrityError), store.writing() as c:  # another process may notice it at the same moment
        _keep(c, agreement, text, author=BY_HAND, reason=None, meaning=meaning, expect=expect, now=now)


def save_version(
    store: Store,
    folder: Path,
    *,
    text: str,
    looked_at: str,
    actor: Actor,
    reason: str,
    meaning: Meaning,
    expect: Expect,
    now: int,
) -> Version:
    """Write a new version of the agreement's file, whole or not at all, and keep it with its author and reason.

    The version in the text is raised above every version that was ever saved or signed, so that no older signature
    counts for it. Row, audit trail and file are one: the file is replaced within the transaction.

    Parameters
    ----------
    looked_at : `text_digest` of the file from which the author started; somebody else's later change is not written over.

    Raises
    ------
    UsageError
        A fault in the text, each with its line; no reason; nothing that changed.
    ChangedMeanwhile
        The file is another one by now.
    """
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        raise UsageError(
            "no reason" if not reason else f"a reason of {len(reason)} characters",
            expected=f"why the agreement changes, up to {LONGEST_REASON} characters",
            next_step="write a sentence that both teams will understand in a year",
        )
    agreement = read_agreement(text)
    with replacing(folder, looked_at) as put:
        before = _quietly(folder)
        if before is not None and replace(agreement, version=before.version).content() == before.content():
            raise UsageError(
                "the same rules as in the version before",
                expected="a change of a cutoff or a rule",
                next_step="change something, or leave it as it is",
            )
        with store.writing() as c:
            if before is not None and not _is_known(c, signed_digest(before, **meaning)):
                _keep(
                    c,
                    before,
                    agreement_text(folder),
                    author=BY_HAND,
                    reason=None,
                    meaning=meaning,
                    expect=expect,
                    now=now,
                )
            number = _newest(c, folder, before) + 1
            if agreement.version < number:
                agreement = replace(agreement, version=number)
                text = agreement_toml(agreement, text)
            version = _keep(
                c, agreement, text, author=actor.name, reason=reason, meaning=meaning, expect=expect, now=now
            )
            record(c, store, actor=actor, action="save_agreement", now=now, subject=f"agreement {agreement.version}")
            put(text)
    return version


def sign_version(
    store: Store,
    folder: Path,
    *,
    sha256: str,
    team: str,
    name: str,
    actor: Actor,
    meaning: Meaning,
    expect: Expect,
    clock: Callable[[], int],
) -> Signature:
    """Sign for a team exactly what its signer saw, and write it down in the audit trail.

    Parameters
    ----------
    sha256 : digest of the agreement that the signer looked at.

    Raises
    ------
    ChangedMeanwhile
        What stands in the file now is something else.
    UsageError
        As `sign` does.
    """
    agreement = load_agreement(folder)
    if agreement is None or signed_digest(agreement, **meaning) != sha256:
        raise changed_meanwhile()
    notice_version(store, folder, meaning=meaning, expect=expect, now=clock())
    signature = sign(folder, agreement, team=team, name=name, clock=lambda: as_datetime(clock()), **meaning)
    # Only then the trail: within one transaction, this would wait for the folder's lock with the store's in hand, and
    # `save_version` the other way round. The signature itself holds name, time and digest.
    with store.writing() as c:
        told = {"team": team, "name": signature.name, "sha256": sha256}
        about = f"agreement {agreement.version}"
        record(c, store, actor=actor, action="sign", now=clock(), subject=about, detail=told)
    return signature


def _keep(
    c: sa.Connection,
    agreement: Agreement,
    text: str,
    *,
    author: str,
    reason: str | None,
    meaning: Meaning,
    expect: Expect,
    now: int,
) -> Version:
    expected = expect(agreement)
    if expected is not None:
        last = c.execute(sa.select(agreements.c.expected).order_by(agreements.c.number.desc()).limit(1)).scalar()
        before = None if last is None else {name: value for name, value in last.items() if name != "before"}
        expected = {**expected, "before": before}
    version = Version(
        version=agreement.version,
        saved_at=now,
        author=author,
        reason=reason,
        content=agreement.content(),
        toml=text,
        sha256=signed_digest(agreement, **meaning),
        expected=expected,
    )
    c.execute(agreements.insert().values(**vars(version)))
    return version


def _is_known(c: sa.Connection, sha256: str) -> bool:
    return c.execute(sa.select(agreements.c.number).where(agreements.c.sha256 == sha256)).first() is not None


def _newest(c: sa.Connection, folder: Path, before: Agreement | None) -> int:
    saved = c.execute(sa.select(sa.func.max(agreements.c.version))).scalar() or 0
    signed = max((each.version for each in load_signatures(folder)), default=0)
    return max(saved, signed, 0 if before is None else before.version)


def _quietly(folder: Path) -> Agreement | None:
    """The agreement of the file; None too where it has faults: a new version is how they are mended."""
    try:
        return load_agreement(folder)
    except UserError:
        return None
