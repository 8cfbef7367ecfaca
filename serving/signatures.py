"""Who signed the agreement, and what exactly: the two teams' consent to its content and to what it relies on."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from features.calendar_days import microseconds
from features.durations import duration_text
from features.errors import Problem, UsageError
from serving.agreement import AGREEMENT_FILE, Agreement
from serving.agreement_file import load_agreement
from serving.lead_score import iso_instant

SIGNATURES_FILE = "agreement.signatures.json"
TEAMS: tuple[str, ...] = ("marketing", "sales")


@dataclass(frozen=True)
class Signature:
    """One team's consent. A record, not a proof: whoever can write the file can write a name.

    Attributes
    ----------
    team : one of `TEAMS`.
    name : who signed for the team.
    time : when, UTC, ISO 8601.
    version : of the agreement that was signed.
    sha256 : digest of what was signed, see `signed_digest`.
    """

    team: str
    name: str
    time: str
    version: int
    sha256: str


def signed_digest(agreement: Agreement, *, horizon: int, converted: str, stages: Mapping[str, str]) -> str:
    """SHA-256 (hex) of the canonical JSON of all that a signature stands for.

    A cutoff of 30% means another thing within 30 days than within 90, evidence of a stage another thing when other
    event types count for it, and a rule on free mail another thing when the published list is another: so all of that is
    signed along with the content. Comments and layout are not.

    Parameters
    ----------
    horizon : microseconds.
    converted : the outcome that counts as converted.
    stages : event type to stage. Only the types that the agreement relies on are signed (`Agreement.relies_on`), so
        that wording another stage differently breaks no signature.
    """
    signed = {
        "agreement": agreement.content(),
        "horizon": duration_text(horizon),
        "converted": converted,
        **agreement.relies_on(stages),
    }
    canonical = json.dumps(signed, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def signed_by(
    agreement: Agreement, signatures: Sequence[Signature], *, horizon: int, converted: str, stages: Mapping[str, str]
) -> dict[str, Signature]:
    """The valid signature of each team that has one, the last where a team signed twice.

    A signature counts while its team has not signed a later version: a file that someone turned back to an older
    version does not come to life again by the signatures of that time.
    """
    digest = signed_digest(agreement, horizon=horizon, converted=converted, stages=stages)
    latest = {team: max((s.version for s in signatures if s.team == team), default=0) for team in TEAMS}
    return {s.team: s for s in signatures if s.sha256 == digest and s.team in latest and s.version == latest[s.team]}


def signed_for(
    agreement: Agreement, signatures: Sequence[Signature], *, horizon: int, converted: str, stages: Mapping[str, str]
) -> bool:
    """Whether both teams signed the agreement as it stands, for this horizon, this conversion and these stages."""
    valid = signed_by(agreement, signatures, horizon=horizon, converted=converted, stages=stages)
    return all(team in valid for team in TEAMS)


@dataclass(frozen=True)
class AgreementState:
    """The agreement of a workspace as it stands, for one horizon, one meaning of converted and one set of stages.

    Attributes
    ----------
    agreement : None where the folder has none.
    signatures : the valid ones, by team.
    """

    agreement: Agreement | None = None
    signatures: Mapping[str, Signature] = field(default_factory=dict)

    @property
    def signed(self) -> bool:
        """Whether both teams signed it as it stands."""
        return self.agreement is not None and all(team in self.signatures for team in TEAMS)

    @property
    def valid(self) -> Agreement | None:
        """The agreement where it takes effect: unsigned or half-signed it never does."""
        return self.agreement if self.signed else None


def agreement_state(folder: Path, *, horizon: int, converted: str, stages: Mapping[str, str]) -> AgreementState:
    """Read a workspace's agreement and who validly signed it.

    Parameters
    ----------
    horizon, converted, stages : of the model that scores; of the workspace while there is none.

    Raises
    ------
    UsageError
        A fault in either file.
    """
    agreement = load_agreement(folder)
    if agreement is None:
        return AgreementState()
    signatures = load_signatures(folder)
    return AgreementState(
        agreement, signed_by(agreement, signatures, horizon=horizon, converted=converted, stages=stages)
    )


def load_signatures(folder: Path) -> tuple[Signature, ...]:
    """All signatures of a workspace in the order in which they were given; none where there is no file.

    Raises
    ------
    UsageError
        The file is not what `sign` writes: then nothing counts as signed by accident, and nothing as unsigned.
    """
    path = folder / SIGNATURES_FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise _broken(f"it cannot be read ({type(error).__name__})") from None
    try:
        data = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        line = f", line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise _broken(f"it is not JSON{line}") from None
    entries = data.get("signatures") if isinstance(data, dict) else None
    if not isinstance(entries, list):
        raise _broken('it has no list "signatures"')
    faults = [(number, fault) for number, entry in enumerate(entries, 1) if (fault := _fault(entry))]
    if faults:
        raise UsageError(problems=[_problem(f"signature {number} {fault}") for number, fault in faults])
    return tuple(Signature(**entry) for entry in entries)


def sign(
    folder: Path,
    agreement: Agreement,
    *,
    team: str,
    name: str,
    horizon: int,
    converted: str,
    stages: Mapping[str, str],
    clock: Callable[[], datetime],
) -> Signature:
    """Add a team's signature to the workspace's file, all or nothing; earlier signatures stay.

    Raises
    ------
    UsageError
        An unknown team, no name, a version below one that the team has signed, a broken or unwritable file.
    """
    name = name.strip()
    if team not in TEAMS:
        raise UsageError(
            f"team {team!r}", expected=" or ".join(TEAMS), next_step="name the team that signs with --team"
        )
    if not name or len(name) > 200 or any(unicodedata.category(each).startswith("C") for each in name):
        raise UsageError(
            "no name that can be shown", expected="who signs, up to 200 characters", next_step="give it with --by"
        )
    signature = Signature(
        team=team,
        name=name,
        time=iso_instant(microseconds(clock())),
        version=agreement.version,
        sha256=signed_digest(agreement, horizon=horizon, converted=converted, stages=stages),
    )
    try:
        with locked(folder):
            earlier = load_signatures(folder)
            newest = max((s.version for s in earlier if s.team == team), default=0)
            if newest > agreement.version:
                raise UsageError(
                    f"version {agreement.version}, while {team} has signed version {newest}",
                    expected=f"a version from {newest} on",
                    next_step=f"set version = {newest + 1} in {AGREEMENT_FILE} and sign again",
                    where=AGREEMENT_FILE,
                )
            _write(folder / SIGNATURES_FILE, [*earlier, signature])
    except OSError as error:
        raise UsageError(
            f"{SIGNATURES_FILE} cannot be written ({error.strerror or type(error).__name__})",
            expected="a workspace folder that can be written, on a disk with room",
            next_step="nothing was signed; sign again when the folder can be written",
        ) from None
    return signature


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's own lock: two teams that sign at once must not lose a signature. Leaves no file behind."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _write(path: Path, signatures: Sequence[Signature]) -> None:
    text = json.dumps({"signatures": [asdict(each) for each in signatures]}, ensure_ascii=False, indent=2) + "\n"
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise


def _fault(entry: Any) -> str:
    """What is wrong with one entry of the file, "" where nothing is."""
    wanted = {"team": str, "name": str, "time": str, "version": int, "sha256": str}
    if not isinstance(entry, dict):
        return "is not an object"
    if set(entry) != set(wanted):
        return f"has the keys {sorted(entry)}"
    wrong = [key for key, kind in wanted.items() if type(entry[key]) is not kind]
    if wrong:
        return f"has a {wrong[0]} of the wrong kind"
    return "" if entry["team"] in TEAMS else f"is of the team {entry['team']!r}"


def _problem(found: str) -> Problem:
    return Problem(
        found=found,
        expected='{"signatures": [{"team", "name", "time", "version", "sha256"}]} as `propensity agree` writes it',
        next_step="restore the file, or remove it and let both teams sign again",
        where=SIGNATURES_FILE,
    )


def _broken(found: str) -> UsageError:
    return UsageError(problems=[_problem(found)])
