"""From the text of agreement.toml to an Agreement, or to all that is wrong with it at once."""

from __future__ import annotations

from features.schema import STAGES
from features.toml_reader import TomlReader
from serving.agreement import AGREEMENT_FILE, Agreement, Evidence, FastLane
from serving.agreement_reading import (
    exclusion,
    held_back,
    hours,
    hysteresis,
    nurture,
    persona,
    rules_of,
    trigger,
)
from serving.agreement_terms import FACTS, Sla
from serving.toml_values import chosen, number_within, whole

KEYS = (
    "version", "cutoffs", "evidence", "fast_lane", "exclude", "trigger", "personas", "nurture", "sla", "hysteresis",
    "capacity", "facts", "held_back", "recycle", "hours", "promotion",
)  # fmt: skip


def read_agreement(text: str) -> Agreement:
    """The agreement that a text is, as `load_agreement` would read it from its file.

    Raises
    ------
    UsageError
        Every fault of the text at once, with its line and the nearest valid name.
    """
    return agreement_of(TomlReader.of_text(AGREEMENT_FILE, text))


def agreement_of(toml: TomlReader) -> Agreement:
    """The agreement that a file holds: version and cutoffs are required, all else is optional; unknown keys are refused."""
    toml.known_keys((), KEYS)
    version = whole(toml, ("version",))
    if version is None and "version" not in toml.data:
        toml.problem(("version",), "no version", expected="version = 1, raised with every change", next_step="add it")
    mql, sql = _cutoffs(toml)
    toml.known_keys(("evidence",), ("events", "days", "stage"))
    evidence = Evidence(
        events=whole(toml, ("evidence", "events")) or 0,
        days=whole(toml, ("evidence", "days")) or 0,
        stage=toml.choice(("evidence", "stage"), STAGES),
    )
    lanes = rules_of(toml, "fast_lane", "[fast_lane.EVENT_TYPE]", _fast_lane)
    exclude = rules_of(toml, "exclude", "[exclude.NAME]", exclusion)
    triggers = rules_of(toml, "trigger", "[trigger.NAME]", trigger)
    personas = rules_of(toml, "personas", "[personas.NAME]", persona)
    contents = nurture(toml, tuple(toml.table(("personas",))))
    toml.known_keys(("sla",), ("mql", "sql"))
    sla = Sla(mql=toml.duration(("sla", "mql")), sql=toml.duration(("sla", "sql")))
    steady, held, office = hysteresis(toml), held_back(toml), hours(toml)
    toml.known_keys(("capacity",), ("sqls_a_week",))
    toml.known_keys(("facts",), ("required_for_sql",))
    toml.known_keys(("recycle",), ("after",))
    toml.known_keys(("promotion",), ("band_change",))
    sqls_a_week = whole(toml, ("capacity", "sqls_a_week"))
    facts = chosen(toml, ("facts", "required_for_sql"), FACTS)
    recycle_after = toml.duration(("recycle", "after"))
    expected = "a part above 0, at most 1; 0.25 lets a band grow or shrink by a quarter"
    band_change = number_within(
        toml, ("promotion", "band_change"), lambda value: 0 < value <= 1, expected=expected, percent=True
    )
    toml.finish()
    assert version is not None
    assert mql is not None
    assert sql is not None
    return Agreement(
        version=version,
        mql=mql,
        sql=sql,
        evidence=evidence,
        fast_lane=lanes,
        exclude=exclude,
        triggers=triggers,
        personas=tuple(personas.values()),
        nurture=contents,
        sla=sla,
        hysteresis=steady,
        sqls_a_week=sqls_a_week,
        facts_required=facts,
        held_back=held,
        recycle_after=recycle_after,
        hours=office,
        band_change=band_change,
    )


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
    path, expected = ("cutoffs", name), "a probability above 0 and below 1"
    if toml.table(("cutoffs",)).get(name) is None:
        toml.problem(path, f'no "{name}" in [cutoffs]', expected=expected, next_step="add it")
        return None
    return number_within(toml, path, lambda value: 0 < value < 1, expected=expected, percent=True)


def _fast_lane(toml: TomlReader, name: str) -> FastLane | None:
    path = ("fast_lane", name)
    toml.known_keys(path, ("respond_within", "counts_for"))
    respond_within = toml.duration((*path, "respond_within"), required=True)
    counts_for = toml.duration((*path, "counts_for"), required=True)
    if respond_within is None or counts_for is None:
        return None
    return FastLane(name, respond_within=respond_within, counts_for=counts_for)
