"""propensity.toml -> Workspace: where the tables lie, what is to be predicted, and what people call things."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from features.instants import read_instant
from features.model_settings import NOTHING_SAID, ModelSettings
from features.model_toml import read_model_settings
from features.moments import Schedule
from features.schema import STAGES
from features.toml_reader import TomlReader, nearest

FIT_GROUPS = ("demographic", "firmographic", "fit")
"""What the group of an attribute may be called: all of them are fit, who the lead is."""
_TABLES = ("leads", "events", "outcomes", "attributes", "store")
_STORE = re.compile(r"sqlite:///(?!:memory:)[^?#]+|postgresql(\+psycopg)?://.+")
_PAGE = ("name", "company", "owner", "link")


@dataclass(frozen=True)
class AttributeSettings:
    """What the toml says about an attribute. `points`: for any known value, or by value."""

    group: str | None = None
    points: float | Mapping[str, float] | None = None
    en: str = ""
    ja: str = ""


@dataclass(frozen=True)
class EventSettings:
    """What the toml says about an event type."""

    stage: str | None = None
    points: float | None = None
    en: str = ""
    ja: str = ""


@dataclass(frozen=True)
class Workspace:
    """A folder with tables, and what is to be predicted from them.

    Attributes
    ----------
    folder : absolute.
    name : of the workspace and its registered model.
    zone : IANA name; times without an offset and calendar days are of this zone.
    tables : path or glob by table; "events" and "attributes" where given, "leads" and "outcomes" unless there is a store.
    converted : the outcome that means converted.
    horizon : microseconds.
    data_end : until when the tables are complete, UTC microseconds; None where the toml is silent.
    schedule : which moments training uses; None where the toml is silent.
    ignore : columns that are never features.
    trust : suspected leaks that are features all the same, each with its reason.
    attributes, events : settings by attribute and by event type.
    page : column by what it is to people (name, company, owner); "link" is a template with {lead_id}.
    model : what it says of its model: constraints, columns, weights, definitions of its own.
    store : address of the store that the tables are read from, as it was told (a relative path starts at `folder`); None
        where they are read from files. With a store, `tables` are what `propensity load` fills it from.
    told : the toml as it stands, from which all the others come; empty where there is no file.
    """

    folder: Path
    name: str
    zone: str
    tables: Mapping[str, str]
    converted: str
    horizon: int
    data_end: int | None = None
    schedule: Schedule | None = None
    ignore: tuple[str, ...] = ()
    trust: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, AttributeSettings] = field(default_factory=dict)
    events: Mapping[str, EventSettings] = field(default_factory=dict)
    page: Mapping[str, str] = field(default_factory=dict)
    model: ModelSettings = NOTHING_SAID
    store: str | None = None
    told: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def state_folder(self) -> Path:
        """Where the product keeps what it writes for itself."""
        return self.folder / ".propensity"

    @property
    def rejected_folder(self) -> Path:
        """Where rows that can't be used are set aside."""
        return self.folder / "rejected"


def load_workspace(folder: Path | str) -> Workspace:
    """Read ``folder/propensity.toml``.

    Raises
    ------
    UsageError
        With all problems of the file: line, what was found, what was expected, the nearest valid name.
    """
    folder = Path(folder).absolute()
    return workspace_of(folder, TomlReader(folder / "propensity.toml"))


def workspace_of(folder: Path, toml: TomlReader) -> Workspace:
    """The workspace that a toml describes, as `load_workspace` would read it from its folder (absolute)."""
    toml.known_keys(
        (), ("workspace", "tables", "target", "moments", "attributes", "page", "events", "model", "definitions")
    )
    toml.known_keys(("workspace",), ("name", "timezone"))
    zone = _zone(toml)
    toml.known_keys(("target",), ("converted", "horizon", "data_end"))
    converted = horizon = data_end = None
    if toml.table(("target",), required=True):
        converted = toml.text(("target", "converted"), required=True)
        horizon = toml.duration(("target", "horizon"), required=True)
        data_end = _data_end(toml, zone)
    name, (tables, store), schedule = _name(toml, folder), _tables(toml), _schedule(toml)
    ignore, trust, attributes = _attributes(toml)
    events, page = _events(toml), _page(toml)
    model = read_model_settings(toml, {name: each.group for name, each in attributes.items() if each.group})
    toml.finish()
    assert converted is not None
    assert horizon is not None
    return Workspace(
        folder=folder, name=name, zone=zone, tables=tables, converted=converted.strip(), horizon=horizon,
        data_end=data_end, schedule=schedule, ignore=ignore, trust=trust, attributes=attributes, events=events, page=page,
        model=model, store=store, told=toml.data,
    )  # fmt: skip


def _name(toml: TomlReader, folder: Path) -> str:
    told = toml.text(("workspace", "name"))
    if told is None:
        return re.sub(r"[/:%\x00-\x1f]", "-", folder.name) or "propensity"
    if re.search(r"[/:%\x00-\x1f]", told) or len(told) > 100:
        toml.problem(("workspace", "name"), f'name "{told[:100]}"', expected="up to 100 characters without / : %")
    return told


