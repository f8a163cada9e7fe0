"""Priority and fairness: to which FlowSchema and which level a request belongs. Nothing is queued here.

Models k8s.io/apiserver/pkg/util/flowcontrol (rule.go, apf_controller.go) and
pkg/server/filters/priority-and-fairness.go.
"""

from __future__ import annotations

from typing import NamedTuple

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.etcd import Store, WatchEvent

from .requests import RequestInfo
from .types import UserInfo

_GROUP = "flowcontrol.apiserver.k8s.io"
SCHEMAS, LEVELS = f"flowschemas.{_GROUP}", f"prioritylevelconfigurations.{_GROUP}"
SCHEMA_HEADER = "x-kubernetes-pf-flowschema-uid"
LEVEL_HEADER = "x-kubernetes-pf-prioritylevel-uid"
REMEMBERED = 1_000
"""Askers and what they asked for that are remembered; then all are forgotten."""
SEATS = 600
"""Of an API server, for all levels (--max-requests-inflight and --max-mutating-requests-inflight)."""
_ACCOUNT = "system:serviceaccount:"
_LONG_RUNNING = frozenset({"attach", "exec", "proxy", "log", "portforward"})
_Key = tuple[str, tuple[str, ...], str, str, str, str, str, str]


class Flow(NamedTuple):
    """The FlowSchema of a request and its level."""

    schema: str
    schema_uid: str
    level: str
    level_uid: str

    def headers(self) -> dict[str, str]:
        """What every answer says of it."""
        return {SCHEMA_HEADER: self.schema_uid, LEVEL_HEADER: self.level_uid}


class FlowControl:
    """Finds the flow of requests to one API server."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[_Key, Flow | None] = {}
        self._populations = -1
        for resource in (SCHEMAS, LEVELS):
            store.subscribe(resource, self._changed)

    def _changed(self, event: WatchEvent) -> None:
        self._known = {}

    def flow(self, user: UserInfo, info: RequestInfo) -> Flow | None:
        """None: the request goes on for long and is not counted, or no schema is there."""
        if info.subresource in _LONG_RUNNING or info.verb == "proxy":
            return None
        if self._store.populations != self._populations or len(self._known) >= REMEMBERED:
            self._known, self._populations = {}, self._store.populations
        where = info.namespace if info.is_resource else info.path
        key = (
            user.username, user.groups, info.verb, info.group, info.resource, info.subresource, where,
            str(info.is_resource),
        )  # fmt: skip
        if key not in self._known:
            self._known[key] = self._found(user, info)
        return self._known[key]

    def _found(self, user: UserInfo, info: RequestInfo) -> Flow | None:
        levels = {level["metadata"]["name"]: level for level in self._store.range(LEVELS)}
        for schema in sorted(self._store.range(SCHEMAS), key=_rank):
            level = levels.get(schema["spec"]["priorityLevelConfiguration"]["name"])
            if level is not None and any(
                _matches(rule, user, info) for rule in schema["spec"].get("rules") or ()
            ):
                one, other = schema["metadata"], level["metadata"]
                return Flow(one["name"], one["uid"], other["name"], other["uid"])
        return None

    def seats(self) -> dict[str, int]:
        """How many requests of each level may be worked on at once (nominalCL): its share, rounded up."""
        shares = {level["metadata"]["name"]: _shares(level["spec"]) for level in self._store.range(LEVELS)}
        total = sum(shares.values())
        return {name: -(-SEATS * share // total) if total else 0 for name, share in shares.items()}


def _shares(spec: JSON) -> int:
    return int((spec.get("limited") or spec.get("exempt") or {}).get("nominalConcurrencyShares") or 0)


def _rank(schema: JSON) -> tuple[int, str]:
    return schema["spec"]["matchingPrecedence"], schema["metadata"]["name"]


def _matches(rule: JSON, user: UserInfo, info: RequestInfo) -> bool:
    if not any(_is_of(subject, user) for subject in rule.get("subjects") or ()):
        return False
    if info.is_resource:
        return any(_asks(each, info) for each in rule.get("resourceRules") or ())
    return any(
        _has(each["verbs"], info.verb) and any(_covers(url, info.path) for url in each["nonResourceURLs"])
        for each in rule.get("nonResourceRules") or ()
    )


def _is_of(subject: JSON, user: UserInfo) -> bool:
    match subject["kind"]:
        case "User":
            return _has([subject["user"]["name"]], user.username)
        case "Group":
            return _has([subject["group"]["name"]], *user.groups)
        case _:
            wanted = subject["serviceAccount"]
            namespace, colon, name = user.username.removeprefix(_ACCOUNT).partition(":")
            is_account = user.username.startswith(_ACCOUNT) and bool(colon)
            return is_account and namespace == wanted["namespace"] and _has([wanted["name"]], name)


def _asks(rule: JSON, info: RequestInfo) -> bool:
    whole = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
    placed = (
        _has(rule.get("namespaces") or (), info.namespace) if info.namespace else rule.get("clusterScope")
    )
    return bool(
        placed
        and _has(rule["verbs"], info.verb)
        and _has(rule["apiGroups"], info.group)
        and _has(rule["resources"], whole)
    )


def _has(given: list[str] | tuple[str, ...], *wanted: str) -> bool:
    return "*" in given or any(each in given for each in wanted)


def _covers(url: str, path: str) -> bool:
    return url == path or (url.endswith("*") and path.startswith(url[:-1]))
