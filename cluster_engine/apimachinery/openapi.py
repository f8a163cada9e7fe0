"""The OpenAPI documents of a cluster: v3 per group version (with its index), and v2 as one document.

``kubectl explain`` reads them, and ``kubectl apply`` looks here whether the server validates fields. They
are made on first request from the definitions in the ``kubernetes-validate`` wheel and the table of
kinds, then kept as bytes.

v3 is made as JSON alone; v2 in protobuf too, which kubectl asks for (`openapi_proto.py`).

Models k8s.io/kube-openapi/pkg/handler3 and pkg/handler.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson

from cluster_engine.apimachinery import openapi_proto
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.enums import with_enums
from cluster_engine.apimachinery.schema_defaults import with_defaults
from cluster_engine.apimachinery.scheme import Kind

KUBERNETES_VERSION = "v1.37.0"
_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_FORM = 6
"""Counts up whenever what this module makes of the same kinds changes, so that clients fetch it anew."""

Key = tuple[str, str, str, str, bool, tuple[str, ...], tuple[str, ...]]


def _key(kind: Kind) -> Key:
    return (
        kind.group,
        kind.version,
        kind.kind,
        kind.resource,
        kind.namespaced,
        tuple(kind.verbs),
        tuple(kind.subresources),
    )


def path_of(kind: Kind) -> str:
    """``api/v1`` or ``apis/apps/v1``: the kind's document."""
    return f"apis/{kind.group}/{kind.version}" if kind.group else f"api/{kind.version}"


def _key_path(key: Key) -> str:
    return f"apis/{key[0]}/{key[1]}" if key[0] else f"api/{key[1]}"


def paths(kinds: Iterable[Kind]) -> list[str]:
    """The paths of all v3 documents, sorted."""
    return sorted({path_of(kind) for kind in kinds})


def v3_hash(kinds: Iterable[Kind], path: str, custom: Mapping[str, JSON] | None = None) -> str:
    """The hash that names one state of a document: it changes when the kinds of that group version do."""
    keys = sorted(_key(kind) for kind in kinds if path_of(kind) == path)
    schemas = {name: schema for name, schema in (custom or {}).items() if _in_path(name, path)}
    told = orjson.dumps([_FORM, KUBERNETES_VERSION, path, keys, schemas], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha512(told).hexdigest().upper()


def _in_path(name: str, path: str) -> bool:
    group, version, _ = name.split("/")
    return path == (f"apis/{group}/{version}" if group else f"api/{version}")


def v3_index(kinds: Sequence[Kind], custom: Mapping[str, JSON] | None = None) -> bytes:
    """``/openapi/v3``: where each document stands, with its hash."""
    listed = {
        path: {"serverRelativeURL": f"/openapi/v3/{path}?hash={v3_hash(kinds, path, custom)}"}
        for path in paths(kinds)
    }
    return orjson.dumps({"paths": listed})


def v3_document(kinds: Sequence[Kind], path: str, custom: Mapping[str, JSON] | None = None) -> bytes | None:
    """One group version's document; None when no kind is served there.

    ``custom`` gives the OpenAPI v3 schema of custom resources by ``group/version/kind``.
    """
    keys = tuple(sorted(_key(kind) for kind in kinds if path_of(kind) == path))
    if not keys:
        return None
    schemas = {name: schema for name, schema in (custom or {}).items() if _in_path(name, path)}
    return _v3(keys, path, orjson.dumps(schemas, option=orjson.OPT_SORT_KEYS))


def v2_document(kinds: Sequence[Kind], custom: Mapping[str, JSON] | None = None) -> bytes:
    """``/openapi/v2`` as JSON."""
    keys = tuple(sorted(_key(kind) for kind in kinds))
    return _v2(keys, orjson.dumps(dict(custom or {}), option=orjson.OPT_SORT_KEYS))


def v2_protobuf(kinds: Sequence[Kind], custom: Mapping[str, JSON] | None = None) -> bytes:
    """``/openapi/v2`` in protobuf."""
    return _v2_protobuf(v2_document(kinds, custom))


# ---- schemas ---------------------------------------------------------------------------------------------


def published_definitions() -> JSON:
    """The published definitions. Not kept: they are needed only while a document is made."""
    spec = find_spec("kubernetes_validate")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the kubernetes-validate package is not installed")
    folder = Path(spec.submodule_search_locations[0]) / "kubernetes-json-schema" / "v1.37.0-local"
    definitions: JSON = orjson.loads((folder / "_definitions.json").read_bytes())["$defs"]
    return definitions


_SPECIAL: dict[str, JSON] = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {
        "format": "int-or-string",
        "oneOf": [{"type": "integer"}, {"type": "string"}],
    },
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {"oneOf": [{"type": "string"}, {"type": "number"}]},
}


