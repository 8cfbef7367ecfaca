"""Which definitions a name in a toml means: a feature, what reasons are about, a kind of features, a group of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from features.definitions import Definition
from features.errors import Problem, UsageError
from features.kinds import KINDS_BY_WORD, kind_word
from features.model_settings import ModelSettings
from features.toml_reader import nearest


def sign_of(definition: Definition, settings: ModelSettings) -> int:
    """Which way a feature is held: 1 more of it never lowers the score, -1 never raises it, 0 free.

    Its own name counts before that of what it is about. Where that is a selection of events, "up" means that more of
    them, and more lately, never lowers the score: a count is held upwards, the days since the last one downwards, and
    what may go either way (the first one, an average) is free.
    """
    if definition.categorical:
        return 0
    if definition.name in settings.monotone:
        return settings.monotone[definition.name]
    way = settings.monotone.get(definition.topic, settings.monotone.get(definition.plain_topic, 0))
    selector = getattr(definition, "selector", None)
    if selector is None or definition.plain_topic != str(selector):
        return way  # an attribute, an age, or the amounts of a column: the value itself is meant
    return way * KINDS_BY_WORD[kind_word(definition)].with_more


def names_of(definition: Definition, attribute_groups: Mapping[str, str]) -> set[str]:
    """All names in `groups` and `leave_out` that mean this definition, among others or alone."""
    column = getattr(definition, "column", "")
    selector = getattr(definition, "selector", None)
    found = {definition.name, definition.topic, definition.plain_topic, definition.group, kind_word(definition), column}
    if selector is not None:
        found |= {str(selector), selector.column}
    if definition.group == "fit":
        found.add(attribute_groups.get(column, ""))
    return found - {""}


def is_in(definition: Definition, settings: ModelSettings, *, own: bool = False) -> bool:
    """Whether `groups` and `leave_out` let a definition in.

    One of the workspace's `own` is left out only by its very name: who writes it wants it.
    """
    if own:
        return definition.name not in settings.leave_out
    names = names_of(definition, settings.attribute_groups)
    return names.isdisjoint(settings.leave_out) and (not settings.groups or not names.isdisjoint(settings.groups))


def check_names(settings: ModelSettings, own: Collection[Definition], others: Collection[Definition]) -> None:
    """Refuse names in [model] that mean none of the definitions there could be.

    Parameters
    ----------
    own : the workspace's own.
    others : the catalogue's.

    Raises
    ------
    UsageError
        With all of them: line, name, the nearest one that means something.
    """
    problems: list[Problem] = []
    candidates = [*own, *others]
    topics = _topics(candidates)
    for name in settings.monotone:
        meant = topics.get(name, ())
        if not meant:
            valid = {each for each, of in topics.items() if any(not one.categorical for one in of)}
            problems.append(_unknown(settings, "monotone", name, valid, "a number, an event type or a definition"))
        elif all(each.categorical for each in meant):
            where = settings.places.get(f"monotone.{name}", "")
            problems.append(
                Problem(f'"{name}" is a category', "a number: a category has no order", "take it out", where)
            )
    grouped = {name for each in candidates for name in names_of(each, settings.attribute_groups)}
    for key in ("groups", "leave_out"):
        for name in getattr(settings, key):
            if name not in grouped:
                expected = "fit, engagement, a kind of features such as trend, an event type, a column or a definition"
                problems.append(_unknown(settings, key, name, grouped, expected))
    let_in = any(is_in(each, settings, own=True) for each in own) or any(is_in(each, settings) for each in others)
    if not problems and candidates and not let_in:
        problems.append(
            Problem("groups and leave_out leave no feature", "at least one", "take one of them out", "[model]")
        )
    if problems:
        raise UsageError(problems=problems)


def _topics(candidates: Iterable[Definition]) -> dict[str, list[Definition]]:
    found: dict[str, list[Definition]] = {}
    for each in candidates:
        for name in {each.name, each.topic, each.plain_topic}:
            found.setdefault(name, []).append(each)
    return found


def _unknown(settings: ModelSettings, key: str, name: str, valid: Collection[str], expected: str) -> Problem:
    where = settings.places.get(f"{key}.{name}", "")
    return Problem(f'{key} "{name}" means no feature of these tables', expected, nearest(name, sorted(valid)), where)
