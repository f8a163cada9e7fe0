"""Checks on environment variables, envFrom and downward API references.

Models pkg/apis/core/validation (ValidateEnv, ValidateEnvFrom, validateObjectFieldSelector).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cluster_engine.apimachinery import quantity
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import (
    FieldError,
    field_not_found,
    invalid_value,
    not_supported,
    required,
)
from cluster_engine.apimachinery.validation import (
    is_config_map_key,
    is_dns1123_label,
    is_dns1123_subdomain,
    is_env_var_name,
    is_qualified_name,
)

from .paths import check_no_leading_backsteps

_ENV_FIELDS = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
VOLUME_FIELDS = (
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
)
# Every label that ConvertDownwardAPIFieldLabel knows.
_KNOWN_FIELDS = frozenset(
    (*_ENV_FIELDS, "metadata.annotations", "metadata.labels", "spec.restartPolicy", "spec.schedulerName",
     "status.phase")
)  # fmt: skip
_RESOURCES = (
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
)
_HUGE_PAGES = ("limits.hugepages-", "requests.hugepages-")
_SIZES = ("1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei")
_SIZES_TEXT = ", ".join(_SIZES)
_NO_SOURCE = (
    "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
)
_ONE_SOURCE = "may not have more than one field specified at a time"


def check_env(variables: list[JSON], path: str) -> list[FieldError]:
    """A container's env."""
    problems: list[FieldError] = []
    for index, variable in enumerate(variables):
        name = variable.get("name") or ""
        if not name:
            problems.append(required(f"{path}[{index}].name"))
        else:
            problems += [invalid_value(f"{path}[{index}].name", name, text) for text in is_env_var_name(name)]
        source = variable.get("valueFrom")
        if source is not None:
            problems += _check_value_from(source, variable.get("value"), f"{path}[{index}].valueFrom")
    return problems


def _check_value_from(source: JSON, value: Any, path: str) -> list[FieldError]:
    problems: list[FieldError] = []
    count = 0
    if source.get("fieldRef") is not None:
        count += 1
        problems += check_field_ref(source["fieldRef"], _ENV_FIELDS, f"{path}.fieldRef")
    if source.get("resourceFieldRef") is not None:
        count += 1
        reference = source["resourceFieldRef"]
        problems += check_resource_field_ref(reference, f"{path}.resourceFieldRef", volume=False)
    for name in ("configMapKeyRef", "secretKeyRef"):
        if source.get(name) is not None:
            count += 1
            problems += _check_key_ref(source[name], f"{path}.{name}")
    if source.get("fileKeyRef") is not None:
        count += 1
        problems += _check_file_key(source["fileKeyRef"], f"{path}.fileKeyRef")
    if count == 0:
        problems.append(invalid_value(path, "", _NO_SOURCE))
    elif value:
        problems.append(invalid_value(path, "", "may not be specified when `value` is not empty"))
    elif count > 1:
        problems.append(invalid_value(path, "", _ONE_SOURCE))
    return problems


def _check_key_ref(reference: JSON, path: str) -> list[FieldError]:
    name, key = reference.get("name") or "", reference.get("key") or ""
    problems = [invalid_value(f"{path}.name", name, text) for text in is_dns1123_subdomain(name)]
    if not key:
        problems.append(required(f"{path}.key"))
    else:
        problems += [invalid_value(f"{path}.key", key, text) for text in is_config_map_key(key)]
    return problems


def _check_file_key(reference: JSON, path: str) -> list[FieldError]:
    """A name in a file of one of the Pod's volumes (validateFileKeySelector)."""
    key, volume, file = (reference.get(name) or "" for name in ("key", "volumeName", "path"))
    problems = [invalid_value(f"{path}.key", key, text) for text in is_env_var_name(key)] if key else []
    if not key:
        problems.append(required(f"{path}.key"))
    if not volume:
        problems.append(required(f"{path}.volumeName"))
    else:
        problems += [invalid_value(f"{path}.volumeName", volume, text) for text in is_dns1123_label(volume)]
    if not file:
        problems.append(required(f"{path}.path"))
    else:
        problems += check_no_leading_backsteps(file, f"{path}.path")
    return problems


def files_read(variables: list[JSON]) -> list[tuple[int, JSON]]:
    """(place in the list, fileKeyRef) of the variables that come from files."""
    found = ((index, variable.get("valueFrom") or {}) for index, variable in enumerate(variables))
    return [(index, source["fileKeyRef"]) for index, source in found if source.get("fileKeyRef") is not None]


