"""Rules in few words, and the verbs that most of them share."""

from __future__ import annotations

from ..interface import PathRule, Rule

READ = ("get", "list", "watch")
FOLLOW = ("list", "watch")
WRITE = ("create", "delete", "deletecollection", "patch", "update")
READ_WRITE = (*WRITE, *READ)
EVENTS = Rule(("create", "update", "patch"), ("", "events.k8s.io"), ("events",))
LEGACY_APPS = ("apps", "extensions")
AUTHENTICATION, AUTHORIZATION = "authentication.k8s.io", "authorization.k8s.io"
COORDINATION, DISCOVERY = "coordination.k8s.io", "discovery.k8s.io"
NETWORKING, RBAC, STORAGE = "networking.k8s.io", "rbac.authorization.k8s.io", "storage.k8s.io"

Rules = tuple[Rule | PathRule, ...]


def core(verbs: tuple[str, ...], *resources: str) -> Rule:
    return Rule(verbs, ("",), resources)


def apps(verbs: tuple[str, ...], *resources: str) -> Rule:
    return Rule(verbs, ("apps",), resources)


def batch(verbs: tuple[str, ...], *resources: str) -> Rule:
    return Rule(verbs, ("batch",), resources)


def certificates(verbs: tuple[str, ...], *resources: str) -> Rule:
    return Rule(verbs, ("certificates.k8s.io",), resources)


def signers(verb: str, *names: str) -> Rule:
    """May approve or sign for these signers of kubernetes.io."""
    return Rule(
        (verb,), ("certificates.k8s.io",), ("signers",), tuple(f"kubernetes.io/{name}" for name in names)
    )


def storage(verbs: tuple[str, ...], *resources: str) -> Rule:
    return Rule(verbs, (STORAGE,), resources)


def of(group: str, verbs: tuple[str, ...], *resources: str) -> Rule:
    return Rule(verbs, (group,), resources)


def named(group: str, verbs: tuple[str, ...], resource: str, *names: str) -> Rule:
    """On these objects alone."""
    return Rule(verbs, (group,), (resource,), names)


def paths(*patterns: str) -> PathRule:
    """May read what is no resource."""
    return PathRule(("get",), patterns)
