"""What a workspace's settings come to on its tables, in sentences: for `check`, `train`, the report and the manifest."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from features.definitions import Definition
from features.durations import duration_text
from features.history import History
from features.model_settings import DOWN, UP, ModelSettings, SampleWeights, Steps
from features.moments import Moments
from features.naming import sign_of
from features.sample_weights import Weighing, weigh
from training.dataset import TrainingSet

_HELD = {UP: "never falls", DOWN: "never rises"}


def settings_about(settings: ModelSettings, whole: TrainingSet, history: History) -> dict[str, Any]:
    """What the manifest keeps: the settings, and their `words`; nothing where nothing is said."""
    if not settings:
        return {}
    weighing = weigh(history, Moments(whole.lead, whole.as_of), settings)
    return {**settings.to_json(), "words": settings_words(settings, whole.definitions, weighing)}


def settings_words(
    settings: ModelSettings, definitions: Collection[Definition], weighing: Weighing | None
) -> list[str]:
    """One sentence for each thing that is set.

    Parameters
    ----------
    definitions : the features that there are.
    weighing : of the training moments.
    """
    said = []
    if settings.definitions:
        said.append(f"Definitions of your own: {', '.join(each.name for each in settings.definitions)}.")
    if settings.groups:
        said.append(f"Only features of {', '.join(settings.groups)} are in.")
    if settings.leave_out:
        said.append(f"Left out are features of {', '.join(settings.leave_out)}.")
    for sign, words in _HELD.items():
        names = [name for name, way in settings.monotone.items() if way == sign]
        if names:
            held = [f"{name} ({_features(name, sign, settings, definitions)})" for name in names]
            said.append(f"The score {words} with more of {', '.join(held)}, all else equal.")
    if weighing is not None:
        rules = "; ".join(_rules(settings.weights, weighing))
        worth = f"they say as much as {weighing.worth:,.0f} of equal weight"
        said.append(f"Of {len(weighing.weight):,} training moments some count more ({rules}): {worth}.")
    return said


def settings_warnings(settings: ModelSettings, whole: TrainingSet) -> list[str]:
    """Settings that come to nothing on these tables."""
    said = [
        f'The constraint on "{name}" holds no feature: none of it varies enough among the training moments.'
        for name, sign in settings.monotone.items()
        if not _held(name, sign, settings, whole.definitions)
    ]
    own = {each.name for each in settings.definitions}
    for column, name in enumerate(whole.definitions.names):
        values = whole.values[:, column]
        if name in own and len(values) and (np.isnan(values).all() or (values == values[0]).all()):
            said.append(f'The definition "{name}" has one value at all training moments: it says nothing.')
    return said


def _held(name: str, sign: int, settings: ModelSettings, definitions: Collection[Definition]) -> int:
    """How many features the constraint of one name holds."""
    alone = ModelSettings(monotone={name: sign})
    return sum(1 for each in definitions if sign_of(each, alone) and sign_of(each, settings) == sign_of(each, alone))


def _features(name: str, sign: int, settings: ModelSettings, definitions: Collection[Definition]) -> str:
    count = _held(name, sign, settings, definitions)
    return f"{count} feature" if count == 1 else f"{count} features"


def _rules(weights: SampleWeights, weighing: Weighing) -> list[str]:
    said = [] if weights.half_life is None else [f"half as much for each {duration_text(weights.half_life)} of age"]
    for part in ("attributes", "events", "definitions"):
        told: Mapping[str, Steps] = getattr(weights, part)
        for name, steps in told.items():
            counts = weighing.moments[f"{part}.{name}"]
            said += [f"{name} {value} x {weight:g}: {counts.get(value, 0):,}" for value, weight in steps.items()]
    return said
