"""Where fits are made and cases are scored; both are kept by the content of what they were made from."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Final, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from wholeroad.core.errors import UserError
from wholeroad.core.ids import digest, digest_arrays
from wholeroad.core.instants import Instant, format_instant
from wholeroad.core.ports import AnyLearner, Blobs, Progress
from wholeroad.core.view import Codes
from wholeroad.road.data.history import History
from wholeroad.road.model.cut import CutGroups
from wholeroad.road.model.facts import FitAsked, FitRefused, ModelFitted
from wholeroad.road.model.fairness.assessed import Terms
from wholeroad.road.model.results import ChoiceReport
from wholeroad.road.model.untreated import Acted, acted_at
from wholeroad.road.model.work import Cut, Fitted, Model, fit
from wholeroad.road.model.work import FitRefused as Refusal

T = TypeVar("T")

CHUNK: Final = 1 << 15
"""Cases that are scored together and kept as one blob."""

CHUNKS_AT_HAND: Final = 4
"""Scored chunks kept in memory, so that a day's cases don't read a whole chunk from disk."""


class Kept(msgspec.Struct, frozen=True):
    """What is kept of a fit.

    Attributes
    ----------
    model
        Digest of the model file, None where the status quo won.
    report
        The choice with its numbers; None where no fit could be made.
    refusal
        Code and sentence, where no fit could be made.
    stopped
        The limits of ``[fairness]`` that keep the model from being put in charge.
    """

    cut: str
    rows: int
    champion: str
    model: str | None
    why: str
    report: ChoiceReport | None
    refusal: tuple[str, str] | None = None
    stopped: tuple[str, ...] = ()


class Workshop:
    """Makes fits and scores for one history.

    Parameters
    ----------
    history
        What there is to learn from; a fit sees it as of its cut.
    learners
        By name, in the order of the brief's candidates.
    blobs
        Keeps models under their content, fits and scores under what they were made from,
        so that policies and later runs share them.
    recipe
        Versions of everything that could change a fit.
    chunk
        Cases that are scored together and kept for later runs; with 0 each is scored when it is asked for.
    """

    def __init__(
        self,
        history: History,
        learners: Mapping[str, AnyLearner],
        *,
        blobs: Blobs,
        recipe: str,
        chunk: int = CHUNK,
        progress: Progress | None = None,
    ) -> None:
        self._history = history
        self._learners = learners
        self._blobs = blobs
        self._recipe = recipe
        self._chunk_cases = chunk
        self._recorded: Callable[[History], History] = lambda history: history
        self._progress = progress
        self._models: dict[str, Model] = {}
        self._kept: dict[Instant, Kept] = {}
        self._chunks: dict[tuple[str, int], NDArray[np.float64]] = {}

    def follow(self, recorded: Callable[[History], History]) -> None:
        """Learn what was done to cases from a record that grows, beside what the history says of it."""
        self._recorded = recorded

    def collect(self, asked: FitAsked, now: Instant) -> ModelFitted | FitRefused:
        """Give what came of a fit: made now, from what was known when it was asked for."""
        kept = self.kept(asked.at)
        if kept.refusal is not None:
            code, happened = kept.refusal
            return FitRefused(at=now, asked_at=asked.at, code=code, happened=happened)
        return ModelFitted(
            at=now,
            asked_at=asked.at,
            cut=kept.cut,
            rows=kept.rows,
            champion=kept.champion,
            model=kept.model,
            costs=asked.costs,
            why=kept.why,
            stopped=kept.stopped,
        )

    def kept(self, cut_at: Instant) -> Kept:
        """Give the fit on the cut of an instant, made if it wasn't before."""
        if cut_at not in self._kept:
            kept = self._kept[cut_at] = self._fitted(cut_at)
            if kept.report is not None:
                report = _written(kept.report)
                self._blobs.put("choices", _choice_key(kept.cut, kept.model), data=report)
        return self._kept[cut_at]

    def make_again(self, fits: Iterable[ModelFitted]) -> None:
        """Make the models of earlier fits again whose files are gone or damaged."""
        for fitted in fits:
            if fitted.model is not None and self._blobs.get("models", fitted.model) is None:
                self.kept(fitted.asked_at)

    def choice(self, fitted: ModelFitted) -> ChoiceReport | None:
        """Give the choice behind a fit, with its numbers; None where it isn't kept."""
        data = self._blobs.get("choices", _choice_key(fitted.cut, fitted.model))
        return None if data is None else _read(data, ChoiceReport)

    def model(self, name: str) -> Model:
        """Give a model by its digest."""
        if name not in self._models:
            self._models[name] = read_model(name, self._blobs, learners=self._learners)
        return self._models[name]

    def probabilities(self, name: str, first: int, *, last: int) -> NDArray[np.float64]:
        """Score the cases ``first .. last - 1`` with a model.

        Returns
        -------
        ndarray
            Shape (last - first, K): probabilities of the classes, or quantiles of a number.
        """
        if not self._chunk_cases:
            return self.model(name).probabilities(self._history.features.take(slice(first, last)))
        scores = np.empty((last - first, len(self._history.brief.prediction)))
        for start in range(first - first % self._chunk_cases, last, self._chunk_cases):
            stop = min(start + self._chunk_cases, len(self._history.features))
            chunk = self._chunk(name, start, stop)
            low, high = max(start, first), min(stop, last)
            scores[low - first : high - first] = chunk[low - start : high - start]
        return scores

    @cached_property
    def _schema(self) -> list[str]:
        return [f"{name}:{kind}" for name, kind in self._history.features.schema.items()]

    def _chunk(self, name: str, start: int, stop: int) -> NDArray[np.float64]:
        if (name, start) not in self._chunks:
            while len(self._chunks) >= CHUNKS_AT_HAND:
                self._chunks.pop(next(iter(self._chunks)))
            self._chunks[name, start] = self._scored(name, start, stop)
        return self._chunks[name, start]

    def _scored(self, name: str, start: int, stop: int) -> NDArray[np.float64]:
        width = len(self._history.brief.prediction)
        rows = self._history.features.hashes(slice(start, stop))
        key = digest_arrays([rows], "scores", name, self._recipe, *self._schema)
        data = self._blobs.get("scores", key)
        if data is not None and len(data) == (stop - start) * width * 8:
            return np.frombuffer(data, dtype="<f8").reshape(stop - start, width)
        scores = self.model(name).probabilities(self._history.features.take(slice(start, stop)))
        self._blobs.put("scores", key, data=np.ascontiguousarray(scores, dtype="<f8").tobytes())
        return scores

    def _fitted(self, cut_at: Instant) -> Kept:
        history = self._history
        brief = history.brief
        window = None if brief.policy.refit.window == "all" else brief.policy.refit.window
        view = history.as_of(cut_at)
        rows = view.matured(brief.outcome.matures, window)
        truth = view.truth()[rows]
        acted = acted_at(self._recorded(history), rows, now=cut_at)
        groups = _groups_of(history, rows)
        cut = self._cut_digest(rows, truth, acted, groups)
        settings = f"{cut_at} {brief.outcome.matures} {brief.model.least_outcomes} {brief.worth.capacity}"
        fair = [] if groups is None else [json.dumps(groups.table.acting(), sort_keys=True)]
        key = digest("fit", cut, settings, self._recipe, *self._learners, *fair)
        data = self._blobs.get("fits", key)
        if data is not None:
            kept = _read(data, Kept)
            if kept.model is None or self._blobs.get("models", kept.model) is not None:
                return kept
        tell = self._telling(f"fits #: {format_instant(cut_at)[:10]} on {rows.size:,} cases")
        tell("", 0, len(self._learners) + 1)
        result = fit(
            Cut(
                features=history.features.take(rows),
                decided_at=history.timeline.decided_at[rows],
                truth=truth,
                values=history.values.take(rows),
                status_quo=history.status_quo[rows],
                held=history.held[rows],
                classes=brief.outcome.classes,
                actions=brief.actions,
                levels=history.told.levels,
                amounts=brief.worth.quantities,
                acted=acted,
                groups=groups,
                capacity=brief.worth.capacity,
            ),
            list(self._learners.values()),
            cut_at=cut_at,
            matures=brief.outcome.matures,
            least_outcomes=brief.model.least_outcomes,
            progress=tell,
        )
        tell("", 1, 1)
        kept = self._keep(result, cut, rows.size)
        self._blobs.put("fits", key, data=_written(kept))
        return kept

    def _telling(self, label: str) -> Progress:
        """Give what takes in a fit's steps; its end is told here, since a refused fit tells none."""
        progress = self._progress

        def tell(step: str, done: float, total: float) -> None:
            if progress:
                text = f"{label}, {step.removeprefix('fit ')}" if step else label
                progress(text, done, total)

        return tell

    def _keep(self, result: Fitted | Refusal, cut: str, rows: int) -> Kept:
        if isinstance(result, Refusal):
            return Kept(
                cut,
                rows,
                "",
                None,
                "",
                None,
                refusal=(result.code, f"{result.happened}; needed: {result.expected}"),
            )
        name = None
        if result.model is not None:
            data = result.model.to_bytes()
            name = digest(data)
            self._blobs.put("models", name, data=data)
            self._models[name] = result.model
        report = result.report
        return Kept(cut, rows, result.champion, name, report.why, report, stopped=report.stopped)

    def _cut_digest(
        self, rows: NDArray[np.int64], truth: Codes, acted: Acted | None, groups: CutGroups | None
    ) -> str:
        history = self._history
        levels = history.told.levels
        return digest_arrays(
            [
                history.features.hashes(rows),
                history.timeline.decided_at[rows],
                # Later rows move the codes of numbers: what they stand for is digested.
                truth if levels is None else levels[truth],
                history.status_quo[rows],
                history.held[rows],
                *history.values.take(rows).content(),
                *(acted.content() if acted else ()),
                *(groups.content() if groups else ()),
            ],
            "cut",
            *self._schema,
            *history.brief.outcome.classes,
            *history.brief.actions,
        )


