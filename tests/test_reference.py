"""The reference says every setting, and nothing that isn't one."""

import re
from pathlib import Path

from pydantic import BaseModel

from wholeroad.road.brief import contract

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "brief.md"
TABLES = [
    table
    for table in vars(contract).values()
    if isinstance(table, type) and issubclass(table, BaseModel) and table is not contract.Table
]


def test_every_setting_of_the_brief_is_in_the_reference_and_no_other():
    told = set(re.findall(r"^\| `(\w+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    settings = {name for table in TABLES for name in table.model_fields}
    sections = set(contract.Brief.model_fields) - {"format"}
    assert settings - told <= sections
    assert told <= settings


def test_every_table_of_the_brief_has_its_section():
    text = PAGE.read_text(encoding="utf-8")
    for name in contract.Brief.model_fields:
        assert re.search(rf"^## `\[{name}[.\]]|^\| `{name}` \|", text, re.MULTILINE), name


def test_every_rule_of_time_names_a_test_that_is_there():
    page = (PAGE.parent / "time.md").read_text(encoding="utf-8")
    named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", page)
    assert len(named) > 40
    for file, test in named:
        assert f"def {test}(" in (Path(__file__).parent / file).read_text(encoding="utf-8"), test
