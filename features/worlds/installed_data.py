"""The data files inside an installed demo package, found without importing the package."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from features.errors import UsageError


def installed_data(package: str, folder: str, *, distribution: str) -> Path:
    """Where a demo package keeps its data files.

    The packages are read, never imported: their code is old, pulls in more than the files are worth, and one of
    them is made for releases of pandas that we don't run on.

    Parameters
    ----------
    package : name as imported.
    folder : folder of the data files inside the package.
    distribution : name as installed, for the message.

    Raises
    ------
    UsageError
        The package is not installed, or holds no such folder.
    """
    spec = importlib.util.find_spec(package)
    if spec is not None and spec.origin is not None:
        data = Path(spec.origin).parent / folder
        if data.is_dir():
            return data
    raise UsageError(
        f"this world reads the data files of {distribution}, which is not installed",
        expected=f"the package {distribution} in this Python environment",
        next_step="run `pip install 'propensity[demo]'`, or take --world b2b, which needs no package",
    )
