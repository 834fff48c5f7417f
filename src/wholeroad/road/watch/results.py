"""What a comparison of policies says, as plain objects for tables, pages and frames."""

from __future__ import annotations

from dataclasses import dataclass

from wholeroad.core.estimates import Estimate
from wholeroad.core.instants import Instant, Span
from wholeroad.road.brief.quantities import Amounts


@dataclass(frozen=True, slots=True)
class OpenValue:
    """A value that the brief gives as a range, or as a ratio.

    Attributes
    ----------
    name
        ``rebook.late``, or ``a miss``.
    low, middle, high
        In the brief's unit; decisions are made at the middle. All equal where it is no range.
    """

    name: str
    low: float
    middle: float
    high: float


@dataclass(frozen=True, slots=True)
class BreakEven:
    """Where the winner changes: the open value at which a policy makes as much as the status quo.

    Attributes
    ----------
    name
        Of the open value.
    value
        Given the actions taken, the other open values at their middle; may lie where no value can.
    above
        Whether the policy makes more above it, or else below it.
    """

    name: str
    value: Estimate
    above: bool


@dataclass(frozen=True, slots=True)
class Success:
    """Whether the brief's success criterion was met.

    Attributes
    ----------
    required
        Gain over the status quo per settled case that the brief asks for.
    confidence
        With which it must be exceeded.
    lower_bound
        One-sided lower bound of the gain at that confidence; ``-inf`` when nothing can be said.
    met
        Whether the lower bound reaches what is required.
    """

    required: float
    confidence: float
    lower_bound: float
    met: bool


@dataclass(frozen=True, slots=True)
class PolicyMoney:
    """One policy on the scored cases, in the brief's unit, net of the fits' cost.

    Attributes
    ----------
    policy
        As written: ``never``, ``every 30d``, ``random 10%``, ``status quo``, ``always rebook``.
    settled, unknown, pending
        Cases with a known outcome (only they carry money), with an outcome row whose truth is
        unknown, and with no outcome yet.
    total, per_case
        Money over the settled cases after the fits' cost, and the same over ``settled``.
    versus_status_quo, versus_never
        Paired differences of totals; None for the policy itself or when the other wasn't run.
    fits, fit_costs
        Fits paid for from ``from_at`` on, and their money.
    regret_oracle
        Money short of the oracle that pays for its fits; None where no model was fitted.
    regret_floor
        The regret that this policy would show if all models were equal (95th percentile).
    regret_clairvoyant
        Money short of knowing every outcome beforehand.
    corners
        Lowest and highest total over the corners of the value ranges; None without ranges.
    actions
        Share of the scored cases by action; none where actions are amounts.
    amounts
        Where actions are amounts: their mean and quartiles over the scored cases.
    versus_best
        Paired difference to the policy with the highest total; None for that policy.
    gain_per_case
        ``versus_status_quo`` for each settled case.
    gain_corners
        Lowest and highest gain over the status quo over the corners; None without ranges.
    regret_interval
        Of ``regret_oracle``.
    success
        None when the brief states no criterion, and for the status quo.
    beats
        The policies that it clearly made more than: the interval of the paired difference lies above 0.
    beats_somewhere
        The policies that it clearly makes more than somewhere in the ranges of values.
    open_counts
        For each open value of the comparison, the settled cases that it pays.
    break_evens
        For each open value where this policy and the status quo make the same; None where both always do.
    by_chance
        Under a capacity: the money, before the fits' cost, of the same actions dealt at random to the
        settled cases of the same day.
    versus_chance
        Paired difference to ``by_chance``, before the fits' cost.
    naive_per_case, naive_gain_per_case
        Where the other figures are estimated from randomised cases: the same counted on every settled
        case, as if acting changed no outcome.
    effective_cases
        How many equally weighted randomised cases tell as much about this policy.

    An interval from ``-inf`` to ``inf`` says that there were too few days for one.
    """

    policy: str
    settled: int
    unknown: int
    pending: int
    total: Estimate
    per_case: Estimate
    versus_status_quo: Estimate | None
    versus_never: Estimate | None
    fits: int
    fit_costs: float
    regret_oracle: float | None
    regret_floor: float | None
    regret_clairvoyant: float
    corners: tuple[float, float] | None
    actions: dict[str, float]
    versus_best: Estimate | None = None
    gain_per_case: Estimate | None = None
    gain_corners: tuple[float, float] | None = None
    regret_interval: tuple[float, float] | None = None
    success: Success | None = None
    beats: tuple[str, ...] = ()
    beats_somewhere: tuple[str, ...] = ()
    open_counts: tuple[int, ...] = ()
    break_evens: tuple[BreakEven | None, ...] = ()
    by_chance: float | None = None
    versus_chance: Estimate | None = None
    amounts: Amounts | None = None
    naive_per_case: Estimate | None = None
    naive_gain_per_case: Estimate | None = None
    effective_cases: float | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Policies side by side on the same cases.

    Attributes
    ----------
    from_at, to_at
        Cases decided in ``[from_at, to_at)`` are scored.
    known_at
        Outcomes count as known at this instant.
    block
        Length of a bootstrap block.
    resamples, confidence
        Of every interval.
    form
        Of the brief's value: ``money``, ``ratio``, ``capacity`` or ``formula``.
    open_values
        The values that the brief gives as a range or as a ratio.
    randomised
        Randomised cases that the figures are estimated from; 0 where they are counted.
    unsupported
        Policies without an estimate: chance took an action that they want too seldom, or too little was
        seen of what comes of it.
    identified
        Whether the money means what it says: False where acting may change outcomes, and they were counted
        as if it didn't.
    """

    unit: str
    from_at: Instant
    to_at: Instant
    known_at: Instant
    cases: int
    block: Span
    resamples: int
    confidence: float
    policies: tuple[PolicyMoney, ...]
    oracle: Estimate | None
    clairvoyant: float
    form: str = "money"
    open_values: tuple[OpenValue, ...] = ()
    randomised: int = 0
    unsupported: tuple[str, ...] = ()
    identified: bool = True

    @property
    def basis(self) -> str:
        """What the money is: ``settled``, ``estimated`` from randomised cases, or ``not identified``."""
        return "estimated" if self.randomised else "settled" if self.identified else "not identified"
