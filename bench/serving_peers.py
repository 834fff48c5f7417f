"""What the service is held against: MLflow's server and bare Starlette, with the champion's bare model."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from serving_load import ID  # type: ignore[import-not-found]
from serving_project import FLIGHTS, UNTIL  # type: ignore[import-not-found]
from serving_servers import HERE, Server, free_port  # type: ignore[import-not-found]

if TYPE_CHECKING:
    from lightgbm import Booster

MLFLOW, LIGHTGBM = "3.17.2", "4.7.0"
CASES = 200
_SAVE = (
    "import sys, lightgbm, mlflow.lightgbm; "
    "mlflow.lightgbm.save_model(lightgbm.Booster(model_file=sys.argv[1]), sys.argv[2])"
)


@dataclass(frozen=True)
class Asked:
    """The same cases, as each server wants them.

    Attributes
    ----------
    cases
        For the service, with a place for an id.
    rows
        Encoded features of each; NaN for what isn't known, which the JSON of both peers' readers takes.
    expected
        The bare model's probability of its second class, before calibration.
    """

    cases: list[str]
    rows: list[list[float]]
    expected: list[float]
    booster: Booster
    trees: int


def templates() -> list[dict[str, Any]]:
    """Give cases that are due at once when the service begins: flights of the next two hours."""
    frame = pl.read_parquet(FLIGHTS / "data" / "flights.parquet")
    soon = pl.col("sched_dep").is_between(UNTIL, UNTIL + pl.duration(minutes=115))
    rows = frame.filter(soon).head(CASES).to_dicts()
    for row in rows:
        for name, value in row.items():
            if hasattr(value, "isoformat"):
                row[name] = value.isoformat().replace("+00:00", "Z")
    return rows


def body_of(case: dict[str, Any], identity: str = ID, **more: object) -> str:
    """Write the request for a case."""
    return json.dumps({"case": {**case, "flight_id": identity}, **more}, separators=(",", ":"))


def asked_of(server: Server, project: Path) -> Asked:
    """Ask the service for some cases with their features, and encode these as the champion does.

    Every answer is held against the model, asked in this process.
    """
    import lightgbm

    from wholeroad.engine.workshop import read_model
    from wholeroad.project import open_project

    status, text = server.get("/v1/status")
    name = json.loads(text).get("model")
    if status != 200 or name is None:
        sys.exit(f"no model is in charge: {text.decode()}")
    yard = open_project(project).yard
    model = read_model(name, yard.blobs, learners=yard.learners())
    if model.learner != "lightgbm":
        sys.exit(f"the champion is of {model.learner}; the bench is about LightGBM")
    trees = model.scorer.to_bytes().partition(b"\n")[2].decode()
    booster = lightgbm.Booster(model_str=trees)
    cases, features, said = [], [], []
    for number, case in enumerate(templates()):
        status, text = server.post(server.path, body_of(case, f"sample-{number}", features=True).encode())
        answer = json.loads(text)
        if status != 200 or answer.get("decided_by") != "model":
            sys.exit(f"a case was answered with {status}: {text.decode()}")
        cases.append(body_of(case))
        features.append(answer["features"])
        said.append(answer["probabilities"]["late"])
    frame = pl.DataFrame(features, infer_schema_length=None)
    matrix = model.encoder.encode(frame)
    found = [float(each) for each in model.probabilities(frame)[:, list(model.classes).index("late")]]
    if found != said:
        sys.exit("the service gave other probabilities than its model")
    rows = [[float(value) for value in row] for row in matrix.values]
    raw = [float(each) for each in model.raw(matrix)[:, 1]]  # trees of two classes speak of the second
    return Asked(cases, rows, raw, booster, booster.num_trees())


def bare(asked: Asked, scratch: Path) -> Server:
    """Make bare Starlette with the model, not started yet."""
    model, port = _saved(asked, scratch), free_port()
    return Server(
        name="starlette",
        command=[sys.executable, str(HERE / "serving_bare.py"), str(model), str(port)],
        port=port,
        path="/predict",
        health="/health",
        environment={"OMP_NUM_THREADS": "1", "PYTHONPATH": str(HERE.parent / "src")},
        log=scratch / "starlette.log",
    )


def mlflow(asked: Asked, scratch: Path, environment: Path | None) -> Server:
    """Make MLflow's server with the model, not started yet.

    Parameters
    ----------
    environment
        One with MLflow and LightGBM; without it, a throw-away one is made here.
    """
    python = (environment or _environment(scratch / "mlflow-environment")) / "bin" / "python"
    model, folder, port = _saved(asked, scratch), scratch / "mlflow-model", free_port()
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([str(python), "-c", _SAVE, str(model), str(folder)], check=True, stdout=subprocess.DEVNULL)
    serve = ["-m", "mlflow", "models", "serve", "-m", str(folder), "--env-manager", "local"]
    path = {"PATH": f"{python.parent}:/usr/local/bin:/usr/bin:/bin", "OMP_NUM_THREADS": "1"}
    return Server(
        name="mlflow",
        command=[str(python), *serve, "--host", "127.0.0.1", "--port", str(port)],
        port=port,
        path="/invocations",
        health="/ping",
        environment=path,
        log=scratch / "mlflow.log",
        together=True,
    )


def bodies(asked: Asked) -> dict[str, list[str]]:
    """Give the bodies of each server: tensors for MLflow, its fastest input."""
    return {
        "wholeroad": asked.cases,
        "starlette": [json.dumps({"row": row}) for row in asked.rows],
        "mlflow": [json.dumps({"inputs": [row]}) for row in asked.rows],
    }


def hold(server: Server, bodies: Sequence[str], asked: Asked) -> None:
    """Hold the first answers of a peer against the model."""
    for body, expected in list(zip(bodies, asked.expected, strict=True))[:50]:
        status, text = server.post(server.path, body.encode())
        answer = json.loads(text)
        found = answer["predictions"][0] if server.name == "mlflow" else answer["probability"]
        if status != 200 or not math.isclose(found, expected, rel_tol=1e-9):
            sys.exit(f"{server.name} answered {text.decode()}, the model {expected}")


def _saved(asked: Asked, scratch: Path) -> Path:
    place = scratch / "model.txt"
    asked.booster.save_model(str(place))
    return place


def _environment(place: Path) -> Path:
    sys.stderr.write(f"making an environment with mlflow {MLFLOW}\n")
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    asked = ["install", "-q", f"mlflow=={MLFLOW}", f"lightgbm=={LIGHTGBM}"]
    subprocess.run([str(place / "bin" / "python"), "-m", "pip", *asked], check=True, stdout=sys.stderr)
    return place
