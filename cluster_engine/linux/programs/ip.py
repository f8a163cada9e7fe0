"""`ip`: interfaces, addresses and routes of a Pod, or of the node on whose network somebody stands.

What changes any of them is refused. In iproute2's words where an image is debian's, in busybox's elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, NoReturn

from cluster_engine.linux.program import Sys
from cluster_engine.linux.programs._common import fail, is_busybox, misused
from cluster_engine.linux.programs.links import LOOP_MAC, NOT_HERE, Link, Route, View, broadcast, looking

_FOREVER = "valid_lft forever preferred_lft forever"
_OBJECTS = ("address", "link", "route", "neigh", "rule", "tunnel")
_USAGE = (
    "ip [OPTIONS] address|route|link|tunnel|neigh|rule [ARGS]\n\n"
    "OPTIONS := -f[amily] inet|inet6|link | -o[neline]"
)
_USAGE_IPROUTE = "Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }\n"

_OPTIONS = {"o": "o", "oneline": "o", "4": "4", "6": "6", "0": "0"}
_OPTIONS_IPROUTE = {"br": "br", "brief": "br", "c": "4", "color": "4"}


class _Asked(NamedTuple):
    options: frozenset[str]
    what: str
    device: str


def _asked(sys: Sys) -> _Asked:
    words, given = list(sys.argv[1:]), set()
    known = _OPTIONS if is_busybox(sys) else {**_OPTIONS, **_OPTIONS_IPROUTE}
    while words and words[0].startswith("-"):
        word = words.pop(0).lstrip("-")
        if word not in known:
            _misused(sys, f'Option "-{word}" is unknown, try "ip -help".\n')
        given.add(known[word])
    wanted = words.pop(0) if words else ""
    found = next((name for name in _OBJECTS if wanted and name.startswith(wanted)), "")
    if not found:
        _misused(sys, f'Object "{wanted}" is unknown, try "ip help".\n' if wanted else _USAGE_IPROUTE)
    verb = words.pop(0) if words and not _names_device(words) else "show"
    if found in ("neigh", "rule", "tunnel") or not any(each.startswith(verb) for each in _SHOWING):
        fail(sys, f"{found} {verb} {NOT_HERE}")
    words = words[1:] if words[:1] == ["dev"] else words
    return _Asked(frozenset(given), found, words[0] if words else "")


_SHOWING = ("show", "list", "lst")


def _names_device(words: Sequence[str]) -> bool:
    return words[0] == "dev" or words[0] in ("lo", "eth0", "cni0") or words[0].startswith("veth")


def _misused(sys: Sys, told: str) -> NoReturn:
    if is_busybox(sys):
        misused(sys, "", _USAGE)
    sys.err(told)
    sys.exit(255)


def _tell(sys: Sys, view: View) -> int:
    asked = _asked(sys)
    if asked.what == "route":
        chosen = [route for route in view.routes if asked.device in ("", route.dev)]
        sys.out("".join(f"{_way(route, is_busybox(sys))}\n" for route in chosen))
        return 0
    links = [link for link in view.links if asked.device in ("", link.name)]
    if not links and is_busybox(sys):
        fail(sys, f"can't find device '{asked.device}'")
    if not links:
        sys.err(f'Device "{asked.device}" does not exist.\n')
        return 1
    addresses = asked.what == "address" and "0" not in asked.options
    if "br" in asked.options:
        sys.out("".join(f"{_brief(link, addresses)}\n" for link in links))
    elif "o" in asked.options:
        blocks = [_block(link, addresses, is_busybox(sys)) for link in links]
        sys.out("".join(f"{_one(block, addresses)}\n" for block in blocks if block[2:] or not addresses))
    else:
        told = [line for link in links for line in _block(link, addresses, is_busybox(sys))]
        sys.out("".join(f"{line}\n" for line in told))
    return 0


def _block(link: Link, addresses: bool, busybox: bool) -> list[str]:
    """An interface and, where it is wanted, its address."""
    flags = "LOOPBACK,UP,LOWER_UP" if link.loop else "BROADCAST,MULTICAST,UP,LOWER_UP"
    if busybox and link.peer:
        flags += ",M-DOWN"
    peer = f"@if{link.peer}" if link.peer else ""
    head = [f"{link.number}: {link.name}{peer}: <{flags}> mtu {65536 if link.loop else 1500} qdisc noqueue"]
    head += [f"master {link.master}"] * bool(link.master)
    if not busybox:
        head += [f"state {_state(link)}", *(["mode DEFAULT"] * (not addresses)), "group default"]
    head.append("qlen 1000")
    kind, brd = ("loopback", LOOP_MAC) if link.loop else ("ether", "ff:ff:ff:ff:ff:ff")
    rows = [" ".join(head), f"    link/{kind} {link.mac} brd {brd}"]
    if addresses and link.inet:
        scope = "host" if link.loop else f"brd {broadcast(link.inet)} scope global"
        rows += [f"    inet {link.inet} {'scope ' * link.loop}{scope} {link.name}", f"       {_FOREVER}"]
    return rows


def _state(link: Link) -> str:
    return "UNKNOWN" if link.loop else "UP"


def _brief(link: Link, addresses: bool) -> str:
    name = f"{link.name}@if{link.peer}" if link.peer else link.name
    flags = "LOOPBACK,UP,LOWER_UP" if link.loop else "BROADCAST,MULTICAST,UP,LOWER_UP"
    rest = f"{link.inet} " if addresses else f"{link.mac} <{flags}> "
    return f"{name:<16} {_state(link):<14} {rest}"


def _one(block: list[str], addresses: bool) -> str:
    """An interface in one line."""
    if not addresses:
        return "\\".join(line.rstrip() for line in block)
    number, name, *_ = block[0].split(": ")
    return f"{number}: {name.partition('@')[0]}{block[2]}\\{block[3]}"


def _way(route: Route, busybox: bool) -> str:
    if route.via:
        return f"{route.to} via {route.via} dev {route.dev} "
    if busybox:
        return f"{route.to} dev {route.dev} scope link  src {route.src} "
    return f"{route.to} dev {route.dev} proto kernel scope link src {route.src} "


def _check(sys: Sys) -> None:
    _asked(sys)


PROGRAM = looking("ip", "shows interfaces and routes", _USAGE, _tell, check=_check)
