"""Living calibrations: made a version's own, undone, and fetched once each."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from features.errors import UsageError
from training.bundle import BundleBroken, folder_at_once
from training.calibration_record import LivingCalibration, calibration_digest, load_calibration
from training.registry.store import Store, without_chatter
from training.registry.version import CALIBRATION_TAG, Version, version_of

CALIBRATIONS = "calibrations"
"""Folder of a run's artifacts, and of the state folder, in which living calibrations lie."""
CALIBRATIONS_TAG = "propensity.calibrations"
"""Tag of a model version: the calibrations that it served with, the last one at the end, each as in `CALIBRATION_TAG`."""
CALIBRATIONS_REMEMBERED = 50
"""Each takes some 70 of the 5,000 characters that a tag holds."""


class NothingToUndo(UsageError):
    """The model serves as it left training."""


class Calibrations(Store):
    """The living calibrations that registered versions serve with."""

    def calibrate(self, version: Version, folder: Path) -> Version:
        """Let a version serve with a living calibration from now on.

        It becomes the artifact ``calibrations/N`` of the version's run, and the version's tag names it: what follows
        the alias finds it there. The one before is kept, to go back to.

        Parameters
        ----------
        folder : as `save_calibration` wrote it.
        """
        digest = calibration_digest(folder)
        with self._alone(), without_chatter(), self._answers():
            served = self._calibrations(version)
            artifacts = self._client.list_artifacts(version.run_id, CALIBRATIONS)
            numbers = [int(name) for each in artifacts if (name := each.path.rpartition("/")[2]).isdecimal()]
            number = 1 + max(numbers, default=0)  # a number that was undone is not given again
            self._client.log_artifacts(version.run_id, str(folder), f"{CALIBRATIONS}/{number}")
            return self._serve_with(version, [*served, f"{number}:{digest}"])

    def undo_calibration(self, version: Version) -> Version:
        """Let a version serve as before its last living calibration, or as it left training.

        Raises
        ------
        NothingToUndo
        """
        with self._alone(), self._answers():
            served = self._calibrations(version)
            if not served:
                raise NothingToUndo(
                    found=f"{version.model} version {version.number} serves as it left training",
                    expected="a living calibration to undo",
                    next_step="propensity recalibrate makes one",
                )
            return self._serve_with(version, served[:-1])

    def fetch_calibration(self, version: Version) -> LivingCalibration | None:
        """The living calibration that a version serves with, fetched once and known by its digest; None without one.

        Raises
        ------
        BundleBroken
            What the registry holds is not what was registered.
        """
        if version.calibration is None:
            return None
        folder = self.state_folder / CALIBRATIONS / version.calibration_digest
        if folder.is_dir():
            try:
                return remembered_calibration(self.state_folder, version)
            except BundleBroken:
                shutil.rmtree(folder)  # cut short by a full disk, say: fetched again
        with tempfile.TemporaryDirectory() as temporary:
            place = f"{CALIBRATIONS}/{version.calibration}"
            got = Path(self._client.download_artifacts(version.run_id, place, temporary))
            found = load_calibration(got, digest=version.calibration_digest, number=version.calibration)
            try:
                with folder_at_once(folder) as draft:
                    shutil.copytree(got, draft, dirs_exist_ok=True)
            except OSError:
                if not folder.is_dir():  # else another process was faster
                    raise
        return found

    def _calibrations(self, version: Version) -> list[str]:
        text = self._client.get_model_version(self.name, version.number).tags.get(CALIBRATIONS_TAG, "")
        return text.split(",") if text else []

    def _serve_with(self, version: Version, calibrations: list[str]) -> Version:
        kept = ",".join(calibrations[-CALIBRATIONS_REMEMBERED:])
        newest = calibrations[-1] if calibrations else ""
        self._client.set_model_version_tag(self.name, version.number, CALIBRATIONS_TAG, kept)
        # last: whoever looks meanwhile serves with the one before
        self._client.set_model_version_tag(self.name, version.number, CALIBRATION_TAG, newest)
        return version_of(self._client.get_model_version(self.name, version.number))


def remembered_calibration(state_folder: Path, version: Version) -> LivingCalibration | None:
    """The living calibration of a version from what was fetched before, without asking the registry; None without one."""
    if version.calibration is None:
        return None
    folder = state_folder / CALIBRATIONS / version.calibration_digest
    return load_calibration(folder, digest=version.calibration_digest, number=version.calibration)
