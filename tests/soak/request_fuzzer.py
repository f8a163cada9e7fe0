"""Random requests to one cluster: real ones, and real ones gone wrong in one or several places.

The generator looks at the cluster (names, resource versions, live objects to send back changed), so that many
of its requests get past the doors and do something.
"""

from __future__ import annotations

from random import Random
from typing import Any

import orjson
import yaml

from cluster_engine import Cluster
from cluster_engine.api import KINDS
from cluster_engine.apimachinery.scheme import Kind
from cluster_engine.kube_apiserver import ADMIN, ANONYMOUS, Request, Response, UserInfo

from .random_objects import NAMES, NAMESPACES, NUMBERS, STRINGS, Grower, nested, protobuf

JSON = dict[str, Any]

USERS: tuple[UserInfo | None, ...] = (
    *([ADMIN] * 40),
    ANONYMOUS,
    UserInfo("jane", groups=("system:authenticated",)),
    UserInfo("system:node:node-1", groups=("system:nodes", "system:authenticated")),
    UserInfo("system:kube-scheduler", groups=("system:authenticated",)),
    UserInfo(
        "system:serviceaccount:kube-system:deployment-controller",
        groups=("system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"),
    ),
    UserInfo("", extra={"scopes": ("a", "")}),
    None,
)
_ACCEPTS = (
    *(["application/json"] * 20),
    *("*/*", "*/*", "", "", "application/yaml", "application/yaml", "text/html"),
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
    "application/json;as=Table;v=v1;g=meta.k8s.io",
    "application/json;as=Table;v=v1beta1;g=meta.k8s.io",
    "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
    "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
    "application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io",
    "application/yaml;as=Table;v=v1;g=meta.k8s.io",
    "application/vnd.kubernetes.protobuf",
    "application/vnd.kubernetes.protobuf, */*;q=0.1",
    "application/json;q=x, ;;;=,,application/*;q=-1",
    "application/json;stream=watch",
    "日本/語",
)
_TYPES = (
    *("application/json", "application/yaml", "application/vnd.kubernetes.protobuf"),
    *(
        "application/json; charset=utf-8",
        "text/yaml",
        "text/plain",
        "",
        "application/cbor",
        "APPLICATION/JSON",
    ),
)
_PATCHES = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)
_SELECTORS = (
    *("app=web", "app!=web", "app in (web,db)", "app notin (web)", "!app", "app", "a=b,c", "x>5", "x<a"),
    *("app=", "=", "==", "app=web,", ",", "in (", "app in ()", "a in (b", "a b", "é=ü", "a" * 300, "a/b/c=d"),
    *(
        "x > 5, y < 3",
        "notin",
        "in in (in)",
        "!",
        "!=a",
        "a==b=c",
        "a,!a",
        "(((",
        "a in (,,)",
        "\x00",
        "a=b" * 99,
    ),
)
_FIELDS = (
    *("metadata.name=web", "metadata.namespace!=default", "status.phase=Running", "spec.nodeName=", "a=b"),
    *(
        "metadata.name=a,metadata.name=b",
        "=",
        "metadata.name",
        "metadata.name==web",
        "type=Opaque",
        "\\",
        "a\\=b",
    ),
    *("involvedObject.name=web,reason!=X", "spec.unschedulable=true", "metadata.name=a\\,b", "!", ",,"),
)
_VERSIONS = ("", "0", "1", "-1", "x", "9" * 19, "9" * 20, "9" * 400, "1.5", "٣", " 1", "+1", "0x1")
_TOKENS = (
    *("", "x", "!!!!", "é", "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJhIn0", "e30", "bnVsbA", "MQ"),
    "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6LTEsInN0YXJ0IjoiYS8ifQ",
    "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6dHJ1ZSwic3RhcnQiOiJcdTAwMDAifQ",
    "a" * 5000,
)
_FLAGS = ("true", "false", "1", "0", "", "yes", "TRUE", "x", "é")
_INTEGERS = ("0", "1", "2", "5", "-1", "", "x", "9" * 18, "9" * 30, "1e3", "٣", "0.5")
_QUERY: dict[str, tuple[str, ...]] = {
    "labelSelector": _SELECTORS,
    "fieldSelector": _FIELDS,
    "resourceVersion": _VERSIONS,
    "resourceVersionMatch": ("", "Exact", "NotOlderThan", "x"),
    "limit": _INTEGERS,
    "continue": _TOKENS,
    "watch": _FLAGS,
    "allowWatchBookmarks": _FLAGS,
    "sendInitialEvents": _FLAGS,
    "timeoutSeconds": _INTEGERS,
    "pretty": _FLAGS,
    "dryRun": ("All", "All", "", "x", "all"),
    "fieldManager": ("me", "", "a" * 128, "a" * 129, "\x00", "é", "kubectl"),
    "fieldValidation": ("Strict", "Warn", "Ignore", "", "x"),
    "force": _FLAGS,
    "includeObject": ("None", "Metadata", "Object", "x", ""),
    "gracePeriodSeconds": _INTEGERS,
    "propagationPolicy": ("Foreground", "Background", "Orphan", "x", ""),
    "orphanDependents": _FLAGS,
    "container": ("main", "x", "", "é"),
    "follow": _FLAGS,
    "previous": _FLAGS,
    "tailLines": _INTEGERS,
    "limitBytes": _INTEGERS,
    "sinceSeconds": _INTEGERS,
    "sinceTime": ("2026-01-01T00:00:00Z", "x", "9999-99-99T99:99:99Z", ""),
    "timestamps": _FLAGS,
    "command": ("sh", "-c", "echo hi; ls /", "cat", "", "\x00", "exit 3", "env"),
    "stdin": _FLAGS,
    "tty": _FLAGS,
    "timeout": ("1s", "x", ""),
    "": ("", "x"),
}
_READS = ("labelSelector", "fieldSelector", "resourceVersion", "resourceVersionMatch", "limit", "continue")
_WATCHES = ("watch", "allowWatchBookmarks", "sendInitialEvents", "timeoutSeconds", "resourceVersion")
_WRITES = ("dryRun", "fieldManager", "fieldValidation", "force", "pretty")
_DELETES = ("dryRun", "gracePeriodSeconds", "propagationPolicy", "orphanDependents", "labelSelector")
_LOGS = (
    "container",
    "previous",
    "tailLines",
    "limitBytes",
    "sinceSeconds",
    "sinceTime",
    "timestamps",
    "follow",
)
_SUBRESOURCES = (
    *(
        "status",
        "status",
        "scale",
        "scale",
        "log",
        "exec",
        "binding",
        "eviction",
        "token",
        "finalize",
        "attach",
    ),
    *("portforward", "proxy", "resize", "ephemeralcontainers", "approval", "x", "status/x", "é"),
)
_OTHER_PATHS = (
    *(
        "/",
        "/api",
        "/apis",
        "/version",
        "/healthz",
        "/readyz",
        "/livez",
        "/metrics",
        "/openapi/v2",
        "/openapi/v3",
    ),
    *("/openapi/v3/api/v1", "/openapi/v3/apis/apps/v1", "/api/v1", "/apis/apps", "/apis/apps/v1", "/api/v2"),
    *(
        "/apis/nobody.io/v1/things",
        "/apis/apps/v1/things",
        "/api/v1/namespaces/default/bindings",
        "/apis//v1/x",
    ),
    *(
        "/api/v1/watch/pods",
        "/api/v1/proxy/nodes/a",
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    ),
    *("/apis/authentication.k8s.io/v1/tokenreviews", "/apis/authentication.k8s.io/v1/selfsubjectreviews"),
    *(
        "/apis/authorization.k8s.io/v1/subjectaccessreviews",
        "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
    ),
    *(
        "/apis/authorization.k8s.io/v1/namespaces/default/localsubjectaccessreviews",
        "//",
        "/%",
        "/%2e%2e/api",
    ),
    *("/api/v1/watch", "/.well-known/openid-configuration", "/openid/v1/jwks", "/logs", "/debug/pprof", "é"),
)
_REVIEWS = (
    {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "default"}}},
    {"spec": {"user": "jane", "groups": ["a"], "nonResourceAttributes": {"path": "/x", "verb": "get"}}},
    {"spec": {"token": "abc", "audiences": ["x"]}},
    {"spec": {"namespace": "default"}},
    {},
)
_OPS = ("add", "replace", "remove", "test", "copy", "move", "x", "", None)


