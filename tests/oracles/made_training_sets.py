"""Training sets made from a seed: leads with a hidden bent to convert, and columns that know of it more or less."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from features.definitions import AttributeCategory, AttributeNumber, Definitions
from features.schema import Schema
from training.dataset import TrainingSet, hash_leads

DAY = 86_400_000_000


def definitions_of(numbers: int, categories: tuple[int, ...] = ()) -> Definitions:
    """Numeric columns n0, n1, ... and categorical ones c0, c1, ... with so many values."""
    values = {f"c{i}": tuple(f"v{v:04d}" for v in range(size)) for i, size in enumerate(categories)}
    names = {f"n{i}": "number" for i in range(numbers)} | dict.fromkeys(values, "category")
    schema = Schema(attributes=names, categories=values)  # type: ignore[arg-type]
    items = (
        *(AttributeNumber(f"n{i}") for i in range(numbers)),
        *(AttributeCategory(name, each) for name, each in values.items()),
    )
    return Definitions(schema, items)


def made(
    lead: NDArray[np.int64],
    as_of: NDArray[np.int64],
    label: NDArray[np.int8],
    values: NDArray[np.float64] | None = None,
    *,
    definitions: Definitions | None = None,
    horizon: int = 30 * DAY,
) -> TrainingSet:
    """A training set of these columns, put in order; lead i is called "lead-i"."""
    if values is None:
        values = np.zeros((len(lead), 1))
    order = np.lexsort((lead, as_of))
    return TrainingSet(
        definitions=definitions or definitions_of(values.shape[1]),
        lead=lead[order],
        lead_hash=hash_leads(f"lead-{each}" for each in lead[order].tolist()),
        as_of=as_of[order],
        horizon=horizon,
        label=label[order],
        values=values[order],
    )


def simulated(
    leads: int = 600, moments: int = 2, seed: int = 0, *, span: int = 300 * DAY, categories: tuple[int, ...] = (6,)
) -> TrainingSet:
    """Leads that enter over `span`, looked at a week apart: two telling numbers, two that say nothing, categories of
    which the first is telling, holes in the first two numbers."""
    rng = np.random.default_rng(seed)
    lead = np.repeat(np.arange(leads), moments)
    start = rng.integers(0, max(span, 1), leads)
    as_of = start[lead] + np.tile(np.arange(moments), leads) * (7 * DAY if span else 0)
    bent = rng.normal(size=leads)[lead]
    numbers = np.column_stack(
        [
            np.floor(np.exp(1.0 + bent + 0.5 * rng.normal(size=len(lead)))),
            bent + rng.normal(size=len(lead)),
            rng.normal(size=len(lead)) * 1e6,
            rng.poisson(2.0, len(lead)),
        ]
    )
    numbers[rng.random(len(lead)) < 0.15, 0] = np.nan
    numbers[rng.random(len(lead)) < 0.05, 1] = np.nan
    codes = [rng.integers(0, size, leads)[lead].astype(np.float64) for size in categories]
    tilt = (codes[0] % 3 - 1.0) if codes else 0.0
    label = (rng.random(len(lead)) < 1 / (1 + np.exp(1.2 - 1.3 * bent - tilt))).astype(np.int8)
    values = np.column_stack([numbers, *codes])
    if codes:
        values[rng.random(len(lead)) < 0.1, 4] = np.nan
    return made(lead, as_of, label, values, definitions=definitions_of(4, categories))