def check_files_read(variables: list[JSON], volumes: Mapping[str, JSON], path: str) -> list[FieldError]:
    """Files are read from the Pod's emptyDirs alone (validateFileKeyRefVolumes)."""
    problems = []
    for index, reference in files_read(variables):
        name, where = reference.get("volumeName") or "", f"{path}[{index}].valueFrom.fileKeyRef.volumeName"
        if name and name not in volumes:
            problems.append(field_not_found(where, name))
        elif name and volumes[name].get("emptyDir") is None:
            problems.append(invalid_value(where, name, "referenced volume must be of type emptyDir"))
    return problems


def _subscript(field_path: str) -> tuple[str, str] | None:
    """metadata.labels['x'] as ("metadata.labels", "x")."""
    if not field_path.endswith("']"):
        return None
    name, found, rest = field_path[:-2].partition("['")
    return (name, rest) if found and name else None


def check_field_ref(reference: JSON, allowed: tuple[str, ...], path: str) -> list[FieldError]:
    """A reference to a field of the Pod."""
    version, field_path = reference.get("apiVersion") or "", reference.get("fieldPath") or ""
    if not version:
        return [required(f"{path}.apiVersion")]
    if not field_path:
        return [required(f"{path}.fieldPath")]
    if version != "v1":
        text = f"error converting fieldPath: unsupported pod version: {version}"
        return [invalid_value(f"{path}.fieldPath", field_path, text)]
    subscripted = _subscript(field_path)
    if subscripted is not None:
        name, key = subscripted
        if name == "metadata.annotations":
            return [invalid_value(path, key.lower(), text) for text in is_qualified_name(key.lower())]
        if name == "metadata.labels":
            return [invalid_value(path, key, text) for text in is_qualified_name(key)]
        if name in _KNOWN_FIELDS:
            return [invalid_value(path, name, "does not support subscript")]
        text = f"error converting fieldPath: field label does not support subscript: {field_path}"
        return [invalid_value(f"{path}.fieldPath", field_path, text)]
    if field_path == "spec.host":
        field_path = "spec.nodeName"
    if field_path not in _KNOWN_FIELDS:
        text = f"error converting fieldPath: field label not supported: {field_path}"
        return [invalid_value(f"{path}.fieldPath", field_path, text)]
    if field_path not in allowed:
        return [not_supported(f"{path}.fieldPath", field_path, allowed)]
    return []


def check_resource_field_ref(reference: JSON, path: str, *, volume: bool) -> list[FieldError]:
    """A reference to a container's limits or requests."""
    resource = reference.get("resource") or ""
    problems: list[FieldError] = []
    if volume and not reference.get("containerName"):
        problems.append(required(f"{path}.containerName"))
    elif not resource:
        problems.append(required(f"{path}.resource"))
    elif resource not in _RESOURCES and not resource.startswith(_HUGE_PAGES):
        problems.append(not_supported(f"{path}.resource", resource, _RESOURCES))
    return problems + _check_divisor(resource, reference.get("divisor"), f"{path}.divisor")


def _check_divisor(resource: str, divisor: Any, path: str) -> list[FieldError]:
    if divisor in (None, "", "0", 0):
        return []
    allowed: tuple[str, ...]
    text = quantity.canonical(divisor)
    if resource.endswith(".cpu"):
        allowed, what = ("1m", "1"), "1m and 1 are supported with the cpu resource"
    elif resource.endswith(".memory"):
        allowed, what = _SIZES, f"{_SIZES_TEXT} are supported with the memory resource"
    elif resource.endswith(".ephemeral-storage"):
        allowed, what = _SIZES, f"{_SIZES_TEXT} are supported with the local ephemeral storage resource"
    else:
        allowed, what = _SIZES, f"{_SIZES_TEXT} are supported with the hugepages resource"
    return [] if text in allowed else [invalid_value(path, resource, f"only divisor's values {what}")]


def check_env_from(sources: list[JSON], path: str) -> list[FieldError]:
    """A container's envFrom."""
    problems: list[FieldError] = []
    for index, source in enumerate(sources):
        prefix = source.get("prefix")
        if prefix:
            problems += [
                invalid_value(f"{path}[{index}].prefix", prefix, text) for text in is_env_var_name(prefix)
            ]
        count = 0
        for field in ("configMapRef", "secretRef"):
            reference = source.get(field)
            if reference is None:
                continue
            count += 1
            name = reference.get("name") or ""
            where = f"{path}[{index}].{field}.name"
            if not name:
                problems.append(required(where))
            else:
                problems += [invalid_value(where, name, text) for text in is_dns1123_subdomain(name)]
        if count == 0:
            problems.append(invalid_value(path, "", "must specify one of: `configMapRef` or `secretRef`"))
        elif count > 1:
            problems.append(invalid_value(path, "", _ONE_SOURCE))
    return problems