def _schema(node: Any, prefix: str, found: list[str], v3: bool) -> Any:
    """A definition in OpenAPI's form; the names it refers to are added to ``found``."""
    if isinstance(node, list):
        return [_schema(item, prefix, found, v3) for item in node]
    if not isinstance(node, dict):
        return node
    out: JSON = {}
    for name, value in node.items():
        if name == "$ref":
            target = value.rpartition("/")[2]
            found.append(target)
            reference = {"$ref": prefix + target}
            # A reference may have no neighbours in OpenAPI 3.0: what stands beside it goes around it.
            out.update({"allOf": [reference]} if v3 and len(node) > 1 else reference)
        elif name == "type" and isinstance(value, list):
            out["type"] = value[0]
        elif name == "properties" and isinstance(value, dict):
            out[name] = {key: _schema(item, prefix, found, v3) for key, item in value.items()}
        elif name == "enum" and isinstance(value, list) and len(value) == 1:
            continue  # apiVersion and kind: the wheel pins them, the published API does not
        elif name in ("description", "format", "required", "default") or name.startswith("x-kubernetes-"):
            out[name] = value
        else:
            out[name] = _schema(value, prefix, found, v3)
    return out


def _closure(start: Iterable[str], definitions: JSON, prefix: str, v3: bool) -> JSON:
    done: JSON = {}
    waiting = sorted(set(start), reverse=True)
    while waiting:
        name = waiting.pop()
        if name in done or name not in definitions:
            continue
        found: list[str] = []
        special = _SPECIAL.get(name) if v3 else None
        if special is None and name in _SPECIAL:
            done[name] = {"type": "string"}
            if "intstr" in name:
                done[name]["format"] = "int-or-string"
            continue
        made = dict(special) if special else _schema(definitions[name], prefix, found, v3)
        done[name] = with_enums(name, with_defaults(name, made)) if v3 else made
        waiting.extend(found)
    return {name: done[name] for name in sorted(done)}


def _by_kind(definitions: JSON) -> dict[str, str]:
    """``group/version/kind`` → name of the definition that is this kind."""
    found: dict[str, str] = {}
    for name, definition in definitions.items():
        gvks = definition.get("x-kubernetes-group-version-kind", ())
        if len(gvks) == 1:
            gvk = gvks[0]
            found[f"{gvk['group']}/{gvk['version']}/{gvk['kind']}"] = name
    return found


_CONVENTIONS = "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md"
_TYPE_META: JSON = {
    "apiVersion": {
        "type": "string",
        "description": (
            "APIVersion defines the versioned schema of this representation of an object. Servers should convert "
            "recognized schemas to the latest internal value, and may reject unrecognized values. "
            f"More info: {_CONVENTIONS}#resources"
        ),
    },
    "kind": {
        "type": "string",
        "description": (
            "Kind is a string value representing the REST resource this object represents. Servers may infer this "
            "from the endpoint the client submits requests to. Cannot be updated. In CamelCase. "
            f"More info: {_CONVENTIONS}#types-kinds"
        ),
    },
}
"""What every custom resource says of these two (addTypeMetaProperties of pkg/controller/openapi/builder)."""


