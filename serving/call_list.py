"""Which open leads are worth a call: those that a model knows anything about."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from features.history import History
from serving.serving_model import ColdStart, ServingModel


def leads_to_call(history: History, model: ServingModel | ColdStart) -> tuple[NDArray[np.int64], int]:
    """Positions of the open leads; how many were left out for being older than any that the model learned from."""
    positions = history.open_leads(history.now)
    oldest = model.oldest_age if isinstance(model, ServingModel) else None
    if oldest is None:
        return positions, 0
    young = history.now - history.created_at[positions] <= oldest
    return positions[young], int(len(young) - young.sum())
