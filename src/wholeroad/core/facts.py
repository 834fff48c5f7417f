"""Facts: one line each of what became true. The ledger keeps them; state is their fold.

Every stage declares its own facts in its ``facts.py`` as subclasses of :class:`Fact`;
``engine/fold.py`` gathers them into one union for decoding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from wholeroad.core.instants import Instant


class Fact(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="fact"):
    """Base of all facts.

    Attributes
    ----------
    at
        When it became true, on the engine's clock.
    """

    at: Instant


def encode(fact: Fact) -> bytes:
    """Encode a fact canonically: UTF-8 JSON, keys sorted, no spaces.

    Floats are written in their shortest form that reads back to the same bits.
    """
    return msgspec.json.encode(fact, order="sorted")


def export(facts: Iterable[Fact]) -> Iterator[bytes]:
    """Give a ledger's canonical export: one line of JSON per fact, in order."""
    for fact in facts:
        yield encode(fact) + b"\n"
