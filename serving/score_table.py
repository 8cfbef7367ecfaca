"""Scores as a Parquet file: the columns are the fields of the reply, nested where the reply is nested."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.errors import UsageError
from serving.lead_score import LeadScore

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_A_GROUP = 10_000
"""Scores that are held at once, with all their reasons: some tens of MB."""


def score_schema() -> pa.Schema:
    """One column a field of the reply, under the same name.

    Two things differ, since a Parquet column has one type: instants are UTC timestamps of microseconds, and a reason's
    `value` is `value_number` or `value_text`, both null where it is missing.
    """
    import pyarrow as pa

    log_odds, rate = ("log_odds", pa.float64()), pa.float64()
    instant = pa.timestamp("us", tz="UTC")
    similar = pa.struct([("converted", pa.int64()), ("leads", pa.int64())])
    cutoff = pa.struct([("probability", rate), log_odds])
    reason = pa.struct(
        [
            ("feature", pa.string()),
            ("group", pa.string()),
            ("text", pa.string()),
            ("value_number", pa.float64()),
            ("value_text", pa.string()),
            log_odds,
            ("score_points", pa.float64()),
            ("similar", similar),
        ]
    )
    reasons = pa.struct(
        [
            ("for", pa.list_(reason)),
            ("against", pa.list_(reason)),
            ("other_log_odds", pa.float64()),
            ("base_log_odds", pa.float64()),
            ("raw_log_odds", pa.float64()),
        ]
    )
    return pa.schema(
        [
            pa.field("lead_id", pa.string(), nullable=False),
            pa.field("as_of", instant, nullable=False),
            pa.field("scored_at", instant, nullable=False),
            pa.field("horizon", pa.string(), nullable=False),
            pa.field("probability", rate),
            pa.field("interval", pa.struct([("low", rate), ("high", rate)])),
            pa.field("score", pa.int32(), nullable=False),
            pa.field("percentile", rate),
            pa.field("average", rate),
            pa.field("similar", similar),
            pa.field("band", pa.string()),
            pa.field("decided_by", pa.string(), nullable=False),
            pa.field("cutoffs", pa.struct([("MQL", cutoff), ("SQL", cutoff)])),
            pa.field("reasons", reasons),
            pa.field("fit", pa.struct([log_odds, ("grade", pa.string())])),
            pa.field("engagement", pa.struct([log_odds, ("grade", pa.int64())])),
            pa.field(
                "model",
                pa.struct(
                    [
                        ("name", pa.string()),
                        ("version", pa.string()),
                        ("provisional", pa.bool_()),
                        ("calibration", pa.int64()),
                    ]
                ),
            ),
            pa.field("agreement", pa.struct([("version", pa.int64()), ("signed", pa.bool_())])),
            pa.field("warnings", pa.list_(pa.string())),
        ]
    )


def score_row(score: LeadScore) -> dict[str, Any]:
    """One row of the table, made from the score's own JSON so that the two cannot differ."""
    row = score.to_json()
    row["as_of"], row["scored_at"] = score.as_of, score.scored_at
    if row["reasons"] is not None:
        for each in (*row["reasons"]["for"], *row["reasons"]["against"]):
            value = each.pop("value")
            each["value_number"] = None if isinstance(value, str) or value is None else float(value)
            each["value_text"] = value if isinstance(value, str) else None
    return row


def write_scores(scores: Iterable[LeadScore], path: Path, *, progress: Callable[[int], None] | None = None) -> int:
    """Write scores as they come, a row group at a time; the file appears whole or not at all.

    Parameters
    ----------
    progress : told how many are written so far.

    Returns
    -------
    How many scores the file holds.

    Raises
    ------
    UsageError
        The file cannot be written; what stood there before still does.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema, draft, written, source = score_schema(), path.with_name(f".{path.name}.{os.getpid()}"), 0, iter(scores)
    try:
        with draft.open("wb") as file:
            with pq.ParquetWriter(file, schema, compression="zstd") as writer:
                while group := [score_row(each) for each in itertools.islice(source, ROWS_A_GROUP)]:
                    writer.write_table(pa.Table.from_pylist(group, schema=schema))
                    written += len(group)
                    if progress is not None:
                        progress(written)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except OSError as error:
        raise UsageError(
            f"{path.name} cannot be written ({error.strerror or type(error).__name__})",
            expected="a folder that exists and can be written, on a disk with room",
            next_step="name another file with --out, or make room",
        ) from None
    finally:
        with contextlib.suppress(OSError):
            draft.unlink()
    return written
