"""What is shown while work is done: true times, true shares, one line per kind, nothing left behind."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from wholeroad.interfaces.cli.watching import StoppedError, Told, tasks


class Hand:
    """A clock that a test moves by hand."""

    def __init__(self):
        self.at = 0.0

    def __call__(self):
        return self.at


class Shown:
    """A console with its clock, and what was written to it."""

    def __init__(self, *, terminal=False):
        self.hand = Hand()
        self.out = io.StringIO()
        self.console = Console(
            file=self.out,
            width=100,
            force_terminal=terminal,
            color_system=None,
            get_time=self.hand,
            _environ={"TERM": "xterm"},
        )

    @property
    def lines(self):
        return [" ".join(line.split()) for line in self.out.getvalue().splitlines()]

    def bars(self, told):
        out = io.StringIO()
        Console(file=out, width=100, color_system=None).print(told.bars())
        return [" ".join(line.replace("━", "").split()) for line in out.getvalue().splitlines()]


def test_a_finished_stage_is_one_line_with_its_own_time():
    shown = Shown()
    with tasks(shown.console) as tell:
        for place, name in enumerate(("flights", "arrivals", "board")):
            tell(f"landing: {name}", place, 3)
            shown.hand.at += 2
        tell("landing", 3, 3)
        shown.hand.at += 50
        tell("checking", 0, 0)
        shown.hand.at += 70
        tell("checking", 1, 1)
    assert shown.lines == ["landing 6.0 s", "checking 1 min 10 s"]


def test_time_spent_in_fits_is_not_the_policys():
    shown = Shown()
    with tasks(shown.console) as tell:
        tell("policy every 30d: days", 0, 60)
        for _ in range(2):
            shown.hand.at += 1
            tell("fits #: of a month", 0, 2)
            shown.hand.at += 10
            tell("fits #: of a month", 2, 2)
        shown.hand.at += 1
        tell("policy every 30d: days", 60, 60)
    assert shown.lines == ["policy every 30d 3.0 s", "fits 2 20.0 s"]


def test_many_fits_are_one_line():
    shown = Shown()
    with tasks(shown.console) as tell:
        tell("policy never: days", 0, 39)
        for day in range(39):
            tell("fits #: refused", 0, 4)
            tell("fits #: refused", 1, 1)
            tell("policy never: days", day, 39)
        tell("policy never: days", 39, 39)
    assert shown.lines == ["policy never 0.0 s", "fits 39 0.0 s"]


def test_what_is_under_way_shows_its_share_and_only_the_innermost_clock_runs():
    shown = Shown()
    told = Told(shown.console)
    told("policy never: days", 0, 240)
    shown.hand.at += 3
    told("policy never: days", 60, 240)
    told("fits #: 2013-05-15 on 121,163 cases, logistic", 1, 4)
    shown.hand.at += 5
    assert shown.bars(told) == [
        "policy never: days 60 of 240 3 s",
        "fits 1: 2013-05-15 on 121,163 cases, logistic 1 of 4 5 s",
    ]
    told("fits #: x", 4, 4)
    shown.hand.at += 2
    assert shown.bars(told) == ["policy never: days 60 of 240 5 s"]
    assert shown.lines == []


def test_a_stage_of_unknown_size_shows_no_share():
    shown = Shown()
    told = Told(shown.console)
    told("checking", 0, 0)
    shown.hand.at += 4
    assert shown.bars(told) == ["checking 4 s"]


def test_an_end_that_is_told_twice_is_shown_once():
    shown = Shown()
    with tasks(shown.console) as tell:
        tell("assembling", 0, 0)
        for done in (1, 2, 2, 2):
            tell("features", done, 2)
        tell("assembling", 1, 1)
        tell("assembling", 1, 1)
    assert shown.lines == ["assembling 0.0 s", "features 0.0 s"]


def test_what_was_left_open_within_a_stage_ends_with_it():
    shown = Shown()
    with tasks(shown.console) as tell:
        tell("assembling", 0, 0)
        shown.hand.at += 1
        tell("features", 0, 0)
        shown.hand.at += 4
        tell("assembling", 1, 1)
        shown.hand.at += 100
    assert shown.lines == ["assembling 1.0 s", "features 4.0 s"]


@pytest.mark.parametrize(("raised", "comes"), [(KeyboardInterrupt, StoppedError), (ValueError, ValueError)])
@pytest.mark.parametrize("terminal", [True, False])
def test_nothing_unfinished_is_left_behind(raised, comes, terminal):
    shown = Shown(terminal=terminal)

    def work():
        with tasks(shown.console) as tell:
            tell("landing", 1, 1)
            tell("policy never: days", 3, 240)
            tell("fits #: logistic", 1, 4)
            raise raised

    with pytest.raises(comes):
        work()
    text = shown.out.getvalue()
    if not terminal:
        assert "\x1b" not in text
        assert shown.lines == ["landing 0.0 s"]
    else:
        # Whatever was drawn of the bars is wiped away at the end: erased lines follow it.
        after = text[text.rindex("240") :] if "240" in text else text
        assert "240" not in text or "\x1b[2K" in after
        assert "\x1b[?25h" in text  # the cursor is back


def test_names_that_look_like_markup_are_shown_as_they_are():
    shown = Shown()
    with tasks(shown.console) as tell:
        tell("policy always [red]: days", 1, 1)
    assert shown.lines == ["policy always [red] 0.0 s"]
