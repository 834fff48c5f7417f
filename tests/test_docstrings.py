"""The examples in docstrings run, and give what they print."""

import doctest
import importlib
import pkgutil

import pytest

import wholeroad

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(wholeroad.__path__, "wholeroad.")
    if not module.name.endswith("__main__")
)


def test_there_are_modules():
    assert len(MODULES) > 200


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_run(name):
    found = doctest.testmod(
        importlib.import_module(name),
        optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS,
    )
    assert found.failed == 0
