"""The folder of compiled code is named after every file that its loops are made of, and after no other."""

from __future__ import annotations

import ast
from pathlib import Path

from features import compiling

FEATURES = Path(compiling.__file__).parent


def test_every_file_that_the_compiled_pass_is_made_of_is_in_the_name_of_its_folder() -> None:
    found, ahead = set(), ["kernel.py"]
    while ahead:
        name = ahead.pop()
        found.add(name)
        ahead += {each for each in imported(FEATURES / name) if each not in found}
    assert found == set(compiling._SOURCES)


def imported(source: Path) -> set[str]:
    """The files of this package that a file takes names from."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    froms = [each for each in ast.walk(tree) if isinstance(each, ast.ImportFrom)]
    modules = [each.module for each in froms if each.module and each.module.startswith("features.")]
    modules += [f"features.{name.name}" for each in froms if each.module == "features" for name in each.names]
    return {f"{each.removeprefix('features.').replace('.', '/')}.py" for each in modules}
