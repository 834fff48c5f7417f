"""Decisions that were made, found by the case's id: the newest in a dict, the others in frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from wholeroad.core.ports import ScratchFile
from wholeroad.engine.service.messages import CaseAnswer
from wholeroad.engine.service.records import DecidedCase
from wholeroad.road.brief.contract import Brief
from wholeroad.road.data.cases import key_hash
from wholeroad.road.data.one_case.keyed import Keyed
from wholeroad.road.data.row_versions import Row
from wholeroad.road.release.work import PEOPLE


class Decisions:
    """What was decided, for whoever asks again.

    Parameters
    ----------
    brief
        In force.
    key
        The columns of the case's key, with their types.
    beside
        Where most decisions lie; None: in memory.
    """

    def __init__(
        self, brief: Brief, key: Mapping[str, pl.DataType], *, beside: ScratchFile | None = None
    ) -> None:
        self._brief = brief
        self._key = dict(key)
        self._actions = brief.actions
        self._points = brief.prediction
        self._said = brief.outcome.classes or brief.prediction
        schema: dict[str, pl.DataType] = {"_id": pl.UInt64()}
        schema |= {f"key.{name}": dtype for name, dtype in key.items()}
        schema |= {
            "decided_at": pl.Int64(),
            "action": pl.Int32(),
            "decider": pl.String(),
            "model": pl.String(),
        }
        schema |= {f"p.{name}": pl.Float64() for name in self._points}
        schema |= {"expected": pl.Float64(), "propensity": pl.Float64(), "left": pl.Boolean()}
        schema |= {f"v.{name}": pl.Float64() for name in self._actions}
        self._schema = schema
        self._rows = Keyed(schema, 1, beside=beside)

    def extend(self, sealed: pl.DataFrame) -> None:
        """Take over the table of decisions."""
        names = list(sealed.columns[: len(self._key)])
        codes = {name: code for code, name in enumerate(self._actions)}
        some = sealed.select(
            key_hash(names).alias("_id"),
            *(pl.col(shown).alias(f"key.{name}") for shown, name in zip(names, self._key, strict=True)),
            pl.col("decided_at").to_physical(),
            pl.col("action").cast(pl.String).replace_strict(codes, default=-1, return_dtype=pl.Int32),
            pl.col("decided_by").cast(pl.String).alias("decider"),
            pl.col("model").cast(pl.String),
            *(pl.col(name).alias(f"p.{name}") for name in self._points),
            pl.col("expected_value").alias("expected"),
            (pl.col("propensity") if "propensity" in sealed.columns else pl.lit(None, pl.Float64)).alias(
                "propensity"
            ),
            (pl.col("decided_by") == PEOPLE).alias("left"),
            *(pl.lit(None, pl.Float64).alias(f"v.{name}") for name in self._actions),
        )
        self._rows.extend(some.select(list(self._schema)))

    def add(self, made: DecidedCase) -> None:
        """Keep a decision."""
        self._rows.add(
            (
                made.id,
                *made.key,
                made.decided_at,
                made.action,
                made.decider,
                made.model,
                *made.prediction,
                made.expected,
                made.propensity,
                made.left,
                *made.expected_values,
            )
        )

    def find(self, case_id: int) -> CaseAnswer | None:
        """Give the decision of a case, or None."""
        row = self._rows.first((case_id,))
        if row is None:
            return None
        said = dict(zip(self._schema, row, strict=True))
        points = {shown: said[f"p.{name}"] for shown, name in zip(self._said, self._points, strict=True)}
        values = {name: said[f"v.{name}"] for name in self._actions}
        return CaseAnswer(
            decision_id=f"{case_id:016x}",
            key={name: said[f"key.{name}"] for name in self._key},
            status="decided",
            due_at=said["decided_at"],
            decided_at=said["decided_at"],
            action=self._actions[said["action"]],
            decided_by=PEOPLE if said["left"] else said["decider"],
            model=said["model"],
            probabilities=_known(points),
            expected_value=said["expected"],
            expected_values=_known(values),
            propensity=said["propensity"],
            first=False,
        )

    def answer(self, made: DecidedCase, features: Row | None = None) -> CaseAnswer:
        """Say what was just decided."""
        at = made.decided_at
        return CaseAnswer(
            f"{made.id:016x}",
            dict(zip(self._key, made.key, strict=True)),
            "decided",
            at,
            at,
            self._actions[made.action],
            PEOPLE if made.left else made.decider,
            made.model,
            _known(dict(zip(self._said, made.prediction, strict=True))),
            made.expected,
            _known(dict(zip(self._actions, made.expected_values, strict=True))),
            made.propensity,
            None if features is None else dict(features),
            first=True,
        )


def _known(numbers: dict[str, Any]) -> dict[str, float] | None:
    """Give numbers that are there; None where none is."""
    if None in numbers.values():
        numbers = {name: number for name, number in numbers.items() if number is not None}
    return numbers or None
