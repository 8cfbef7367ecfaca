"""How loops are compiled on all floors, and where the machine code is kept."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])

if not os.environ.get("NUMBA_CACHE_DIR"):
    # Beside the interpreter's packages: the source tree may be read-only, and a workspace is not ours to fill.
    numba.config.CACHE_DIR = str(Path(sys.prefix) / "var" / "cache" / "propensity-numba")  # type: ignore[attr-defined]


def compiled(function: F) -> F:
    """The function as machine code, kept on disk between runs. No fastmath: sums keep their order."""
    return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy")(function))
