"""Few rows through LightGBM's trees: one at a time by its C functions, without the way through Python."""

from __future__ import annotations

import ctypes
import weakref
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import lightgbm

FEW: Final = 64
"""Up to so many rows go one at a time; for more of them, LightGBM's own loop is as fast."""

_RAW_SCORE: Final = 1
_FLOAT64: Final = 1
"""``C_API_PREDICT_RAW_SCORE`` and ``C_API_DTYPE_FLOAT64`` of LightGBM's ``c_api.h``."""


class RowByRow:
    """Raw scores of few rows, the bits that ``Booster.predict(raw_score=True)`` gives.

    LightGBM prepares a fast prediction once (``LGBM_BoosterPredictForMatSingleRowFastInit``), for rows of one
    width; then a row costs little more than its walk through the trees.

    Parameters
    ----------
    booster
        Is kept alive.
    """

    def __init__(self, booster: lightgbm.Booster) -> None:
        from lightgbm import basic

        self._library: Any = vars(basic)["_LIB"]  # the loaded library has no public name
        self._booster = booster
        self._columns = booster.num_feature()
        trees = booster.num_model_per_iteration()
        self._row = np.empty(self._columns)
        self._score = np.empty(trees)
        self._length = ctypes.c_int64()
        self._alone = Lock()
        handle = self._prepared()
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

    def _prepared(self) -> int:
        fast = ctypes.c_void_p()
        failed = self._library.LGBM_BoosterPredictForMatSingleRowFastInit(
            self._booster._handle,  # noqa: SLF001 - nor has the handle
            ctypes.c_int(_RAW_SCORE),
            ctypes.c_int(0),
            ctypes.c_int(-1),
            ctypes.c_int(_FLOAT64),
            ctypes.c_int32(self._columns),
            ctypes.c_char_p(b"num_threads=1"),
            ctypes.byref(fast),
        )
        if failed or fast.value is None:
            message = "LightGBM prepared no fast prediction"
            raise OSError(message)
        return fast.value


def row_by_row(booster: lightgbm.Booster) -> RowByRow | None:
    """Prepare for few rows; None where this LightGBM has no such functions."""
    try:
        return RowByRow(booster)
    except (AttributeError, KeyError, OSError):
        return None


def _let_go(library: Any, handle: int, booster: object) -> None:  # noqa: ANN401 - a loaded library
    """Free what was prepared; the booster, named here, lives until then."""
    del booster
    library.LGBM_FastConfigFree(ctypes.c_void_p(handle))
