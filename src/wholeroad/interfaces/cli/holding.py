"""Who holds a project while a command reads it, and by which clock that one lives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from wholeroad.adapters.locks import Holder
    from wholeroad.core.instants import Span
    from wholeroad.core.ports import Clock

SERVICE: Final = "the service at "
"""How the purpose of a lock begins that a service holds."""

SHIFTED: Final = 60_000_000
"""Microseconds by which a service's clock may differ from that of the file system."""


def address_of(holder: Holder | None) -> str | None:
    """Give the address of the service that holds a project; None where no service does."""
    if holder is None or not holder.purpose.startswith(SERVICE):
        return None
    return holder.purpose.removeprefix(SERVICE)


def ahead_of(holder: Holder) -> Span | None:
    """Say how far the clock of whoever holds a project is ahead of the machine's; None where it isn't told.

    Nothing but 0 where they differ by no more than :data:`SHIFTED`.
    """
    from wholeroad.core.instants import parse_instant

    try:
        ahead = parse_instant(holder.since) - holder.noted_at
    except ValueError:
        return None
    return ahead if abs(ahead) > SHIFTED else 0


def clock_of(holder: Holder | None) -> Clock | None:
    """Give the clock of the service that holds a project; None where no service does."""
    from wholeroad.adapters.clocks import ShiftedClock, SystemClock

    if holder is None or address_of(holder) is None:
        return None
    clock = SystemClock()
    ahead = ahead_of(holder)
    return ShiftedClock(clock.now() + ahead) if ahead else clock
