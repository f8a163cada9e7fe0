"""What is served: versions, groups, resources, OpenAPI.

Models k8s.io/apiserver/pkg/endpoints/discovery (and its aggregated form) and
k8s.io/kube-openapi/pkg/handler3.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import lru_cache

import orjson

from cluster_engine.apimachinery import openapi
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.scheme import Kind
from cluster_engine.apimachinery.versions import version_rank
from cluster_engine.version import KUBERNETES_VERSION

from .negotiation import Accept, encode, negotiate, parse_accept, wants_pretty
from .requests import first
from .signing_keys import CONTENT_TYPES as OPENID_PATHS
from .types import Request, Response

# Upstream's priorities of the built-in groups, highest first.
_GROUP_ORDER = (
    "",
    "apiregistration.k8s.io",
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "scheduling.k8s.io",
    "coordination.k8s.io",
    "node.k8s.io",
    "discovery.k8s.io",
    "resource.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "storagemigration.k8s.io",
)
_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_PROTOBUF = tuple(f"application/com.github.proto-openapi.spec.v2{at}v1.0+protobuf" for at in (".", "@"))
"""How replies call the v2 document in protobuf, and how kubectl asks for it."""
_ONE_FORM = ("/", "/version")
"""What is JSON, whatever is asked for."""
_KEPT_LIMIT = 16

VERSION: JSON = {
    "major": KUBERNETES_VERSION.split(".")[0],
    "minor": KUBERNETES_VERSION.split(".")[1],
    "emulationMajor": KUBERNETES_VERSION.split(".")[0],
    "emulationMinor": KUBERNETES_VERSION.split(".")[1],
    "minCompatibilityMajor": KUBERNETES_VERSION.split(".")[0],
    "minCompatibilityMinor": str(int(KUBERNETES_VERSION.split(".")[1]) - 1),
    "gitVersion": f"v{KUBERNETES_VERSION}",
    "gitCommit": "0" * 40,
    "gitTreeState": "clean",
    "buildDate": "2026-08-26T00:00:00Z",
    "goVersion": "go1.26.0",
    "compiler": "gc",
    "platform": "linux/amd64",
}


class Discovery:
    """The documents about one set of kinds, each in all its versions; the bytes are made once."""

    def __init__(self, kinds: Sequence[Kind], away: Sequence[tuple[str, str]] = ()) -> None:
        """``away``: group versions that a Service should serve and nobody does; they are named, without resources."""
        self._kinds = tuple(kinds)
        self.away = frozenset(away)
        self._custom = {f"{k.group}/{k.version}/{k.kind}": k.openapi for k in kinds if k.openapi is not None}
        self._documents: dict[str, tuple[str, bytes]] = {}
        groups = {kind.group for kind in kinds} | {group for group, _version in away}
        order = {group: index for index, group in enumerate(_GROUP_ORDER)}
        self.groups: list[str] = sorted(groups, key=lambda g: (order.get(g, len(order)), g))
        self.versions: dict[str, list[str]] = {}
        for group in self.groups:
            found = {kind.version for kind in kinds if kind.group == group}
            found |= {version for each, version in away if each == group}
            self.versions[group] = sorted(found, key=version_rank)

    def serves(self, group: str, version: str) -> bool:
        """Whether the group version exists and is answered."""
        return version in self.versions.get(group, ()) and (group, version) not in self.away

    # ---- requests ----------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response | None:
        """The reply for a path that is no resource, or None when there is no such path. Raises ApiError 406."""
        path = request.path.rstrip("/") or "/"
        if path.startswith("/openapi/"):
            return self._openapi(request, path)
        name = path
        content_type = "application/json"
        if path in ("/api", "/apis") and _wants_aggregated(request):
            name, content_type = path + "#aggregated", _AGGREGATED
        document = self._document(name)
        if document is None:
            return None
        tag, body = document
        if path == name and path not in _ONE_FORM:
            accept = negotiate(request)
            if accept.media != content_type:
                content_type, body = encode(request, accept, orjson.loads(body))
                return _tagged(request, f'"{tag}"', body, content_type, vary=True)
        if name == "/version" or wants_pretty(request, Accept()):
            body = orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2)
        return _tagged(request, f'"{tag}"', body, content_type, vary=path in ("/api", "/apis"))

    def _document(self, name: str) -> tuple[str, bytes] | None:
        if name not in self._documents:
            value = self._build(name)
            if value is None:
                return None
            body = orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)
            self._documents[name] = (hashlib.sha512(body).hexdigest().upper(), body)
        return self._documents[name]

    def _build(self, name: str) -> JSON | None:
        if name == "/":
            return {"paths": self._paths()}
        if name == "/version":
            return VERSION
        if name == "/api":
            server = {"clientCIDR": "0.0.0.0/0", "serverAddress": "10.96.0.1:443"}
            return {
                "kind": "APIVersions",
                "versions": self.versions.get("", []),
                "serverAddressByClientCIDRs": [server],
            }
        if name == "/apis":
            groups = [self._group(group) for group in self.groups if group]
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
        if name in ("/api#aggregated", "/apis#aggregated"):
            wanted = [g for g in self.groups if bool(g) == name.startswith("/apis")]
            return {
                "kind": "APIGroupDiscoveryList",
                "apiVersion": "apidiscovery.k8s.io/v2",
                "metadata": {},
                "items": [self._aggregated(group) for group in wanted],
            }
        parts = name.strip("/").split("/")
        if parts[0] == "api" and len(parts) == 2 and self.serves("", parts[1]):
            return self._resources("", parts[1])
        if parts[0] == "apis" and len(parts) == 2 and parts[1] and parts[1] in self.versions:
            return {"kind": "APIGroup", "apiVersion": "v1", **self._group(parts[1])}
        if parts[0] == "apis" and len(parts) == 3 and parts[1] and self.serves(parts[1], parts[2]):
            return self._resources(parts[1], parts[2])
        return None

    # ---- documents ---------------------------------------------------------------------------------------

    def _paths(self) -> list[str]:
        paths = [*OPENID_PATHS, "/api", "/apis"]
        for group, versions in self.versions.items():
            base = f"/apis/{group}" if group else "/api"
            paths += [base, *(f"{base}/{version}" for version in versions)]
        paths += ["/healthz", "/livez", "/metrics", "/openapi/v2", "/openapi/v3", "/readyz", "/version"]
        return sorted(set(paths))

    def _group(self, group: str) -> JSON:
        versions = [{"groupVersion": f"{group}/{v}", "version": v} for v in self.versions[group]]
        return {"name": group, "versions": versions, "preferredVersion": versions[0]}

    def _of(self, group: str, version: str) -> list[Kind]:
        kinds = [k for k in self._kinds if (k.group, k.version) == (group, version)]
        return sorted(kinds, key=lambda k: k.resource)

    def _resources(self, group: str, version: str) -> JSON:
        resources: list[JSON] = []
        for kind in self._of(group, version):
            entry: JSON = {
                "name": kind.resource,
                "singularName": kind.singular,
                "namespaced": kind.namespaced,
                "kind": kind.kind,
                "verbs": _verbs(kind),
            }
            if kind.short_names:
                entry["shortNames"] = list(kind.short_names)
            if kind.categories:
                entry["categories"] = list(kind.categories)
            if not kind.answer:
                entry["storageVersionHash"] = _storage_hash(kind)
            resources.append(entry)
            resources += [_subresource_entry(kind, name) for name in sorted(kind.subresources)]
        group_version = f"{group}/{version}" if group else version
        return {
            "kind": "APIResourceList",
            "apiVersion": "v1",
            "groupVersion": group_version,
            "resources": resources,
        }

    def _aggregated(self, group: str) -> JSON:
        versions: list[JSON] = []
        for version in self.versions[group]:
            if (group, version) in self.away:
                versions.append({"version": version, "freshness": "Stale"})
                continue
            resources = [_aggregated_resource(kind) for kind in self._of(group, version)]
            versions.append({"version": version, "resources": resources, "freshness": "Current"})
        meta: JSON = {"name": group, "creationTimestamp": None} if group else {"creationTimestamp": None}
        return {"metadata": meta, "versions": versions}

    # ---- OpenAPI -----------------------------------------------------------------------------------------

    def _openapi(self, request: Request, path: str) -> Response | None:
        if path == "/openapi/v2":
            form = _openapi_form(request.headers.get("accept", ""))
            if form is None:
                return Response(406, {"content-type": "text/plain; charset=utf-8"}, b"")
            made = openapi.v2_document if form == "application/json" else openapi.v2_protobuf
            body = made(self._kinds, self._custom)
            return _tagged(request, f'"{_tag(body)}"', body, form, vary=True)
        if path == "/openapi/v3":
            body = openapi.v3_index(self._kinds, self._custom)
            return _tagged(request, f'"{_tag(body)}"', body, "application/json")
        if not path.startswith("/openapi/v3/"):
            return None
        name = path[len("/openapi/v3/") :]
        document = openapi.v3_document(self._kinds, name, self._custom)
        if document is None:
            return None
        tag = openapi.v3_hash(self._kinds, name, self._custom)
        wanted = first(request, "hash")
        if wanted is not None and wanted != tag:
            return Response(301, {"location": f"{path}?hash={tag}"})
        reply = _tagged(request, f'"{tag}"', document, "application/json")
        if wanted is not None:
            reply.headers["cache-control"] = "public, immutable"
        return reply


def _subresource_entry(kind: Kind, name: str) -> JSON:
    known = kind.subresources[name]
    entry: JSON = {"name": f"{kind.resource}/{name}", "singularName": "", "namespaced": kind.namespaced}
    if known.shows is not None and known.shows[0] != kind.group:
        entry["group"], entry["version"] = known.shows[0], known.shows[1]
    entry["kind"] = known.shows[2] if known.shows is not None else kind.kind
    entry["verbs"] = sorted(known.verbs)
    return entry


def _verbs(kind: Kind) -> list[str]:
    return sorted(kind.verbs) if kind.offered is None else list(kind.offered)


def _aggregated_resource(kind: Kind) -> JSON:
    own = {"group": kind.group, "version": kind.version, "kind": kind.kind}
    entry: JSON = {
        "resource": kind.resource,
        "responseKind": own,
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": _verbs(kind),
    }
    if kind.short_names:
        entry["shortNames"] = list(kind.short_names)
    if kind.categories:
        entry["categories"] = list(kind.categories)
    parts = []
    for name in sorted(kind.subresources):
        known = kind.subresources[name]
        shown = (
            own if known.shows is None else dict(zip(("group", "version", "kind"), known.shows, strict=True))
        )
        parts.append({"subresource": name, "responseKind": shown, "verbs": sorted(known.verbs)})
    if parts:
        entry["subresources"] = parts
    return entry


def _storage_hash(kind: Kind) -> str:
    stored = kind.stored or kind
    text = f"{stored.group}/{stored.version}/{stored.kind}".encode()
    return base64.b64encode(hashlib.sha256(text).digest()[:8]).decode()


def _wants_aggregated(request: Request) -> bool:
    for accept in parse_accept(request.headers.get("accept", "")):
        if accept == Accept("application/json", "APIGroupDiscoveryList", "apidiscovery.k8s.io", "v2"):
            return True
        if not accept.form:
            return False
    return False


def _openapi_form(accept: str) -> str | None:
    """The form of the v2 document that a client wants most, of those that there are (kube-openapi/pkg/handler)."""
    for each in [part.partition(";")[0].strip() for part in accept.split(",")]:
        if each in ("", "*/*", "application/*", "application/json"):
            return "application/json"
        if each in _PROTOBUF:
            return _PROTOBUF[0]
    return None


def _tag(body: bytes) -> str:
    return hashlib.sha512(body).hexdigest().upper()


def _tagged(request: Request, tag: str, body: bytes, content_type: str, vary: bool = False) -> Response:
    headers = {"etag": tag, "cache-control": "public"}
    if vary:
        headers["vary"] = "Accept"
    if request.headers.get("if-none-match") == tag:
        return Response(304, headers)
    headers["content-type"] = content_type
    return Response(200, headers, body)


@lru_cache(maxsize=_KEPT_LIMIT)
def of_kinds(kinds: tuple[Kind, ...], away: tuple[tuple[str, str], ...] = ()) -> Discovery:
    """The Discovery of these kinds; clusters with the same kinds share one."""
    return Discovery(kinds, away)
