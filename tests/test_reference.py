"""The reference says every command, setting, feature kind and public name, and nothing that isn't one.

``python tests/test_reference.py`` writes the tables of the commands anew.
"""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel

import wholeroad
from wholeroad.adapters.learners import NAMES, QUANTILE_NAMES
from wholeroad.core.errors import EXIT_LATER, EXIT_OURS, EXIT_USER
from wholeroad.core.estimates import Estimate
from wholeroad.curating import Curation
from wholeroad.engine.answers import STATUS
from wholeroad.engine.fair import BiasFound, Everything, Flipped, Searched, Solution, Tried
from wholeroad.engine.mended import Mended
from wholeroad.engine.next_data import NextData, Step
from wholeroad.engine.profiling import Profiled
from wholeroad.engine.rehearsed import Rehearsed
from wholeroad.engine.reviewing import People
from wholeroad.engine.traced import CaseTraced, RowTraced, SourceTraced
from wholeroad.engine.variants import Difference
from wholeroad.fairness import Assessment
from wholeroad.interfaces.cli.app import app
from wholeroad.interfaces.cli.watching import StoppedError
from wholeroad.labelling import Labels
from wholeroad.road.brief import contract
from wholeroad.road.brief.questions import NAMES as QUESTIONS
from wholeroad.road.data.bias.found import GroupBias
from wholeroad.road.data.camera import CameraPlan
from wholeroad.road.data.contracts.proposing import Proposal
from wholeroad.road.data.mending.effects import MendEffect
from wholeroad.road.data.quality.troubles import Trouble
from wholeroad.road.model.fairness.priced import PriceCurve, PricePoint
from wholeroad.road.model.fairness.results import Disparity, Fairness, GroupFigure, LimitHeld
from wholeroad.road.review.appeals import Appeal, AppealsOfGroup
from wholeroad.road.review.estimates import Audit
from wholeroad.road.review.intervals import Bounded
from wholeroad.road.review.work import Examined
from wholeroad.road.watch.fairness.planned import Choice, Plan, PlanLine
from wholeroad.road.watch.sliced import Slice

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"
PAGE = REFERENCE / "brief.md"
COMMANDS = REFERENCE / "commands.md"
PYTHON = REFERENCE / "python.md"
COMES_BACK = (
    Profiled, Trouble, Proposal, Mended, MendEffect, Difference, CaseTraced, SourceTraced, RowTraced,
    NextData, Step, CameraPlan, Examined, Audit, People,
    BiasFound, GroupBias, Solution, Fairness, GroupFigure, Disparity, LimitHeld, Searched, Slice,
    PriceCurve, PricePoint, Flipped, Plan, PlanLine, Choice, Tried, Everything, Appeal, AppealsOfGroup,
)  # fmt: skip
"""What the methods of ``Project.data``, ``.labels`` and ``.fairness`` give, and what that is made of."""
GROUPS = ("data", "fairness", "token")
"""Commands that have commands of their own."""
MARKED = re.compile(r"(?<=^<!-- command: )([\w ]+?) -->\n(.*?)(?=^<!-- end -->$)", re.MULTILINE | re.DOTALL)


