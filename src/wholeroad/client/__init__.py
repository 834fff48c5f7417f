"""A client of the service: rows and cases go there, decisions come back, and a lost answer costs nothing.

>>> from wholeroad import Client  # doctest: +SKIP
>>> with Client("http://127.0.0.1:8000", token) as client:  # doctest: +SKIP
...     client.decide({"flight_id": 7, "sched_dep": departure}).action
'rebook'
"""

from __future__ import annotations

from wholeroad.client.answers import (
    CaseAnswer,
    LedgerLine,
    ModelLine,
    RowAnswer,
    RowsAnswer,
    StatusAnswer,
    Trouble,
)
from wholeroad.client.calls import Client
from wholeroad.client.errors import ServiceError, UnreachableError

__all__ = [
    "CaseAnswer",
    "Client",
    "LedgerLine",
    "ModelLine",
    "RowAnswer",
    "RowsAnswer",
    "ServiceError",
    "StatusAnswer",
    "Trouble",
    "UnreachableError",
]
