"""[model] of propensity.toml: which way features may go, which are in or out, how much moments count."""

from __future__ import annotations

from collections.abc import Mapping

from features.definitions_toml import read_definitions
from features.model_settings import DOWN, UP, ModelSettings, SampleWeights, Steps
from features.toml_lines import KeyPath
from features.toml_reader import TomlReader

WAYS: Mapping[str, int] = {"up": UP, "down": DOWN}
LEAST_WEIGHT, MOST_WEIGHT = 0.001, 1_000.0


def read_model_settings(toml: TomlReader, attribute_groups: Mapping[str, str]) -> ModelSettings:
    """Read [model] and [[definitions]]; what is wrong is left with the reader.

    Parameters
    ----------
    attribute_groups : attribute to the group that [attributes] puts it in.
    """
    toml.known_keys(("model",), ("monotone", "groups", "leave_out", "weights"))
    places: dict[str, str] = {}
    return ModelSettings(
        monotone=_monotone(toml, places),
        groups=_names(toml, "groups", places),
        leave_out=_names(toml, "leave_out", places),
        weights=_weights(toml, places),
        definitions=read_definitions(toml, places),
        attribute_groups=dict(attribute_groups),
        places=places,
    )


def _monotone(toml: TomlReader, places: dict[str, str]) -> dict[str, int]:
    found = {}
    for name in toml.table(("model", "monotone")):
        path = ("model", "monotone", name)
        way = toml.choice(path, tuple(WAYS))
        if way is not None:
            found[name], places[f"monotone.{name}"] = WAYS[way], toml.place(path)
    return found


def _names(toml: TomlReader, key: str, places: dict[str, str]) -> tuple[str, ...]:
    path = ("model", key)
    if toml.table(("model",)).get(key) == []:
        toml.problem(path, f"{key} is empty", expected='names, such as ["fit"] or ["trend"]', next_step="take it out")
    names = toml.texts(path)
    places.update({f"{key}.{name}": toml.place(path) for name in names})
    return names


def _weights(toml: TomlReader, places: dict[str, str]) -> SampleWeights:
    path = ("model", "weights")
    toml.known_keys(path, ("half_life", "attributes", "events", "definitions"))
    half_life = toml.duration((*path, "half_life"))
    parts: dict[str, dict[str, Steps]] = {"attributes": {}, "events": {}, "definitions": {}}
    for part, found in parts.items():
        for name in toml.table((*path, part)):
            steps = _steps(toml, (*path, part, name), of_events=part == "events")
            if steps:
                found[name], places[f"weights.{part}.{name}"] = steps, toml.place((*path, part, name))
    return SampleWeights(half_life, **parts)


def _steps(toml: TomlReader, path: KeyPath, *, of_events: bool) -> dict[str, float]:
    """Weights by value; a single number for an event type: from the first event on."""
    told = toml.table(path[:-1]).get(path[-1])
    if of_events and not isinstance(told, dict):
        weight = _weight(toml, path)
        return {} if weight is None else {"1": weight}
    if not isinstance(told, dict) or not told:
        expected = 'weights by value, such as { "1000+" = 2 }; of a number { "1000" = 2 }: from there on'
        toml.problem(path, f'"{".".join(path)}" gives no weights by value', expected=expected)
        return {}
    return {value: weight for value in told if (weight := _weight(toml, (*path, value))) is not None}


def _weight(toml: TomlReader, path: KeyPath) -> float | None:
    weight = toml.number(path)
    if weight is not None and not LEAST_WEIGHT <= weight <= MOST_WEIGHT:
        expected = f"{LEAST_WEIGHT:g} to {MOST_WEIGHT:,.0f}; what is not named weighs 1"
        toml.problem(path, f"weight {weight:g}", expected=expected)
        return None
    return weight
