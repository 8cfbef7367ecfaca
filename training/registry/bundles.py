"""Bundles, fetched once each and known by their digest."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from training.bundle import BundleBroken, bundle_digest, folder_at_once, load_bundle
from training.registry.store import Store
from training.registry.version import Version


class Bundles(Store):
    """The bundles of registered versions."""

    def fetch(self, version: Version) -> Path:
        """The folder of a version's bundle, fetched once and known by its digest.

        Raises
        ------
        BundleBroken
            What the registry holds is not what was registered.
        """
        folder = self.state_folder / "bundles" / version.digest
        if folder.is_dir():
            if _holds(folder, version.digest):
                return folder
            shutil.rmtree(folder)  # cut short by a full disk, say: fetched again
        with tempfile.TemporaryDirectory() as temporary:
            got = Path(self._client.download_artifacts(version.run_id, "bundle", temporary))
            load_bundle(got, digest=version.digest)
            try:
                with folder_at_once(folder) as place:
                    shutil.copytree(got, place, dirs_exist_ok=True)
            except OSError:
                if not _holds(folder, version.digest):  # else another process was faster
                    raise
        return folder


def _holds(folder: Path, digest: str) -> bool:
    try:
        return bundle_digest(folder) == digest
    except BundleBroken:
        return False
