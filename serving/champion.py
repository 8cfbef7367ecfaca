"""Follows the champion and the agreement: what answers, as one object that is swapped whole."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from features.calendar_days import DAY
from features.errors import UserError
from features.moments import Moments
from features.one_lead import RawEvent, RawLead, history_of_leads
from features.schema import Schema
from features.workspace import Workspace
from serving.agreement import AGREEMENT_FILE, Agreement
from serving.agreement_file import load_agreement
from serving.log_lines import note
from serving.metrics import Metrics
from serving.notices import Notice
from serving.scoring import score_leads
from serving.serving_model import ColdStart, ServingModel
from serving.signatures import SIGNATURES_FILE, AgreementState, Signature, load_signatures, signed_by
from training.bundle import load_bundle
from training.calibration_record import LivingCalibration
from training.registry import Registered, Registry, RegistryAway, Version, open_registry, remembered_calibration

REMEMBERED = "champion.json"


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Everything that one reply is made of, taken together once.

    Attributes
    ----------
    model : the champion, or points while there is none.
    schema : by which requests are read.
    agreement : as it stands, for this model.
    notices : told with every score.
    """

    model: ServingModel | ColdStart
    schema: Schema
    agreement: AgreementState
    notices: tuple[Notice, ...] = ()

    @property
    def named_types(self) -> tuple[str, ...]:
        """Event types that keep their name although the model may not know them: a rule of people looks for them."""
        agreed = self.agreement.agreement
        rules = set() if agreed is None else set(agreed.rule_types())
        return tuple(sorted(rules | set(self.model.rules.events) if isinstance(self.model, ColdStart) else rules))

    @property
    def rule_columns(self) -> frozenset[str]:
        """Attributes that rules of the agreement look at, signed or not: a signature alone makes no table read anew."""
        agreed = self.agreement.agreement
        return frozenset() if agreed is None else agreed.rule_columns()

    @property
    def version(self) -> str | None:
        return self.model.version if isinstance(self.model, ServingModel) else None

    @property
    def served(self) -> str | None:
        """The version with its living calibration, as "3+2": what the scores depend on."""
        return self.model.served if isinstance(self.model, ServingModel) else None


def registry_for_long(workspace: Workspace) -> Registry:
    """The registry, for a service that asks again and again: a server that is away is given up on after seconds."""
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "5")
    return open_registry(workspace)


def champion_of(workspace: Workspace) -> ServingModel | None:
    """The model that serves a workspace now, for commands that answer once; None before the first."""
    registry = open_registry(workspace)
    version = registry.champion()
    return None if version is None else model_of(registry, version)


def model_of(registry: Registry, version: Version) -> ServingModel:
    """A registered version as it serves: its bundle with its newest living calibration."""
    return _model(version, registry.fetch(version), registry.fetch_calibration(version))


