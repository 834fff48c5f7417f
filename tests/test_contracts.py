"""Imports run one way: the contracts of pyproject.toml hold, and can fail."""

import ast
import copy
import os
import shutil
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "wholeroad"
LINT = "from importlinter.cli import lint_imports_command as lint; lint()"
ALLOWED = {
    "core": {"msgspec", "numpy", "polars", "sqlglot"},
    "road": {"msgspec", "numpy", "polars", "pydantic", "pydantic_core"},
}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(PACKAGE, include_external_packages=True, cache_dir=None)


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache", "--no-logo"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root / "src")},
        capture_output=True,
        text=True,
        check=False,
    )


def copy_with(tmp_path: Path, file: str, text: str) -> Path:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    target = tmp_path / "src" / PACKAGE / file
    target.parent.mkdir(exist_ok=True)
    target.write_text((target.read_text() if target.exists() else "") + "\n" + text + "\n")
    return tmp_path


def test_the_contracts_hold():
    run = lint_imports(ROOT)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize(
    ("file", "text", "named"),
    [
        ("common/__init__.py", "", "wholeroad.common"),
        ("road/audit/__init__.py", "", "wholeroad.road.audit"),
        ("interfaces/desktop/__init__.py", "", "wholeroad.interfaces.desktop"),
        ("core/instants.py", "from wholeroad.road.watch import results", "wholeroad.core.instants"),
        ("road/brief/contract.py", "from wholeroad.road.watch import results", "wholeroad.road.brief"),
        ("road/brief/contract.py", "from wholeroad import adapters", "wholeroad.road.brief"),
        ("adapters/__init__.py", "from wholeroad import engine", "wholeroad.adapters"),
        ("road/watch/results.py", "import sqlite3", "sqlite3"),
        ("core/ids.py", "import os", "wholeroad.core.ids"),
    ],
    ids=[
        "a new package",
        "a new stage",
        "a new interface",
        "core imports the road",
        "a stage imports a later one",
        "the road imports an adapter",
        "an adapter imports the engine",
        "the road imports a database",
        "core reads a file",
    ],
)
def test_a_broken_contract_is_named(tmp_path, file, text, named):
    run = lint_imports(copy_with(tmp_path, file, text))
    assert run.returncode != 0
    # The tool breaks long lines wherever they end.
    assert named in run.stdout.replace("\n", "").replace(" ", "")


def on_a_cycle(graph: grimp.ImportGraph) -> set[str]:
    """Give the modules of ours that reach themselves; the public surface imports lazily and is left out."""
    own = {module for module in graph.modules if module.startswith(f"{PACKAGE}.")}
    graph = copy.deepcopy(graph)
    for imported in graph.find_modules_directly_imported_by(PACKAGE):
        graph.remove_import(importer=PACKAGE, imported=imported)
    return {
        module
        for module in own
        for imported in graph.find_modules_directly_imported_by(module) & own
        if graph.chain_exists(imported, module)
    }


def test_no_module_imports_itself_by_a_detour(graph):
    assert on_a_cycle(graph) == set()


def test_a_detour_is_found():
    graph = grimp.build_graph(PACKAGE, cache_dir=None)
    graph.add_import(importer="wholeroad.core.instants", imported="wholeroad.core.facts")
    assert on_a_cycle(graph) >= {"wholeroad.core.instants", "wholeroad.core.facts"}


@pytest.mark.parametrize("layer", sorted(ALLOWED))
def test_core_and_road_import_a_short_list_and_the_standard_library(graph, layer):
    strangers = {
        (module, imported)
        for module in graph.modules
        if module.startswith(f"{PACKAGE}.{layer}")
        for imported in graph.find_modules_directly_imported_by(module)
        if imported.split(".")[0] not in {PACKAGE, *ALLOWED[layer], *sys.stdlib_module_names}
    }
    assert strangers == set()


def test_nothing_inside_uses_the_public_surface_but_the_version():
    used = {
        f"{module.name}:{node.lineno}"
        for module in (ROOT / "src" / PACKAGE).rglob("*.py")
        for node in ast.walk(ast.parse(module.read_text("utf-8")))
        if (isinstance(node, ast.ImportFrom) and node.module == PACKAGE and surface(node.names))
        or (isinstance(node, ast.Attribute) and ast.unparse(node.value) == PACKAGE and surface([node]))
    }
    assert used == set()


def surface(names: list[ast.alias] | list[ast.Attribute]) -> bool:
    """Tell whether something of the public surface is named, rather than a package or the version."""
    texts = {each.attr if isinstance(each, ast.Attribute) else each.name for each in names}
    packages = {path.stem for path in (ROOT / "src" / PACKAGE).iterdir()}
    return bool(texts - packages - {"__version__"})
