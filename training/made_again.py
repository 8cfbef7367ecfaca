"""A training made again: the recipe, the settings and the clock of then, over the same tables, for the same model.

Pinned are the recipe with its seed; what propensity.toml said of target, moments, columns and model; and the time that
the tables were read as of, and with it `data_end`. Schema and definitions follow from these and the tables. Code,
packages and machine can only be compared: where they are others, the bits may be, and that is said.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from features.durations import duration_text
from features.errors import DataError, Problem, UsageError
from features.moments import Schedule
from features.tables.files import file_digests, find_files
from features.toml_reader import TomlReader
from features.workspace import Workspace, workspace_of
from training.bundle import Bundle, bundle_files, load_bundle
from training.provenance import settings_text, surroundings
from training.recipe import Recipe
from training.registry import Registry, Version

JUDGED = ("evaluation.json",)
"""Files that tell of a model and are no part of it: what it was compared with may be other models than then."""
MISSING = "no such file"


@dataclass(frozen=True, eq=False)
class Then:
    """A registered model as an example to follow.

    Attributes
    ----------
    files : of its bundle, SHA-256 by name.
    """

    version: Version
    bundle: Bundle
    files: Mapping[str, str]

    @property
    def about(self) -> Mapping[str, Any]:
        """What its manifest says."""
        return self.bundle.manifest

    @property
    def recipe(self) -> Recipe:
        return Recipe.from_json(self.about["recipe"])

    @property
    def read_at(self) -> int:
        """As of when its tables were read; of before that was kept, when it was trained, which is little later."""
        return int(self.about.get("read_at", self.about["trained_at"]))

    def workspace(self, today: Workspace) -> Workspace:
        """Today's tables and pages, with the settings of then."""
        text = self.about.get("settings")
        if text:
            told = tomllib.loads(text)
            named = {**told.get("workspace", {}), "name": today.name}
            places = {key: today.told[key] for key in ("tables", "page") if key in today.told}
            whole = {**told, "workspace": named, **places}
            return workspace_of(today.folder, TomlReader.of_text(f"the settings of {self.named}", _toml(whole)))
        plan = self.about["schedule"]
        return replace(
            today,
            zone=self.bundle.scorer.definitions.schema.zone,
            converted=str(self.about["converted"]),
            horizon=int(self.about["horizon"]),
            schedule=Schedule(after_creation=tuple(plan["after_creation"]), every=plan["every"], until=plan["until"]),
        )

    @property
    def named(self) -> str:
        return f"version {self.version.number}"

    def other_tables(self, today: Workspace) -> dict[str, tuple[str, str]]:
        """Files that are not those of then: SHA-256 then and now, `MISSING` where there is none. Empty for a store."""
        if today.store is not None:
            return {}
        now: dict[str, str] = {}
        for table, told in today.tables.items():
            now |= file_digests(today.folder, find_files(today.folder, table, told))
        return _differing(self.digests, now)

    @property
    def digests(self) -> dict[str, str]:
        """SHA-256 of the tables of then, by file."""
        return {
            name: sha for table in self.about["tables"]["tables"].values() for name, sha in table["digests"].items()
        }

    def other_surroundings(self, today: Workspace) -> list[str]:
        """What else is otherwise than it was then and may give other bits, each as a sentence."""
        about, now = self.about, surroundings()
        said = []
        if not about.get("settings"):
            said.append("Of its settings only target and moments were kept; the others are today's.")
        elif about["settings"] != settings_text(today.told):
            said.append("propensity.toml says otherwise today; what it said then counts.")
        if about.get("commit") != now["commit"]:
            said.append(f"The code is of commit {_short(now['commit'])}, then of {_short(about.get('commit'))}.")
        if about.get("uncommitted_changes") or now["uncommitted_changes"]:
            when = "then" if about.get("uncommitted_changes") else "now"
            said.append(f"The code has changes {when} that no commit holds.")
        if about.get("lock") != now["lock"]:
            said.append(f"requirements.lock is {_short(now['lock'])}, then {_short(about.get('lock'))}.")
        for name, (before, after) in sorted(_differing(about["versions"], now["versions"]).items()):
            if before != MISSING:
                said.append(f"{name} is {after}, then {before}.")
        if about.get("machine", now["machine"]) != now["machine"]:
            said.append(f"The machine is a {now['machine']}, then a {about['machine']}.")
        return said

    def verdict(self, made: Bundle, files: Mapping[str, str]) -> str:
        """Whether a model made after this one is the same, bit for bit; and if not, in what it differs.

        Parameters
        ----------
        files : of the bundle that was made, SHA-256 by name.
        """
        wrong = sorted(set(_differing(self.files, files)) - set(JUDGED))
        if not wrong:
            return (
                f"It is the model of {self.named}, bit for bit: the {len(set(files) - set(JUDGED))} files of its scorers, "
                "reference and tested predictions are the same."
            )
        because = [
            f"{name} (SHA-256 {_short(now)}, then {_short(then)})" for name, (then, now) in self._tables_of(made)
        ]
        if made.manifest["data_end"] != self.about["data_end"]:
            late = int(made.manifest["data_end"]) - int(self.about["data_end"])
            because.append(f"data_end ({duration_text(abs(late))} {'later' if late > 0 else 'earlier'})")
        if self.about.get("catalogue", made.manifest["catalogue"]) != made.manifest["catalogue"]:
            because.append("the features that tables and settings give rise to")
        told = f" Other are: {', '.join(because)}." if because else ""
        return f"It is not the model of {self.named}: {len(wrong)} files differ ({', '.join(wrong[:3])}).{told}"

    def _tables_of(self, made: Bundle) -> list[tuple[str, tuple[str, str]]]:
        now = {
            name: sha for table in made.manifest["tables"]["tables"].values() for name, sha in table["digests"].items()
        }
        return sorted(_differing(self.digests, now).items())


def follow_run(registry: Registry, run: str) -> Then:
    """The registered model of a version number or an MLflow run id.

    Raises
    ------
    UsageError
        There is none.
    """
    version = registry.find(run)
    if version is None:
        raise UsageError(
            f"--like {run}: no such run made a version of {registry.name}",
            expected="the number of a version, or the id of the run that made it",
            next_step="`make ui FOLDER=...` lists them",
        )
    folder = registry.fetch(version)
    return Then(version, load_bundle(folder, digest=version.digest), bundle_files(folder))


def refuse_other_tables(then: Then, differing: Mapping[str, tuple[str, str]]) -> None:
    """DataError with every table that is not what it was.

    Raises
    ------
    DataError
    """
    if not differing:
        return
    raise DataError(
        problems=[
            Problem(
                where=name,
                found=now if now == MISSING else f"SHA-256 {_short(now)}",
                expected="no such file" if before == MISSING else f"{_short(before)}, as {then.named} was trained on",
                next_step="bring the tables of then; or --other-tables follows its recipe and settings on those of today",
            )
            for name, (before, now) in sorted(differing.items())
        ]
    )


def _differing(then: Mapping[str, str], now: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """What is not the same in two mappings: the value then and now, `MISSING` where there is none."""
    return {
        name: (then.get(name, MISSING), now.get(name, MISSING))
        for name in dict.fromkeys((*then, *now))
        if then.get(name) != now.get(name)
    }


def _short(told: str | None) -> str:
    return "unknown" if told is None else told if told == MISSING else told[:12]


def _toml(told: Mapping[str, Any]) -> str:
    import tomlkit

    return tomlkit.dumps(told)