def tables_under(table: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Give every table that a brief may hold."""
    for under in table.__subclasses__():
        yield under
        yield from tables_under(under)


TABLES = [*tables_under(contract.Table)]


def commands() -> dict[str, Any]:
    """Give every command of the program that isn't hidden; of a group, each of its commands."""
    found = {}
    for name, command in typer.main.get_command(app).commands.items():
        inner = getattr(command, "commands", None)
        if inner is None:
            found[name] = command
        else:
            found |= {f"{name} {under}": each for under, each in inner.items()}
    return {name: command for name, command in found.items() if not command.hidden}


def table_of(command: Any) -> str:
    """Say what a command does, and what it is given."""
    lines = [" ".join(command.help.split()), ""]
    if rows := [*rows_of(command)]:
        lines += ["| given as | what it says |", "|---|---|", *rows, "", ""]
    return "\n".join(lines)


def rows_of(command: Any) -> Iterator[str]:
    for given in command.params:
        if given.opts[0].startswith("--"):
            value = "" if given.is_flag else f" {given.name.strip('_').upper()}"
            name = f"`{given.opts[0]}{value}`" + "".join(f", `{short}`" for short in given.opts[1:])
        else:
            name = f"`{given.name.upper()}`" + ("" if given.required else ", may be left out")
        yield f"| {name} | {given.help.replace('|', chr(92) + '|').rstrip('.')} |"


def rows(page: Path, heading: str) -> set[str]:
    """Give what a table under a heading begins its rows with."""
    section = re.search(rf"^## {heading}.*?(?=^## |\Z)", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)[0]
    return set(re.findall(r"^\| `([^`]+)`", section, re.MULTILINE))


# Commands


def test_every_command_and_option_is_in_the_reference_as_the_program_has_it():
    written = dict(MARKED.findall(COMMANDS.read_text("utf-8")))
    assert written == {name: table_of(command) for name, command in commands().items()}, (
        "python tests/test_reference.py"
    )


def test_every_command_has_its_section_and_no_other():
    headings = re.findall(r"^##+ `wholeroad ([\w ]+)`$", COMMANDS.read_text("utf-8"), re.MULTILINE)
    assert sorted(headings) == sorted(commands())


def test_every_command_that_a_page_types_is_there():
    root = REFERENCE.parents[1]
    pages = [root / "README.md", root / "ARCHITECTURE.md", *(root / "docs").rglob("*.md")]
    every = {*typer.main.get_command(app).commands}
    inner = {
        group: {name.partition(" ")[2] for name in commands() if name.startswith(f"{group} ")}
        for group in GROUPS
    }
    for page in pages:
        text = page.read_text("utf-8")
        typed = re.findall(r"^(?:\$ |\S*/bin/)?wholeroad (\w+)", text, re.MULTILINE)
        typed += re.findall(r"`wholeroad ([a-z]+)", text)
        assert set(typed) <= every, page
        for group, names in inner.items():
            under = re.findall(rf"^(?:\$ |\S*/bin/)?wholeroad {group} (\w+)", text, re.MULTILINE)
            under += re.findall(rf"`wholeroad {group} ([a-z]+)", text)
            assert {*under} <= {*names}, page


def test_every_exit_code_is_in_the_reference():
    codes = {"0", *map(str, (EXIT_USER, EXIT_OURS, EXIT_LATER, StoppedError().exit_code))}
    told = re.findall(r"^\| (\d+) \|", (REFERENCE / "folder.md").read_text("utf-8"), re.MULTILINE)
    assert set(told) == codes


def test_every_question_and_answer_is_told():
    how_to = REFERENCE.parent / "how-to"
    asked = re.findall(r"^\| `(\w+)` \|", (how_to / "from-a-csv.md").read_text("utf-8"), re.MULTILINE)
    assert {*QUESTIONS} <= {*asked}
    cron = (how_to / "from-a-cron-job.md").read_text("utf-8")
    assert all(f"`{status}`" in cron for status in STATUS)


# The brief


def test_every_setting_of_the_brief_is_in_the_reference_and_no_other():
    told = set(re.findall(r"^\| `(\w+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    settings = {field.alias or name for table in TABLES for name, field in table.model_fields.items()}
    sections = set(contract.Brief.model_fields) - {"format"}
    assert settings - told <= sections
    assert told <= settings


def test_every_table_of_the_brief_has_its_section():
    text = PAGE.read_text(encoding="utf-8")
    for name in contract.Brief.model_fields:
        assert re.search(rf"^## `\[{name}[.\]]|^\| `{name}` \|", text, re.MULTILINE), name


def test_every_form_of_a_feature_is_in_the_reference_and_no_other():
    settings = {*contract.FeatureTable.model_fields} - {*contract.FORMS}
    assert rows(PAGE, r"`\[feature\]`") == {*contract.FORMS, *settings}


def test_every_choice_of_a_setting_is_in_the_reference():
    text = PAGE.read_text("utf-8")
    for table in TABLES:
        for name, choices in literals(table):
            for choice in choices:
                assert f"`{choice}`" in text, (table.__name__, name, choice)


def literals(table: type[BaseModel]) -> Iterator[tuple[str, list[str]]]:
    """Give the settings of a table that take one of several words."""
    for name, said in table.model_json_schema().get("properties", {}).items():
        yield name, said.get("enum", [])


def test_every_learner_that_ships_is_in_the_reference():
    candidates = re.search(r"^\| `candidates` \|.*$", PAGE.read_text("utf-8"), re.MULTILINE)[0]
    assert all(f"`{name}`" in candidates for name in (*NAMES, *QUANTILE_NAMES))


# Python


def test_every_public_name_is_in_the_reference_and_no_other():
    text = PYTHON.read_text("utf-8")
    objects = text[text.index("## The objects") : text.index("## Data and labels")]
    told = set(re.findall(r"`(?:wholeroad\.)?(\w+)(?:\(|`)", " ".join(first_cells(objects))))
    assert {*wholeroad.__all__} - {"__version__", "Brief"} <= told
    methods = {name for kind in (wholeroad.Project, Rehearsed) for name in vars(kind) if name[0] != "_"}
    attributes = {"comparison", "findings", "folder", "brief"}
    named = set(re.findall(r"`(?:Project|Rehearsed)?\.(\w+)", " ".join(first_cells(objects))))
    assert named - attributes <= methods
    assert methods <= named


def test_every_method_of_the_parts_is_in_the_reference_with_its_own_names():
    cell = re.compile(r"^\| `Project\.(data|labels|fairness)\.(\w+)(?:\((.*?)\))?`", re.MULTILINE)
    told = cell.findall(PYTHON.read_text("utf-8"))
    kinds = {"data": Curation, "labels": Labels, "fairness": Assessment}
    methods = {(part, name) for part, kind in kinds.items() for name in vars(kind) if name[0] != "_"}
    assert {(part, name) for part, name, _ in told} == methods
    for part, name, given in told:
        method = getattr(kinds[part], name)
        parameters = {} if isinstance(method, property) else inspect.signature(method).parameters
        assert set(re.findall(r"\w+", given)) <= parameters.keys(), name


def test_what_comes_back_holds_what_the_reference_says():
    text = PYTHON.read_text("utf-8")
    table = text[text.index("| comes back |") :]
    told = re.findall(r"^\| `(\w+)` \| (.*) \|$", table, re.MULTILINE)
    kinds = {kind.__name__: kind for kind in COMES_BACK}
    assert {name for name, _ in told} == kinds.keys()
    for name, cell in told:
        named = set(re.findall(r"`(\w+)(?:\(\))?`", cell)) - kinds.keys()
        figures = {field for kind in (Bounded, Estimate) for field in kind.__dataclass_fields__}
        assert named <= {*dir(kinds[name]), *kinds[name].__dataclass_fields__, *figures}, name


def first_cells(text: str) -> list[str]:
    return [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]


# Time


def test_every_rule_of_time_names_a_test_that_is_there():
    page = (PAGE.parent / "time.md").read_text(encoding="utf-8")
    named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", page)
    assert len(named) > 40
    for file, test in named:
        assert f"def {test}(" in (Path(__file__).parent / file).read_text(encoding="utf-8"), test


def write_anew() -> None:
    """Put the tables of the commands into their page."""
    every = commands()
    page = COMMANDS.read_text("utf-8")
    anew = MARKED.sub(lambda match: f"{match[1]} -->\n{table_of(every[match[1]])}", page)
    COMMANDS.write_text(anew, "utf-8", newline="\n")


if __name__ == "__main__":
    write_anew()
