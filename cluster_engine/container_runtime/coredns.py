"""The program of the CoreDNS image: its Corefile, read again when it changes, and its answers.

What the kubernetes plugin knows, it asks its host for (``Sys.call("dns", [type, name])``). Beyond the cluster there is
nothing: whoever forwards is told that there is no such name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from cluster_engine.container_runtime import corefile
from cluster_engine.container_runtime.corefile import CorefileError, Zone
from cluster_engine.container_runtime.http import Reply, Request, Server, server
from cluster_engine.container_runtime.image import Variant
from cluster_engine.linux import dns
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.linux.text import characters

DEFAULT = ".:53 {\n    whoami\n    log\n}\n"
"""What CoreDNS does without a Corefile."""
PATH = "/etc/coredns/Corefile"


def programs(variant: Variant) -> Mapping[str, Program]:
    """``/coredns``."""
    version = variant.version.removeprefix("v")

    def ready(sys: Sys) -> list[tuple[str, str]]:
        sys.bind_udp(dns.PORT)
        return [("stdout", ".:53"), ("stdout", f"CoreDNS-{version}"), ("stdout", "linux/amd64, go1.26.0")]

    given = Server(
        _healthy,
        port=lambda sys: 8080,
        more=(8181, 9153),
        ready=ready,
        after=100_000,
        stops={"TERM": (500_000, 0), "INT": (500_000, 0)},
    )
    serve = server("coredns", given).on
    assert serve is not None

    def on(sys: Sys, state: State, event: Event) -> State:
        match event:
            case ["start", argv]:
                path = argv[argv.index("-conf") + 1] if "-conf" in argv[:-1] else "Corefile"
                text = _file(sys, path)
                try:
                    corefile.read(text)
                except CorefileError as problem:
                    sys.out(f"{path.rpartition('/')[0] + '/' if '/' in path else ''}{problem}\n")
                    sys.exit(1)
                return {**serve(sys, state, event), "path": path, "text": text}
            case ["datagram", fd, ip, port, data]:
                question = dns.read_question(data)
                if question is not None:
                    _reload(sys, state)
                    _asked(sys, state, [fd, ip, port], *question)
                return state
            case ["answer", number, rows]:
                _answered(sys, state, state["asked"].pop(str(number)), rows)
                return state
        return serve(sys, state, event)

    return {"/coredns": Program("coredns", on=on)}


def _healthy(sys: Sys, state: State, request: Request) -> Reply:
    return Reply(200, "OK", {"Content-Type": "text/plain; charset=utf-8"})


def _text(sys: Sys, state: State) -> str:
    """The Corefile in force."""
    if "text" not in state:  # it was started by an engine that read none
        state["path"] = PATH
        state["text"] = _file(sys, PATH)
    text: str = state["text"]
    return text


def _file(sys: Sys, path: str) -> str:
    try:
        return characters(sys.fs.read(path))
    except FileError:
        return DEFAULT


def _reload(sys: Sys, state: State) -> None:
    """The plugin reload looks every 30 seconds; here, when somebody asks. A file with mistakes changes nothing."""
    known = _text(sys, state)
    text = _file(sys, state["path"])
    if text in (known, state.get("refused")) or not any(zone.reloads for zone in corefile.read(known)):
        return
    sys.out("[INFO] Reloading\n")
    try:
        corefile.read(text)
    except CorefileError as problem:
        sys.out(f"[ERROR] Restart failed: {problem}\n")
        state["refused"] = text
        return
    digest = hashlib.sha512(text.encode()).hexdigest()
    sys.out(f"[INFO] plugin/reload: Running configuration SHA512 = {digest}\n[INFO] Reloading complete\n")
    state["text"] = text
    state.pop("refused", None)


def _asked(sys: Sys, state: State, peer: list[Any], number: int, kind: str, name: str) -> None:
    full = name.lower().rstrip(".")
    zone = corefile.zone_of(corefile.read(_text(sys, state)), full)
    back = [*peer, number, kind, full]
    if zone is None:
        _say(sys, None, back, dns.REFUSED, [])
        return
    wanted = zone.rewrites.get(full, full)
    found = zone.hosts.get(wanted)
    if found is not None or zone.hosts_only:
        records = [[full, "A", ip] for ip in found or () if kind in ("A", "ANY")]
        _say(sys, zone, back, dns.NO_ERROR if found is not None else dns.NO_SUCH_NAME, records)
        return
    if not any(wanted == each or wanted.endswith(f".{each}") for each in zone.kubernetes if each):
        _say(sys, zone, back, dns.NO_SUCH_NAME if zone.forwards else dns.SERVER_FAILED, [])
        return
    asked = dict(state.get("asked") or {})
    asked[str(sys.call("dns", [kind, wanted]))] = back
    state["asked"] = asked


def _answered(sys: Sys, state: State, back: list[Any], rows: list[list[str]] | None) -> None:
    """What the kubernetes plugin found."""
    full = back[-1]
    zone = corefile.zone_of(corefile.read(_text(sys, state)), full)
    wanted = zone.rewrites.get(full, full) if zone is not None else full
    records = [[full if name == wanted else name, kind, data] for name, kind, data in rows or ()]
    _say(sys, zone, back, dns.NO_SUCH_NAME if rows is None else dns.NO_ERROR, records)


def _say(sys: Sys, zone: Zone | None, back: list[Any], code: str, records: list[list[str]]) -> None:
    fd, ip, port, number, kind, full = back
    if zone is not None and zone.logs:
        flags = "qr,aa,rd" if code != dns.SERVER_FAILED else "qr,rd"
        size = 30 + len(full)
        sys.out(
            f'[INFO] {ip}:{port} - {number % 65_536} "{kind} IN {full}. udp {size} false 512" {code} {flags} '
            f"{size + sum(16 + len(each[2]) for each in records)} 0.000{sys.now % 899 + 100}s\n"
        )
    sys.sendto(fd, ip, port, dns.answer(number, code, records))
