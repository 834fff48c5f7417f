"""Policies as people write them: ``never``, ``every 30d``, ``status quo``, ``random 10%``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from wholeroad.core.errors import Fault, FaultsError
from wholeroad.core.instants import Span, format_span, parse_span

if TYPE_CHECKING:
    from wholeroad.road.brief.contract import Brief

Kind = Literal["never", "every", "status quo", "random", "always", "incumbent"]

INCUMBENT: Final = "incumbent"
"""The policy, and the decider, of a running system: what its log says was done."""

_RATE: Final = re.compile(r"random (\d+(?:\.\d+)?)\s*%")


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy.

    Attributes
    ----------
    kind
        ``never`` (one fit) and ``every`` (refits on a grid from the epoch) use models;
        ``status quo``, ``random`` and ``always`` are the dummies to beat; ``incumbent`` is a running
        system, known by its log.
    every
        The refit span of ``every``, microseconds.
    rate
        The share of cases that ``random`` gives another action than the first of the status quo.
    action
        What ``always`` does.
    """

    kind: Kind
    every: Span = 0
    rate: float = 0.0
    action: str = ""

    @property
    def name(self) -> str:
        """The policy in its canonical words."""
        match self.kind:
            case "every":
                return f"every {format_span(self.every)}"
            case "random":
                return f"random {100 * self.rate:.4f}".rstrip("0").rstrip(".") + "%"
            case "always":
                return f"always {self.action}"
            case _:
                return self.kind

    @property
    def uses_models(self) -> bool:
        """Whether fits are asked for."""
        return self.kind in ("never", "every")


def parse_policy(text: str) -> Policy:
    """Read a policy.

    Raises
    ------
    ValueError
        When it is none; the message lists what there is.

    Examples
    --------
    >>> parse_policy("every 30d").name, parse_policy("random 10%").rate
    ('every 30d', 0.1)
    """
    words = " ".join(text.split())
    if words == INCUMBENT:
        return Policy("incumbent")
    if words in ("never", "status quo"):
        return Policy("never" if words == "never" else "status quo")
    if words.startswith("every "):
        span = parse_span(words.removeprefix("every "))
        if span > 0:
            return Policy("every", every=span)
    if match := _RATE.fullmatch(words):
        rate = round(float(match.group(1)) / 100, 6)
        if rate <= 1:
            return Policy("random", rate=rate)
    if words.startswith("always ") and len(words) > len("always "):
        return Policy("always", action=words.removeprefix("always "))
    message = "a policy is never, every <span>, status quo, incumbent, random <percent>%, or always <action>"
    raise ValueError(message)


def parse_policies(
    texts: Sequence[str], actions: tuple[str, ...], *, incumbent: bool = False
) -> list[Policy]:
    """Read several policies; the same one twice is one.

    Parameters
    ----------
    incumbent
        Whether the brief has a running system.

    Raises
    ------
    FaultsError
        ``brief.policy``, ``brief.unknown-action``, ``brief.no-incumbent``; all at once.
    """
    faults = [
        fault
        for text in texts
        for fault in policy_fault(text, actions, where="--policy", refits_only=False, incumbent=incumbent)
    ]
    if faults:
        raise FaultsError("The policies can't be read", faults)
    policies = [parse_policy(text) for text in texts]
    return list({policy.name: policy for policy in policies}.values())


def chosen_policies(brief: Brief, given: Sequence[str]) -> list[Policy]:
    """Read the policies that are to be rehearsed: those given, those of the brief, or the usual ones.

    Raises
    ------
    FaultsError
        As of :func:`parse_policies`.
    """
    running = [INCUMBENT] if brief.incumbent else []
    usual = ["status quo", *running, "never", brief.policy.refit.when, "random 10%"]
    texts = [*given] or [*brief.rehearse.policies] or usual
    return parse_policies(texts, brief.actions, incumbent=bool(running))


def policy_fault(
    text: str,
    actions: tuple[str, ...] | None,
    *,
    where: str,
    refits_only: bool,
    incumbent: bool = False,
) -> Iterator[Fault]:
    """Find the fault of a policy's text, if it has one: ``brief.policy``, ``brief.policy-later``."""
    if refits_only and text in ("regret", "incident"):
        yield Fault(
            "brief.policy-later",
            where,
            f"was {text!r}",
            "never, or every <span>",
            "refitting on what watching saw isn't built yet; compare spans with --policy instead",
        )
        return
    try:
        policy = parse_policy(text)
    except ValueError as error:
        yield Fault("brief.policy", where, f"was {text!r}", str(error), "write it as one of these")
        return
    if refits_only and not policy.uses_models:
        yield Fault(
            "brief.policy",
            where,
            f"was {text!r}",
            "never, or every <span>",
            "name dummies in [rehearse] policies",
        )
    elif policy.kind == INCUMBENT and not incumbent:
        yield Fault(
            "brief.no-incumbent",
            where,
            "was 'incumbent', and the brief knows no running system",
            "[incumbent] with its score or action",
            "say in [incumbent] where its log is, or leave the policy out",
        )
    elif policy.kind == "always" and actions is not None and policy.action not in actions:
        yield Fault(
            "brief.unknown-action",
            where,
            f"{policy.action!r} is no action of this brief",
            f"one of {', '.join(actions)}",
            "name an action of the value table",
        )
