"""ConfigMap.

Models pkg/registry/core/configmap/strategy.go and pkg/apis/core/validation (ValidateConfigMap).
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.meta import check_meta
from cluster_engine.api.printing import AGE, NAME, age, doc
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, forbidden_field, invalid_value, too_long
from cluster_engine.apimachinery.scheme import Column, Kind
from cluster_engine.apimachinery.validation import is_config_map_key

MAX_BYTES = 1024 * 1024
IMMUTABLE = "field is immutable when `immutable` is set"


def decoded_length(text: str) -> int:
    """How many bytes a base64 text stands for."""
    return len(text) * 3 // 4 - text[-2:].count("=")


def _check_data(config: JSON) -> list[FieldError]:
    problems: list[FieldError] = []
    data, binary = config.get("data") or {}, config.get("binaryData") or {}
    size = 0
    for key, value in data.items():
        problems += [invalid_value(f"data[{key}]", key, text) for text in is_config_map_key(key)]
        if key in binary:
            problems.append(invalid_value(f"data[{key}]", key, "duplicate of key present in binaryData"))
        size += len(value) if value.isascii() else len(value.encode())
    for key, value in binary.items():
        problems += [invalid_value(f"binaryData[{key}]", key, text) for text in is_config_map_key(key)]
        size += decoded_length(value)
    if size > MAX_BYTES:
        problems.append(too_long("[]", "", MAX_BYTES))
    return problems


def check_frozen(new: JSON, old: JSON, fields: tuple[str, ...]) -> list[FieldError]:
    """What `immutable: true` forbids; shared with Secrets."""
    if not old.get("immutable"):
        return []
    problems = [] if new.get("immutable") else [forbidden_field("immutable", IMMUTABLE)]
    for field in fields:
        if (new.get(field) or {}) != (old.get(field) or {}):
            problems.append(forbidden_field(field, IMMUTABLE))
    return problems


def validate(config: JSON) -> list[FieldError]:
    """What is wrong with a new ConfigMap."""
    return check_meta(config) + _check_data(config)


def validate_update(new: JSON, old: JSON) -> list[FieldError]:
    """What is wrong with an update."""
    return check_frozen(new, old, ("data", "binaryData")) + _check_data(new)


def row(config: JSON, now: int) -> list[Any]:
    """The cells of a ConfigMap."""
    count = len(config.get("data") or ()) + len(config.get("binaryData") or ())
    return [config["metadata"]["name"], count, age(config, now)]


KIND = Kind(
    group="",
    version="v1",
    kind="ConfigMap",
    resource="configmaps",
    singular="configmap",
    namespaced=True,
    short_names=("cm",),
    columns=(NAME, Column("Data", description=doc("core.v1.ConfigMap", "data")), AGE),
    row=row,
    validate=validate,
    validate_update=validate_update,
)