def _custom_definition(group: str, version: str, kind: str, schema: JSON) -> tuple[str, JSON]:
    name = ".".join([*reversed(group.split(".")), version, kind])
    body = {**schema, "x-kubernetes-group-version-kind": [{"group": group, "kind": kind, "version": version}]}
    about = f"Standard object's metadata. More info: {_CONVENTIONS}#metadata"
    metadata = {"$ref": f"#/$defs/{_META}ObjectMeta", "description": about}
    body["properties"] = {**(body.get("properties") or {}), **_TYPE_META, "metadata": metadata}
    body.setdefault("type", "object")
    return name, body


def _with_custom(definitions: JSON, names: dict[str, str], custom: Mapping[str, JSON]) -> None:
    for gvk in sorted(custom):
        group, version, kind = gvk.split("/")
        name, body = _custom_definition(group, version, kind, custom[gvk])
        definitions[name] = body
        names[gvk] = name
        listed = {
            "type": "object",
            "description": f"{kind}List is a list of {kind}",
            "required": ["items"],
            "properties": {
                **_TYPE_META,
                "metadata": {
                    "$ref": f"#/$defs/{_META}ListMeta",
                    "description": f"Standard list metadata. More info: {_CONVENTIONS}#types-kinds",
                },
                "items": {"type": "array", "items": {"$ref": f"#/$defs/{name}"}},
            },
            "x-kubernetes-group-version-kind": [{"group": group, "kind": f"{kind}List", "version": version}],
        }
        definitions[name + "List"] = listed
        names[gvk + "List"] = name + "List"


# ---- paths -----------------------------------------------------------------------------------------------


def _parameter(name: str, kind: str, where: str = "query", v3: bool = True) -> JSON:
    base: JSON = {"name": name, "in": where}
    if where == "path":
        base["required"] = True
    return {**base, "schema": {"type": kind, "uniqueItems": True}} if v3 else {**base, "type": kind}


_WRITE = (("dryRun", "string"), ("fieldManager", "string"), ("fieldValidation", "string"))
_LIST = (
    ("allowWatchBookmarks", "boolean"),
    ("continue", "string"),
    ("fieldSelector", "string"),
    ("labelSelector", "string"),
    ("limit", "integer"),
    ("resourceVersion", "string"),
    ("resourceVersionMatch", "string"),
    ("sendInitialEvents", "boolean"),
    ("timeoutSeconds", "integer"),
    ("watch", "boolean"),
)
_DELETE = (
    ("dryRun", "string"),
    ("gracePeriodSeconds", "integer"),
    ("orphanDependents", "boolean"),
    ("propagationPolicy", "string"),
)
_FORCE = ("force", "boolean")
_SCALE = ("autoscaling", "v1", "Scale")
_PATCH_TYPES = (
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
)