class Champion:
    """Holds the snapshot that answers, and renews it when the alias or the agreement moves.

    `look` is called again and again by one thread. The newest state that could be loaded stays: a registry that is
    away, a bundle that is broken and an agreement with faults are written down, and change no reply.

    Parameters
    ----------
    folder : of the workspace, where the agreement lies.
    state_folder : where the last champion is remembered, so that a restart works while the registry is away.
    registry : opens the registry; asked again until it does.
    converted : the outcome that counts, for the time without a champion.
    cold_start : points and the schema to read requests by, for as long as there is no champion.
    """

    def __init__(
        self,
        *,
        folder: Path,
        state_folder: Path,
        registry: Callable[[], Registry],
        converted: str,
        cold_start: Callable[[], tuple[ColdStart, Schema]],
        metrics: Metrics,
    ) -> None:
        self._folder = folder
        self._state_folder = state_folder
        self._open = registry
        self._registry: Registry | None = None
        self._converted = converted
        self._cold_start = cold_start
        self._metrics = metrics
        self._version: Version | None = None
        self._agreed: Agreement | None = None
        self._signatures: tuple[Signature, ...] = ()
        self._agreement_files: tuple[Any, ...] | None = None
        self._agreement_is_old = False
        self._snapshot: Snapshot | None = None

    @property
    def snapshot(self) -> Snapshot:
        """What answers now. A caller takes it once and makes a whole reply of it."""
        if self._snapshot is None:
            raise RuntimeError("look() comes first")
        return self._snapshot

    def look(self) -> None:
        """Renew the snapshot if the champion, the agreement or the points changed."""
        held, trouble = self._snapshot, None
        model: ServingModel | ColdStart | None
        try:
            version = self._newest()
            if held is not None and version == self._version:
                model = held.model
            else:
                model = None if version is None else self._load(version)
        except Exception as error:  # whatever registries and bundles raise, what serves goes on serving
            trouble, version = error, self._version
            model = held.model if held is not None else self._remembered()
        self._metrics.stale("champion", trouble is not None)
        self._renew(held, model)
        if trouble is None:
            self._version = version
        else:
            raise trouble

    def versions(self) -> list[Registered] | None:
        """The registered versions, the newest first; None while the registry is away."""
        try:
            if self._registry is None:
                self._registry = self._open()
            return self._registry.versions()
        except RegistryAway:
            return None

    def _newest(self) -> Version | None:
        if self._registry is None:
            self._registry = self._open()
        return self._registry.champion()

    def _load(self, version: Version) -> ServingModel:
        assert self._registry is not None
        model = model_of(self._registry, version)
        draft = self._state_folder / f".{REMEMBERED}.{os.getpid()}"
        draft.write_text(json.dumps(asdict(version)), encoding="utf-8")
        os.replace(draft, self._state_folder / REMEMBERED)
        return model

    def _remembered(self) -> ServingModel | None:
        """The champion that served last in this workspace, where its bundle is still here."""
        try:
            version = Version(**json.loads((self._state_folder / REMEMBERED).read_text(encoding="utf-8")))
            living = remembered_calibration(self._state_folder, version)
            model = _model(version, self._state_folder / "bundles" / version.digest, living)
        except (OSError, ValueError, TypeError, UserError):
            return None
        self._version = version
        note("the last champion serves while the registry is away", warning=True, version=version.number)
        return model

    def _renew(self, held: Snapshot | None, model: ServingModel | ColdStart | None) -> None:
        changed_agreement = self._read_agreement()
        if isinstance(model, ServingModel):
            schema = model.schema
        else:
            model, schema = self._points(held)
        if held is not None and held.model is model and not changed_agreement:
            return
        notices = (Notice("warning.agreement_unreadable"),) if self._agreement_is_old else ()
        snapshot = Snapshot(model, schema, self._agreement_for(model, schema), notices)
        _warm(snapshot)
        self._snapshot = snapshot
        if held is None or held.served != snapshot.served:
            self._metrics.champion(snapshot.version)
            note("champion serves", version=snapshot.served)
        if changed_agreement:
            agreed = snapshot.agreement
            number = None if agreed.agreement is None else agreed.agreement.version
            note("agreement read", version=number, signed=agreed.signed)

    def _points(self, held: Snapshot | None) -> tuple[ColdStart, Schema]:
        cold, schema = self._cold_start()
        if held is not None and isinstance(held.model, ColdStart) and held.schema is schema:
            return held.model, schema
        return cold, schema

    def _read_agreement(self) -> bool:
        """Read the agreement's files if they changed; says whether anything is new. Faults keep what was read before."""
        files = tuple(_file_state(self._folder / name) for name in (AGREEMENT_FILE, SIGNATURES_FILE))
        if files == self._agreement_files:
            return False
        self._agreement_files = files
        try:
            self._agreed, self._signatures = load_agreement(self._folder), load_signatures(self._folder)
        except UserError as error:
            self._agreement_is_old = True
            self._metrics.stale("agreement", True)
            note("the agreement can't be read, the old one stays", warning=True, problems=len(error.problems))
        else:
            self._agreement_is_old = False
            self._metrics.stale("agreement", False)
        return True

    def _agreement_for(self, model: ServingModel | ColdStart, schema: Schema) -> AgreementState:
        if self._agreed is None:
            return AgreementState()
        converted = model.converted if isinstance(model, ServingModel) else self._converted
        signatures = signed_by(
            self._agreed, self._signatures, horizon=model.horizon, converted=converted, stages=schema.stages
        )
        return AgreementState(self._agreed, signatures)


def _model(version: Version, folder: Path, living: LivingCalibration | None) -> ServingModel:
    return ServingModel.of(version.model, version.number, load_bundle(folder, digest=version.digest), living)


def _file_state(path: Path) -> tuple[int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_size, stat.st_mtime_ns


def _warm(snapshot: Snapshot) -> None:
    """Score made-up leads, so that compiled code is loaded before a caller waits for it."""
    schema = snapshot.schema
    event_type = next(iter((*schema.event_types, *schema.stages)), "visit")
    events = [RawEvent(event_type, day * DAY, value=1.0) for day in range(1, 4)]
    leads = [RawLead("a", DAY, events=events), RawLead("b", DAY)]
    history = history_of_leads(
        schema, leads, as_of=9 * DAY, named_types=snapshot.named_types, rule_columns=snapshot.rule_columns
    )
    for moments in ([0], [0, 1]):
        at = Moments(np.array(moments, dtype=np.int64), np.full(len(moments), 9 * DAY, dtype=np.int64))
        for _ in score_leads(snapshot.model, snapshot.agreement, history, at, scored_at=9 * DAY, lang="en", threads=1):
            pass
