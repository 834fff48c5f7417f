"""Reweighing: cases weigh before the fit so that, in what is learnt from, group and outcome are unrelated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.view import Codes
from wholeroad.road.brief.fairness import FairnessTable, RemedyTable
from wholeroad.road.data.bias.groups import OTHER, Grouping, group_texts, grouping
from wholeroad.road.model.weighing import effective_size

LARGEST: Final = 20.0
"""No case stands for more than so many: a fit would learn the few such cases by heart. It is as many rows
as the trees that ship ask for in a leaf."""

REST: Final = "everybody else"
"""What values are called that a remedy doesn't name."""

Weights = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reweighing:
    """Weights of the cases that a fit learns from, and how they came about.

    Attributes
    ----------
    grouping
        The name of the group, as in ``[fairness.groups]``.
    values
        G values of it; small ones are put together, as are those that the remedy doesn't name.
    cases
        Shape (G, classes): how many cases there were.
    cells
        Shape (G, classes): the weight of each; 1 where there was no case.
    weights
        Shape (n,): of each case, above 0, of mean 1.
    effective_share
        How many equally weighted cases would tell as much, as a share of all; (0, 1].
    pooled
        The values that were too small, each with its cases.
    without
        ``(value, class code)`` where there was no case at all: what isn't there can't weigh more, so the
        outcomes of this group stay apart from those of the others.
    toward
        ``unrelated``, or ``population``.
    drawn
        The share of the way that each value's weights go, (0, 1]; less than 1 where they would have gone
        beyond the largest weight allowed.
    """

    grouping: str
    values: tuple[str, ...]
    cases: NDArray[np.int64]
    cells: Weights
    weights: Weights
    effective_share: float
    pooled: Mapping[str, int] = field(default_factory=dict)
    without: tuple[tuple[str, int], ...] = ()
    drawn: Mapping[str, float] = field(default_factory=dict)
    toward: Literal["unrelated", "population"] = "unrelated"

    @property
    def effective_shares(self) -> dict[str, float]:
        """The effective share of each value's own cases."""
        total = (self.cases * self.cells).sum(axis=1)
        squares = (self.cases * self.cells**2).sum(axis=1)
        return dict(zip(self.values, (total**2 / squares / self.cases.sum(axis=1)).tolist(), strict=True))

    def weigh(self, texts: pl.Series, truth: Codes) -> Weights:
        """Weigh other cases alike, shape (m,): by value and outcome; 1 where the fit had no such case.

        What a fit stops on is weighed so, by the weights that it was fitted with.
        """
        places = {value: place for place, value in enumerate(self.values)}
        other = places.get(OTHER, -1)
        places |= dict.fromkeys(self.pooled, other)
        rows = texts.replace_strict(places, default=places.get(REST, other), return_dtype=pl.Int32).to_numpy()
        # Nothing is known of a value or class that isn't there: the last row and column.
        known = np.pad(self.cells, (0, 1), constant_values=1.0)
        weights: Weights = known[rows, np.minimum(truth, self.cells.shape[1])]
        return weights

    def says(self, classes: Sequence[str]) -> str:
        """Say in sentences what was done, and what it couldn't do.

        Parameters
        ----------
        classes
            The names of the classes.
        """
        if len(self.values) < 2:
            return f"{self.grouping} has one value with cases enough, so all cases weigh the same."
        by = f"{self.grouping} and outcome"
        least, most = self.weights.min(), self.weights.max()
        sentences = [
            f"Cases were weighed by {by}, so that outcomes come equally often in each group."
            if self.toward == "unrelated"
            else f"Cases were weighed by {self.grouping}, so that groups weigh as in the population.",
            f"Weights were {least:.2g} to {most:.2g}.",
            f"{self.effective_share:.1%} of the cases, equally weighted, would tell as much.",
        ]
        if self.pooled:
            sentences.append(f"{len(self.pooled)} values with few cases were put together.")
        sentences += [
            f"{value} has no case with {classes[code]}, which no weight can bring."
            for value, code in self.without
        ]
        sentences += [
            f"The weights of {value} go {share:.0%} of the way: no case stands for more than {LARGEST:g}."
            for value, share in self.drawn.items()
            if share < 1
        ]
        return " ".join(sentences)


