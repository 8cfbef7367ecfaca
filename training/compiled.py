"""How this floor compiles a loop: as the kernel does, so that both keep their machine code in one cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

import features.kernel  # noqa: F401  importing it sets the folder of numba's cache, before anything is compiled

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """The function as machine code, kept on disk between runs. No fastmath: sums keep their order."""
    return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy")(function))
