"""Learners from outside: what installed packages offer, and what the user's own settings name."""

from __future__ import annotations

import difflib
import importlib
import inspect
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.adapters.learners.scikit import COMPLEXITY, ScikitLearner
from wholeroad.adapters.learners.weighted_rows import drawn, drawn_stop, takes_weights
from wholeroad.adapters.settings import Settings, read_settings
from wholeroad.core.errors import RoadError, UserError
from wholeroad.core.ids import digest
from wholeroad.core.ports import Learner, Matrix, Scorer, Stop

GROUP: Final = "wholeroad.learners"
"""The group of entry points in which packages offer learners."""

_VERSIONED: Final = ("sklearn", "numpy", "scipy", "wholeroad", "builtins")
"""Packages whose version every fit's recipe holds anyway."""


class ForeignLearner:
    """A learner from outside under the name that the brief gives it.

    Its complexity is above that of every learner that ships, unless it says another.

    Parameters
    ----------
    name
        As ``[model] candidates`` has it.
    learner
        A class of somebody else's that is a :class:`~wholeroad.core.ports.Learner`, or a wrapped estimator.
    origin
        What was imported: ``module:attribute``, after the package's name and version where it has them.
    factory
        What made the learner.
    """

    def __init__(self, name: str, learner: Learner, *, origin: str, factory: Callable[[], object]) -> None:
        self.name = name
        self.complexity: int = getattr(learner, "complexity", COMPLEXITY)
        self.learner = learner
        self._origin = origin
        self._factory = factory

    @property
    def resamples(self) -> bool:
        """Whether it takes no weights, so that it is fitted on rows drawn by them."""
        return bool(getattr(self.learner, "resamples", not takes_weights(self.learner.fit)))

    @cached_property
    def identity(self) -> str:
        """Digest all that could change a fit: where it is from, its own word, settings, versions, source."""
        own = getattr(self.learner, "identity", "")
        kinds = self.learner.kinds() if isinstance(self.learner, ScikitLearner) else {type(self.learner)}
        modules = {sys.modules.get(maker.__module__) for maker in (self._factory, *kinds)}
        sources = sorted(_source(module) for module in modules if module is not None)
        return digest(self.name, self._origin, str(self.complexity), str(own), *sources)

    def fit(
        self,
        matrix: Matrix,
        truth: NDArray[np.int8],
        *,
        classes: int,
        stop: Stop | None = None,
        rounds: int | None = None,
        weights: NDArray[np.float64] | None = None,
    ) -> tuple[Scorer, int | None]:
        """Fit; see :class:`wholeroad.core.ports.Learner`.

        Raises
        ------
        UserError
            ``model.learner-failed``, and those of :class:`~wholeroad.adapters.learners.scikit.ScikitLearner`.
        """
        try:
            if weights is not None and takes_weights(self.learner.fit):
                return self.learner.fit(
                    matrix, truth, classes=classes, stop=stop, rounds=rounds, weights=weights
                )
            if weights is not None:
                matrix, truth = drawn(matrix, truth, weights=weights)
                stop = drawn_stop(stop)
            return self.learner.fit(matrix, truth, classes=classes, stop=stop, rounds=rounds)
        except RoadError:
            raise
        except Exception as error:  # whatever code of others raises
            raise UserError(
                "model.learner-failed",
                f"The learner {self.name} failed while it was fitted",
                happened=f"{self._origin} raised {type(error).__name__}: {error}",
                expected="a scorer, as wholeroad.core.ports.Learner.fit gives",
                fix="test it with wholeroad.testing.learner_suite; or take it out of [model] candidates",
            ) from error

    def from_bytes(self, data: bytes) -> Scorer:
        """Read what ``to_bytes`` of its scorer wrote."""
        return self.learner.from_bytes(data)


def find_learners(
    names: Sequence[str], *, taken: Collection[str], settings: Settings | None = None
) -> dict[str, ForeignLearner]:
    """Find learners by name: in the user's settings, then among the entry points of installed packages.

    Parameters
    ----------
    taken
        Names of the learners that ship; nothing from outside goes by them.
    settings
        The user's, read where they stand unless given.

    Raises
    ------
    UserError
        ``model.unknown-learner``, ``model.learner-name``, ``model.learner-import``, ``model.learner-kind``.
    UserError, FaultsError
        Those of the settings.
    """
    user = read_settings() if settings is None else settings
    offered: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=GROUP):
        offered.setdefault(point.name, []).append(point)
    if unknown := [name for name in names if name not in user.learners and name not in offered]:
        raise _unknown(unknown, taken, user, offered)
    return {name: _made(name, user, offered.get(name, [])) for name in names}