def effective_share(weights: Weights) -> float:
    """Give how many equally weighted cases would tell as much, as a share of all (Kish 1965).

    Examples
    --------
    >>> effective_share(np.array([1.5, 0.5])), effective_share(np.ones(3))
    (0.8, 1.0)
    """
    return effective_size(weights) / weights.size if weights.size else 1.0


def group_weights(
    texts: pl.Series,
    truth: Codes,
    *,
    least_cases: int = 30,
    values: Sequence[str] = (),
    largest: float | None = LARGEST,
) -> Weights:
    """Give the weights of :func:`reweighing`, shape (n,), of mean 1.

    Examples
    --------
    The applicants of the paper: of five women two were hired, of five men four.

    >>> sex, hired = pl.Series("sex", ["m"] * 5 + ["f"] * 5), np.array([1, 1, 1, 1, 0, 0, 0, 1, 0, 1])
    >>> group_weights(sex, hired.astype(np.int16), least_cases=2).round(2).tolist()
    [0.75, 0.75, 0.75, 0.75, 2.0, 0.67, 0.67, 1.5, 0.67, 1.5]
    """
    return reweighing(texts, truth, least_cases=least_cases, values=values, largest=largest).weights


def reweighing(
    texts: pl.Series,
    truth: Codes,
    *,
    least_cases: int = 30,
    values: Sequence[str] = (),
    largest: float | None = LARGEST,
    population: Mapping[str, float] | None = None,
) -> Reweighing:
    """Weigh cases so that group and outcome are unrelated among them, or groups are as in the population.

    A case of group g with outcome y weighs ``P(g) P(y) / P(g, y)``: how often both would fall together were
    they unrelated, over how often they do (Kamiran and Calders 2012, *Data preprocessing techniques for
    classification without discrimination*, Knowledge and Information Systems 33, reweighing). Then each
    outcome is equally frequent in every group, groups stay as large as they were, and so do classes. There
    may be more than two of both. A group without any case of a class takes the frequencies of the others
    among those classes that it has.

    Parameters
    ----------
    texts
        Each case's value of the group.
    truth
        Shape (n,): class codes from 0.
    least_cases
        Values with fewer cases are put together first: a weight from a handful of them would be chance.
    values
        The values that it is about; the others are then taken as one. All of them unless said.
    largest
        The greatest weight allowed. The weights of a group beyond it are drawn towards 1 until they
        keep it, all by the same share, so that its size stays; its outcomes then come as much nearer to
        the others' as that share says. None allows any.
    population
        Weigh each group by its share of the population over its share of the cases instead, whatever the
        outcome (poststratification: Holt and Smith 1979, JRSS A 142). Values without a stated share
        weigh 1; what is put together weighs as all of it does.
    """
    if values:
        texts = texts.replace_strict({value: value for value in values}, default=REST, return_dtype=pl.String)
    groups = grouping(texts.name, texts, least_cases=least_cases)
    cases = _table(groups, truth)
    cells = _cells(cases) if population is None else _as_population(groups, cases, population)
    drawn = np.ones(len(cells))
    if largest is not None:
        most = cells.max(axis=1, initial=1.0)
        drawn = np.where(most > largest, (largest - 1) / np.maximum(most - 1, 1e-300), 1.0)
        cells = np.where(drawn[:, None] < 1, 1 + drawn[:, None] * (cells - 1), cells)
    weights = cells[groups.codes, truth]
    shown = np.flatnonzero(cases.sum(axis=0))
    return Reweighing(
        grouping=texts.name,
        values=groups.values,
        cases=cases,
        cells=cells,
        weights=weights,
        effective_share=effective_share(weights),
        pooled=groups.pooled,
        without=tuple(
            (value, int(code))
            for value, row in zip(groups.values, cases, strict=True)
            for code in shown
            if not row[code]
        ),
        drawn=dict(zip(groups.values, drawn.tolist(), strict=True)),
        toward="unrelated" if population is None else "population",
    )


