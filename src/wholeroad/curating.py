"""A project's data: looked at, promised, mended, traced, and priced."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import polars as pl

from wholeroad.adapters.dlt_sources import readings_of_resource
from wholeroad.adapters.files import read_rows
from wholeroad.adapters.frames import as_frame
from wholeroad.adapters.quarantine_files import spelling_of, without_reason, write_quarantine
from wholeroad.core.errors import RoadError, UserError
from wholeroad.core.facts import Fact
from wholeroad.core.ports import Progress
from wholeroad.engine.intake import Arrival
from wholeroad.engine.lineage import trace_case, trace_row
from wholeroad.engine.manifests import waits_for
from wholeroad.engine.mended import Mended, rows_changed, worth_of_mend
from wholeroad.engine.next_data import NextData, what_next
from wholeroad.engine.profiling import Profiled, profile_data
from wholeroad.engine.rehearsal import walk_through
from wholeroad.engine.traced import CaseTraced, SourceTraced
from wholeroad.road.brief.sources import CsvTable
from wholeroad.road.data.camera import CameraPlan, plan_camera
from wholeroad.road.data.contracts.proposing import Proposal, propose
from wholeroad.road.data.contracts.questioning import inspect_versions
from wholeroad.road.data.facts import BatchLanded, SourceHeld, SourceReleased
from wholeroad.road.data.mending.feature_effects import FeatureChange
from wholeroad.road.data.mending.proposing import parse_step, steps_text, with_step
from wholeroad.yard import Yard, thrown_away


class Curation:
    """What can be asked of a project's data, and done to it.

    Parameters
    ----------
    yard
        What the project lends.
    """

    def __init__(self, yard: Yard) -> None:
        self._yard = yard
        self._brief = yard.brief

    # Looking

    def profile(self, progress: Progress | None = None) -> Profiled:
        """Look at everything that has landed as a careful analyst of this brief would."""
        return profile_data(self._brief, self._yard.store, progress=progress)

    def contract(self, source: str) -> Proposal:
        """Propose a contract of a source from what has landed; nothing of it is confirmed.

        Raises
        ------
        UserError
            ``brief.unknown-source``, ``data.not-landed``.
        """
        table, store = self._yard.store.source(source), self._yard.store
        others = {
            name: (other, store.versions(name))
            for name, other in self._brief.source.items()
            if name != source and store.rows(name)
        }
        return propose(source, table, rows=store.versions(source), others=others)

    def broken(self, source: str) -> dict[str, int]:
        """Count the landed rows that break the contract that the brief states now, by clause.

        Raises
        ------
        UserError
            ``data.no-contract``, ``brief.unknown-source``, ``data.not-landed``.
        """
        store = self._yard.store
        if store.source(source).contract is None:
            raise UserError(
                "data.no-contract",
                f"[source.{source}] has no contract",
                happened="the brief states none",
                expected=f"a table [source.{source}.contract]",
                fix=f"wholeroad data contract {source} proposes one",
            )
        asked = {source: store.versions(source)}
        others = {name: store.versions(name) for name in self._brief.source if store.rows(name)}
        landed = others | asked
        return dict(inspect_versions(self._brief, source, landed=landed).broken)

    def batches(self, source: str | None = None) -> pl.DataFrame:
        """Give the manifest of every batch: one row for each, in the order in which they landed.

        Columns: ``source, landed_at, read, rows_in, landed, repeated, quarantined, deleted, mended, broken,
        mend, batch, again``.

        Raises
        ------
        UserError
            ``brief.unknown-source``.
        """
        if source is not None:
            self._yard.store.source(source)
        facts = [
            fact
            for fact in self._yard.facts
            if isinstance(fact, BatchLanded) and not fact.anew and source in (None, fact.source)
        ]
        rows = [
            {
                "source": fact.source,
                "landed_at": fact.at,
                "read": fact.read,
                "rows_in": fact.rows_in,
                "landed": fact.landed,
                "repeated": fact.repeated,
                "quarantined": fact.quarantined,
                "deleted": fact.deleted,
                "mended": ", ".join(f"{step}: {count}" for step, count in fact.mended.items()),
                "broken": ", ".join(f"{clause}: {count}" for clause, count in fact.broken.items()),
                "mend": fact.mend,
                "batch": fact.batch,
                "again": fact.again,
            }
            for fact in facts
        ]
        return pl.DataFrame(rows, schema=_BATCHES, infer_schema_length=None).with_columns(
            pl.col("landed_at").cast(pl.Datetime("us", "UTC"))
        )

    def trace(self, *key: object) -> CaseTraced:
        """Trace a case, by the value of each column of its key: back to the raw rows, and who mended them.

        Raises
        ------
        UserError
            ``explain.key-length``, ``explain.unknown-case``.
        """
        yard = self._yard
        try:
            decisions = yard.operation.decisions()
        except RoadError:
            decisions = None
        return trace_case(
            [str(part) for part in key],
            history=yard.store.history(until=yard.store.last_known_at()),
            tables=yard.tables,
            facts=yard.facts,
            blobs=yard.blobs,
            decisions=decisions,
        )

    def trace_row(self, source: str, *key: object) -> SourceTraced:
        """Trace one row of a source: every version, its batch, its raw row, what the mend did to it.

        Raises
        ------
        UserError
            ``brief.unknown-source``, ``trace.key-length``, ``trace.unknown-row``.
        """
        yard = self._yard
        yard.store.source(source)
        return trace_row(
            source,
            [str(part) for part in key],
            brief=self._brief,
            tables=yard.tables,
            facts=yard.facts,
            blobs=yard.blobs,
        )

    # Mending

    def mend(self, source: str, steps: Sequence[str] = (), *, progress: Progress | None = None) -> Mended:
        """Try a mend: what it changes in rows and features, and in money in a rehearsal.

        Nothing is landed in the project and the brief stays as it is.

        Parameters
        ----------
        steps
            As they would stand in the brief, added to those that stand there; without any, what stands
            there is compared with no mend at all.

        Raises
        ------
        UserError, FaultsError
            ``brief.unknown-source``, ``data.no-mend``, ``mend.step``, and what landing raises.
        """
        table = self._yard.store.source(source)
        mend = table.mend
        for step in steps:
            mend = with_step(mend, parse_step(step))
        if mend is None:
            raise UserError(
                "data.no-mend",
                f"[source.{source}] has no mend",
                happened="the brief states no step, and none was given",
                expected="steps to try",
                fix="give one, as in --step '{ nothing = \"age\", values = [-999] }'",
            )
        before = table.model_copy(update={"mend": table.mend if steps else None})
        after = table.model_copy(update={"mend": mend})
        with self._yard.lock("trying a mend"):
            without, _ = self._yard.apart(source, before, progress=progress)
            with_it, facts = self._yard.apart(source, after, progress=progress)
        by_step = _by_step(facts, source)
        effect = rows_changed(source, (without, with_it), brief=self._brief, by_step=by_step)
        changes: tuple[FeatureChange, ...] = ()
        worth, why = None, ""
        try:
            variants = [
                self._yard.variant_of(name, store)
                for name, store in (("without the mend", without), ("with the mend", with_it))
            ]
            changes, worth, why = worth_of_mend(*variants, stores=thrown_away, progress=progress)
        except RoadError as error:
            why = str(error)
        text = steps_text(mend.steps, source=source, asked_by=mend.asked_by)
        return Mended(source, text, effect, changes, worth, why)

    def quarantine(self, source: str | None = None) -> pl.DataFrame:
        """Give the rows that are set aside, each with its code, reason and raw row.

        Raises
        ------
        UserError
            ``brief.unknown-source``.
        """
        if source is not None:
            self._yard.store.source(source)
        rows = self._yard.store.quarantine()
        return rows if source is None else rows.filter(pl.col("source") == source)

    def write_quarantine(self, source: str, path: Path) -> Path:
        """Write the rows of a source that are set aside to a CSV; mended, :meth:`land` takes it back.

        Raises
        ------
        UserError
            ``brief.unknown-source``, ``data.file-there``, ``data.quarantine-empty``.
        """
        self._yard.store.source(source)
        csv = self._brief.source[source].csv
        return write_quarantine(path, self.quarantine(source), csv=csv or CsvTable())

    def land(
        self, source: str, rows: object, *, progress: Progress | None = None
    ) -> list[BatchLanded | SourceHeld]:
        """Land rows from elsewhere: a file written as the source's is, a frame, or a resource of dlt.

        Rows that carry the mark of the quarantine are no longer set aside once they land.

        Raises
        ------
        UserError, TryLaterError
            ``brief.unknown-source``, ``data.file-missing`` and others; ``data.source-held``;
            ``origin.broke-off``.
        """
        del progress
        table, yard = self._yard.store.source(source), self._yard
        with yard.lock("landing"):
            now = yard.operation.now()
            imported = yard.operation.as_history(source, yard.intake)
            if isinstance(rows, str | Path):
                stored = {**yard.intake.types(source, table), "_quarantine": "text", "_reason": "text"}
                shown, csv = str(rows), spelling_of(Path(rows), table.csv)
                frame, bad = read_rows(Path(rows), {}, stored=stored, shown=shown, csv=csv)
                parts = [(without_reason(frame), bad)]  # a row that is bad again has the reader's reason
                arrival = Arrival(now, imported=imported, whole=False, read=shown)
                return [yard.intake.take_parts(source, table, parts=parts, arrival=arrival)]
            if hasattr(rows, "__arrow_c_stream__") or isinstance(rows, pl.LazyFrame):
                arrival = Arrival(now, imported=imported, whole=False)
                return [
                    yard.intake.take_parts(source, table, parts=[(as_frame(rows), None)], arrival=arrival)
                ]
            if held := yard.intake.held(source):
                raise waits_for(held)  # before anything is extracted
            facts = []
            for reading in readings_of_resource(
                yard.folder.root, source, source=table, resource=rows, landed=yard.intake
            ):
                arrival = Arrival(
                    now,
                    imported=imported,
                    origin=reading.origin,
                    whole=False,
                    read=reading.shown,
                    kept=True,  # the cursor has moved: these rows don't come again
                )
                facts.append(yard.intake.take_parts(source, table, parts=reading.parts, arrival=arrival))
            return facts

    def release(
        self, source: str, how: Literal["accepted", "discarded"] = "accepted", *, asked_by: str = ""
    ) -> BatchLanded | SourceReleased:
        """End the hold of a source: its batch lands as it is, or never.

        Raises
        ------
        UserError
            ``brief.unknown-source``, ``data.not-held``.
        """
        table, yard = self._yard.store.source(source), self._yard
        with yard.lock("releasing a batch"):
            return yard.intake.release(source, table, now=yard.operation.now(), how=how, asked_by=asked_by)

    # Pricing

    def next(self, features: Sequence[str] = (), progress: Progress | None = None) -> NextData:
        """Say what to do about data next, and what each is worth a month.

        Parameters
        ----------
        features
            To be priced one by one, beside the sources as a whole.
        """
        if unknown := [name for name in features if name not in self._brief.feature]:
            raise UserError(
                "data.unknown-feature",
                "There is no such feature",
                happened=f"was {', '.join(unknown)}",
                expected=f"some of {', '.join(self._brief.feature)}",
                fix="name features of the brief",
            )
        base = self._yard.variant("as it is")
        return what_next(
            base,
            walk_through(base.history, from_at=None, to_at=None),
            make=self._yard.variant,
            stores=thrown_away,
            learners=self._yard.learners(),
            features=features,
            progress=progress,
        )

    def camera(self, source: str) -> CameraPlan:
        """Say what the camera of a source would give, and what it rules out.

        Raises
        ------
        UserError
            ``brief.unknown-source``, ``data.no-camera``.
        """
        camera = self._yard.store.source(source).camera
        if camera is None:
            raise UserError(
                "data.no-camera",
                f"[source.{source}] has no camera",
                happened="the brief states none",
                expected=f"a table [source.{source}.camera]",
                fix="write sensor, lens and distance there: docs/reference/brief.md",
            )
        return plan_camera(source, camera)


_BATCHES = {
    "source": pl.String, "landed_at": pl.Int64, "read": pl.String, "rows_in": pl.Int64, "landed": pl.Int64,
    "repeated": pl.Int64, "quarantined": pl.Int64, "deleted": pl.Int64, "mended": pl.String,
    "broken": pl.String, "mend": pl.String, "batch": pl.String, "again": pl.Boolean,
}  # fmt: skip


def _by_step(facts: Sequence[Fact], source: str) -> dict[str, int]:
    """Add up the rows by step over the batches of the newest reading of a source."""
    batches = [fact for fact in facts if isinstance(fact, BatchLanded) and fact.source == source]
    counts: dict[str, int] = {}
    for fact in batches:
        if fact.mend and fact.mend == batches[-1].mend:
            for step, rows in fact.mended.items():
                counts[step] = counts.get(step, 0) + rows
    return counts
