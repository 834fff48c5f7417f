"""Wholeroad: from one brief down the whole road, rehearsed on history, in money.

>>> import wholeroad
>>> project = wholeroad.open("examples/flights")  # doctest: +SKIP
>>> rehearsed = project.rehearse()  # doctest: +SKIP
>>> rehearsed.policies  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wholeroad.client import Client
    from wholeroad.core.errors import FaultsError, RoadError, TryLaterError, UserError
    from wholeroad.engine.rehearsed import Rehearsed
    from wholeroad.project import Project, open_project
    from wholeroad.road.brief.contract import Brief
    from wholeroad.starting import start

    open = open_project  # noqa: A001 - `wholeroad.open` reads as what it does

__version__ = "0.1.0"

__all__ = [
    "Brief",
    "Client",
    "FaultsError",
    "Project",
    "Rehearsed",
    "RoadError",
    "TryLaterError",
    "UserError",
    "__version__",
    "open",
    "start",
]

_HOMES = {
    "Brief": ("wholeroad.road.brief.contract", "Brief"),
    "Client": ("wholeroad.client", "Client"),
    "FaultsError": ("wholeroad.core.errors", "FaultsError"),
    "Project": ("wholeroad.project", "Project"),
    "Rehearsed": ("wholeroad.engine.rehearsed", "Rehearsed"),
    "RoadError": ("wholeroad.core.errors", "RoadError"),
    "TryLaterError": ("wholeroad.core.errors", "TryLaterError"),
    "UserError": ("wholeroad.core.errors", "UserError"),
    "open": ("wholeroad.project", "open_project"),
    "start": ("wholeroad.starting", "start"),
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used, so that ``import wholeroad`` costs nothing."""
    if name not in _HOMES:
        message = f"module 'wholeroad' has no attribute {name!r}"
        raise AttributeError(message)
    module, attribute = _HOMES[name]
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