def read_model(name: str, blobs: Blobs, *, learners: Mapping[str, AnyLearner]) -> Model:
    """Read a model by its digest: ``model.missing``, ``model.unreadable``."""
    data = blobs.get("models", name)
    if data is None:
        raise UserError(
            "model.missing",
            "A model is gone",
            happened=f"the ledger speaks of model {name[:8]}, and its file is not there or damaged",
            expected="the file under .wholeroad/blobs/models",
            fix="restore it from a copy; of a rehearsal, delete the folder and run it again",
        )
    return Model.from_bytes(data, learners)


def _groups_of(history: History, rows: NDArray[np.int64]) -> CutGroups | None:
    """Give the groups to a fit that has remedies to carry out or limits to hold, and to no other."""
    table = history.brief.fairness
    if table is None or not table.bears_on_fits or history.groups is None:
        return None
    return CutGroups(history.groups.take(rows), table, Terms.of(history.brief))


def _written(kept: Kept | ChoiceReport) -> bytes:
    """Write what is kept; JSON has no word for an interval without ends."""
    return msgspec.msgpack.encode(kept, order="sorted")


def _read(data: bytes, kind: type[T]) -> T:
    """Read what was kept, in JSON before there were such intervals."""
    if data.startswith(b"{"):
        return msgspec.json.decode(data, type=kind)
    return msgspec.msgpack.decode(data, type=kind)


def _choice_key(cut: str, model: str | None) -> str:
    return digest("choice", cut, model or "")
