"""The tree is the road, time is a value, one path: the laws that can be read off the source."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "wholeroad"
MODULES = sorted(PACKAGE.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))

ROOMS = ("facts.py", "rules.py", "work.py")
STAGES = sorted(path.name for path in (PACKAGE / "road").iterdir() if (path / "__init__.py").exists())

ONE_PATH = ("core", "road", "engine", "adapters")
WHERE_THE_MODE_BRANCHES = {"engine/live.py", "engine/rehearsal.py", "project.py"}
MODE = {"live", "mode", "rehearsal", "rehearsals", "rehearse", "rehearsed", "rehearsing"}
MODE |= {"backtest", "replay", "replaying", "simulated", "simulation"}
OWN_WORDS = {"road/brief": {"rehearse"}}
"""The brief has a table ``[rehearse]``: reading it asks for nothing's mode."""

VAGUE = {"commons", "helper", "helpers", "manager", "managers", "misc", "util", "utils"}
INSTANT_NAME = re.compile(r"(?i)(.*_)?(at|from|since|until)|now|anchor|epoch")


def parse(module: Path) -> ast.Module:
    return ast.parse(module.read_text("utf-8"), str(module))


def within(module: Path) -> str:
    return module.relative_to(PACKAGE).as_posix()


def words(identifier: str) -> set[str]:
    """Split `is_live`, `LiveEngine` or `rehearsal-mode` into lower-case words."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", identifier)}


# Law 1: the tree is the road.


def test_road_order_is_alphabetical_order_and_the_order_of_the_contract():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(contract["layers"] for contract in contracts if contract["id"] == "road")
    order = [layer.strip("()") for layer in reversed(layers) if layer != "refit"]
    assert order == sorted(order)
    assert set(STAGES) <= set(order)


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_has_the_same_three_rooms(stage):
    assert [room for room in ROOMS if not (PACKAGE / "road" / stage / room).exists()] == []


def test_there_are_stages():
    assert {"brief", "data", "model", "release", "watch"} <= set(STAGES)


# Law 2: time is a value.

RUFF = [sys.executable, "-m", "ruff", "check", "--quiet", "--select", "TID251,S102,S307"]
FORBIDDEN_LINES = [
    "from datetime import datetime\ndatetime.now()",
    "import datetime\ndatetime.date.today()",
    "import time\ntime.time()",
    "from time import monotonic",
    "import time\ntime.sleep(1)",
    "import random",
    "import numpy as np\nnp.random.default_rng(1)",
    "from uuid import uuid4",
    "import os\nos.urandom(8)",
    "import secrets",
    "import pickle",
    "import joblib\njoblib.load('x')",
    "import polars as pl\npl.sql_expr('now()')",
    "from unittest import mock",
    "eval('1')",
    "exec('1')",
]


@pytest.mark.parametrize(
    "place", ["core/ids.py", "road/data/work.py", "engine/cycle.py", "adapters/tables.py"]
)
def test_clocks_dice_and_running_what_is_read_are_refused(place):
    for text in FORBIDDEN_LINES:
        run = subprocess.run(
            [*RUFF, "--stdin-filename", f"src/wholeroad/{place}", "-"],
            input=text,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 1, f"{place} may say {text!r}"


def test_only_the_engine_asks_a_clock():
    readers = {
        f"{within(module)}:{node.lineno}"
        for module in MODULES
        if within(module).split("/")[0] in {"core", "road"}
        for node in ast.walk(parse(module))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "now"
    }
    assert readers == set()


def test_instants_are_named_as_such():
    wrong = {
        f"{within(module)}:{name}"
        for module in MODULES
        for name, annotation in annotated(parse(module))
        if re.fullmatch(r"Instant( \| None)?", annotation)
        if not INSTANT_NAME.fullmatch(name)
    }
    assert wrong == set()


def annotated(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and node.annotation:
            yield node.arg, ast.unparse(node.annotation)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, ast.unparse(node.annotation)


# Law 4: one path.


def conditions(tree: ast.AST) -> Iterator[ast.AST]:
    """Give every expression that decides which way a program goes."""
    for node in ast.walk(tree):
        match node:
            case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test) | ast.Assert(test=test):
                yield test
            case ast.Match(subject=subject, cases=cases):
                yield subject
                yield from (case.pattern for case in cases)
                yield from (case.guard for case in cases if case.guard)
            case ast.comprehension(ifs=ifs):
                yield from ifs
            case ast.BoolOp() | ast.Compare():
                yield node
            case ast.Subscript(slice=key):
                yield key  # a table of ways, chosen by a key
            case _:
                pass


def spoken(tree: ast.AST) -> Iterator[str]:
    """Give the names and texts in an expression."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Constant(value=str(name)):
                yield name
            case _:
                pass


