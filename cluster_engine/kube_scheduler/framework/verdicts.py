"""What plugins answer. Models framework.Status, PreFilterResult and PostFilterResult."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class SchedulingError(Exception):
    """An attempt that went wrong, as opposed to a Pod that fits nowhere (reason SchedulerError)."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a node will not do. ``resolvable`` says whether evicting Pods from it could help."""

    reasons: tuple[str, ...]
    resolvable: bool
    plugin: str = ""


def resolvable(*reasons: str) -> Refusal:
    """A refusal that goes away when Pods do (framework.Unschedulable)."""
    return Refusal(reasons, True)


def unresolvable(*reasons: str) -> Refusal:
    """A refusal that stays, whatever is evicted (framework.UnschedulableAndUnresolvable)."""
    return Refusal(reasons, False)


class Skip:
    """Says that the plugin has nothing to say about this Pod (framework.Skip)."""


SKIP = Skip()


@dataclass(frozen=True, slots=True)
class NodeNames:
    """The only nodes that can do, by name (framework.PreFilterResult): no plugin is asked about any other."""

    names: frozenset[str]


class Wait(NamedTuple):
    """Says that the Pod is to wait, so many seconds at most, until the plugin allows it."""

    seconds: float


class Nomination(NamedTuple):
    """What came of ``post_filter``: the node that was made free ("": none), and what to tell."""

    node: str
    message: str = ""
    keep: bool = False
    """Whether an earlier nomination stays."""