class Fuzzer:
    """An endless stream of requests, the same for the same seed and cluster."""

    def __init__(self, cluster: Cluster, seed: int) -> None:
        self.cluster = cluster
        self.random = Random(seed)
        self.grower = Grower(self.random)
        self.tokens: list[str] = []

    def request(self) -> Request:
        """The next one."""
        random = self.random
        kind = random.choice(KINDS)
        request = random.choices(
            (
                self._read,
                self._watch,
                self._create,
                self._update,
                self._patch,
                self._delete,
                self._sub,
                self._other,
            ),
            (12, 6, 25, 15, 25, 6, 14, 4),
        )[0](kind)
        if random.random() < 0.15:
            request.query.append(self._pair(random.choice(list(_QUERY))))
        if random.random() < 0.04:
            request.method = random.choice(
                ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "é", "")
            )
        if random.random() < 0.03:
            request.path = self._bent(request.path)
        if random.random() < 0.03:
            request.headers["content-type"] = random.choice((*_TYPES, *_PATCHES))
        if random.random() < 0.04:
            request.body = self._broken(request.body)
        return request

    def learn(self, response: Response) -> None:
        """Take what a reply offers for later requests."""
        if b'"continue":"' in response.body and response.headers.get("content-type") == "application/json":
            token = orjson.loads(response.body)["metadata"].get("continue")
            if token:
                self.tokens.append(token)

    # ---- kinds of requests -------------------------------------------------------------------------------

    def _read(self, kind: Kind) -> Request:
        name = self._name(kind) if self.random.random() < 0.4 else ""
        return self._made("GET", self._path(kind, name), self._pairs(_READS, 3))

    def _watch(self, kind: Kind) -> Request:
        name = self._name(kind) if self.random.random() < 0.1 else ""
        query = [("watch", "true"), *self._pairs((*_WATCHES, *_READS), 3)]
        return self._made("GET", self._path(kind, name), query)

    def _create(self, kind: Kind) -> Request:
        obj = self.grower.object(kind)
        if self.random.random() < 0.1:
            meta = {key: value for key, value in obj["metadata"].items() if key != "name"}
            obj = {**obj, "metadata": {**meta, "generateName": self.random.choice((*NAMES, *STRINGS))}}
        return self._with_body("POST", self._path(kind, ""), kind, self._maybe_spoiled(obj))

    def _update(self, kind: Kind) -> Request:
        obj = self._live(kind) or self.grower.object(kind)
        name = obj["metadata"].get("name", "x")
        path = self._path(kind, name, obj["metadata"].get("namespace"))
        return self._with_body("PUT", path, kind, self._changed(kind, obj))

    def _patch(self, kind: Kind) -> Request:
        random = self.random
        live = self._live(kind) or self.grower.object(kind)
        name = live["metadata"].get("name", "x") if random.random() < 0.9 else random.choice(NAMES)
        path = self._path(kind, name, live["metadata"].get("namespace"))
        return self._patch_of(kind, path, live)

    def _delete(self, kind: Kind) -> Request:
        random = self.random
        if random.random() < 0.08 and kind.kind not in ("Namespace", "Node"):
            query = [("labelSelector", "app=web"), *self._pairs((*_DELETES, *_READS), 2)]
            return self._made("DELETE", self._path(kind, ""), query)
        request = self._made("DELETE", self._path(kind, self._name(kind)), self._pairs(_DELETES, 2))
        if random.random() < 0.5:
            options: JSON = {"kind": "DeleteOptions", "apiVersion": "v1"}
            for name, values in (
                ("gracePeriodSeconds", NUMBERS),
                ("propagationPolicy", _QUERY["propagationPolicy"]),
                ("dryRun", (["All"], [], ["x"], "All", None)),
                ("orphanDependents", (True, False, None, "x")),
                ("preconditions", ({"uid": "x"}, {"resourceVersion": "1"}, {}, None, [])),
            ):
                if random.random() < 0.3:
                    options[name] = random.choice(values)  # type: ignore[arg-type]
            request.body = _json(self._maybe_spoiled(options))
        return request

    def _sub(self, kind: Kind) -> Request:
        random = self.random
        known = random.random() < 0.85 and kind.subresources
        sub = random.choice(tuple(kind.subresources)) if known else random.choice(_SUBRESOURCES)
        live = self._live(kind) or self.grower.object(kind)
        path = (
            self._path(kind, live["metadata"].get("name", "x"), live["metadata"].get("namespace")) + f"/{sub}"
        )
        match sub:
            case "log":
                return self._made("GET", path, self._pairs(_LOGS, 3))
            case "exec":
                words = random.choice((["sh", "-c", "echo hi > /tmp/a"], ["cat"], ["ls", "/"], ["nope"], []))
                query = [("command", word) for word in words] + self._pairs(("container", "stdin", "tty"), 1)
                return self._made(random.choice(("POST", "POST", "GET")), path, query)
            case "binding":
                node = random.choice([o["metadata"]["name"] for o in self.cluster.list("nodes")] or ["x"])
                body: JSON = {
                    "target": {"kind": "Node", "name": node},
                    "metadata": {"name": self._name(kind)},
                }
                return self._with_body("POST", path, kind, self._maybe_spoiled(body), plain=True)
            case "eviction":
                body = {"kind": "Eviction", "apiVersion": "policy/v1", "metadata": {"name": self._name(kind)}}
                return self._with_body("POST", path, kind, self._maybe_spoiled(body), plain=True)
            case "token":
                body = {"spec": {"audiences": ["x"], "expirationSeconds": random.choice(NUMBERS)}}
                return self._with_body("POST", path, kind, self._maybe_spoiled(body), plain=True)
            case "scale":
                scale = {
                    "apiVersion": "autoscaling/v1",
                    "kind": "Scale",
                    "metadata": {"name": live["metadata"].get("name")},
                }
                scale["spec"] = {"replicas": random.choice((0, 1, 2, 3, 3, -1, 2**31))}
                if random.random() < 0.5:
                    return self._patch_of(kind, path, scale)
                return self._with_body("PUT", path, kind, self._maybe_spoiled(scale), plain=True)
        method = random.choice(("GET", "PUT", "PUT", "PATCH", "PATCH", "POST", "DELETE"))
        if method == "PATCH":
            return self._patch_of(kind, path, live)
        if method in ("PUT", "POST"):
            return self._with_body(method, path, kind, self._changed(kind, live))
        return self._made(method, path, self._pairs(tuple(_QUERY), 2))

    def _other(self, kind: Kind) -> Request:
        random = self.random
        path = random.choice(_OTHER_PATHS)
        if random.random() < 0.5:
            return self._made("GET", path, self._pairs(tuple(_QUERY), 2))
        return self._with_body("POST", path, kind, self._maybe_spoiled(random.choice(_REVIEWS)), plain=True)

    # ---- parts -------------------------------------------------------------------------------------------

    def _made(self, method: str, path: str, query: list[tuple[str, str]]) -> Request:
        random = self.random
        headers = {
            "accept": random.choice(_ACCEPTS),
            "user-agent": random.choice(("kubectl/v1.37", "curl/8", "")),
        }
        user = random.choice(USERS)
        if user is None:
            headers["authorization"] = random.choice(
                ("Bearer x", "Bearer a.b.c", "Basic YTpi", "", "Bearer é.ü.ö")
            )
        if random.random() < 0.03:
            headers["impersonate-user"] = random.choice(("jane", "", "system:serviceaccount:x", "é"))
            headers["impersonate-group"] = random.choice(("", "a,b", "system:masters"))
        return Request(method, path, query, headers, b"", user)

    def _with_body(self, method: str, path: str, kind: Kind, obj: Any, plain: bool = False) -> Request:
        random = self.random
        request = self._made(method, path, self._pairs(_WRITES, random.choice((0, 0, 0, 1, 2))))
        form = random.random()
        if form < 0.7:
            request.headers["content-type"] = "application/json"
            request.body = _json(obj)
        elif form < 0.85 or plain:
            request.headers["content-type"] = "application/yaml"
            request.body = yaml.safe_dump(obj, allow_unicode=random.random() < 0.5).encode()
        else:
            request.headers["content-type"] = "application/vnd.kubernetes.protobuf"
            request.body = protobuf(kind.api_version, kind.kind, obj)
        return request

    def _patch_of(self, kind: Kind, path: str, live: JSON) -> Request:
        random = self.random
        media = random.choice(_PATCHES)
        query = self._pairs(_WRITES, random.choice((0, 0, 1, 2)))
        document: Any
        if media == _PATCHES[0]:
            document = [self._operation(live) for _ in range(random.choice((0, 1, 1, 2, 5)))]
            if random.random() < 0.05:
                document = self.grower.spoiled(document)
        elif media == _PATCHES[3]:
            document = self._maybe_spoiled(self.grower.object(kind))
            if isinstance(document, dict) and isinstance(document.get("metadata"), dict):
                document["metadata"] = {**document["metadata"], "name": live["metadata"].get("name", "x")}
            query.append(("fieldManager", random.choice(("me", "you", "kubectl"))))
        else:
            document = self._slice(self._changed(kind, live))
        request = self._made("PATCH", path, query)
        request.headers["content-type"] = media
        if media == _PATCHES[3] and random.random() < 0.7:
            request.body = yaml.safe_dump(document).encode()
        else:
            request.body = _json(document)
        return request

    def _operation(self, live: JSON) -> Any:
        random = self.random
        operation: JSON = {
            "op": random.choices(_OPS, (8, 8, 6, 3, 3, 3, 1, 1, 1))[0],
            "path": self._pointer(live),
        }
        if random.random() < 0.8:
            operation["value"] = random.choice(
                (*STRINGS, *NUMBERS, {}, [], None, {"a": "b"}, nested(30, True))
            )
        if operation["op"] in ("copy", "move") or random.random() < 0.05:
            operation["from"] = self._pointer(live)
        return operation

    def _pointer(self, value: Any) -> str:
        random, pointer = self.random, ""
        while isinstance(value, (dict, list)) and random.random() < 0.85:
            if random.random() < 0.04:
                return pointer + random.choice(
                    ("/-", "/x", "/-1", "/99999999999999999999", "/~2", "/~01", "/é", "x", "/")
                )
            if isinstance(value, dict):
                if not value:
                    break
                step = random.choice(list(value))
                value, pointer = value[step], pointer + "/" + step.replace("~", "~0").replace("/", "~1")
            else:
                if not value:
                    break
                at = random.randrange(len(value))
                value, pointer = value[at], f"{pointer}/{at}"
        return pointer

    def _slice(self, value: Any) -> Any:
        """Part of an object, as a patch is; with the directives of strategic patches now and then."""
        random = self.random
        if isinstance(value, dict):
            kept = {key: self._slice(item) for key, item in value.items() if random.random() < 0.5}
            if random.random() < 0.04:
                kept["$patch"] = random.choice(("delete", "replace", "merge", "x", None, 1))
            if random.random() < 0.03:
                kept["$retainKeys"] = random.choice((["a"], list(value), [1], None, "x", [None]))
            if random.random() < 0.03:
                key = random.choice(list(value) or ["x"])
                kept[random.choice(("$setElementOrder/", "$deleteFromPrimitiveList/")) + key] = random.choice(
                    ([], [{}], ["a"], [{"name": "main"}], None, "x", value.get(key))
                )
            if random.random() < 0.03:
                kept[random.choice(list(value) or ["x"])] = None
            return kept
        return value

    def _changed(self, kind: Kind, obj: JSON) -> Any:
        random = self.random
        from cluster_engine.apimachinery.schema import type_of

        schema = type_of(kind.api_version, kind.kind)
        assert schema is not None
        self.grower.left = 60
        for _ in range(random.choice((0, 1, 1, 2, 3))):
            obj = self.grower.grown(schema, obj)
        meta = obj.get("metadata")
        if isinstance(meta, dict) and random.random() < 0.6:
            meta = {key: value for key, value in meta.items() if key != "resourceVersion"}
            if random.random() < 0.3:
                meta["resourceVersion"] = random.choice(_VERSIONS)
            obj = {**obj, "metadata": meta}
        return self._maybe_spoiled(obj)

    def _maybe_spoiled(self, obj: Any) -> Any:
        for _ in range(self.random.choice((0, 0, 0, 1, 1, 2))):
            obj = self.grower.spoiled(obj)
        return obj

    def _live(self, kind: Kind) -> JSON | None:
        stored = self.cluster.store.range(kind.group_resource)
        return (
            orjson.loads(orjson.dumps(self.random.choice(stored)))
            if stored and self.random.random() < 0.85
            else None
        )

    def _name(self, kind: Kind) -> str:
        stored = self.cluster.store.range(kind.group_resource, "default" if kind.namespaced else None)
        if stored and self.random.random() < 0.7:
            return str(self.random.choice(stored)["metadata"]["name"])
        return self.random.choice((*NAMES, *NAMES, *STRINGS))

    def _path(self, kind: Kind, name: str, namespace: str | None = None) -> str:
        random = self.random
        path = f"/apis/{kind.api_version}" if kind.group else f"/api/{kind.api_version}"
        if kind.namespaced and (name or random.random() < 0.9):
            path += f"/namespaces/{namespace or random.choice(NAMESPACES)}"
        path += f"/{kind.resource}"
        return f"{path}/{name}" if name else path

    def _bent(self, path: str) -> str:
        random = self.random
        steps = path.split("/")
        at = random.randrange(len(steps))
        step = random.choice(
            (*STRINGS, "%2F", "%", "%zz", "%ff", "..", ".", "watch", "namespaces", "x" * 3000)
        )
        return "/".join([*steps[:at], step, *steps[at + random.randrange(2) :]])

    def _pairs(self, names: tuple[str, ...], most: int) -> list[tuple[str, str]]:
        return [self._pair(self.random.choice(names)) for _ in range(self.random.randrange(most + 1))]

    def _pair(self, name: str) -> tuple[str, str]:
        random = self.random
        if name == "resourceVersion" and random.random() < 0.6:
            return name, str(max(0, self.cluster.store.revision - random.choice((-1, 0, 1, 5, 100))))
        if name == "continue" and self.tokens and random.random() < 0.6:
            return name, random.choice(self.tokens)
        return name, random.choice(_QUERY[name]) if random.random() < 0.95 else random.choice(STRINGS)

    def _broken(self, body: bytes) -> bytes:
        random = self.random
        match random.randrange(6):
            case 0:
                return b""
            case 1:
                return body[: random.randrange(len(body) + 1)]
            case 2:
                return body + random.choice((b"}", b"\x00", b" {}", b"\n---\na: b\n", b"]"))
            case 3:
                return random.choice(
                    (
                        b"null",
                        b"[]",
                        b"1",
                        b'"x"',
                        b"{}",
                        b"{",
                        b"- a",
                        b"\xff\xfe",
                        b"k8s\x00",
                        b"&a [*a]",
                        b"<<: 1",
                    )
                )
            case 4:
                return b'{"a":' * random.choice((50, 130, 2000)) + b"1"
        spoiled = bytearray(body or b"x")
        for _ in range(random.randrange(1, 6)):
            spoiled[random.randrange(len(spoiled))] = random.randrange(256)
        return bytes(spoiled)


def _json(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # numbers past 64 bits, nesting past orjson's own limit
        import json

        return json.dumps(value).encode()
