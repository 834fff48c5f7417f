"""Requests made from the OpenAPI document, and answers held against it."""

from __future__ import annotations

import schemathesis
from hypothesis import HealthCheck, given, settings


def hold(operation, mode, *, address, checks, examples, also=None):
    """Send requests of an operation, and check each answer; ``also`` is told of it."""
    try:
        cases = operation.as_strategy(mode)
    except schemathesis.errors.SchemathesisError:
        return  # nothing can be sent that way

    @given(cases)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    def law(case):
        answer = case.call_and_validate(base_url=address, checks=checks)
        if also is not None:
            also(answer)

    law()
