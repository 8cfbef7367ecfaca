"""From agreement.toml to an Agreement, or to all that is wrong with the file at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from features.schema import STAGES
from features.toml_reader import TomlReader
from serving.agreement import AGREEMENT_FILE, Agreement, Evidence, FastLane


def load_agreement(folder: Path) -> Agreement | None:
    """The agreement of a workspace, signed or not; None where the folder has none.

    Version and cutoffs are required, all else is optional; unknown keys are refused.

    Raises
    ------
    UsageError
        Every fault of the file at once, with its line and the nearest valid name.
    """
    if not (folder / AGREEMENT_FILE).exists():
        return None
    toml = TomlReader(folder / AGREEMENT_FILE)
    toml.known_keys((), ("version", "cutoffs", "evidence", "fast_lane"))
    version = _whole(toml, ("version",))
    if version is None and "version" not in toml.data:
        toml.problem(("version",), "no version", expected="version = 1, raised with every change", next_step="add it")
    mql, sql = _cutoffs(toml)
    toml.known_keys(("evidence",), ("events", "days", "stage"))
    evidence = Evidence(
        events=_whole(toml, ("evidence", "events")) or 0,
        days=_whole(toml, ("evidence", "days")) or 0,
        stage=toml.choice(("evidence", "stage"), STAGES),
    )
    lanes = {name: _fast_lane(toml, name) for name in toml.table(("fast_lane",))}
    toml.finish()
    assert version is not None
    assert mql is not None
    assert sql is not None
    return Agreement(version, mql, sql, evidence, {name: lane for name, lane in lanes.items() if lane is not None})


def _whole(toml: TomlReader, path: tuple[str, ...]) -> int | None:
    value = toml.table(path[:-1]).get(path[-1])
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value < 2**31:
        return value
    toml.problem(path, f'"{".".join(path)}" is {_shown(value)}', expected="a whole number from 1 on")
    return None


def _cutoffs(toml: TomlReader) -> tuple[float | None, float | None]:
    toml.known_keys(("cutoffs",), ("mql", "sql"))
    if not toml.table(("cutoffs",), required=True):
        if toml.data.get("cutoffs") == {}:
            toml.problem(("cutoffs",), "no cutoffs", expected="mql and sql", next_step="add them")
        return None, None
    mql, sql = _cutoff(toml, "mql"), _cutoff(toml, "sql")
    if mql is not None and sql is not None and mql > sql:
        toml.problem(("cutoffs", "sql"), f"mql = {mql} above sql = {sql}", expected="mql at most as high as sql")
    return mql, sql


def _cutoff(toml: TomlReader, name: str) -> float | None:
    value, path, expected = toml.table(("cutoffs",)).get(name), ("cutoffs", name), "a probability above 0 and below 1"
    if value is None:
        toml.problem(path, f'no "{name}" in [cutoffs]', expected=expected, next_step="add it")
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        toml.problem(path, f'"cutoffs.{name}" is {_shown(value)}', expected=expected)
    elif 0 < value < 1:
        return float(value)
    else:
        percent = f"write {value / 100:g} for {value:g}%" if 1 <= value < 100 else ""
        toml.problem(path, f'"cutoffs.{name}" is {_shown(value)}', expected=expected, next_step=percent)
    return None


def _fast_lane(toml: TomlReader, name: str) -> FastLane | None:
    path = ("fast_lane", name)
    if not name or not isinstance(toml.table(("fast_lane",))[name], dict):
        toml.problem(path, f'"{".".join(path)}" is no rule', expected="a table [fast_lane.EVENT_TYPE]")
        return None
    toml.known_keys(path, ("respond_within", "counts_for"))
    respond_within = toml.duration((*path, "respond_within"), required=True)
    counts_for = toml.duration((*path, "counts_for"), required=True)
    if respond_within is None or counts_for is None:
        return None
    return FastLane(name, respond_within=respond_within, counts_for=counts_for)


def _shown(value: Any) -> str:
    """A value as people wrote it, or what kind of thing it is where that would be long."""
    if isinstance(value, (bool, dict, list)):
        return {bool: "true or false", dict: "a table", list: "a list"}[type(value)]
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
