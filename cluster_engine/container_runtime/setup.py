"""What one container's processes are started with, and what its image says of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cluster_engine.container_runtime.image import PATH
from cluster_engine.container_runtime.registry import Registry
from cluster_engine.linux.text import octets

POD, NODE, HOST = "pod", "node", "host"
"""The process namespace that all containers of a Pod share; its first process is the sandbox's own."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What one container's processes are started with."""

    image: str
    """The full reference."""
    argv: list[str]
    env: dict[str, str]
    workdir: str
    uid: int = 0
    gid: int = 0
    groups: tuple[int, ...] = ()
    mounts: tuple[tuple[str, str, str, bool], ...] = ()
    """(volume, path, part of the volume, read-only), outer ones first."""
    read_only: bool = False
    stdin: bool = False
    stdin_once: bool = False
    """Whether standard input ends when the first who attached goes."""
    tty: bool = False
    memory: int = 0
    """Bytes that its processes may use together; 0 for no limit."""
    pids: str = ""
    """Whose process namespace it joins: another container's, that of the Pod (POD), of its node (NODE); HOST is the
    node itself, "" its own."""
    millis: int = 0
    """Thousandths of a processor that its processes may use together; 0 for no limit."""


def plain(setup: Setup) -> list[Any]:
    return [
        setup.image,
        setup.argv,
        setup.env,
        setup.workdir,
        setup.uid,
        setup.gid,
        list(setup.groups),
        [list(mount) for mount in setup.mounts],
        setup.read_only,
        setup.stdin,
        setup.stdin_once,
        setup.tty,
        setup.memory,
        setup.pids,
        setup.millis,
    ]


def of_plain(saved: list[Any]) -> Setup:
    image, argv, env, workdir, uid, gid, groups, mounts, *rest = saved
    places = tuple((m[0], m[1], m[2], m[3]) for m in mounts)
    return Setup(image, argv, env, workdir, uid, gid, tuple(groups), places, *rest)


def waits(registry: Registry, reference: str, argv: tuple[str, ...]) -> bool:
    """Whether a container of that image with this command line need not run before somebody asks it."""
    return _waits(registry.home(reference), reference, argv)


@lru_cache(maxsize=256)
def _waits(registry: Registry, reference: str, argv: tuple[str, ...]) -> bool:
    image, tag = registry.find(reference)
    if not image.idle or image.stirred(argv):
        return False
    word = argv[0] if argv else ""
    paths = image.programs(image.variants[tag])
    return word in paths or any(path.rpartition("/")[2] == word for path in paths)


def fits(registry: Registry, setup: Setup) -> bool:
    """Whether the image's own programs have memory enough: a container that has not does not get far."""
    return not setup.memory or registry.find(setup.image)[0].memory <= setup.memory


_LISTENS = re.compile(r"https?://(\d[\d.]*):(\d+)")


def offered(registry: Registry, setup: Setup) -> list[tuple[str, str, int, str]]:
    """(protocol, address, port, program) of what listens in a container that only waits to be asked: the ports of its
    image, at the addresses that its flags name ("": at any).
    """
    flags = dict(
        word.removeprefix("--").split("=", 1) for word in setup.argv if word.startswith("--") and "=" in word
    )
    urls = ",".join(value for flag, value in flags.items() if flag.startswith("listen-"))
    named = [(ip, int(port)) for ip, port in _LISTENS.findall(urls)]
    bound = flags.get("bind-address", "")
    places = named or [(bound, port) for port in registry.find(setup.image)[0].ports]
    program = setup.argv[0].rpartition("/")[2] if setup.argv else ""
    return [("tcp", ip, port, program) for ip, port in places]


def flavour(registry: Registry, reference: str) -> str:
    image, tag = registry.find(reference)
    return "debian" if image.tools_of(tag) == "debian" else "busybox"


def environment(registry: Registry, setup: Setup, hostname: str) -> dict[str, str]:
    """What the runtime sets, the image, the Pod."""
    image, _ = registry.find(setup.image)
    given = {**image.env, **setup.env}
    own = {"PATH": PATH, "HOSTNAME": hostname}
    if setup.tty:
        own["TERM"] = "xterm"
    own["HOME"] = "/root" if setup.uid == 0 else "/"
    return {octets(name): octets(value) for name, value in {**own, **given}.items()}
