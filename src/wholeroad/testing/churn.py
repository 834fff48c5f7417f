"""A churn world whose truth is known: what calling a customer changes, for whom, and who was called so far.

Customers who complain and use little tend to leave. A call keeps those who are about to, and wakes the
others: they are *more* likely to leave when they are called. The system that ran so far called mostly
those at risk, and knew something that no column tells (who had hinted at leaving), so that those whom it
called left more often than those whom it didn't, whatever calling did. A share of the customers was called
by the toss of a coin, and the log says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.ids import chance

START: Final = datetime(2024, 1, 1, tzinfo=UTC)
CALL_COSTS: Final = 5.0
CUSTOMER_IS_WORTH: Final = 100.0
LEAVES: Final = 0
STAYS: Final = 1
CALL: Final = 0
PASS: Final = 1

_COMPLAINTS: Final = (0.45, 0.36, 0.14, 0.05)
"""Shares of customers with none, one, two and three."""

BRIEF: Final = """\
format = 1

[brief]
name = "churn"
question = "Which customers will leave within two weeks?"
decision = "Call them before they do"

[case]
source = "customers"
decide_at = "seen_at"

[outcome]
kind = "binary"
classes = ["leaves", "stays"]
positive = "leaves"
source = "contracts"
truth = "case when ended then 'leaves' else 'stays' end"
matures = "14d"
depends_on_action = "yes"

[value]
unit = "EUR"
status_quo = { action = "pass" }

[value.of]                              # under the outcome that comes true *after this action*
call = { leaves = -105, stays = -5 }
pass = { leaves = -100, stays = 0 }

[source.customers]
read = "customers.parquet"
key = "customer_id"
happened_at = "seen_at"
known_at = "seen_at"

[source.contracts]
read = "contracts.parquet"
key = "customer_id"
happened_at = "known_at"
known_at = "known_at"

[source.calls]
read = "calls.parquet"
key = "customer_id"
happened_at = "logged_at"
known_at = "logged_at"

[feature]
complaints = { column = "complaints" }
usage = { column = "usage" }

[incumbent]
source = "calls"
action = "done"
propensity = "propensity"

[policy]
no_action = { action = "pass", share = 0.1 }

[policy.refit]
first = "60d"
when = "every 30d"

[model]
candidates = ["constant", "logistic"]
"""


@dataclass(frozen=True)
class Churn:
    """The world, each array in the order of the customers.

    Attributes
    ----------
    day
        Shape (n,): of the decision, from 0.
    complaints, usage
        What is known of a customer.
    leaves
        Shape (n, 2): the true probability of leaving, by action (:data:`CALL`, :data:`PASS`).
    done
        Shape (n,): what was done.
    propensity
        Shape (n,): with which it was chosen; NaN where the running system chose.
    left
        Shape (n,): whether the customer left.
    """

    day: NDArray[np.int64]
    complaints: NDArray[np.int64]
    usage: NDArray[np.float64]
    leaves: NDArray[np.float64]
    done: NDArray[np.int8]
    propensity: NDArray[np.float64]
    left: NDArray[np.bool_]

    def money(self, action: NDArray[np.int8]) -> NDArray[np.float64]:
        """Give the true expected money of each customer under these actions."""
        leaves = self.leaves[np.arange(len(action)), action]
        return np.asarray(-CUSTOMER_IS_WORTH * leaves - CALL_COSTS * (action == CALL))

    def best(self) -> NDArray[np.int8]:
        """Give the action that is truly worth more, for each customer."""
        calls = self.leaves[:, PASS] - self.leaves[:, CALL] > CALL_COSTS / CUSTOMER_IS_WORTH
        return np.where(calls, CALL, PASS).astype(np.int8)

    def targeted(self) -> NDArray[np.int8]:
        """Give a plain policy: call those who complained at least twice."""
        return np.where(self.complaints >= 2, CALL, PASS).astype(np.int8)

    def frames(self, *, propensities: bool = True) -> dict[str, pl.DataFrame]:
        """Give the sources by name; without propensities the log doesn't say who was drawn."""
        morning = np.datetime64(START.replace(tzinfo=None), "us") + np.timedelta64(9, "h")
        seen = pl.Series(morning + self.day.astype("timedelta64[D]")).dt.replace_time_zone("UTC")
        stamped = pl.DataFrame({"customer_id": np.arange(len(self.day)), "seen_at": seen})
        known = pl.Series("propensity", self.propensity if propensities else np.full(len(self.day), np.nan))
        return {
            "customers": stamped.with_columns(
                complaints=pl.Series(self.complaints), usage=pl.Series(self.usage)
            ),
            "contracts": stamped.select(
                "customer_id", known_at=pl.col("seen_at") + pl.duration(days=14), ended=pl.Series(self.left)
            ),
            "calls": stamped.select(
                "customer_id",
                logged_at=pl.col("seen_at") + pl.duration(hours=1),
                done=pl.Series(np.where(self.done == CALL, "call", "pass")),
                propensity=known.fill_nan(None),
            ),
        }

    def write(self, folder: Path, *, brief: str = BRIEF, propensities: bool = True) -> Path:
        """Write a project's folder: the brief and its sources."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "brief.toml").write_text(brief, encoding="utf-8")
        for name, frame in self.frames(propensities=propensities).items():
            frame.write_parquet(folder / f"{name}.parquet")
        return folder


def churn(*, days: int = 150, per_day: int = 60, share: float = 0.2, seed: int = 0) -> Churn:
    """Make the world.

    Parameters
    ----------
    share
        Of the customers who are called by the toss of a coin; the running system decides the others.

    Examples
    --------
    >>> world = churn(days=50, seed=1)
    >>> called = world.done == CALL
    >>> bool(world.left[called].mean() > world.left[~called].mean()), len(world.day)
    (True, 3000)
    """
    count = days * per_day
    who = np.arange(count, dtype=np.uint64)

    def drawn_by(salt: str) -> NDArray[np.float64]:
        return chance(who, seed=seed, salt=salt)

    def bell(salt: str) -> NDArray[np.float64]:
        """Draw from the normal law (Box and Muller 1958)."""
        radius = np.sqrt(-2 * np.log(1 - drawn_by(f"{salt} far")))
        return np.asarray(radius * np.cos(2 * np.pi * drawn_by(f"{salt} where")))

    complaints = np.searchsorted(np.cumsum(_COMPLAINTS), drawn_by("complaints"), side="right")
    usage = bell("usage").round(3)
    hinted = drawn_by("hinted") < 0.3
    seen_risk = 0.9 * (complaints - 0.8) - 0.7 * usage
    alone = -1.7 + seen_risk + 1.2 * hinted
    called = alone + np.clip(0.6 - 1.1 * seen_risk, -1.8, 0.8)
    leaves = 1 / (1 + np.exp(-np.stack([called, alone], axis=1)))
    drawn, coin = drawn_by("drawn") < share, drawn_by("coin") < 0.5
    calls = np.where(drawn, coin, seen_risk + 1.5 * hinted + 0.3 * bell("mood") > 0.8)
    done = np.where(calls, CALL, PASS).astype(np.int8)
    return Churn(
        day=np.repeat(np.arange(days), per_day),
        complaints=complaints.astype(np.int64),
        usage=usage,
        leaves=leaves,
        done=done,
        propensity=np.where(drawn, 0.5, np.nan),
        left=drawn_by("left") < leaves[np.arange(count), done],
    )
