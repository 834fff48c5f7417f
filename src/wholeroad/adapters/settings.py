"""The user's settings: what a person allows on this machine, apart from any project.

They name code that is imported and types that are loaded, so no brief and no model may bring them.
"""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from wholeroad.core.errors import Fault, FaultsError, UserError
from wholeroad.road.brief.contract import NAME

PLACE: Final = "WHOLEROAD_SETTINGS"
"""The environment variable that holds the path of the settings."""

KEYS: Final[dict[str, tuple[str, ...]]] = {"learners": (), "skops": ("trusted",)}
"""Tables and their keys; the keys of ``learners`` are names of the user's own."""

_IMPORT: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")
_TYPE: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user allows.

    Attributes
    ----------
    path
        Where the settings stand, or would stand.
    learners
        By name: ``module:attribute``, what makes the learner.
    trusted
        Dotted names of types that may be loaded with a foreign model, beside those that skops trusts.
    """

    path: Path
    learners: Mapping[str, str] = field(default_factory=dict)
    trusted: tuple[str, ...] = ()


def settings_path(environment: Mapping[str, str] | None = None) -> Path:
    """Say where the settings stand: at ``WHOLEROAD_SETTINGS``, else where this system keeps such files.

    Parameters
    ----------
    environment
        The process's own unless given.
    """
    known = os.environ if environment is None else environment
    if named := known.get(PLACE):
        return Path(named)
    if sys.platform == "win32" and (roaming := known.get("APPDATA")):
        return Path(roaming) / "wholeroad" / "settings.toml"
    base = known.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "wholeroad" / "settings.toml"


def read_settings(path: Path | None = None) -> Settings:
    """Read the user's settings; without a file there are none.

    Parameters
    ----------
    path
        The usual place unless given.

    Raises
    ------
    UserError
        ``settings.missing``: the environment names a file that isn't there; ``settings.unreadable``.
    FaultsError
        Every fault at once: ``settings.unknown-key``, ``settings.value``, ``settings.learner``,
        ``settings.trusted``.
    """
    place = settings_path() if path is None else path
    raw = _raw(place, asked_for=path is not None or bool(os.environ.get(PLACE)))
    faults = [*_unknown(raw), *_learner_faults(raw), *_trusted_faults(raw)]
    if faults:
        headline = f"{place} has {len(faults)} faults" if len(faults) > 1 else f"{place} has one fault"
        raise FaultsError(headline, faults)
    skops = raw.get("skops", {})
    return Settings(place, raw.get("learners", {}), tuple(skops.get("trusted", ())))


def _raw(place: Path, *, asked_for: bool) -> dict[str, Any]:
    try:
        return tomllib.loads(place.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if not asked_for:
            return {}
        raise UserError(
            "settings.missing",
            "The settings aren't there",
            happened=f"there is no file {place}",
            expected=f"a TOML file at the path in {PLACE}",
            fix=f"write it, or unset {PLACE}",
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(
            "settings.unreadable",
            "The settings can't be read",
            happened=f"{place}: {error}",
            expected="a TOML file in UTF-8",
            fix="mend that line; a frequent cause is a text without quotes",
        ) from None


def _unknown(raw: Mapping[str, Any]) -> Iterator[Fault]:
    for table, content in raw.items():
        if table not in KEYS:
            tables = ", ".join(f"[{name}]" for name in KEYS)
            yield _fault("unknown-key", table, "it is no table of the settings", tables)
        elif not isinstance(content, dict):
            yield _fault("value", table, f"was {content!r}", f"a table [{table}]")
        elif KEYS[table]:
            for key in content:
                if key not in KEYS[table]:
                    yield _fault(
                        "unknown-key", f"[{table}] {key}", "it is no setting", ", ".join(KEYS[table])
                    )


def _learner_faults(raw: Mapping[str, Any]) -> Iterator[Fault]:
    learners = raw.get("learners")
    for name, target in learners.items() if isinstance(learners, dict) else ():
        where = f"[learners] {name}"
        if not re.fullmatch(NAME, name):
            wanted = "a name of letters, digits, - and _, beginning with a letter"
            yield _fault("learner", where, f"the name was {name!r}", wanted)
        if not (isinstance(target, str) and _IMPORT.fullmatch(target)):
            wanted = 'what makes the learner, as "my_package.my_module:make"'
            yield _fault("learner", where, f"was {target!r}", wanted)


def _trusted_faults(raw: Mapping[str, Any]) -> Iterator[Fault]:
    skops = raw.get("skops")
    trusted = skops.get("trusted", []) if isinstance(skops, dict) else []
    if not isinstance(trusted, list):
        yield _fault(
            "trusted", "[skops] trusted", f"was {trusted!r}", 'a list, as ["my_package.MyTransformer"]'
        )
        return
    for name in trusted:
        if not (isinstance(name, str) and _TYPE.fullmatch(name)):
            wanted = 'the dotted name of a type, as "my_package.MyTransformer"'
            yield _fault("trusted", "[skops] trusted", f"was {name!r}", wanted)


def _fault(code: str, where: str, happened: str, expected: str) -> Fault:
    return Fault(f"settings.{code}", where, happened, expected, "mend it, or leave it out")
