"""Scanning windows and moving their edges give the same bits."""

import numpy as np
import pytest
from hypothesis import given, settings

from features import kernel
from features.compute import compute_features
from features.definitions import Definitions
from oracles.made_histories import (
    SCHEMA,
    Made,
    busy_lead,
    every_definition,
    made,
)

EVERYTHING = Definitions(SCHEMA, every_definition(SCHEMA))


def computed(case: Made, *, slide: bool) -> np.ndarray:
    """Features with windows' edges moved always, or never."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel, "SLIDE_MOMENTS", 1 if slide else 10**9)
        patch.setattr(kernel, "SLIDE_EVENTS", 0)
        return compute_features(case.history, case.moments, EVERYTHING).view(np.int64)


@given(case=made(max_leads=2, max_events=40, max_moments=12))
@settings(max_examples=200)
def test_moving_edges_gives_the_bits_of_scanning(case: Made) -> None:
    assert (computed(case, slide=True) == computed(case, slide=False)).all()


@pytest.mark.parametrize("seed", [1, 2])
def test_moving_edges_gives_the_bits_of_scanning_on_a_busy_lead(seed: int) -> None:
    case = busy_lead(3000, seed)
    assert (computed(case, slide=True) == computed(case, slide=False)).all()
