"""Verdicts of people on cases: versions of their truth, known from when they were read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.view import PENDING, UNKNOWN, Timeline
from wholeroad.road.data.cases import SEPARATOR, Cases, text_hash
from wholeroad.road.data.outcomes import Told
from wholeroad.road.data.versions import KNOWN, Versions

VERDICTS: Final = "(verdicts)"
"""The built-in source of what people said of cases; no source of a brief can have this name."""

CASE: Final = "case"
VERDICT: Final = "verdict"
SCHEMA: Final = pl.Schema({CASE: pl.UInt64(), KNOWN: pl.Datetime("us", "UTC"), VERDICT: pl.String()})
"""Of verdicts as a history takes them: the hash of the case's key, when it became known, and the class; a
null takes back what was said before."""

_NONE: Final = -9


def verdict_versions(verdicts: pl.DataFrame) -> Versions:
    """Give verdicts, of one voice for each case and instant, as the built-in source of a history."""
    return Versions(VERDICTS, (CASE,), verdicts.select(list(SCHEMA)).cast(SCHEMA))


def stand_over(told: Told, verdicts: pl.DataFrame, *, cases: Cases, classes: Sequence[str]) -> Told:
    """Let verdicts stand over what the outcome rows told, each from when it became known.

    It stands also over later versions of the row and over silence, until another verdict comes or it is
    taken back; then what the rows tell by then stands again. Nothing before it changes, not even the
    order of what became known at one instant. A verdict is never known before the case was decided. One that
    is no class makes the truth unknown.

    Parameters
    ----------
    verdicts
        As :data:`SCHEMA`; cases that aren't there are left out.
    """
    said = _placed(verdicts, cases, classes)
    if not said.height:
        return told
    timeline = told.timeline
    mine = np.zeros(timeline.decided_at.size, dtype=bool)
    mine[said["case"].to_numpy()] = True
    touched = np.flatnonzero(mine[timeline.truth_case])
    rows = pl.DataFrame(
        {
            "case": timeline.truth_case[touched],
            "known": timeline.truth_known_at[touched],
            "place": touched,
            "code": timeline.truth_code[touched].astype(np.int32),
            "silent": told.silent[touched],
        }
    )
    every = (
        pl.concat(
            [rows, said.with_columns(pl.lit(timeline.truth_case.size, dtype=pl.Int64).alias("place"))],
            how="diagonal",
        )
        .sort("case", "known", "place", maintain_order=True)
        .with_columns(
            pl.col("said").alias("given"), pl.col("code", "silent", "said").forward_fill().over("case")
        )
    )
    stands = (pl.col("said") != _NONE).fill_null(value=False)
    kept = every.filter(pl.col("given").is_not_null() | ~stands).with_columns(
        pl.when(stands).then("said").otherwise("code").fill_null(PENDING).alias("code"),
        pl.when(stands).then(statement=False).otherwise("silent").fill_null(value=False).alias("silent"),
    )
    last = every.group_by("case").last()
    return replace(
        _merged(told, kept, cases=cases, untouched=np.flatnonzero(~mine[timeline.truth_case])),
        reviewed=last.filter(stands)["case"].sort().to_numpy(),
        contradicted=_contradicted(every, stands),
    )


def _placed(verdicts: pl.DataFrame, cases: Cases, classes: Sequence[str]) -> pl.DataFrame:
    """Give verdicts by the case's position: when known, and the code that was said."""
    ids = cases.frame.select(pl.col("_id").alias(CASE)).with_row_index("position")
    codes = {name: code for code, name in enumerate(classes)}
    said = verdicts.join(ids, on=CASE, how="inner", maintain_order="left")
    decided_at = cases.decided_at[said["position"].to_numpy()]
    return said.select(
        pl.col("position").cast(pl.Int32).alias("case"),
        pl.max_horizontal(pl.col(KNOWN).to_physical(), pl.Series(decided_at) + 1).alias("known"),
        pl.when(pl.col(VERDICT).is_null())
        .then(_NONE)
        .otherwise(pl.col(VERDICT).replace_strict(codes, default=UNKNOWN, return_dtype=pl.Int32))
        .cast(pl.Int32)
        .alias("said"),
    )


def _merged(told: Told, kept: pl.DataFrame, *, cases: Cases, untouched: NDArray[np.int64]) -> Told:
    old = told.timeline
    known = np.concatenate([old.truth_known_at[untouched], kept["known"].to_numpy()])
    place = np.concatenate([untouched, kept["place"].to_numpy()])
    case = np.concatenate([old.truth_case[untouched], kept["case"].to_numpy()])
    code = np.concatenate([old.truth_code[untouched], kept["code"].to_numpy().astype(old.truth_code.dtype)])
    silent = np.concatenate([told.silent[untouched], kept["silent"].to_numpy()])
    order = np.lexsort((place, cases.ids[case], known))
    timeline = Timeline(
        decided_at=old.decided_at,
        truth_known_at=known[order],
        truth_case=case[order].astype(np.int32),
        truth_code=code[order],
    )
    return replace(told, timeline=timeline, silent=silent[order])


def _contradicted(every: pl.DataFrame, stands: pl.Expr) -> int:
    """Count cases whose rows came to tell something new since, that isn't the verdict."""
    then = pl.when(pl.col("given").is_not_null()).then(pl.col("code").fill_null(PENDING))
    last = every.with_columns(then.forward_fill().over("case").alias("then")).group_by("case").last()
    other = (pl.col("code") >= 0) & (pl.col("code") != pl.col("said")) & (pl.col("code") != pl.col("then"))
    return last.filter(stands & other).height


def ids_of(keys: pl.Series) -> pl.Series:
    """Give the hashes of keys that are written as JSON lists of texts; see :func:`key_texts`."""
    parts = keys.str.json_decode(pl.List(pl.String))
    texts = parts.list.join(SEPARATOR).alias(CASE)
    return texts.to_frame().select(text_hash(pl.col(CASE))).to_series()


def key_texts(frame: pl.DataFrame, key: Sequence[str]) -> pl.Series:
    """Write each row's key as a JSON list of texts, which outlives any hash.

    Examples
    --------
    >>> import polars as pl
    >>> key_texts(pl.DataFrame({"a": [1], "b": ["x"]}), ["a", "b"])[0]
    '["1","x"]'
    """
    rows = frame.select(pl.col(name).cast(pl.String) for name in key).iter_rows()
    return pl.Series("key", [msgspec.json.encode(list(row)).decode() for row in rows], dtype=pl.String)
