"""`kubectl port-forward`: what its arguments name. No browser reaches a port of the terminal; a page opens instead."""

from __future__ import annotations

from typing import NamedTuple

from cluster_engine.terminal.kubectl import WITH_VALUE, subcommands

_KINDS = {
    "po": "pods", "pod": "pods", "pods": "pods",
    "svc": "services", "service": "services", "services": "services",
    "deploy": "deployments.apps", "deployment": "deployments.apps", "deployments": "deployments.apps",
    "rs": "replicasets.apps", "replicaset": "replicasets.apps", "replicasets": "replicasets.apps",
    "sts": "statefulsets.apps", "statefulset": "statefulsets.apps", "statefulsets": "statefulsets.apps",
    "job": "jobs.batch", "jobs": "jobs.batch",
}  # fmt: skip
_OWN_VALUES = ("--address", "--pod-running-timeout")


class Forward(NamedTuple):
    """What is forwarded: a resource, its name, and the port there (a number or a name)."""

    kind: str
    namespace: str
    name: str
    port: str


def forward(argv: list[str]) -> Forward | None:
    """Of a whole command line; None when it names no resource and port that could be forwarded."""
    words = subcommands(_without(argv, _OWN_VALUES))[1:]
    if len(words) < 2:
        return None
    kind, slash, name = words[0].partition("/")
    if not slash:
        kind, name = "pod", words[0]
    port = words[1].rpartition(":")[2]
    if kind not in _KINDS or not name or not port:
        return None
    return Forward(_KINDS[kind], _namespace(argv), name, port)


def _without(argv: list[str], options: tuple[str, ...]) -> list[str]:
    kept: list[str] = []
    skip = False
    for word in argv:
        if not skip and word not in options:
            kept.append(word)
        skip = word in options
    return kept


def _namespace(argv: list[str]) -> str:
    for word, following in zip(argv, [*argv[1:], ""], strict=True):
        option, equals, value = word.partition("=")
        if option in ("-n", "--namespace") and option in WITH_VALUE:
            return value if equals else following
        if word.startswith("-n") and not word.startswith("--") and len(word) > 2:
            return word[2:].removeprefix("=")
    return ""
