"""Few rows through LightGBM's trees: one at a time by its C functions, without the way through Python."""

from __future__ import annotations

import ctypes
import sys
import weakref
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

FEW: Final = 64
"""Up to so many rows go one at a time; for more of them, LightGBM's own loop is as fast."""

_RAW_SCORE: Final = 1
_FLOAT64: Final = 1
"""``C_API_PREDICT_RAW_SCORE`` and ``C_API_DTYPE_FLOAT64`` of LightGBM's ``c_api.h``."""


class RowByRow:
    """Raw scores of few rows, the bits that ``Booster.predict(raw_score=True)`` gives.

    LightGBM prepares a fast prediction once (``LGBM_BoosterPredictForMatSingleRowFastInit``), for rows of one
    width; then a row costs little more than its walk through the trees. Its Python package isn't imported:
    that would bring pandas and scikit-learn along, which nobody needs to score.

    Parameters
    ----------
    text
        A model as LightGBM writes it.

    Raises
    ------
    AttributeError, KeyError, OSError
        This LightGBM has no such functions, or can't read the text.
    """

    def __init__(self, text: str) -> None:
        self._library = _library()
        booster, rounds = ctypes.c_void_p(), ctypes.c_int()
        self._call(
            "LGBM_BoosterLoadModelFromString",
            ctypes.c_char_p(text.encode()),
            ctypes.byref(rounds),
            ctypes.byref(booster),
        )
        self._columns = self._count("LGBM_BoosterGetNumFeature", booster)
        trees = self._count("LGBM_BoosterNumModelPerIteration", booster)
        self._row = np.empty(self._columns)
        self._score = np.empty(trees)
        self._length = ctypes.c_int64()
        self._alone = Lock()
        handle = self._prepared(booster)
        # By prototypes of its own: types set on the library's functions would be seen by LightGBM, too.
        types = (ctypes.c_int, *(ctypes.c_void_p,) * 4)
        function = ctypes.CFUNCTYPE(*types)(("LGBM_BoosterPredictForMatSingleRowFast", self._library))
        self._predict = function
        places = (self._row.ctypes.data, ctypes.addressof(self._length), self._score.ctypes.data)
        self._arguments = (handle, *places)
        weakref.finalize(self, _let_go, self._library, handle, booster)

    def scores(self, values: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """Give raw scores, shape (trees of an iteration, n); None where the rows have another width.

        Parameters
        ----------
        values
            Shape (n, columns).
        """
        rows, columns = values.shape
        if columns != self._columns:
            return None
        found = np.empty((self._score.size, rows))
        with self._alone:
            for number in range(rows):
                self._row[:] = values[number]
                if self._predict(*self._arguments):
                    return None
                found[:, number] = self._score
        return found

    def _prepared(self, booster: ctypes.c_void_p) -> int:
        fast = ctypes.c_void_p()
        self._call(
            "LGBM_BoosterPredictForMatSingleRowFastInit",
            booster,
            ctypes.c_int(_RAW_SCORE),
            ctypes.c_int(0),
            ctypes.c_int(-1),
            ctypes.c_int(_FLOAT64),
            ctypes.c_int32(self._columns),
            ctypes.c_char_p(b"num_threads=1"),
            ctypes.byref(fast),
        )
        if fast.value is None:
            message = "LightGBM prepared no fast prediction"
            raise OSError(message)
        return fast.value

    def _count(self, function: str, booster: ctypes.c_void_p) -> int:
        number = ctypes.c_int()
        self._call(function, booster, ctypes.byref(number))
        return number.value

    def _call(self, function: str, *arguments: Any) -> None:  # noqa: ANN401 - of C
        if getattr(self._library, function)(*arguments):
            message = f"LightGBM refused {function}"
            raise OSError(message)


def row_by_row(text: str) -> RowByRow | None:
    """Prepare for few rows; None where this LightGBM has no such functions, or can't read the text."""
    try:
        return RowByRow(text)
    except (AttributeError, KeyError, OSError):
        return None


def _library() -> Any:  # noqa: ANN401 - a loaded library
    """Load LightGBM's library: the one that its package has loaded or would load."""
    if "lightgbm" in sys.modules:
        return vars(sys.modules["lightgbm.basic"])["_LIB"]  # it has no public name
    found = find_spec("lightgbm")
    for folder in found.submodule_search_locations or () if found else ():
        for name in ("lib/lib_lightgbm.so", "lib/lib_lightgbm.dylib"):
            if (path := Path(folder) / name).is_file():
                return ctypes.CDLL(str(path))
    from lightgbm import basic

    return vars(basic)["_LIB"]


def _let_go(library: Any, handle: int, booster: ctypes.c_void_p) -> None:  # noqa: ANN401 - a loaded library
    """Free what was prepared, then the model."""
    library.LGBM_FastConfigFree(ctypes.c_void_p(handle))
    library.LGBM_BoosterFree(booster)
