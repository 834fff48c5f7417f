"""What a reader can hold in the head: sizes of modules and functions, arguments, start-up.

An exception needs a reason, here. A function's docstring is not counted.
"""

import ast
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"
MODULES = sorted((SOURCE / "wholeroad").rglob("*.py"))

MODULE_LINES = 400
MEDIAN_LINES = 150
FUNCTION_LINES = 50
ARGUMENTS = 7
POSITIONAL = 2

LONG_MODULES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}
POSITIONAL_BY_CUSTOM = {
    "wholeroad.core.instants:first_on_grid": "reads as arithmetic: first_on_grid(at, every, anchor)",
}

HEAVY_FOR_IMPORT = ("polars", "numpy", "sklearn", "lightgbm", "pydantic", "sqlglot", "deltalake")
HEAVY_FOR_HELP = ("polars", "sklearn", "lightgbm", "deltalake", "altair")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def named(module: Path) -> str:
    return module.relative_to(SOURCE).with_suffix("").as_posix().replace("/", ".")


def functions(tree: ast.AST, within: str = "") -> Iterator[tuple[str, Function, bool]]:
    """Give each function with its dotted name and whether it is a method."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield from functions(node, f"{within}{node.name}.")
        elif isinstance(node, Function):
            yield f"{within}{node.name}", node, isinstance(tree, ast.ClassDef)
            yield from functions(node, f"{within}{node.name}.")
        else:
            yield from functions(node, within)


def code_lines(function: Function) -> int:
    """Count the lines from `def` to the end, without the docstring."""
    first = function.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    docstring = first.end_lineno - first.lineno + 1 if documented else 0
    return function.end_lineno - function.lineno + 1 - docstring


def is_command(function: Function) -> bool:
    """Tell whether typer calls it: its arguments are options of the command line."""
    return any(
        isinstance(decorator, ast.Call)
        and isinstance(decorator.func, ast.Attribute)
        and decorator.func.attr in {"command", "callback"}
        for decorator in function.decorator_list
    )


def is_public(where: str, name: str) -> bool:
    """Tell whether others may call it: nothing private on the way to it, and no function around it."""
    parts = where.partition(":")[2].split(".")
    return (
        not any(part.startswith("_") and part != "__init__" for part in parts)
        and not any(part.islower() for part in parts[:-1])
        and (not name.startswith("_") or name == "__init__")
    )


def positional(function: Function, *, method: bool) -> int:
    arguments = [*function.args.posonlyargs, *function.args.args]
    bound = method and not any(ast.unparse(each) == "staticmethod" for each in function.decorator_list)
    return len(arguments) - bound


def every_function() -> Iterator[tuple[str, str, Function, bool]]:
    for module in MODULES:
        for name, function, method in functions(ast.parse(module.read_text("utf-8"))):
            yield f"{named(module)}:{name}", function.name, function, method


def test_a_module_has_at_most_400_lines():
    lines = {named(module): len(module.read_text("utf-8").splitlines()) for module in MODULES}
    assert {name for name, count in lines.items() if count > MODULE_LINES} == set(LONG_MODULES)


def test_half_of_the_modules_have_at_most_150_lines():
    lines = [len(module.read_text("utf-8").splitlines()) for module in MODULES]
    assert statistics.median(lines) <= MEDIAN_LINES


def test_a_function_has_at_most_50_lines():
    long = {where for where, _, function, _ in every_function() if code_lines(function) > FUNCTION_LINES}
    assert long == set(LONG_FUNCTIONS)


def test_a_function_has_at_most_seven_arguments():
    many = {
        where
        for where, _, function, method in every_function()
        if positional(function, method=method) + len(function.args.kwonlyargs) > ARGUMENTS
        if not is_command(function)
    }
    assert many == set()


def test_arguments_past_the_second_go_by_keyword():
    loose = {
        where
        for where, name, function, method in every_function()
        if positional(function, method=method) > POSITIONAL
        if not function.args.vararg
        if is_public(where, name)
        if not is_command(function)
    }
    assert loose == set(POSITIONAL_BY_CUSTOM)


def test_the_budgets_count_what_they_say():
    tree = ast.parse(
        "class A:\n  def f(self, a, b, c, *, d):\n    'doc'\n    def g(x): return x\n    return a\n"
    )
    counted = {
        name: (code_lines(each), positional(each, method=method)) for name, each, method in functions(tree)
    }
    assert counted == {"A.f": (3, 3), "A.f.g": (1, 1)}


def imported_by(*arguments: str) -> set[str]:
    """Give the modules that a fresh interpreter imports."""
    run = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments], capture_output=True, text=True, check=True
    )
    return set(re.findall(r"^import time:.*\|\s*([\w.]+)$", run.stderr, re.MULTILINE))


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        (("-c", "import wholeroad"), HEAVY_FOR_IMPORT),
        (("-m", "wholeroad", "--help"), HEAVY_FOR_HELP),
    ],
    ids=["import wholeroad", "wholeroad --help"],
)
def test_starting_imports_nothing_heavy(arguments, heavy):
    seen = imported_by(*arguments)
    assert "wholeroad" in seen
    assert seen & set(heavy) == set()
