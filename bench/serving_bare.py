"""A model behind bare Starlette, as one would write it for speed: ``python bench/serving_bare.py MODEL PORT``.

One ``async def``, the body read by the standard library's JSON, one row through LightGBM's C functions for
single rows (those that the service uses, one thread), uvicorn with uvloop and httptools, one process, no
access log. The row comes encoded: nothing is looked up, kept or written.
"""

from __future__ import annotations

import gc
import json
import math
import sys

import lightgbm
import numpy as np
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from wholeroad.adapters.learners.lightgbm_rows import RowByRow


def app(model: str) -> Starlette:
    """Make the application around a model's file."""
    rows = RowByRow(lightgbm.Booster(model_file=model))

    async def predict(request: Request) -> JSONResponse:
        row = json.loads(await request.body())["row"]
        scores = rows.scores(np.array([row], dtype=np.float64))
        if scores is None:
            return JSONResponse({"error": "another width"}, 422)
        return JSONResponse({"probability": 1 / (1 + math.exp(-scores.item(0)))})

    async def health(_: Request) -> PlainTextResponse:
        return PlainTextResponse("ok")

    return Starlette(routes=[Route("/predict", predict, methods=["POST"]), Route("/health", health)])


if __name__ == "__main__":
    made = app(sys.argv[1])
    gc.collect()
    gc.freeze()
    uvicorn.run(
        made, host="127.0.0.1", port=int(sys.argv[2]), access_log=False, log_level="warning", lifespan="off"
    )
