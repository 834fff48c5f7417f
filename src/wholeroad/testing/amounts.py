"""A world of claims to look into: each has a chance to be wrong and an amount, and there isn't time for all.

Chances and amounts are independent and uniform, so that what the best choice brings can be derived.
Let each day bring many claims, of which the share ``q`` is looked into. A claim with the chance ``p`` and the
amount ``a`` (in units of the largest) is expected to bring ``p * a``.

- Ranked by expected money, one takes the claims with ``p * a > t``. The product of two uniform numbers has
  the density ``-ln x``, so ``P(p * a > t) = 1 - t + t ln t = q`` gives ``t``, and a day's claim brings
  ``E[p a; p a > t] = integral from t to 1 of -x ln x dx = (1 - t^2 + 2 t^2 ln t) / 4``.
- Ranked by the chance alone, one takes the claims with ``p > 1 - q``, whatever their amount, and a day's
  claim brings ``E[p; p > 1 - q] E[a] = (1 - (1 - q)^2) / 2 * 1 / 2 = q (2 - q) / 4``.

At ``q = 0.1`` that is 0.0719 against 0.0475: knowing the amounts brings half as much again. With ``n`` claims
a day instead of endlessly many, the first ``q n`` bring a little less, by a share of the order of ``1 / n``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.random import default_rng  # noqa: TID251 - a world is drawn from a seed, not decided

from wholeroad.core.instants import DAY, Instant, parse_instant

LARGEST: Final = 1000.0
"""The largest amount, in euros."""

FROM_AT: Final[Instant] = parse_instant("2024-01-01")


@dataclass(frozen=True, slots=True)
class Expected:
    """What a claim of a day is expected to bring, in euros, averaged over all claims.

    Attributes
    ----------
    by_money, by_chance
        When the claims with the most expected money, or with the greatest chance, are looked into.
    """

    by_money: float
    by_chance: float

    @property
    def gain(self) -> float:
        """What knowing the amounts is worth."""
        return self.by_money - self.by_chance


def expected(share: float) -> Expected:
    """Give the closed form for a share of the claims in (0, 1).

    Examples
    --------
    >>> found = expected(0.1)
    >>> round(found.by_money, 1), round(found.by_chance, 1)
    (71.9, 47.5)
    """
    t = threshold(share)
    by_money = (1 - t * t + 2 * t * t * math.log(t)) / 4
    return Expected(LARGEST * by_money, LARGEST * share * (2 - share) / 4)


def threshold(share: float) -> float:
    """Solve ``1 - t + t ln t = share``; the left side falls from 1 to 0 as ``t`` goes from 0 to 1."""
    low, high = 0.0, 1.0
    for _ in range(100):
        middle = (low + high) / 2
        if 1 - middle + middle * math.log(middle) > share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def make(*, days: int, claims_per_day: int, seed: int) -> dict[str, pl.DataFrame]:
    """Draw claims and what looking into them would find.

    Returns
    -------
    dict
        ``claims``: ``claim_id``, ``filed_at`` (midnight UTC, so that a day's claims come due together),
        ``signs`` (the log-odds of the chance, which a model has to find out) and ``amount``;
        ``audits``: ``claim_id``, ``found_at`` two days later, ``wrong``.
    """
    dice = default_rng(seed)
    count = days * claims_per_day
    chance = dice.uniform(1e-9, 1, count)
    filed = FROM_AT + np.repeat(np.arange(days, dtype=np.int64), claims_per_day) * DAY
    stamp = pl.Datetime("us", "UTC")
    claims = pl.DataFrame(
        {
            "claim_id": np.arange(count),
            "filed_at": pl.Series(filed).cast(stamp),
            "signs": np.log(chance / (1 - chance)).clip(-20, 20),
            "amount": dice.uniform(0, LARGEST, count),
        }
    )
    audits = pl.DataFrame(
        {
            "claim_id": np.arange(count),
            "found_at": pl.Series(filed + 2 * DAY).cast(stamp),
            "wrong": dice.random(count) < chance,
        }
    )
    return {"claims": claims, "audits": audits}


def brief(*, per_day: int, by_money: bool, first: str = "20d") -> str:
    """Write the world's brief: rank by expected money, or count hits, which ranks by the chance.

    Parameters
    ----------
    per_day
        Capacity.
    by_money
        Whether the brief says what a claim is worth.
    first
        Span before the first fit.
    """
    value = _MONEY if by_money else _HITS
    return _BRIEF.format(value=value.format(per_day=per_day), first=first)


_MONEY: Final = """unit = "EUR"
capacity = "{per_day} per day"
status_quo = {{ action = "pay" }}

[value.of]
audit = {{ wrong = "amount", right = 0 }}
pay = {{ wrong = 0, right = 0 }}
"""

_HITS: Final = """actions = ["audit", "pay"]
capacity = "{per_day} per day"
status_quo = {{ action = "pay" }}
"""

_BRIEF: Final = """format = 1

[brief]
name = "claims"
question = "Which claims are wrong?"
decision = "Look into a claim before it is paid"

[case]
source = "claims"
decide_at = "filed_at"

[outcome]
kind = "ranking"
classes = ["wrong", "right"]
positive = "wrong"
source = "audits"
truth = "case when wrong then 'wrong' else 'right' end"
matures = "3d"
depends_on_action = "no"

[value]
{value}
[source.claims]
read = "claims.parquet"
key = "claim_id"
happened_at = "filed_at"
known_at = "filed_at"

[source.audits]
read = "audits.parquet"
key = "claim_id"
happened_at = "found_at"
known_at = "found_at"

[feature]
signs = {{ column = "signs" }}

[policy.refit]
first = "{first}"

[model]
candidates = ["logistic"]
"""
