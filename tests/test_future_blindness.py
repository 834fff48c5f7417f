"""Future-blindness: rows known after *t* change no byte of the ledger or of the decisions up to *t*."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

import wholeroad
import worlds
from wholeroad.core.instants import parse_instant

CUT = datetime(2024, 2, 6, tzinfo=UTC)
CUT_AT = parse_instant(CUT.isoformat())
POLICIES = ["never", "every 10d", "random 20%"]


def rehearsed(folder, cases, outcomes, **span):
    return wholeroad.open(worlds.write(folder, cases, outcomes)).rehearse(POLICIES, **span)


def past(cases, outcomes):
    return cases.filter(pl.col("booked_at") <= CUT), outcomes.filter(pl.col("reported_at") <= CUT)


def poisoned(cases, outcomes, seed):
    """Add corrections, new cases and nonsense, all known after the cut."""
    dice = np.random.default_rng(seed)
    after = pl.lit(CUT + timedelta(minutes=1 + seed)).cast(pl.Datetime("us", "UTC"))
    rows = dice.integers(0, cases.height, 200).tolist()
    wrong_outcomes = (
        outcomes[rows]
        .unique("parcel_id")
        .with_columns(
            reported_at=pl.max_horizontal(after, "delivered_at"), delay_h=pl.lit(999.0) - pl.col("delay_h")
        )
    )
    wrong_cases = (
        cases[rows]
        .unique("parcel_id")
        .with_columns(
            booked_at=after,
            weight_kg=pl.lit(1e6),
            depot=pl.lit("Z"),
            sent_at=pl.col("sent_at") - timedelta(days=30),
        )
    )
    new_cases = (
        cases[rows]
        .unique("parcel_id")
        .with_columns(
            parcel_id=pl.col("parcel_id") + 10**6, booked_at=after, depot=pl.lit(None, dtype=pl.String)
        )
    )
    return pl.concat([cases, wrong_cases, new_cases]), pl.concat([outcomes, wrong_outcomes])


def facts_of(rehearsal, policy):
    return [json.loads(line) for line in rehearsal.export(policy)]


@pytest.fixture(scope="module")
def truncated(tmp_path_factory):
    return rehearsed(tmp_path_factory.mktemp("past"), *past(*worlds.parcels()), to_at=CUT_AT)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_rows_known_later_change_no_decision_and_no_fact_before(tmp_path, truncated, seed):
    full = rehearsed(tmp_path, *poisoned(*worlds.parcels(), seed), to_at=CUT_AT)
    for policy in POLICIES:
        assert full.decisions(policy).equals(truncated.decisions(policy))
        before, after = facts_of(truncated, policy), facts_of(full, policy)
        # The manifest seals the data, and what closes the run is known later: all between is the same.
        last = max(n for n, fact in enumerate(before) if fact["fact"] == "SpanDecided")
        assert last > 10
        assert before[1 : last + 1] == after[1 : last + 1]


def test_a_longer_rehearsal_begins_with_the_same_decisions(tmp_path, truncated):
    longer = rehearsed(tmp_path, *worlds.parcels())
    for policy in POLICIES:
        early = truncated.decisions(policy).drop("span")
        assert longer.decisions(policy).drop("span")[: early.height].equals(early)
        # Facts up to the last plan that both fixed are the same lines.
        before, after = facts_of(truncated, policy), facts_of(longer, policy)
        last = max(n for n, fact in enumerate(before) if fact["fact"] == "SpanDecided")
        # The last span was sealed early, since the data ended; every line before it is the same.
        assert last > 10
        assert before[1:last] == after[1:last]
