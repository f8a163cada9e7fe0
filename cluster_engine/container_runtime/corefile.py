"""What a Corefile says: zones, the plugins that act in them, and why a file is none.

Models github.com/coredns/caddy (the file's form) and core/dnsserver/zdirectives.go (the plugins there are).
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from functools import lru_cache

from cluster_engine.network import is_address

LINES = 2_000
"""Lines of a Corefile."""
_ACT = ("forward", "hosts", "kubernetes", "log", "rewrite")
_SILENT = (
    "autopath", "bufsize", "cache", "cancel", "debug", "errors", "health", "loadbalance", "loop", "metadata", "minimal",
    "nsid", "prometheus", "ready", "reload", "timeouts", "whoami",
)  # fmt: skip
"""Plugins that change no answer of this cluster."""
_NOT_SIMULATED = (
    "acl", "any", "auto", "azure", "bind", "chaos", "clouddns", "dns64", "dnssec", "dnstap", "erratic", "etcd", "file",
    "geoip", "grpc", "header", "import", "k8s_external", "local", "multisocket", "pprof", "quic", "root", "route53",
    "secondary", "sign", "template", "tls", "trace", "transfer", "tsig", "view",
)  # fmt: skip


class CorefileError(Exception):
    """The file is none; str() is what CoreDNS says."""


def _wrong(number: int, why: str, plugin: str = "") -> CorefileError:
    return CorefileError(f"{plugin}Corefile:{number} - Error during parsing: {why}")


@dataclass(slots=True)
class Zone:
    """One server block."""

    names: tuple[str, ...]
    kubernetes: tuple[str, ...] = ()
    """The zones of the kubernetes plugin; () without it."""
    forwards: bool = False
    logs: bool = False
    reloads: bool = False
    hosts: dict[str, list[str]] = field(default_factory=dict)
    """Name -> addresses of the hosts plugin."""
    hosts_only: bool = False
    """Whether what the hosts plugin does not know is not asked further."""
    rewrites: dict[str, str] = field(default_factory=dict)
    """Names that are asked for under another one (``rewrite name exact``)."""


@lru_cache(maxsize=64)
def read(text: str) -> tuple[Zone, ...]:
    """The zones of a file, in its order. Raises CorefileError."""
    zones: list[Zone] = []
    plugin: list[str] = []
    lines = text.split("\n")
    if len(lines) > LINES:
        raise CorefileError(f"Corefile - more than {LINES} lines are not read here")
    depth = 0
    for number, line in enumerate(lines, 1):
        words = _words(line, number)
        if not words:
            continue
        opens = words[-1] == "{"
        if words == ["}"]:
            depth -= 1
            if depth < 0:
                raise _wrong(number, "Unexpected '}' because no matching opening brace")
        elif depth == 0:
            if not opens:
                raise CorefileError(
                    f"Corefile:{number} - Error during parsing: Unexpected end of line: expected '{{'"
                )
            zones.append(Zone(tuple(_zone(word) for word in words[:-1])))
        elif depth == 1:
            plugin = words[:-1] if opens else words
            _plugin(zones[-1], plugin, number)
        else:
            _option(zones[-1], plugin, words, number)
        depth += opens
    if depth:
        raise CorefileError(f"Corefile:{len(lines)} - Error during parsing: Unexpected EOF")
    return tuple(zones)


def _words(line: str, number: int) -> list[str]:
    try:
        return shlex.split(line, comments=True)
    except ValueError:
        raise CorefileError(f"Corefile:{number} - Error during parsing: Unexpected EOF") from None


def _zone(word: str) -> str:
    name, _, _ = word.removeprefix("dns://").partition(":")
    return name.strip(".").lower()


def _plugin(zone: Zone, words: list[str], number: int) -> None:
    name, arguments = words[0], words[1:]
    if name in _NOT_SIMULATED:
        raise CorefileError(
            f"Corefile:{number} - not simulated by this cluster: the plugin {name}, which CoreDNS has"
        )
    if name not in _ACT and name not in _SILENT:
        raise CorefileError(f"Corefile:{number} - Error during parsing: Unknown directive '{name}'")
    match name:
        case "forward":
            if len(arguments) < 2:
                why = f"Wrong argument count or unexpected line ending after '{words[-1]}'"
                raise _wrong(number, why, "plugin/forward: ")
            zone.forwards = True
        case "kubernetes":
            zone.kubernetes = tuple(each.strip(".").lower() for each in arguments) or zone.names
        case "log":
            zone.logs = True
        case "reload":
            zone.reloads = True
        case "hosts":
            zone.hosts_only = True
        case "rewrite":
            _rewrite(zone, arguments, number)


def _rewrite(zone: Zone, arguments: list[str], number: int) -> None:
    words = [word for word in arguments if word not in ("stop", "continue")]
    if words[:1] == ["name"] and len(words) == 4 and words[1] == "exact":
        words = ["name", *words[2:]]
    if words[:1] != ["name"] or len(words) != 3:
        what = "of rewrite CoreDNS has more than `name [exact] FROM TO`"
        raise CorefileError(f"Corefile:{number} - not simulated by this cluster: {what}")
    zone.rewrites[words[1].strip(".").lower()] = words[2].strip(".").lower()


def _option(zone: Zone, plugin: list[str], words: list[str], number: int) -> None:
    if plugin[0] != "hosts":
        return
    if words[0] == "fallthrough":
        zone.hosts_only = False
    elif is_address(words[0]):
        for name in words[1:]:
            zone.hosts.setdefault(name.strip(".").lower(), []).append(words[0])
    elif words[0] not in ("ttl", "reload", "no_reverse"):
        raise CorefileError(
            f"plugin/hosts: Corefile:{number} - Error during parsing: unknown property '{words[0]}'"
        )


def zone_of(zones: tuple[Zone, ...], name: str) -> Zone | None:
    """The block with the longest zone that the name lies in."""
    best, length = None, -1
    for zone in zones:
        for each in zone.names:
            inside = not each or name == each or name.endswith(f".{each}")
            if inside and len(each) > length:
                best, length = zone, len(each)
    return best
