"""Counters of a service, for those who watch it."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from wholeroad.core.instants import Instant
from wholeroad.engine.service.front import Front
from wholeroad.engine.service.groups import Grouped
from wholeroad.engine.service.messages import DecisionsAnswer, Measured, RowsAnswer, StatusAnswer
from wholeroad.serving.told import clock_behind

if TYPE_CHECKING:
    from wholeroad.serving.beside import Beside


def seconds() -> float:
    """Give seconds since any instant, finely: how long something took, which no decision hangs on."""
    return time.perf_counter()  # noqa: TID251 - the loop's own clock counts milliseconds


class Counts:
    """What has happened since the start."""

    def __init__(self) -> None:
        self.rows: Counter[tuple[str, str]] = Counter()
        self.cases: Counter[tuple[str, str]] = Counter()
        self.groups = 0
        self.commands = 0
        self.landed = 0
        self.decided = 0
        self.deciding_s = 0.0
        self.flush_s = 0.0

    def grouped(self, grouped: Grouped, *, deciding_s: float) -> None:
        """Count a group that was formed."""
        self.groups += 1
        self.commands += len(grouped.answers)
        self.deciding_s += deciding_s
        if grouped.record is not None:
            self.landed += sum(len(each.values) for each in grouped.record.rows)
            self.decided += len(grouped.record.decided)
        for answer in grouped.answers:
            if isinstance(answer, RowsAnswer):
                for row in answer.rows:
                    self.rows[answer.source, row.status] += 1
            elif isinstance(answer, DecisionsAnswer):
                for case in answer.cases:
                    self.cases[case.status, case.decided_by or ""] += 1

    def status(self, front: Front, beside: Beside, *, now: Instant) -> StatusAnswer:
        """Say how the service stands.

        Parameters
        ----------
        now
            What the clock says; where it stands before what is written down, that counts.
        """
        plan = front.plan
        return StatusAnswer(
            brief=front.brief.brief.name,
            now=max(now, front.at),
            decided_by=plan.decider,
            model=plan.model,
            effective_from=plan.effective_from,
            why=front.why(),
            rows=self.landed,
            decisions=self.decided,
            waiting=front.waiting_cases,
            next_cycle_at=front.next_cycle_at,
            cycles_behind=beside.behind,
            fit=beside.fit,
            trouble=beside.trouble or clock_behind(now, front.at),
        )

    def measured(self, front: Front, beside: Beside, *, queued: int) -> Measured:
        """Give all of them."""
        return Measured(
            rows=dict(self.rows),
            cases=dict(self.cases),
            groups=self.groups,
            group_commands=self.commands,
            flush_s=self.flush_s,
            deciding_s=self.deciding_s,
            queued=queued,
            waiting=front.waiting_cases,
            cycles=beside.cycles,
            cycles_behind=beside.behind,
            fits_failed=beside.fits_failed,
            keys_in_memory=front.keys_in_memory,
            keys_spilled=front.keys_spilled,
            jobs_failed=beside.jobs_failed,
        )