def reweigh(fairness: FairnessTable, frame: pl.DataFrame, *, truth: Codes) -> Reweighing | None:
    """Weigh the cases that a fit learns from, as the brief's remedy asks; None where it asks for none.

    Parameters
    ----------
    frame
        A column for each group that is no intersection, and a row for each case that is learnt from: of the
        train slice in a trial, of the whole cut in the refit.
    truth
        Shape (n,): what came true of them, as class codes.

    Examples
    --------
    >>> table = FairnessTable.model_validate(
    ...     {"groups": {"sex": {"column": "sex"}}, "least_cases": 2}
    ...     | {"remedies": [{"kind": "reweigh", "group": "sex"}]}
    ... )
    >>> frame = pl.DataFrame({"sex": ["f", "f", "f", "m", "m", "m"]})
    >>> found = reweigh(table, frame, truth=np.array([1, 0, 0, 1, 1, 0], dtype=np.int16))
    >>> found.weights.tolist()
    [1.5, 0.75, 0.75, 0.75, 0.75, 1.5]
    """
    remedy = asked(fairness)
    if remedy is None:
        return None
    stated = fairness.groups[remedy.group].population
    return reweighing(
        group_texts(frame, fairness, name=remedy.group),
        truth,
        least_cases=fairness.least_cases,
        values=remedy.values,
        population=stated if remedy.toward == "population" else None,
    )


def weigh_alike(found: Reweighing, fairness: FairnessTable, *, frame: pl.DataFrame, truth: Codes) -> Weights:
    """Weigh the cases that a fit stops on by the weights that it was fitted with, shape (m,)."""
    return found.weigh(group_texts(frame, fairness, name=found.grouping), truth)


def asked(fairness: FairnessTable) -> RemedyTable | None:
    """Give the remedy of the brief that asks for weights; there is one at most."""
    return next(iter(fairness.of_kind("reweigh")), None)


def _table(groups: Grouping, truth: Codes) -> NDArray[np.int64]:
    classes = int(truth.max(initial=0)) + 1
    size = len(groups.values) * classes
    counts = np.bincount(groups.codes * classes + truth.astype(np.int64), minlength=size)
    return counts.reshape(len(groups.values), classes).astype(np.int64)


def _as_population(groups: Grouping, cases: NDArray[np.int64], population: Mapping[str, float]) -> Weights:
    """Give each group's share of the population over its share of the cases, shape (G, classes)."""
    named = {value for value in groups.values if value in population}
    gone = sum(share for value, share in population.items() if value not in named)
    counts = cases.sum(axis=1)
    ratios = np.ones(len(groups.values))
    for place, value in enumerate(groups.values):
        share = population.get(value, gone if value in (OTHER, REST) else None)
        if share:
            ratios[place] = share * counts.sum() / max(int(counts[place]), 1)
    ratios *= counts.sum() / float((ratios * counts).sum())
    return np.repeat(ratios[:, None], cases.shape[1], axis=1)


def _cells(cases: NDArray[np.int64]) -> Weights:
    """Give the weight of each cell, from whole numbers and one division; 1 in an empty one."""
    there = cases > 0
    of_group = cases.sum(axis=1, keepdims=True).astype(np.float64)
    of_class = cases.sum(axis=0, keepdims=True).astype(np.float64)
    # All cases, but for a group that lacks a class: then those of the classes it has.
    among = np.where(there, of_class, 0.0).sum(axis=1, keepdims=True)
    cells: Weights = np.divide(of_group * of_class, among * cases, out=np.ones(cases.shape), where=there)
    return cells
