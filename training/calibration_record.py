"""One living calibration as it is kept beside its model: how log-odds move, what they were learned from, whom they compare with.

A folder of JSON and plain arrays like a bundle, known by the SHA-256 of its JSON, which names the other files' own. It
holds figures about many leads and of single ones only probability, label and shares of the score, as a bundle does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from training.bundle import Bundle, BundleBroken, folder_at_once, json_bytes, save_arrays, sha256
from training.living_calibration import LivingMap
from training.reference import Reference

FORMAT = 1
RECORD, REFERENCE = "calibration.json", "reference"


@dataclass(frozen=True)
class Followed:
    """What a living calibration was learned from, and what it changes, in figures.

    Attributes
    ----------
    made_at : when, UTC microseconds.
    until : outcomes were known until then.
    moments, leads, converted : settled since the training; `converted` counts moments.
    first_moment, last_moment : instants.
    newest : the newest so many moments, about as many as the map rests on. Of them were expected to convert:
    expected_before : by the model as training left it.
    expected_after : by what is told from now on.
    newest_converted : that did.
    forward_moments : moments told ahead, had the outcomes been followed since the training; 0 where there were too few.
    forward_before, forward_after : mean log loss on them as training left the model, and followed; None without any.
    """

    made_at: int
    until: int
    moments: int
    leads: int
    converted: int
    first_moment: int
    last_moment: int
    newest: int
    expected_before: float
    expected_after: float
    newest_converted: int
    forward_moments: int
    forward_before: float | None
    forward_after: float | None


@dataclass(frozen=True, eq=False)
class LivingCalibration:
    """What moves a model's log-odds after its training.

    Attributes
    ----------
    moved : from the log-odds that training left to those that people are told.
    about : figures.
    reference : the newest settled leads under this map, which `similar`, percentiles and grades compare with from now
        on. Leads from before the rates moved would contradict the probability that they stand beside.
    bundle : digest of the bundle that it belongs to.
    number : 1, 2, ... within its model version; 0 before it is registered.
    """

    moved: LivingMap
    about: Followed
    reference: Reference
    bundle: str
    number: int = 0

    def applied_to(self, bundle: Bundle) -> Bundle:
        """The bundle with this calibration after its scorer's own, and with its leads to compare with.

        Cutoffs that people signed mean what they meant: they are probabilities. What was evaluated stays as it was.
        """
        if bundle.digest != self.bundle:
            raise BundleBroken(
                where="living calibration",
                found=f"one that belongs to the bundle {self.bundle[:12]}",
                expected=f"one of the bundle {bundle.digest[:12]}",
                next_step="propensity recalibrate makes a new one",
            )
        calibrator = bundle.scorer.calibrator.moved(self.moved.slope, self.moved.shift)
        return replace(bundle, scorer=replace(bundle.scorer, calibrator=calibrator), reference=self.reference)


def save_calibration(living: LivingCalibration, folder: Path) -> str:
    """Write to a folder that does not exist yet, whole or not at all; returns the digest. The number is not written:
    where it is registered says it."""
    with folder_at_once(folder) as temporary:
        save_arrays(living.reference.arrays(), temporary / REFERENCE)
        text = json_bytes(
            {
                "format": FORMAT,
                "bundle": living.bundle,
                "map": asdict(living.moved),
                "about": asdict(living.about),
                "files": {
                    path.relative_to(temporary).as_posix(): sha256(path.read_bytes())
                    for path in sorted((temporary / REFERENCE).iterdir())
                },
            }
        )
        (temporary / RECORD).write_bytes(text)
    return sha256(text)


def calibration_digest(folder: Path) -> str:
    """Digest of a saved one."""
    return sha256((folder / RECORD).read_bytes())


def load_calibration(folder: Path, *, digest: str, number: int) -> LivingCalibration:
    """Read one, every file checked.

    Raises
    ------
    BundleBroken
        A file is missing or was changed, or it is of another format.
    """
    try:
        text = (folder / RECORD).read_bytes()
        data: Mapping[str, Any] = json.loads(text) if sha256(text) == digest else {}
        whole = data.get("format") == FORMAT and all(
            sha256((folder / name).read_bytes()) == sha for name, sha in data["files"].items()
        )
    except (OSError, ValueError):
        whole = False
    if not whole:
        raise BundleBroken(
            where=str(folder),
            found="a living calibration that is missing, was changed or has another format",
            expected=f"the one with digest {digest[:12]}",
            next_step="delete the folder, it is fetched again; or propensity recalibrate --undo",
        )
    arrays = {Path(name).stem: np.load(folder / name, allow_pickle=False) for name in data["files"]}
    return LivingCalibration(
        moved=LivingMap(**data["map"]),
        about=Followed(**data["about"]),
        reference=Reference(**arrays),
        bundle=data["bundle"],
        number=number,
    )
