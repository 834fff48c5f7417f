"""A model behind bare Starlette, written for speed: ``python bench/serving_bare.py MODEL PORT``.

One ``async def``, the body read by the standard library's JSON, one row through LightGBM's C functions for
single rows (prepared once, one thread), uvicorn with uvloop and httptools, one process, no
access log. The row comes encoded: nothing is looked up, kept or written.
"""

from __future__ import annotations

import ctypes
import gc
import json
import sys
from collections.abc import Callable

import lightgbm
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route


def scorer(booster: lightgbm.Booster) -> Callable[[list[float]], float]:
    """Prepare the prediction of one row: a probability, ``C_API_PREDICT_NORMAL`` of doubles."""
    library = vars(lightgbm.basic)["_LIB"]
    width = booster.num_feature()
    row, length, score = (ctypes.c_double * width)(), ctypes.c_int64(), ctypes.c_double()
    fast = ctypes.c_void_p()
    failed = library.LGBM_BoosterPredictForMatSingleRowFastInit(
        booster._handle,  # noqa: SLF001 (it has no public name)
        ctypes.c_int(0),
        ctypes.c_int(0),
        ctypes.c_int(-1),
        ctypes.c_int(1),
        ctypes.c_int32(width),
        ctypes.c_char_p(b"num_threads=1"),
        ctypes.byref(fast),
    )
    if failed:
        sys.exit("LightGBM prepared no fast prediction")
    predict = library.LGBM_BoosterPredictForMatSingleRowFast
    places = (fast, row, ctypes.byref(length), ctypes.byref(score))

    def score_of(values: list[float]) -> float:
        row[:] = [*values]
        if predict(*places):
            message = "LightGBM gave no prediction"
            raise ValueError(message)
        return score.value

    return score_of


def app(model: str) -> Starlette:
    """Make the application around a model's file."""
    booster = lightgbm.Booster(model_file=model)
    score_of = scorer(booster)

    async def predict(request: Request) -> JSONResponse:
        row = json.loads(await request.body())["row"]
        return JSONResponse({"probability": score_of(row)})

    async def health(_: Request) -> PlainTextResponse:
        return PlainTextResponse("ok")

    made = Starlette(routes=[Route("/predict", predict, methods=["POST"]), Route("/health", health)])
    made.state.booster = booster  # is freed with its last reference
    return made


if __name__ == "__main__":
    made = app(sys.argv[1])
    gc.collect()
    gc.freeze()
    uvicorn.run(
        made, host="127.0.0.1", port=int(sys.argv[2]), access_log=False, log_level="warning", lifespan="off"
    )