def branches_on_the_mode(source: str, own: set[str] = frozenset()) -> set[str]:
    """Give the words by which a source asks whether it is live or rehearsing.

    A condition may not speak of the mode nor of the kind of clock, and nothing is handed a mode: an
    argument or field of that name is a branch that waits.
    """
    tree = ast.parse(source)
    asked = {name for condition in conditions(tree) for name in spoken(condition)}
    handed = {name for name, _ in annotated(tree)}
    of_the_mode = {name for name in asked | handed if words(name) & (MODE - own)}
    return of_the_mode | {name for name in asked if name.endswith("Clock")}


def own_words(module: Path) -> set[str]:
    return OWN_WORDS.get(within(module.parent), set())


@pytest.mark.parametrize("layer", ONE_PATH)
def test_the_mode_branches_in_three_files_only(layer):
    found = {
        within(module): names
        for module in MODULES
        if within(module).startswith(f"{layer}/") and within(module) not in WHERE_THE_MODE_BRANCHES
        if (names := branches_on_the_mode(module.read_text("utf-8"), own_words(module)))
    }
    assert found == {}


@pytest.mark.parametrize(
    "source",
    [
        "if project.is_live: pass",
        "x = 1 if mode == 'a' else 2",
        "match world:\n  case 'rehearsal': pass",
        "y = [a for a in b if not rehearsing]",
        "def cycle(state, *, live: bool): pass",
        "if isinstance(clock, SteppedClock): pass",
        "ways['live']()",
        "z = simulated and wait()",
    ],
)
def test_a_branch_on_the_mode_is_found(source):
    assert branches_on_the_mode(source)


@pytest.mark.parametrize(
    "source",
    ["model.dump(mode='json')", "'''live'''", "if alive: pass", "policies = brief.rehearse.policies"],
)
def test_what_is_no_branch_on_the_mode_is_left_alone(source):
    assert not branches_on_the_mode(source)


# Words.


def test_no_name_is_vague():
    rooms = {part for module in MODULES for part in module.relative_to(PACKAGE).with_suffix("").parts}
    assert not rooms & {"common", "shared"}
    vague = {
        f"{within(module)}:{name}"
        for module in MODULES
        for name in [module.stem, module.parent.name, *defined(parse(module))]
        if words(name) & VAGUE
    }
    assert vague == set()


def defined(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name


def test_messages_say_was():
    said = {
        f"{within(module)}:{node.lineno}"
        for module in MODULES
        for node in texts(parse(module))
        if re.search(r"\bgot\b", str(node.value))
    }
    assert said == set()


def texts(tree: ast.AST) -> Iterator[ast.Constant]:
    """Give the texts that a program may say, so no docstrings."""
    silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
            yield node


def test_error_codes_are_dotted_and_stable():
    wrong = {
        f"{within(module)}:{node.lineno}: {node.args[0].value}"
        for module in MODULES
        for node in ast.walk(parse(module))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if node.func.id in {"Fault", "RoadError", "UserError", "TryLaterError"}
        if node.args and isinstance(node.args[0], ast.Constant)
        if not re.fullmatch(r"[a-z]+(\.[a-z0-9]+(-[a-z0-9]+)*)+", str(node.args[0].value))
    }
    assert wrong == set()


# Tests.


ANOTHER_REAL_CLOCK = "pages.py"
"""Types the commands of a page, which can't name a clock: it has them take the stepped one, a real part."""


def test_our_own_code_is_never_mocked():
    mocked = {
        f"{module.name}:{node.lineno}"
        for module in TESTS
        if module.name != ANOTHER_REAL_CLOCK
        for node in ast.walk(parse(module))
        if is_mocking(node)
    }
    assert mocked == set()


def is_mocking(node: ast.AST) -> bool:
    """Tell whether a part is replaced by a stand-in; another value for a constant is none."""
    match node:
        case ast.Import(names=names):
            return any("mock" in each.name for each in names)
        case ast.ImportFrom(module=module, names=names):
            return "mock" in (module or "") or any(each.name == "mock" for each in names)
        case ast.Call(func=ast.Attribute(attr="setattr"), args=args):
            return not isinstance(args[-1], ast.Constant)
        case _:
            return False


@pytest.mark.parametrize(
    "source",
    ["import unittest.mock", "from unittest import mock", "monkeypatch.setattr(clock, 'now', lambda: 0)"],
)
def test_a_mock_is_found(source):
    assert any(is_mocking(node) for node in ast.walk(ast.parse(source)))
