"""Asking again: what is safe to repeat, and how long to wait before."""

from __future__ import annotations

from typing import Final

from wholeroad.core.ids import digest

LATER: Final = frozenset({429, 502, 503, 504})
"""Answers that say "not now": too much at once, or (of a proxy) that the service is away."""

LONGEST_WAIT_S: Final = 30.0


def wait_s(tried: int, *, first_s: float, asked: str | None, about: bytes) -> float:
    """Say how many seconds to wait before the next try.

    Exponential, spread by half in both directions, so that clients that were refused together don't come back
    together. The spread is a hash of what is sent and of the try: the same call waits the same.

    Parameters
    ----------
    tried
        How often it was tried, from 1.
    first_s
        Before the second try, on average.
    asked
        The answer's ``Retry-After``, if it is seconds: never less than that.
    about
        What is sent.

    Examples
    --------
    >>> waits = [wait_s(tried, first_s=0.1, asked=None, about=b"a") for tried in (1, 2, 3)]
    >>> all(0.5 <= wait / (0.1 * 2**place) < 1.5 for place, wait in enumerate(waits))
    True
    >>> wait_s(1, first_s=0.1, asked="7", about=b"a") >= 7
    True
    """
    spread = 0.5 + int(digest(about, str(tried))[:8], 16) / 2**32
    own = min(LONGEST_WAIT_S, first_s * 2.0 ** min(tried - 1, 30)) * spread
    if asked is None or not (asked.isascii() and asked.isdecimal() and len(asked) < 6):
        return own
    # Those who were told the same moment are spread after it, never before.
    return min(LONGEST_WAIT_S, float(asked)) + own
