"""The company full of leaks, read and looked at once; and a company without any."""

from __future__ import annotations

import pytest

from features.workspace import Workspace, load_workspace
from journeys.made_workspace import QUICK, made_tables, write
from oracles.guard_sight import Seen, seen
from oracles.leaky_company import leaky_workspace
from training.leakage.finding import Finding
from training.leakage.guard import Guarded, look
from training.leakage.sight import Sight


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return seen(load_workspace(leaky_workspace(tmp_path_factory.mktemp("leaky") / "company")))


@pytest.fixture(scope="session")
def leaky(company: Seen) -> Sight:
    return company.sight


@pytest.fixture(scope="session")
def guarded(company: Seen) -> Guarded:
    return look(company.workspace, company.sight)


@pytest.fixture(scope="session")
def found(guarded: Guarded) -> dict[str, dict[str, Finding]]:
    """Findings by subject and code."""
    by_subject: dict[str, dict[str, Finding]] = {}
    for each in guarded.findings:
        by_subject.setdefault(each.subject, {})[each.code] = each
    return by_subject


@pytest.fixture(scope="session")
def honest(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sight, Workspace]:
    folder = write(tmp_path_factory.mktemp("honest") / "company", made_tables(), toml=QUICK)
    done = seen(load_workspace(folder))
    return done.sight, done.workspace
