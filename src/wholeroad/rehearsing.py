"""A rehearsal's folders: one for each policy, laid out as a project's, sealed by what went in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wholeroad.adapters.folders import ProjectFolder, name_taken, seal_of, write_whole
from wholeroad.adapters.ledgers import SqliteLedger
from wholeroad.adapters.tables_delta import DeltaTables
from wholeroad.core.errors import UserError
from wholeroad.core.instants import format_instant
from wholeroad.core.ports import Progress
from wholeroad.engine.comparing import CARDS, Compared, Run, cards, compare_runs
from wholeroad.engine.facts import decode
from wholeroad.engine.rehearsal import Rehearsal, Walk
from wholeroad.engine.rehearsed import slug, tables_gone
from wholeroad.engine.workshop import Workshop
from wholeroad.road.brief.digests import digests
from wholeroad.road.brief.policies import Policy
from wholeroad.road.data.history import History
from wholeroad.road.model.facts import FitRefused, ModelFitted


@contextmanager
def stores(root: Path) -> Iterator[tuple[DeltaTables, SqliteLedger]]:
    """Open the tables and the ledger of a project's or a rehearsal's folder."""
    folder = ProjectFolder(root)
    ledger = SqliteLedger(folder.ledger, decode, mending=folder.mending)
    try:
        yield DeltaTables(folder.tables), ledger
    except UserError as error:
        raise tables_gone(error, folder.root, mending=folder.mending) from error
    finally:
        ledger.close()


@dataclass(frozen=True, slots=True)
class Stage:
    """Where policies are rehearsed.

    Attributes
    ----------
    folder
        The project's.
    text
        Of the brief, as it was written.
    data
        A digest of what is known of each source.
    made_with
        Code, versions and learners.
    label
        The rehearsal's name; made from what goes in when there is none.
    """

    folder: ProjectFolder
    text: str
    data: Mapping[str, str]
    made_with: str
    label: str | None

    def rehearse(
        self,
        policies: Sequence[Policy],
        walk: Walk,
        *,
        history: History,
        workshop: Workshop,
        progress: Progress | None,
    ) -> tuple[Path, Compared]:
        """Rehearse policies one after the other, and compare them.

        Returns
        -------
        folder, compared
            The rehearsal's folder, with the model cards in it.
        """
        brief = history.brief
        manifest = {
            "brief": digests(brief).brief,
            "from_at": format_instant(walk.from_at),
            "to_at": format_instant(walk.to_at),
            "made_with": self.made_with,
            **{f"data.{source}": digest for source, digest in self.data.items()},
        }
        place = self.folder.rehearsal(self.label or f"{brief.brief.name}-{seal_of(manifest)[:8]}")
        place.claim(manifest)
        runs = []
        for policy in policies:
            folder = place.within(slug(policy.name))
            sealed = {**manifest, "policy": policy.name}
            runs.append(self._run(policy, walk, history, workshop, folder, sealed, progress))
        if progress:
            progress("comparing: model cards", 0, 0)
        for file, text in cards(runs, workshop, brief=brief):
            write_whole(place.root / CARDS / file, text.encode())
        return place.root, compare_runs(history, runs, workshop=workshop, span=walk, progress=progress)

    def _run(
        self,
        policy: Policy,
        walk: Walk,
        history: History,
        workshop: Workshop,
        folder: ProjectFolder,
        sealed: Mapping[str, str],
        progress: Progress | None,
    ) -> Run:
        folder.prepare()
        with stores(folder.root) as (tables, ledger):
            facts = [fact for _, fact in ledger.read()]
            if facts and getattr(facts[0], "manifest", None) != seal_of(sealed):
                raise name_taken(folder.root)
            workshop.make_again(fact for fact in facts if isinstance(fact, ModelFitted))
            write_whole(folder.brief, self.text.encode())
            folder.claim(sealed)
            rehearsal = Rehearsal(
                history, workshop, policy=policy, span=walk, tables=tables, ledger=ledger, progress=progress
            )
            state = rehearsal.run(seal_of(sealed), sealed["brief"])
            facts = [fact for _, fact in ledger.read()]
        fits = tuple(fact for fact in facts if isinstance(fact, ModelFitted))
        refused = tuple(fact for fact in facts if isinstance(fact, FitRefused))
        return Run(policy.name, rehearsal.action, fits, state, refused, rehearsal.propensity)
