"""Comparing: the candidates of a trial side by side, and the sentence that says why one won."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wholeroad.core.instants import Instant, Span
from wholeroad.road.brief.quantities import chosen_amounts
from wholeroad.road.data.blocks import blocks_of
from wholeroad.road.model.calibration import Calibration
from wholeroad.road.model.cut import Cut
from wholeroad.road.model.encoding import Encoder
from wholeroad.road.model.fitting import Candidate, Trial
from wholeroad.road.model.results import STATUS_QUO, CandidateReport, ChoiceReport, SliceReport
from wholeroad.road.model.rules import Contender, Standing, choose


@dataclass(frozen=True)
class Comparison:
    """The choice among the candidates of one trial."""

    best: str
    champion: str
    blocks: int
    block_kind: str
    candidates: tuple[CandidateReport, ...]

    def report(self, trial: Trial, encoder: Encoder, *, cut_at: Instant, matures: Span) -> ChoiceReport:
        """Write the choice down; ``encoder`` tells the features that were used."""
        choose_slice = trial.slices.choose
        return ChoiceReport(
            cut_at=cut_at,
            matures=matures,
            rows=trial.cut.rows,
            outcomes=trial.cut.outcomes(),
            slices=_slices(trial),
            unpriced=choose_slice.stop - choose_slice.start - len(trial.priced),
            blocks=self.blocks,
            block_kind=self.block_kind,
            candidates=self.candidates,
            best=self.best,
            champion=self.champion,
            why=_why(self),
            features=tuple(column.name for column in encoder.columns),
            left_out=encoder.left_out,
        )


def compare(trial: Trial, candidates: Sequence[Candidate]) -> Comparison:
    """Choose by money on the choose slice; see :func:`wholeroad.road.model.rules.choose`."""
    blocks, kind = blocks_of(trial.cut.decided_at[trial.priced])
    contenders = [Contender(one.name, one.complexity, one.money) for one in candidates]
    choice = choose(contenders, blocks)
    return Comparison(
        best=choice.best,
        champion=choice.champion,
        blocks=int(blocks.max()) + 1,
        block_kind=kind,
        candidates=tuple(
            _candidate(one, standing, trial.cut)
            for one, standing in zip(candidates, choice.standings, strict=True)
        ),
    )


def _candidate(candidate: Candidate, standing: Standing, cut: Cut) -> CandidateReport:
    names = () if cut.amounts else cut.actions
    shares = np.bincount(candidate.actions, minlength=len(cut.actions)) / len(candidate.actions)
    calibration = candidate.calibration if isinstance(candidate.calibration, Calibration) else None
    return CandidateReport(
        name=candidate.name,
        complexity=candidate.complexity,
        money_per_case=standing.money_per_case,
        behind_best=standing.behind_best,
        standard_error=standing.standard_error,
        eligible=standing.eligible,
        actions={name: float(share) for name, share in zip(names, shares, strict=not cut.amounts)},
        rounds=candidate.rounds,
        slope=calibration.slope if calibration else None,
        intercepts=calibration.intercepts if calibration else (),
        log_loss_raw=candidate.log_loss_raw,
        log_loss=candidate.log_loss,
        auc=candidate.auc,
        amounts=chosen_amounts(cut.amounts, candidate.actions),
        pinball_raw=candidate.pinball_raw,
        pinball=candidate.pinball,
        coverage=candidate.coverage,
    )


def _slices(trial: Trial) -> tuple[SliceReport, ...]:
    decided_at = trial.cut.decided_at
    return tuple(
        SliceReport(
            name=name,
            rows=part.stop - part.start,
            from_at=int(decided_at[part.start]),
            to_at=int(decided_at[part.stop - 1]),
            embargoed=embargoed,
        )
        for (name, part), embargoed in zip(trial.slices.ranges(), (*trial.slices.embargoed, 0), strict=True)
    )


def _why(comparison: Comparison) -> str:
    by_name = {candidate.name: candidate for candidate in comparison.candidates}
    best, champion = by_name[comparison.best], by_name[comparison.champion]
    earned = f"{champion.money_per_case:,.3f} per case"
    if best is not champion:
        text = (
            f"{best.name} earned the most, {best.money_per_case:,.3f} per case, but {champion.name} earned "
            f"{earned}, and the difference of {champion.behind_best:,.3f} is within one standard error "
            f"({champion.standard_error:,.3f}), so the simpler one is taken"
        )
    elif nearest := min(
        (one for one in comparison.candidates if one.complexity < champion.complexity),
        key=lambda one: one.behind_best,
        default=None,
    ):
        text = (
            f"{champion.name} earned the most, {earned}; the nearest simpler candidate, {nearest.name}, is "
            f"{nearest.behind_best:,.3f} behind, more than one standard error ({nearest.standard_error:,.3f})"
        )
    else:
        text = f"{champion.name} earned {earned}, and no candidate earned more"
    return text + (": no model is needed." if champion.name == STATUS_QUO else ".")
