"""Laws of tokens: who was let in is who was made and not revoked, and the file alone lets nobody in."""

from __future__ import annotations

import json
import os
import re
import stat
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from typer.testing import CliRunner

import worlds
from wholeroad.adapters.clocks import SteppedClock
from wholeroad.adapters.locks import held
from wholeroad.core.errors import TryLaterError, UserError
from wholeroad.core.instants import UNITS
from wholeroad.interfaces.cli.tokens import token
from wholeroad.interfaces.http.guard import TokenGuard
from wholeroad.interfaces.http.tokens import ROLES, Tokens

SECOND = UNITS["s"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tokens.json"


def refused(code, act, *arguments, **named):
    with pytest.raises(UserError) as found:
        act(*arguments, **named)
    assert found.value.code == code
    return found.value


class Owning(RuleBasedStateMachine):
    """One process changes the tokens, another one checks them."""

    def __init__(self):
        super().__init__()
        self.clock = SteppedClock(1)
        self.folder = TemporaryDirectory()
        path = Path(self.folder.name) / "tokens.json"
        self.owner, self.service = Tokens(path), Tokens(path, now=self.clock.now)
        self.known: dict[str, tuple[str, str, bool]] = {}

    def teardown(self):
        self.folder.cleanup()

    def later(self):
        self.clock.step_to(self.clock.now() + SECOND)

    @rule(name=st.sampled_from(["a", "b", "c"]), role=st.sampled_from(ROLES))
    def make(self, name, role):
        if any(held_by == name and lives for held_by, _, lives in self.known.values()):
            refused("tokens.name-taken", self.owner.make, name, role=role, now=self.clock.now())
        else:
            self.known[self.owner.make(name, role=role, now=self.clock.now())] = (name, role, True)
        self.later()

    @precondition(lambda self: self.known)
    @rule(place=st.integers(0, 99), by_id=st.booleans())
    def revoke(self, place, by_id):
        secret = [*self.known][place % len(self.known)]
        name, role, lives = self.known[secret]
        if by_id or lives:
            done = self.owner.revoke(secret.split("_")[1] if by_id else name, now=self.clock.now())
            assert done.revoked_at is not None
            assert (done.name, done.role) == (name, role)
            self.known[secret] = (name, role, False)
        self.later()

    @invariant()
    def who_was_made_and_not_revoked_is_let_in(self):
        for tokens in (self.owner, self.service):
            for secret, (_, role, lives) in self.known.items():
                assert tokens.check(secret) == (role if lives else None)
                assert tokens.check(secret[:-1]) is None
        assert {each.id for each in self.owner.list()} == {secret.split("_")[1] for secret in self.known}


TestOwning = Owning.TestCase
TestOwning.settings = settings(max_examples=15, stateful_step_count=12, deadline=None)


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    tokens = Tokens(tmp_path_factory.mktemp("others") / "tokens.json")
    tokens.make("shop", role="owner", now=0)
    tokens.session()
    return tokens


@given(
    text=st.text(max_size=300)
    | st.text(max_size=80).map("wr_".__add__)
    | st.text().map("wr_session_".__add__)
)
@settings(deadline=None)
def test_law_no_other_text_is_let_in(others, text):
    assert others.check(text) is None
    (kept,) = others.list()
    assert others.check(f"wr_{kept.id}_{text}") is None


def test_the_file_keeps_no_token_and_is_its_owners_alone(path):
    secret = Tokens(path).make("shop", role="sender", now=5)
    text = path.read_text()
    assert re.fullmatch(r"wr_[0-9a-f]{12}_[A-Za-z0-9_-]{43}", secret)
    assert secret.split("_", 2)[2] not in text
    (kept,) = json.loads(text)["tokens"]
    assert (kept["name"], kept["role"], kept["made_at"], kept["revoked_at"]) == ("shop", "sender", 5, None)
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for anything in (kept["sha256"], kept["id"], f"wr_{kept['id']}_{kept['sha256']}"):
        assert Tokens(path).check(anything) is None


def test_what_a_killed_command_left_behind_stands_in_nobodys_way(path):
    left = path.with_name(".tokens.json.tmp")
    left.write_text("half")
    left.chmod(0o644)
    secret = Tokens(path).make("shop", role="sender", now=0)
    assert Tokens(path).check(secret) == "sender"
    assert not left.exists()


def test_a_change_is_seen_a_second_later_by_the_clock_or_when_it_is_said(path):
    clock = SteppedClock(10 * SECOND)
    running, told = Tokens(path, now=clock.now), Tokens(path)
    assert running.check("wr_a_b") is None
    assert told.check("wr_a_b") is None
    secret = Tokens(path).make("shop", role="sender", now=0)
    clock.step_to(11 * SECOND - 1)
    assert running.check(secret) is None
    clock.step_to(11 * SECOND)
    assert running.check(secret) == "sender"
    assert told.check(secret) is None
    told.reload()
    assert told.check(secret) == "sender"
    Tokens(path).revoke("shop", now=0)
    clock.step_to(12 * SECOND)
    assert running.check(secret) is None


def test_a_sessions_token_is_the_owners_and_written_nowhere(path):
    tokens = Tokens(path)
    first = tokens.session()
    assert tokens.check(first) == "owner"
    assert not path.exists()
    assert tokens.list() == []
    second = tokens.session()
    assert (tokens.check(first), tokens.check(second)) == (None, "owner")
    assert Tokens(path).check(second) is None


@pytest.mark.parametrize(
    "broken",
    [b"", b"{", b"\xff", b'{"format": 2, "tokens": []}', b'{"format":1,"tokens":[{"id":"a"}]}', b"[]"],
)
def test_a_broken_file_lets_nobody_in_but_the_session_and_says_so(path, broken):
    tokens = Tokens(path)
    secret, session = tokens.make("shop", role="sender", now=0), tokens.session()
    whole = path.read_bytes()
    path.write_bytes(broken)
    tokens.reload()
    assert (tokens.check(secret), tokens.check(session)) == (None, "owner")
    assert "tokens.unreadable" in tokens.fault
    refused("tokens.unreadable", tokens.list)
    refused("tokens.unreadable", tokens.make, "desk", role="owner", now=0)
    assert path.read_bytes() == broken
    path.write_bytes(whole)
    tokens.reload()
    assert (tokens.check(secret), tokens.fault) == ("sender", "")


def test_two_commands_at_once_lose_no_token(path):
    with held(path.with_suffix(".lock"), purpose="another", since="now"), pytest.raises(TryLaterError):
        Tokens(path).make("shop", role="sender", now=0)
    assert not path.exists()


@pytest.mark.parametrize("name", ["", " a", "a\nb", "x" * 65, "../a", "ü", "a|b"])
def test_a_name_that_is_none_is_refused(path, name):
    refused("tokens.name", Tokens(path).make, name, role="sender", now=0)


def test_roles_and_tokens_that_are_none_are_refused(path):
    refused("tokens.role", Tokens(path).make, "a", role="admin", now=0)
    assert "shop" not in str(refused("tokens.unknown", Tokens(path).revoke, "a", now=0))
    Tokens(path).make("shop", role="sender", now=0)
    assert "shop" in str(refused("tokens.unknown", Tokens(path).revoke, "a", now=0))


def test_revoking_again_changes_nothing_and_a_name_means_the_token_in_force(path):
    tokens = Tokens(path)
    tokens.make("shop", role="sender", now=1)
    assert tokens.revoke("shop", now=2) == tokens.revoke("shop", now=3)
    second = tokens.make("shop", role="reviewer", now=4)
    assert tokens.revoke("shop", now=5).role == "reviewer"
    assert tokens.check(second) is None


def test_the_guard_takes_a_bearer_token_and_nothing_else(path):
    tokens = Tokens(path)
    secret = tokens.make("shop", role="reviewer", now=0).encode()
    guard = TokenGuard(tokens)
    assert guard.role({b"authorization": b"Bearer " + secret}) == "reviewer"
    for header in (b"Basic " + secret, b"Bearer", b"", secret, b"Bearer \xff", b"Bearer x" + secret):
        assert guard.role({b"authorization": header}) is None


# the commands


def run(*arguments):
    return CliRunner().invoke(token, list(arguments))


def test_the_commands_make_list_and_revoke(tmp_path):
    project = str(worlds.write(tmp_path / "project", *worlds.parcels(days=1)))
    made = run("make", "--role", "sender", "--name", "shop", "--project", project)
    assert made.exit_code == 0, made.output
    secret = made.stdout.strip()  # alone, so that a script can keep it
    tokens = Tokens(tmp_path / "project" / ".wholeroad" / "tokens.json")
    assert tokens.check(secret) == "sender"
    assert "this once" in made.stderr
    listed = run("list", "--project", project)
    assert "shop" in listed.stdout
    assert secret.split("_")[1] in listed.stdout
    assert secret.split("_", 2)[2] not in listed.stdout
    revoked = run("revoke", "shop", "--project", project)
    assert revoked.stdout.startswith("Revoked: shop, sender")
    tokens.reload()
    assert tokens.check(secret) is None


def test_the_commands_make_no_project_of_another_folder(tmp_path):
    done = run("make", "--role", "sender", "--name", "shop", "--project", str(tmp_path))
    assert isinstance(done.exception, UserError)
    assert done.exception.code == "brief.absent"
    assert list(tmp_path.iterdir()) == []
    project = str(worlds.write(tmp_path / "project", *worlds.parcels(days=1)))
    assert "wholeroad token make" in run("list", "--project", project).stdout
    assert run("make", "--role", "boss", "--name", "a", "--project", project).exception.code == "tokens.role"
