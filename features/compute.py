"""The only way to a feature value: the plan of the definitions, the compiled pass, threads over leads."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features import kernel
from features.definitions import Definitions
from features.history import History
from features.moments import Moments
from features.plan import plan_for

_compute_leads: Callable[..., None] = kernel.compute_leads

LEADS_A_CHUNK = 4096
"""Leads that one call of the kernel takes: enough to forget the call, few enough to keep all threads busy."""


def _plain(array: NDArray[Any], dtype: Any) -> NDArray[Any]:
    """Contiguous and writable, as the kernel was compiled for: other layouts would compile another one."""
    array = np.ascontiguousarray(array, dtype=dtype)
    return array if array.flags.writeable else array.copy()


def compute_features(
    history: History, moments: Moments, definitions: Definitions, *, threads: int | None = None
) -> NDArray[np.float64]:
    """Say what was known about each lead at its moment.

    Only rows whose own time and recorded time both lie strictly before ``as_of`` are seen. The result depends on
    nothing else: not on the order of rows or moments, on other leads, nor on `threads`, to the last bit.

    Parameters
    ----------
    history : read by ``definitions.schema``, or by a schema with at least its columns.
    moments : n moments of leads of `history`, each after the lead's creation.
    definitions : d columns.
    threads : how many to use; None means one for each processor.

    Returns
    -------
    float64[n, d] in C order; a category is the code of its value, missing is NaN.

    Raises
    ------
    MomentOutsideHistory
        A moment of an unknown lead or not after its creation; names the first three.
    """
    moments.check(history)
    plan = plan_for(definitions, history)
    out = np.empty((len(moments), len(definitions)), dtype=np.float64)
    if not len(moments):
        return out
    order = np.lexsort((moments.as_of, moments.lead)) if len(moments) > 1 else np.zeros(1, np.int64)
    lead = moments.lead[order]
    touched, counts = (lead[:1], np.ones(1, np.int64)) if len(lead) == 1 else np.unique(lead, return_counts=True)
    events, attributes = history.events, history.attributes
    sorted_as_of, rows = moments.as_of[order], order.astype(np.int64)
    columns = (
        _plain(history.created_at, np.int64), _plain(events.offsets, np.int64), _plain(events.occurred_at, np.int64),
        _plain(events.known_at, np.int64), _plain(events.day, np.int32), _plain(events.codes, np.int32),
        _plain(events.numbers, np.float64), _plain(attributes.offsets, np.int64), _plain(attributes.valid_from, np.int64),
        _plain(attributes.known_at, np.int64), _plain(attributes.codes, np.int32), _plain(attributes.numbers, np.float64),
    )  # fmt: skip
    slide = (kernel.SLIDE_MOMENTS, kernel.SLIDE_EVENTS)
    if len(touched) == 1:  # one lead: no table of all leads' offsets
        only = int(touched[0])
        moment_offsets = np.zeros(only + 2, np.int64)
        moment_offsets[only + 1] = len(moments)
        _compute_leads(only, only + 1, moment_offsets, sorted_as_of, rows, out, *slide, *columns, *plan.arguments)
        return out
    moment_offsets = np.zeros(len(history) + 1, np.int64)
    moment_offsets[touched + 1] = counts
    np.cumsum(moment_offsets, out=moment_offsets)
    bounds = _chunks(touched, LEADS_A_CHUNK)

    def run(bound: tuple[int, int]) -> None:
        _compute_leads(*bound, moment_offsets, sorted_as_of, rows, out, *slide, *columns, *plan.arguments)

    threads = threads or os.cpu_count() or 1
    if threads == 1 or len(bounds) == 1:
        for bound in bounds:
            run(bound)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(run, bounds))
    return out


def _chunks(touched: NDArray[np.int64], size: int) -> list[tuple[int, int]]:
    """Ranges of leads that hold at most `size` touched leads each."""
    return [(int(touched[i]), int(touched[min(i + size, len(touched)) - 1]) + 1) for i in range(0, len(touched), size)]
