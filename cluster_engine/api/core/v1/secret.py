"""Secret.

Models pkg/registry/core/secret/strategy.go and pkg/apis/core/validation (ValidateSecret).
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import orjson

from cluster_engine.api.meta import check_immutable, check_meta
from cluster_engine.api.printing import AGE, NAME, age, doc
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, invalid_value, required, too_long
from cluster_engine.apimachinery.scheme import Column, Kind
from cluster_engine.apimachinery.validation import is_config_map_key

from .configmap import MAX_BYTES, check_frozen, decoded_length

_ACCOUNT_NAME = "kubernetes.io/service-account.name"
_DOCKER_KEYS = {
    "kubernetes.io/dockercfg": ".dockercfg",
    "kubernetes.io/dockerconfigjson": ".dockerconfigjson",
}


def default(secret: JSON) -> JSON:
    """The type is Opaque unless given; stringData is written into data and not kept."""
    out = secret
    text = secret.get("stringData")
    if "stringData" in secret:
        out = {name: value for name, value in out.items() if name != "stringData"}
        if text:
            encoded = {key: base64.b64encode(value.encode()).decode() for key, value in text.items()}
            out["data"] = {**(out.get("data") or {}), **encoded}
    return out if out.get("type") else {**out, "type": "Opaque"}


def _json_problem(text: str) -> str:
    """Why the decoded value is not a JSON object; "" when it is."""
    try:
        value = orjson.loads(base64.b64decode(text))
    except (binascii.Error, orjson.JSONDecodeError):
        return "invalid character in literal"
    return (
        ""
        if isinstance(value, dict)
        else "json: cannot unmarshal into Go value of type map[string]interface {}"
    )


def _check_type(secret: JSON) -> list[FieldError]:
    kind, data = secret.get("type"), secret.get("data") or {}
    if kind == "kubernetes.io/service-account-token":
        if not (secret["metadata"].get("annotations") or {}).get(_ACCOUNT_NAME):
            return [required(f"metadata.annotations[{_ACCOUNT_NAME}]")]
    elif kind in _DOCKER_KEYS:
        key = _DOCKER_KEYS[kind]
        if key not in data:
            return [required(f"data[{key}]")]
        problem = _json_problem(data[key])
        if problem:
            return [invalid_value(f"data[{key}]", "<secret contents redacted>", problem)]
    elif kind == "kubernetes.io/basic-auth":
        if "username" not in data and "password" not in data:
            return [required("data[username]"), required("data[password]")]
    elif kind == "kubernetes.io/ssh-auth":
        if not data.get("ssh-privatekey"):
            return [required("data[ssh-privatekey]")]
    elif kind == "kubernetes.io/tls":
        return [required(f"data[{key}]") for key in ("tls.crt", "tls.key") if key not in data]
    return []


def _check(secret: JSON) -> list[FieldError]:
    problems: list[FieldError] = []
    size = 0
    for key, value in (secret.get("data") or {}).items():
        problems += [invalid_value(f"data[{key}]", key, text) for text in is_config_map_key(key)]
        size += decoded_length(value or "")
    if size > MAX_BYTES:
        problems.append(too_long("data", "", MAX_BYTES))
    return problems + _check_type(secret)


def validate(secret: JSON) -> list[FieldError]:
    """What is wrong with a new Secret."""
    return check_meta(secret) + _check(secret)


def validate_update(new: JSON, old: JSON) -> list[FieldError]:
    """What is wrong with an update."""
    problems = check_immutable(new.get("type"), old.get("type"), "type")
    return problems + check_frozen(new, old, ("data",)) + _check(new)


def prepare_update(new: JSON, old: JSON) -> JSON:
    """An update that names no type means the stored one."""
    return new if new.get("type") else {**new, "type": old.get("type")}


def row(secret: JSON, now: int) -> list[Any]:
    """The cells of a Secret."""
    count = len(secret.get("data") or ())
    return [secret["metadata"]["name"], secret.get("type") or "", count, age(secret, now)]


KIND = Kind(
    group="",
    version="v1",
    kind="Secret",
    resource="secrets",
    singular="secret",
    namespaced=True,
    columns=(
        NAME,
        Column("Type", description=doc("core.v1.Secret", "type")),
        Column("Data", description=doc("core.v1.Secret", "data")),
        AGE,
    ),
    row=row,
    default=default,
    prepare_update=prepare_update,
    validate=validate,
    validate_update=validate_update,
    field_labels={"type": lambda secret: secret.get("type") or ""},
)
