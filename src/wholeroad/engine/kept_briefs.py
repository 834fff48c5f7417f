"""The texts of briefs that came into force."""

from __future__ import annotations

from typing import Final

from wholeroad.core.ports import Blobs
from wholeroad.road.brief.contract import Brief
from wholeroad.road.brief.digests import digests
from wholeroad.road.brief.work import read_brief

KIND: Final = "briefs"
"""Blobs with the texts, by the digest that the ledger has of each."""


def keep_text(blobs: Blobs, brief: Brief, *, text: str) -> None:
    """Keep the text of a brief that comes into force, so that a later one can be held against it."""
    blobs.put(KIND, digests(brief).brief, data=text.encode())


def text_in_force(blobs: Blobs, digest: str) -> str | None:
    """Give the text of the brief in force by its digest on the ledger; None where it wasn't kept."""
    data = blobs.get(KIND, digest)
    return None if data is None else data.decode()


def brief_in_force(blobs: Blobs, digest: str, *, newer: Brief) -> Brief:
    """Give the brief in force by its digest on the ledger; the newer one where it is that, or wasn't kept."""
    if digest in ("", digests(newer).brief) or (text := text_in_force(blobs, digest)) is None:
        return newer
    return read_brief(text)
