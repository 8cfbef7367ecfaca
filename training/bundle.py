"""The door from training to serving: scorers and their evaluation as a folder of text, JSON and plain arrays.

No pickle: a pickled class of ours would not load elsewhere, and loading one runs code. The manifest names every file
with its SHA-256, and the SHA-256 of the manifest is the digest by which a bundle is known.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.definitions import Definitions
from features.errors import DataError
from training.calibration import Calibrator
from training.cutoffs_table import Backtest
from training.evaluation import Evaluation
from training.inputs import Inputs
from training.ranker import Ranker
from training.reference import Reference
from training.scorer import Scorer

FORMAT = 1
"""Raised when a bundle of before can no longer be read as it was meant."""
MANIFEST = "manifest.json"
SERVING, EVALUATED = "serving", "evaluated"


class BundleBroken(DataError):
    """A bundle's file is missing or was changed, or the bundle is of another format."""


@dataclass(frozen=True, eq=False)
class Bundle:
    """What training hands to serving.

    Attributes
    ----------
    scorer : serves; fitted on all settled moments.
    evaluated_scorer : the same recipe, fitted before the test block: the figures of `evaluation` and `backtest` are its.
    reference : leads of the past to compare with.
    backtest : predictions for the test block, from which cutoffs are read.
    evaluation : figures on the test block.
    manifest : whatever else is known of the training, as plain JSON: converted, data_end, digests of tables, commit,
        versions, recipe, choices, split ...
    digest : SHA-256 of the saved manifest; "" before the bundle is saved.
    inputs : how its inputs were spread when it learned; None in bundles from before that was kept.
    """

    scorer: Scorer
    evaluated_scorer: Scorer
    reference: Reference
    backtest: Backtest
    evaluation: Evaluation
    manifest: Mapping[str, Any]
    digest: str = field(default="")
    inputs: Inputs | None = None


def save_bundle(bundle: Bundle, folder: Path) -> str:
    """Write a bundle to a folder that does not exist yet, whole or not at all; returns its digest.

    The same bundle written twice gives the same bytes.
    """
    with folder_at_once(folder) as temporary:
        _save_scorer(bundle.scorer, temporary / SERVING)
        _save_scorer(bundle.evaluated_scorer, temporary / EVALUATED)
        save_arrays(bundle.reference.arrays(), temporary / "reference")
        save_arrays(bundle.backtest.arrays(), temporary / "backtest")
        if bundle.inputs is not None:
            save_arrays(bundle.inputs.arrays(), temporary / "inputs")
        _save_json(bundle.evaluation.to_json(), temporary / "evaluation.json")
        files = {name: sha256((temporary / name).read_bytes()) for name in _files_of(temporary)}
        text = json_bytes({**bundle.manifest, "format": FORMAT, "files": files})
        (temporary / MANIFEST).write_bytes(text)
    return sha256(text)


def load_bundle(folder: Path, *, digest: str | None = None) -> Bundle:
    """Read a bundle, every file checked against the manifest, and the manifest against `digest` where one is given.

    Raises
    ------
    BundleBroken
        Names all files that are missing or changed.
    """
    manifest, found = _read_manifest(folder)
    if digest is not None and digest != found:
        raise BundleBroken(
            where=str(folder / MANIFEST),
            found=f"a bundle with digest {found[:12]}",
            expected=f"the bundle with digest {digest[:12]}",
            next_step="delete the folder, it is fetched again; or train again",
        )
    wrong = [name for name, sha in manifest["files"].items() if not _is_intact(folder / name, sha)]
    if wrong:
        raise BundleBroken(
            where=str(folder),
            found=f"missing or changed files: {', '.join(wrong)}",
            expected="the files as training wrote them",
            next_step="delete the folder, it is fetched again; or train again",
        )
    return Bundle(
        scorer=_load_scorer(folder / SERVING),
        evaluated_scorer=_load_scorer(folder / EVALUATED),
        reference=Reference(**_load_arrays(folder, "reference", manifest)),
        backtest=Backtest.from_arrays(_load_arrays(folder, "backtest", manifest)),
        evaluation=Evaluation.from_json(_load_json(folder / "evaluation.json")),
        manifest={key: value for key, value in manifest.items() if key not in ("format", "files")},
        digest=found,
        inputs=Inputs.from_arrays(_load_arrays(folder, "inputs", manifest)),
    )


def bundle_digest(folder: Path) -> str:
    """Digest of a saved bundle, from its manifest alone."""
    return _read_manifest(folder)[1]


def bundle_files(folder: Path) -> dict[str, str]:
    """SHA-256 of each file of a saved bundle but the manifest, by name, from the manifest alone."""
    return dict(_read_manifest(folder)[0]["files"])


@contextmanager
def folder_at_once(folder: Path) -> Iterator[Path]:
    """A temporary folder beside `folder` that becomes it when all went well, and goes away when not."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        yield temporary
        temporary.chmod(0o755)  # mkdtemp lets nobody else in; a bundle is as readable as any other file
        os.rename(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _read_manifest(folder: Path) -> tuple[dict[str, Any], str]:
    path = folder / MANIFEST
    try:
        text = path.read_bytes()
        manifest = json.loads(text)
        version = manifest["format"]
    except (OSError, ValueError, KeyError, TypeError):
        raise BundleBroken(
            where=str(path), found="no readable manifest", expected="the folder of a bundle",
            next_step="train again, or fetch the model from its registry",
        ) from None  # fmt: skip
    if version != FORMAT:
        raise BundleBroken(
            where=str(path), found=f"a bundle of format {version}", expected=f"format {FORMAT}",
            next_step="train again with this version of Propensity, or run the version that made the bundle",
        )  # fmt: skip
    return manifest, sha256(text)


def _save_scorer(scorer: Scorer, folder: Path) -> None:
    folder.mkdir()
    scorer.ranker.save(folder)
    _save_json(scorer.definitions.to_json(), folder / "definitions.json")
    _save_json(scorer.calibrator.to_json(), folder / "calibrator.json")
    rest = {"horizon": scorer.horizon, "average": scorer.average, "provisional": scorer.provisional}
    _save_json(rest, folder / "scorer.json")


def _load_scorer(folder: Path) -> Scorer:
    return Scorer(
        definitions=Definitions.from_json(_load_json(folder / "definitions.json")),
        ranker=Ranker.load(folder),
        calibrator=Calibrator.from_json(_load_json(folder / "calibrator.json")),
        **_load_json(folder / "scorer.json"),
    )


def save_arrays(arrays: Mapping[str, NDArray[Any]], folder: Path) -> None:
    """Plain .npy files in a new folder, one an array."""
    folder.mkdir()
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)


def _load_arrays(folder: Path, part: str, manifest: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    names = [name for name in manifest["files"] if name.startswith(f"{part}/")]
    return {Path(name).stem: np.load(folder / name, allow_pickle=False) for name in names}


def json_bytes(data: Any) -> bytes:
    """JSON as it lies in a bundle: the same data give the same bytes."""
    return (json.dumps(data, allow_nan=False, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "surrogatepass")


def _save_json(data: Any, path: Path) -> None:
    path.write_bytes(json_bytes(data))


def _load_json(path: Path) -> Any:
    return json.loads(path.read_bytes())


def _files_of(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _is_intact(path: Path, sha: str) -> bool:
    return path.is_file() and sha256(path.read_bytes()) == sha


def sha256(content: bytes) -> str:
    """In hexadecimal."""
    return hashlib.sha256(content).hexdigest()