class _Paths:
    """Makes the operations of kinds."""

    def __init__(self, names: Mapping[str, str], prefix: str, v3: bool) -> None:
        self.names = names
        self.prefix = prefix
        self.v3 = v3
        self.found: JSON = {}
        self.used: list[str] = []

    def reference(self, name: str | None) -> JSON:
        if name is None:
            return {"type": "object"}
        self.used.append(name)
        return {"$ref": self.prefix + name}

    def operation(
        self,
        key: Key,
        action: str,
        parameters: Sequence[tuple[str, str]],
        reply: str | None,
        body: str | None = None,
    ) -> JSON:
        group, version, kind = key[:3]
        made: JSON = {
            "parameters": [_parameter(name, type_, v3=self.v3) for name, type_ in parameters],
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": {"group": group, "kind": kind, "version": version},
        }
        schema = self.reference(reply)
        answer: JSON = {"description": "OK"}
        if self.v3:
            answer["content"] = {"application/json": {"schema": schema}}
        else:
            answer["schema"] = schema
        made["responses"] = {"200": answer, "401": {"description": "Unauthorized"}}
        if body is not None:
            schema = self.reference(body)
            types = _PATCH_TYPES if action == "patch" else ("*/*",)
            if self.v3:
                made["requestBody"] = {"content": {kind_: {"schema": schema} for kind_ in types}}
            else:
                made["consumes"] = list(types)
                made["parameters"].append({"name": "body", "in": "body", "required": True, "schema": schema})
        return made

    def add(self, key: Key) -> None:
        group, version, kind, resource, namespaced, verbs, subresources = key
        root = "/" + _key_path(key)
        one = self.names.get(f"{group}/{version}/{kind}")
        many = self.names.get(f"{group}/{version}/{kind}List", one)
        status = _META + "Status"
        collection = f"{root}/namespaces/{{namespace}}/{resource}" if namespaced else f"{root}/{resource}"
        shared = [_parameter("namespace", "string", "path", self.v3)] if namespaced else []
        named = [_parameter("name", "string", "path", self.v3), *shared]
        item: JSON = {"parameters": shared} if shared else {}
        if "list" in verbs:
            item["get"] = self.operation(key, "list", _LIST, many)
            if namespaced:
                self.found[f"{root}/{resource}"] = {"get": self.operation(key, "list", _LIST, many)}
        if "create" in verbs:
            item["post"] = self.operation(key, "post", _WRITE, one, one)
        if "deletecollection" in verbs:
            item["delete"] = self.operation(
                key, "deletecollection", (*_DELETE, *_LIST), status, _META + "DeleteOptions"
            )
        self.found[collection] = item
        item = {"parameters": named}
        if "get" in verbs:
            item["get"] = self.operation(key, "get", (), one)
        if "update" in verbs:
            item["put"] = self.operation(key, "put", _WRITE, one, one)
        if "patch" in verbs:
            item["patch"] = self.operation(key, "patch", (*_WRITE, _FORCE), one, _META + "Patch")
        if "delete" in verbs:
            item["delete"] = self.operation(key, "delete", _DELETE, status, _META + "DeleteOptions")
        if len(item) > 1:
            self.found[collection + "/{name}"] = item
        for subresource in subresources:
            if subresource not in ("status", "scale"):
                continue
            target = key if subresource == "status" else (*_SCALE, *key[3:])
            shape = one if subresource == "status" else self.names.get("/".join(_SCALE))
            self.found[f"{collection}/{{name}}/{subresource}"] = {
                "parameters": named,
                "get": self.operation(target, "get", (), shape),
                "put": self.operation(target, "put", _WRITE, shape, shape),
                "patch": self.operation(target, "patch", (*_WRITE, _FORCE), shape, _META + "Patch"),
            }
        for path, item in self.found.items():
            for method, made in item.items():
                if isinstance(made, dict) and "operationId" not in made:
                    words = [word.strip("{}") for word in path.split("/") if word]
                    made["operationId"] = method + "".join(word[:1].upper() + word[1:] for word in words)


def _document(keys: Sequence[Key], custom: bytes, v3: bool) -> tuple[JSON, JSON]:
    """(paths, schemas) of the kinds."""
    definitions = published_definitions()
    names = _by_kind(definitions)
    _with_custom(definitions, names, orjson.loads(custom))
    prefix = "#/components/schemas/" if v3 else "#/definitions/"
    made = _Paths(names, prefix, v3)
    for key in keys:
        made.add(key)
    schemas = _closure(made.used, definitions, prefix, v3)
    return {path: made.found[path] for path in sorted(made.found)}, schemas


@lru_cache(maxsize=64)
def _v3(keys: tuple[Key, ...], path: str, custom: bytes) -> bytes:
    paths_, schemas = _document(keys, custom, True)
    return orjson.dumps(
        {
            "openapi": "3.0.0",
            "info": {"title": "Kubernetes", "version": KUBERNETES_VERSION},
            "paths": paths_,
            "components": {
                "schemas": schemas,
                "securitySchemes": {
                    "BearerToken": {
                        "type": "apiKey",
                        "description": "Bearer Token authentication",
                        "name": "authorization",
                        "in": "header",
                    }
                },
            },
        }
    )


@lru_cache(maxsize=4)
def _v2(keys: tuple[Key, ...], custom: bytes) -> bytes:
    paths_, definitions = _document(keys, custom, False)
    return orjson.dumps(
        {
            "swagger": "2.0",
            "info": {"title": "Kubernetes", "version": KUBERNETES_VERSION},
            "paths": paths_,
            "definitions": definitions,
        }
    )


@lru_cache(maxsize=4)
def _v2_protobuf(document: bytes) -> bytes:
    return openapi_proto.document(orjson.loads(document))
