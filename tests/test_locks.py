"""One writer at a time in a project."""

import pytest

import wholeroad
import worlds
from wholeroad.adapters.locks import held
from wholeroad.core.errors import TryLaterError


@pytest.mark.parametrize(
    "work",
    [
        pytest.param(lambda project: project.land(), id="land"),
        pytest.param(lambda project: project.land_rows("parcels", worlds.parcels()[0]), id="land_rows"),
        pytest.param(lambda project: project.check(), id="check"),
        pytest.param(lambda project: project.rehearse(["status quo"]), id="rehearse"),
    ],
)
def test_nothing_lands_while_another_holds_the_project(tmp_path, work):
    project = wholeroad.open(worlds.write(tmp_path, *worlds.parcels()))
    with (
        held(tmp_path / ".wholeroad", purpose="a rehearsal", since="2024-01-01T00:00:00Z"),
        pytest.raises(TryLaterError, match="a rehearsal"),
    ):
        work(project)
    assert list(project.export()) == []
    assert len(project.land()) == 2