def _made(name: str, settings: Settings, points: list[EntryPoint]) -> ForeignLearner:
    target = settings.learners.get(name)
    if target is None and len({point.value for point in points}) > 1:
        raise UserError(
            "model.learner-name",
            "Two packages offer a learner of the same name",
            happened=f"{name} is {' and '.join(sorted(map(_origin, points)))}",
            expected="one of them",
            fix=f'say which, under [learners] in {settings.path}: {name} = "{points[0].value}"',
        )
    origin = target if target is not None else _origin(points[0])
    try:
        factory = _imported(target) if target is not None else points[0].load()
        made = factory() if callable(factory) else factory
    except RoadError:
        raise
    except Exception as error:  # an import and a call run whatever stands there
        raise UserError(
            "model.learner-import",
            f"The learner {name} can't be made",
            happened=f"{origin} raised {type(error).__name__}: {error}",
            expected="a callable without arguments, in a module that this Python can import",
            fix="install its package beside wholeroad, or put its folder on PYTHONPATH; mend what it says",
        ) from error
    if made is factory:
        raise _kind(name, origin, f"it is {_named(factory)}, which can't be called")
    learner = _learner(name, made, origin, settings=settings)
    return ForeignLearner(name, learner, origin=origin, factory=factory)


def _imported(target: str) -> Any:  # noqa: ANN401 - of others
    module, _, path = target.partition(":")
    found: Any = importlib.import_module(module)
    for attribute in path.split("."):
        found = getattr(found, attribute)
    return found


def _learner(name: str, made: Any, origin: str, *, settings: Settings) -> Learner:  # noqa: ANN401 - of others
    if inspect.isclass(made):
        raise _kind(name, origin, f"it gave the class {_named(made, itself=True)}, not an object")
    if hasattr(made, "get_params"):
        if not hasattr(made, "predict_proba"):
            raise _kind(name, origin, f"it gave {_named(made)}, which has no predict_proba")
        return ScikitLearner(name, made, settings=settings)
    if not all(callable(getattr(made, method, None)) for method in ("fit", "from_bytes")):
        raise _kind(name, origin, f"it gave {_named(made)}, which lacks fit or from_bytes")
    rank = getattr(made, "complexity", COMPLEXITY)
    if not isinstance(rank, int) or rank < 1:
        raise _kind(name, origin, f"its complexity was {rank!r}, which is no whole number above 0")
    learner: Learner = made
    return learner


def _kind(name: str, origin: str, happened: str) -> UserError:
    return UserError(
        "model.learner-kind",
        f"What stands for {name} is no learner",
        happened=f"{origin}: {happened}",
        expected="a callable without arguments that gives a wholeroad.core.ports.Learner, or a classifier of "
        "scikit-learn with predict_proba",
        fix="see docs/how-to/bring-your-own-model.md",
    )


def _unknown(
    unknown: Sequence[str],
    taken: Collection[str],
    settings: Settings,
    offered: Mapping[str, Sequence[EntryPoint]],
) -> UserError:
    there = [*taken, *settings.learners, *(name for name in offered if name not in settings.learners)]
    near = difflib.get_close_matches(unknown[0], there, n=1)
    guess = f"did you mean {near[0]}? otherwise " if near else ""
    return UserError(
        "model.unknown-learner",
        "A candidate is no learner that there is",
        happened=f"[model] candidates named {', '.join(unknown)}",
        expected=f"some of {', '.join(there)}",
        fix=f"{guess}install a package with an entry point {unknown[0]} of the group {GROUP}, or write "
        f'under [learners] in {settings.path}: {unknown[0]} = "my_package.my_module:make"',
    )


def _origin(point: EntryPoint) -> str:
    package = f"{point.dist.name}=={point.dist.version} " if point.dist is not None else ""
    return f"{package}{point.value}"


def _named(found: object, *, itself: bool = False) -> str:
    kind = found if itself and isinstance(found, type) else type(found)
    return f"{kind.__module__}.{kind.__qualname__}"


def _source(module: Any) -> str:  # noqa: ANN401 - a module, or what stands for one
    """Give a module's name, its package's version and a digest of its file."""
    package = module.__name__.partition(".")[0]
    if package in _VERSIONED:
        return ""
    version = str(getattr(sys.modules.get(package), "__version__", ""))
    path = getattr(module, "__file__", None)
    content = Path(path).read_bytes() if path and Path(path).is_file() else b""
    return f"{module.__name__} {version} {digest(content)}"
