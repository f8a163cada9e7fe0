"""What an image is: its names and sizes, its configuration, its files and its programs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cluster_engine.linux.program import Program

GIVES_UP = "USR2"
"""Stands for the end of a component by itself, with the status 1: it has lost its lease. Nobody sends it otherwise."""
MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Variant:
    """One build of an image; several tags may name it."""

    size: int
    version: str
    flavor: str = ""

    @property
    def alpine(self) -> bool:
        """Whether it is built on Alpine."""
        return "alpine" in self.flavor


def tags(size: int, version: str, *names: str, flavor: str = "") -> dict[str, Variant]:
    """A build and the tags that name it."""
    return dict.fromkeys(names, Variant(size, version, flavor))


def _no_files(variant: Variant) -> dict[str, str]:
    return {}


def _no_programs(variant: Variant) -> dict[str, Program]:
    return {}


@dataclass(frozen=True)
class Image:
    """One repository; all that is known of it stands in these fields."""

    repository: str
    variants: Mapping[str, Variant]
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[int, ...] = ()
    workdir: str = "/"
    uid: int = 0
    gid: int = 0
    stop_signal: str = "TERM"
    programs: Callable[[Variant], Mapping[str, Program]] = _no_programs
    """Its own executables, by absolute path."""
    tools: str = "none"
    """Which small tools are in it: ``busybox``, ``debian`` or ``none`` (no shell at all)."""
    also: tuple[str, ...] = ()
    """Tools beside those."""
    files: Callable[[Variant], Mapping[str, str]] = _no_files
    """Text files by absolute path; one that begins with ``#!`` can be executed."""
    memory: int = 4 * 1024 * 1024
    """Bytes that its own programs use; above the container's limit the kernel kills them (OOMKilled)."""
    since: tuple[int, ...] = ()
    """The oldest version that a tag beside ``variants`` may name (``versions.py``); empty: those alone are there."""
    logins: Mapping[str, str] = field(default_factory=dict)
    """Who may pull it: password by user; empty: anybody."""
    idle: bool = False
    """Its programs start without fail and then only wait to be asked: a container need not run before that."""
    stirred: Callable[[tuple[str, ...]], bool] = lambda argv: False
    """Whether with this command line they do more, or fail."""

    devices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What it announces to its node's kubelet as a device plugin while it runs: resource -> ids of devices."""

    steady: bool = False
    """Its servers answer the same to the same request at any time, until anybody does anything else to the container:
    probes of it need not be run again and again."""

    def digest(self, tag: str) -> str:
        """The same for all tags of one build."""
        variant = self.variants[tag]
        text = f"{self.repository}/{variant.version}/{variant.flavor}"
        return "sha256:" + hashlib.sha256(text.encode()).hexdigest()

    def tools_of(self, tag: str) -> str:
        """The tools of that build: Alpine builds have busybox, whatever the others have."""
        return "busybox" if self.variants[tag].alpine else self.tools


PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def debian_files(variant: Variant) -> dict[str, str]:
    """What a Debian base shows of itself."""
    if variant.alpine:
        return alpine_files(variant)
    return {
        "/etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nNAME="Debian GNU/Linux"\n'
        'VERSION_ID="13"\nVERSION="13 (trixie)"\nVERSION_CODENAME=trixie\nID=debian\n',
        "/etc/debian_version": "13.1\n",
    }


def alpine_files(variant: Variant) -> dict[str, str]:
    """What an Alpine base shows of itself."""
    return {
        "/etc/os-release": 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.22.2\n'
        'PRETTY_NAME="Alpine Linux v3.22"\n',
        "/etc/alpine-release": "3.22.2\n",
    }
