"""What was found in the landed data: one sentence each for what, why and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["fault", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the check found.

    Attributes
    ----------
    level
        ``fault`` stops a rehearsal from meaning anything, ``warning`` is to be looked at,
        ``note`` is good to know.
    """

    code: str
    level: Level
    where: str
    happened: str
    why_it_matters: str
    fix: str
