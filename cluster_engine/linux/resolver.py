"""The C library's resolver: from a name to the questions that are asked, by /etc/hosts and /etc/resolv.conf.

Models the behaviour that glibc and musl share (``search``, ``ndots``, two attempts of five seconds); musl's alone,
that the first question nobody answers ends the search.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from cluster_engine.linux.dns import NAME_LIMIT, is_address

SECOND = 1_000_000
"""µs."""
TIMEOUT = 5 * SECOND
ATTEMPTS = 2
NAMESERVERS = 3
"""Servers of a resolv.conf that are used (MAXNS)."""
SEARCHES = 32
"""Search domains that are used (Kubernetes allows 32)."""
NOT_FOUND, TIMED_OUT = "not found", "timeout"


class Config(NamedTuple):
    """What a resolv.conf says."""

    servers: tuple[str, ...]
    search: tuple[str, ...]
    ndots: int
    timeout: int
    attempts: int


@lru_cache(maxsize=256)
def config(text: str) -> Config:
    """Reads a resolv.conf; what cannot be read is skipped, as the library does."""
    servers: list[str] = []
    search: list[str] = []
    options = {"ndots": 1, "timeout": TIMEOUT // SECOND, "attempts": ATTEMPTS}
    for line in text.split("\n"):
        words = line.split("#")[0].split()
        if words[:1] == ["nameserver"] and len(words) > 1 and is_address(words[1]):
            servers.append(words[1])
        elif words[:1] in (["search"], ["domain"]):
            search = [word.rstrip(".").lower() for word in words[1:]]
        elif words[:1] == ["options"]:
            for word in words[1:]:
                name, _, value = word.partition(":")
                if name in options and value.isascii() and value.isdecimal() and len(value) < 4:
                    options[name] = int(value)
    return Config(
        tuple(servers[:NAMESERVERS]),
        tuple(search[:SEARCHES]),
        min(options["ndots"], 15),
        min(max(options["timeout"], 1), 30) * SECOND,
        min(max(options["attempts"], 1), 5),
    )


@lru_cache(maxsize=1_024)
def hosts(text: str) -> dict[str, list[str]]:
    """Name -> IPv4 addresses of an /etc/hosts."""
    found: dict[str, list[str]] = {}
    for line in text.split("\n"):
        words = line.split("#")[0].split()
        if len(words) > 1 and is_address(words[0]):
            for name in words[1:]:
                addresses = found.setdefault(name.lower(), [])
                if words[0] not in addresses:
                    addresses.append(words[0])
    return found


def questions(name: str, given: Config) -> list[str]:
    """The full names that are asked for, in order; none for what is no name."""
    name = name.lower()
    if name.endswith("."):
        name = name[:-1]
        return [name] if _is_name(name) else []
    if not _is_name(name):
        return []
    searched = [f"{name}.{domain}" for domain in given.search]
    asked = [name, *searched] if name.count(".") >= given.ndots else [*searched, name]
    return [full for full in asked if len(full) <= NAME_LIMIT]


def _is_name(name: str) -> bool:
    return (
        0 < len(name) <= NAME_LIMIT
        and all(0 < len(part) < 64 for part in name.split("."))
        and " " not in name
    )
