"""The image and the unit, read by rules: what they start is there, and no right is more than needed."""

from __future__ import annotations

import itertools
import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from typer.main import get_command

from loopback import served
from wholeroad.interfaces.cli.app import app

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
UNIT = (ROOT / "deploy" / "wholeroad.service").read_text("utf-8")


# the image


def instructions(text: str) -> list[tuple[str, str]]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [
        (word.upper(), rest.strip())
        for word, _, rest in (line.strip().partition(" ") for line in joined.splitlines())
        if word
    ]


def last_stage(text: str) -> list[tuple[str, str]]:
    every = instructions(text)
    begins = max(place for place, (word, _) in enumerate(every) if word == "FROM")
    return every[begins:]


def faults_of_image(text: str) -> set[str]:
    """Give the rules that a Dockerfile breaks."""
    every, last = instructions(text), last_stage(text)
    said = dict(last)
    bases = [rest.split()[0] for word, rest in every if word == "FROM"]
    runs = [rest for word, rest in every if word == "RUN"]
    found = {
        "base not pinned": any(not re.search(r":\d+\.\d+\.\d+-|@sha256:", base) for base in bases),
        "latest": any(":latest" in base for base in bases),
        "ADD": any(word == "ADD" for word, _ in every),
        "fetched by hand": any(re.search(r"\b(curl|wget|git clone)\b|https?://", run) for run in runs),
        "root": not re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", said.get("USER", "root")),
        "files of root after the user": any(
            word in {"RUN", "COPY"} for word, _ in last[[w for w, _ in last].index("USER") :]
        )
        if "USER" in said
        else False,
        "no health": "HEALTHCHECK" not in said or said["HEALTHCHECK"] == "NONE",
        "shell form": any(
            not said.get(word, "[").partition("CMD ")[2].startswith("[")
            if word == "HEALTHCHECK"
            else not said.get(word, "[").startswith("[")
            for word in ("CMD", "ENTRYPOINT", "HEALTHCHECK")
            if word in said
        ),
        "lists kept": any("apt-get update" in run and "rm -rf /var/lib/apt/lists" not in run for run in runs),
        "recommended": any("apt-get install" in run and "--no-install-recommends" not in run for run in runs),
        "cache kept": any("pip install" in run and "--no-cache-dir" not in run for run in runs),
        "tools in the image": any(
            re.search(r"\bpip install\b|\bgcc\b", rest) for word, rest in last if word == "RUN"
        ),
        "no volume": "VOLUME" not in said,
        "secret": any(
            re.search(r"(?i)token|secret|password", rest) for word, rest in every if word in {"ENV", "ARG"}
        ),
        "everything copied": any(re.match(r"\.\s", rest) for word, rest in every if word == "COPY"),
    }
    return {rule for rule, broken in found.items() if broken}


def test_the_image_breaks_no_rule():
    assert faults_of_image(DOCKERFILE) == set()


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("python:3.11.14-slim-bookworm\n#", "python:3.11-slim\n#", "base not pinned"),
        ("python:3.11.14-slim-bookworm AS", "python:latest AS", "latest"),
        ("COPY src", "ADD https://example.org/x", "ADD"),
        ("RUN apt-get update", "RUN curl -o /x https://example.org/x && apt-get update", "fetched by hand"),
        ("USER 10001\n", "", "root"),
        ("USER 10001\n", "USER 0\n", "root"),
        ("USER 10001\n", "USER root\n", "root"),
        ("WORKDIR", "RUN touch /x\nWORKDIR", "files of root after the user"),
        ("HEALTHCHECK --", "LABEL a=--", "no health"),
        ('CMD ["up", "--host"', 'CMD wholeroad up # ["', "shell form"),
        ('CMD ["python"', 'CMD python # ["', "shell form"),
        (" && rm -rf /var/lib/apt/lists/* \\\n", "", "lists kept"),
        ("--no-install-recommends ", "", "recommended"),
        ("--no-cache-dir ", "", "cache kept"),
        ("&& rm -rf", "&& pip install --no-cache-dir x && rm -rf", "tools in the image"),
        ("VOLUME", "LABEL a=", "no volume"),
        ("HOME=/tmp", "HOME=/tmp WHOLEROAD_TOKEN=x", "secret"),
        ("COPY src /build/src", "COPY . /build", "everything copied"),
    ],
)
def test_a_broken_rule_is_found(old, new, rule):
    assert old in DOCKERFILE
    assert rule in faults_of_image(DOCKERFILE.replace(old, new))


def admitted(path: str) -> bool:
    """Tell whether ``.dockerignore`` lets a path through; the last line that fits counts."""
    lets = True
    for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines():
        pattern = line.removeprefix("!")
        if not pattern or pattern.startswith("#"):
            continue
        parts = Path(path).parts
        ways = {"/".join(parts[:end]) for end in range(1, len(parts) + 1)}
        bare = pattern.removeprefix("**/")
        fits = any(
            fnmatch(way, pattern) if bare == pattern else fnmatch(way.split("/")[-1], bare) for way in ways
        )
        if fits:
            lets = line.startswith("!")
    return lets


