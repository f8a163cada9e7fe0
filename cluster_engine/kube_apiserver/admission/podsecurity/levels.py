"""What the labels of a namespace ask of its Pods. Models k8s.io/pod-security-admission/api (helpers.go)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

from cluster_engine.apimachinery.errors import FieldError, invalid_value

PREFIX = "pod-security.kubernetes.io/"
PRIVILEGED, BASELINE, RESTRICTED = "privileged", "baseline", "restricted"
LEVELS = (PRIVILEGED, BASELINE, RESTRICTED)
"""From the loosest to the strictest."""
_VERSION = re.compile(r"v1\.(0|[1-9][0-9]{0,3})")
T = TypeVar("T")


class Level(NamedTuple):
    """A level as a version of Kubernetes knew it; ``minor`` None: the latest."""

    level: str = PRIVILEGED
    minor: int | None = None

    def __str__(self) -> str:
        return f"{self.level}:{'latest' if self.minor is None else f'v1.{self.minor}'}"


class Policy(NamedTuple):
    """What is refused, noted in the audit log, and warned of."""

    enforce: Level = Level()
    audit: Level = Level()
    warn: Level = Level()

    @property
    def privileged(self) -> bool:
        return self.enforce.level == self.audit.level == self.warn.level == PRIVILEGED


def policy_of(labels: Mapping[str, str] | None) -> tuple[Policy, list[FieldError]]:
    """The policy that labels ask for, and what is wrong with them (PolicyToEvaluate).

    What cannot be read is refused most strictly, and neither noted nor warned of.
    """
    problems: list[FieldError] = []
    given = labels or {}

    def read(name: str, parse: Callable[[str], T | None], why: str, otherwise: T) -> T:
        text = given.get(PREFIX + name)
        if text is None:
            return otherwise
        found = parse(text)
        if found is None:
            problems.append(invalid_value(f"metadata.labels[{PREFIX}{name}]", text, why))
        return otherwise if found is None else found

    def one(mode: str, broken: str) -> Level:
        named = PREFIX + mode in given
        level = read(mode, _level, f"must be one of {', '.join(LEVELS)}", broken if named else PRIVILEGED)
        minor = read(f"{mode}-version", _minor, 'must be "latest" or "v1.x"', -1)
        return Level(level, None if minor < 0 else minor)

    enforce = one("enforce", RESTRICTED)
    audit, warn = one("audit", PRIVILEGED), one("warn", PRIVILEGED)
    if _level(given.get(PREFIX + "enforce", "")) and PREFIX + "warn" not in given and stricter(enforce, warn):
        versioned = PREFIX + "warn-version" in given
        warn = Level(enforce.level, warn.minor if versioned else enforce.minor)
    return Policy(enforce, audit, warn), problems


def stricter(one: Level, other: Level) -> bool:
    """Whether the one asks for more than the other."""
    return LEVELS.index(one.level) > LEVELS.index(other.level)


def _level(text: str) -> str | None:
    return text if text in LEVELS else None


def _minor(text: str) -> int | None:
    if text == "latest":
        return -1
    match = _VERSION.fullmatch(text)
    return int(match[1]) if match is not None else None
