"""Stable ids: digests of content, and chance drawn from them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

_MIX: Final = np.uint64(0x9E3779B97F4A7C15)


def digest(*parts: bytes | str) -> str:
    """Give 32 hex digits (128 bits of BLAKE2b) over the parts, each length-prefixed.

    Examples
    --------
    >>> digest("a", "b") == digest("ab")
    False
    """
    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        state.update(len(data).to_bytes(8, "little"))
        state.update(data)
    return state.hexdigest()


def digest_arrays(arrays: Iterable[NDArray[np.generic]], *labels: str) -> str:
    """Digest arrays by dtype, shape and bytes, in order."""
    parts: list[bytes | str] = list(labels)
    for array in arrays:
        contiguous = np.ascontiguousarray(array)
        parts += [f"{contiguous.dtype.str}{contiguous.shape}", contiguous.view(np.uint8).tobytes()]
    return digest(*parts)


def chance(ids: NDArray[np.uint64], *, seed: int, salt: str) -> NDArray[np.float64]:
    """Draw a number in [0, 1) for each id: the same id, seed and salt always give the same.

    The mixer is the finaliser of SplitMix64 (Steele, Lea, Flood 2014, *Fast splittable
    pseudorandom number generators*, OOPSLA).

    Parameters
    ----------
    ids
        Shape (n,): stable 64-bit ids, such as hashes of a case's key.
    seed
        The project's seed.
    salt
        What the draw is for, so that two uses are independent.
    """
    start = np.uint64(int(digest(str(seed), salt)[:16], 16))
    with np.errstate(over="ignore"):
        z = (ids ^ start) + _MIX
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(11)).astype(np.float64) * 2.0**-53
