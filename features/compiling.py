"""How loops are compiled on all floors, and where the machine code is kept."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])

# numba compiles a function anew when its own file changes, but not when that of a function it calls does: the kernel
# calls across these files, and takes constants from the definitions, so their content is part of the folder's name.
_SOURCES = ("compiling.py", "definitions/constants.py", "kernel.py", "windows.py")


def _edition() -> str:
    folder = Path(__file__).parent
    return hashlib.sha256(b"".join((folder / name).read_bytes() for name in _SOURCES)).hexdigest()[:12]


if not os.environ.get("NUMBA_CACHE_DIR"):
    # Beside the interpreter's packages: the source tree may be read-only, and a workspace is not ours to fill.
    _folder = Path(sys.prefix) / "var" / "cache" / "propensity-numba" / _edition()
    numba.config.CACHE_DIR = str(_folder)  # type: ignore[attr-defined]


def compiled(function: F) -> F:
    """The function as machine code, kept on disk between runs. No fastmath: sums keep their order."""
    return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy")(function))


def inlined(function: F) -> F:
    """Likewise, laid into its callers: for the small steps of inner loops, where the call would cost more than they do."""
    return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy", forceinline=True)(function))