def test_the_image_is_made_of_the_package_alone():
    copied = [
        rest.split()[:-1]
        for word, rest in instructions(DOCKERFILE)
        if word == "COPY" and "--from" not in rest
    ]
    for source in itertools.chain.from_iterable(copied):
        assert (ROOT / source).exists()
        assert admitted(source)
    assert admitted("src/wholeroad/interfaces/report/templates/report.html.j2")
    for other in (
        ".git/config",
        ".venv/bin/python",
        ".wholeroad/tokens.json",
        "examples/flights/brief.toml",
        "src/wholeroad/__pycache__/x.pyc",
        "src/wholeroad/.mypy_cache/x.json",
        "tests/test_deploy.py",
        "x.parquet",
    ):
        assert not admitted(other), other


def test_what_hatch_needs_is_copied():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for needed in (project["readme"], *project["license-files"], "pyproject.toml"):
        assert admitted(needed)
        assert needed in DOCKERFILE
    base = re.search(r"FROM python:(3\.\d+)\.", DOCKERFILE)[1]
    assert f"Programming Language :: Python :: {base}" in project["classifiers"]


def options_of(command: str) -> set[str]:
    return {option for each in get_command(app).commands[command].params for option in each.opts}


def test_the_image_and_the_unit_start_what_the_command_line_has():
    said = dict(last_stage(DOCKERFILE))
    assert json.loads(said["ENTRYPOINT"]) == ["wholeroad"]
    command, *arguments = json.loads(said["CMD"])
    assert command == "up"
    assert {each for each in arguments if each.startswith("--")} <= options_of("up")
    assert arguments[arguments.index("--port") + 1] == said["EXPOSE"]
    program, command, *arguments = shlex.split(unit()["Service"]["ExecStart"][0])
    assert (Path(program).name, command) == ("wholeroad", "up")
    assert {each for each in arguments if each.startswith("--")} <= options_of("up")
    assert "127.0.0.1" in arguments  # a proxy on the machine does TLS


@pytest.mark.parametrize("status", [200, 503])
def test_the_check_of_health_tells_whether_the_service_is_ready(status):
    async def ready(_):
        return Response(status_code=status)

    said = dict(last_stage(DOCKERFILE))["HEALTHCHECK"]
    python, option, code = json.loads(said.partition("CMD ")[2])
    assert (python, option) == ("python", "-c")
    with served(Starlette(routes=[Route("/health/ready", ready)])) as address:
        code = code.replace("http://127.0.0.1:8000", address)
        assert address in code
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, timeout=20)
    assert (done.returncode == 0) == (status == 200)


# the unit


def unit(text: str = UNIT) -> dict[str, dict[str, list[str]]]:
    """Read a unit; a setting may come several times."""
    found: dict[str, dict[str, list[str]]] = {}
    for line in text.splitlines():
        if line.startswith("["):
            found[line.strip("[]")] = section = {}
        elif line and not line.startswith("#"):
            name, equals, value = line.partition("=")
            assert equals, line
            section.setdefault(name, []).append(value)
    return found


REQUIRED = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "CapabilityBoundingSet": "",
    "AmbientCapabilities": "",
    "RestrictSUIDSGID": "yes",
    "UMask": "0077",
    "Restart": "on-failure",
    "KillSignal": "SIGTERM",
    "IPAddressDeny": "any",
}


def faults_of_unit(text: str) -> set[str]:
    """Give the rules that a unit breaks."""
    service = unit(text)["Service"]
    found = {name for name, value in REQUIRED.items() if service.get(name) != [value]}
    user = service.get("User", ["root"])[0]
    if service.get("DynamicUser") != ["yes"] and user in {"", "root", "0"}:
        found.add("User")
    if service.get("ReadWritePaths") != service.get("WorkingDirectory"):
        found.add("ReadWritePaths")
    if int(service.get("TimeoutStopSec", ["0"])[0]) <= 30:  # as long as what is in flight may take
        found.add("TimeoutStopSec")
    if service.get("Type", ["simple"])[0] == "notify":  # it doesn't say when it is ready
        found.add("Type")
    if "2" not in service.get("RestartPreventExitStatus", []):
        found.add("RestartPreventExitStatus")
    return found


def test_the_unit_breaks_no_rule():
    assert faults_of_unit(UNIT) == set()
    assert unit()["Install"]["WantedBy"] == ["multi-user.target"]


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        *((f"{name}={value}\n", "", name) for name, value in REQUIRED.items()),
        ("User=wholeroad\n", "", "User"),
        ("User=wholeroad\n", "User=root\n", "User"),
        ("ReadWritePaths=/srv/wholeroad", "ReadWritePaths=/", "ReadWritePaths"),
        ("TimeoutStopSec=60", "TimeoutStopSec=10", "TimeoutStopSec"),
        ("Type=exec", "Type=notify", "Type"),
        ("RestartPreventExitStatus=2\n", "", "RestartPreventExitStatus"),
    ],
)
def test_a_broken_rule_of_the_unit_is_found(old, new, rule):
    assert old in UNIT
    assert rule in faults_of_unit(UNIT.replace(old, new))


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_understands_every_line_and_finds_little_exposed(tmp_path):
    there = tmp_path / "wholeroad.service"
    there.write_text(re.sub(r"(?m)^ExecStart=\S+", f"ExecStart={sys.executable}", UNIT))
    done = subprocess.run(
        ["systemd-analyze", "verify", there], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=20", there],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout[-200:]
