"""What settings come to on a training set: in sentences, in the manifest, and as warnings where it is nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from features.definitions import Called, CountWithin, Definitions, Selector
from features.model_settings import NOTHING_SAID, ModelSettings, SampleWeights
from features.sample_weights import Weighing
from oracles.made_histories import DAY, SCHEMA, MadeEvent, MadeLead, every_definition, history_of
from oracles.made_training_sets import made
from training.dataset import TrainingSet
from training.settings_words import settings_about, settings_warnings, settings_words

LATELY = CountWithin(Selector("event_type", "page"), 3 * DAY, called=Called("lately"))
SAID = ModelSettings(
    monotone={"age": -1, "page": 1, "page.since_last": 1},
    groups=("fit", "engagement"),
    leave_out=("trend",),
    weights=SampleWeights(365 * DAY, events={"page": {"1": 2.0}}),
    definitions=(LATELY,),
)


def test_each_setting_is_a_sentence() -> None:
    weighing = Weighing(np.array([1.0, 3.0]), {"events.page": {"1": 1}})
    definitions = [each for each in every_definition(SCHEMA, windows=(DAY,)) if "/" not in each.topic]
    assert settings_words(SAID, definitions, weighing) == [
        "Definitions of your own: lately.",
        "Only features of fit, engagement are in.",
        "Left out are features of trend.",
        "The score never falls with more of page (15 features), page.since_last (1 feature), all else equal.",
        "The score never rises with more of age (1 feature), all else equal.",
        "Of 2 training moments some count more (half as much for each 365d of age; page 1 x 2: 1): they say as much as 2 of "
        "equal weight.",
    ]


def test_the_manifest_keeps_settings_and_sentences_and_nothing_where_nothing_is_said() -> None:
    history = history_of({f"L{i}": MadeLead(0, (MadeEvent(i * DAY),)) for i in range(6)}, SCHEMA)
    whole = made(np.arange(6), np.full(6, 4 * DAY), np.array([0, 1] * 3, dtype=np.int8))
    assert settings_about(NOTHING_SAID, whole, history) == {}
    kept = settings_about(SAID, whole, history)
    assert ModelSettings.from_json(kept) == SAID
    assert "(half as much for each 365d of age; page 1 x 2: 4)" in kept["words"][-1]


def test_what_comes_to_nothing_is_warned_of() -> None:
    silent = TrainingSet(
        definitions=Definitions(SCHEMA, (LATELY, replace(LATELY, called=Called("other")))),
        lead=np.arange(2), lead_hash=np.arange(2, dtype=np.uint64), as_of=np.arange(2), horizon=DAY,
        label=np.array([0, 1], dtype=np.int8), values=np.array([[0.0, 1.0], [0.0, 2.0]]),
    )  # fmt: skip
    settings = replace(SAID, definitions=tuple(silent.definitions), monotone={"page": 1, "call": 1})
    assert settings_warnings(settings, silent) == [
        'The constraint on "call" holds no feature: none of it varies enough among the training moments.',
        'The definition "lately" has one value at all training moments: it says nothing.',
    ]