def _zone(toml: TomlReader) -> str:
    told = toml.text(("workspace", "timezone"))
    if told is None:
        return "UTC"
    try:
        ZoneInfo(told)
    except (KeyError, ValueError, OSError):
        toml.problem(
            ("workspace", "timezone"),
            f'unknown timezone "{told}"',
            expected='an IANA name, such as "Asia/Tokyo" or "Europe/Berlin"',
            next_step=nearest(told, sorted(available_timezones())),
        )
        return "UTC"
    return told


def _tables(toml: TomlReader) -> tuple[dict[str, str], str | None]:
    """Paths by table, and the store's address."""
    toml.known_keys(("tables",), _TABLES)
    given = toml.table(("tables",), required=True)
    if not given:
        return {}, None
    store = toml.text(("tables", "store"))
    needed = () if "store" in given else ("leads", "outcomes")
    found = {name: toml.text(("tables", name), required=name in needed) for name in _TABLES if name != "store"}
    if store is not None and not _STORE.fullmatch(store):
        # Not what was found: an address may hold a password.
        toml.problem(
            ("tables", "store"),
            "the store's address is of no known kind",
            expected='"sqlite:///FILE" or "postgresql://USER@HOST/DATABASE"',
            next_step="a password and the like come from PGPASSWORD or a .pgpass file",
        )
    return {name: path for name, path in found.items() if path is not None}, store


def _data_end(toml: TomlReader, zone: str) -> int | None:
    told = toml.table(("target",)).get("data_end")
    if told is None:
        return None
    try:
        if not isinstance(told, (datetime, date, str)):
            raise ValueError
        return read_instant(told, zone)
    except (ValueError, OverflowError):
        toml.problem(
            ("target", "data_end"),
            f"data_end {told!r} is no time",
            expected="a time, such as 2026-03-14T00:00:00Z, or a day",
        )
        return None


def _schedule(toml: TomlReader) -> Schedule | None:
    toml.known_keys(("moments",), ("after_creation", "every", "until"))
    told = toml.table(("moments",))
    after = toml.durations(("moments", "after_creation"))
    every, until = toml.duration(("moments", "every")), toml.duration(("moments", "until"))
    if "after_creation" in told and "every" in told:
        toml.problem(
            ("moments", "every"), "both after_creation and every", expected="one of the two", next_step="take one out"
        )
        return None
    if "until" in told and "every" not in told:
        toml.problem(("moments", "until"), "until without every", expected='every = "7d" beside it, or no until')
        return None
    if told.get("after_creation") == []:
        toml.problem(
            ("moments", "after_creation"), "after_creation is empty", expected='durations, such as ["1d", "7d"]'
        )
    if after:
        return Schedule(after_creation=tuple(sorted(set(after))))
    return Schedule(every=every, until=until) if every is not None else None


def _attributes(toml: TomlReader) -> tuple[tuple[str, ...], dict[str, str], dict[str, AttributeSettings]]:
    settings = {}
    trust = {name: toml.text(("attributes", "trust", name)) for name in toml.table(("attributes", "trust"))}
    for name in toml.table(("attributes",)):
        path = ("attributes", name)
        if name in ("ignore", "trust"):
            continue
        toml.known_keys(path, ("group", "points", "en", "ja"))
        settings[name] = AttributeSettings(
            group=toml.choice((*path, "group"), FIT_GROUPS),
            points=_attribute_points(toml, (*path, "points")),
            en=toml.text((*path, "en")) or "",
            ja=toml.text((*path, "ja")) or "",
        )
    return toml.texts(("attributes", "ignore")), {name: text for name, text in trust.items() if text}, settings


def _attribute_points(toml: TomlReader, path: tuple[str, ...]) -> float | dict[str, float] | None:
    told = toml.table(path[:-1]).get("points")
    if not isinstance(told, dict):
        return toml.number(path)
    points = {value: toml.number((*path, value)) for value in told}
    return {value: each for value, each in points.items() if each is not None}


def _events(toml: TomlReader) -> dict[str, EventSettings]:
    settings = {}
    for name in toml.table(("events",)):
        path = ("events", name)
        toml.known_keys(path, ("stage", "points", "en", "ja"))
        settings[name] = EventSettings(
            stage=toml.choice((*path, "stage"), STAGES),
            points=toml.number((*path, "points")),
            en=toml.text((*path, "en")) or "",
            ja=toml.text((*path, "ja")) or "",
        )
    return settings


def _page(toml: TomlReader) -> dict[str, str]:
    toml.known_keys(("page",), _PAGE)
    page = {name: text for name in _PAGE if (text := toml.text(("page", name))) is not None}
    link = page.get("link")
    if link is not None and not re.match(r"https?://|/(?!/)", link):
        # A template such as "javascript:..." would run in the browser of whoever clicks it.
        toml.problem(
            ("page", "link"), "link leads elsewhere than to a web page", expected='"https://..." with {lead_id}'
        )
    elif link is not None and "{lead_id}" not in link:
        toml.problem(
            ("page", "link"), "link has no {lead_id}", expected='such as "https://crm.example/leads/{lead_id}"'
        )
    return page
