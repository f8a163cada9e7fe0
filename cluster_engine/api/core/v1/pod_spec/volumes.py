"""Checks on volumes.

Models pkg/apis/core/validation (ValidateVolumes, validateVolumeSource).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cluster_engine.apimachinery import quantity
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import (
    FieldError,
    duplicate,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)
from cluster_engine.apimachinery.identity_cache import RULE_CACHE
from cluster_engine.apimachinery.validation import is_config_map_key, is_dns1123_label, is_dns1123_subdomain

from .env import VOLUME_FIELDS, check_field_ref, check_resource_field_ref
from .paths import check_no_backsteps, check_no_leading_backsteps

_HOST_PATH_TYPES = (
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
)
_MODE = "must be a number between 0 and 0777 (octal), both inclusive"
_ONE_TYPE = "may not specify more than 1 volume type"
_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_MIN_TOKEN_SECONDS = 600
_MAX_TOKEN_SECONDS = 1 << 32


def check_volumes(volumes: list[JSON], path: str) -> tuple[dict[str, JSON], list[FieldError]]:
    """The valid volumes by name, and what is wrong with the others."""
    found: dict[str, JSON] = {}
    problems: list[FieldError] = []
    for index, volume in enumerate(volumes):
        name = volume.get("name") or ""
        mine = _check_source(volume, f"{path}[{index}]")
        if not name:
            mine = [*mine, required(f"{path}[{index}].name")]
        elif wrong := is_dns1123_label(name):
            mine = [*mine, *(invalid_value(f"{path}[{index}].name", name, text) for text in wrong)]
        if name in found:
            mine = [*mine, duplicate(f"{path}[{index}].name", name)]
        if mine:
            problems += mine
        else:
            found[name] = volume
    return found, problems


def _check_source(volume: JSON, path: str) -> list[FieldError]:
    if len(volume) == 2:
        # Almost every volume: a name and one source, which many Pods share.
        for source in volume.values():
            if RULE_CACHE.of("volume is valid", source):
                return []
    problems: list[FieldError] = []
    given = None
    for name, check in VOLUME_SOURCES.items():
        source = volume.get(name)
        if source is None:
            continue
        if given is not None:
            problems.append(forbidden_field(f"{path}.{name}", _ONE_TYPE))
            continue
        given = source
        problems += check(source, f"{path}.{name}")
    if given is None:
        problems.append(required(path, "must specify a volume type"))
    elif not problems:
        RULE_CACHE.keep("volume is valid", given)
    return problems


def _check_empty_dir(source: JSON, path: str) -> list[FieldError]:
    limit = source.get("sizeLimit")
    if limit is not None and quantity.parse(limit) < 0:
        return [forbidden_field(f"{path}.sizeLimit", "SizeLimit field must be a valid resource quantity")]
    return []


def _check_host_path(source: JSON, path: str) -> list[FieldError]:
    target = source.get("path") or ""
    if not target:
        return [required(f"{path}.path")]
    problems = check_no_backsteps(target, f"{path}.path")
    kind = source.get("type")
    if kind is not None and kind not in _HOST_PATH_TYPES:
        problems.append(not_supported(f"{path}.type", kind, _HOST_PATH_TYPES))
    return problems


def _check_mode(mode: int | None, path: str) -> list[FieldError]:
    if mode is not None and not 0 <= mode <= 0o777:
        return [invalid_value(path, mode, _MODE)]
    return []


def _check_items(items: list[JSON], path: str) -> list[FieldError]:
    problems: list[FieldError] = []
    for index, item in enumerate(items):
        where = f"{path}[{index}]"
        key = item.get("key") or ""
        if not key:
            problems.append(required(f"{where}.key"))
        else:
            problems += [invalid_value(f"{where}.key", key, text) for text in is_config_map_key(key)]
        if not item.get("path"):
            problems.append(required(f"{where}.path"))
        else:
            problems += check_no_leading_backsteps(item["path"], f"{where}.path")
        problems += _check_mode(item.get("mode"), f"{where}.mode")
    return problems


def _keyed(name_field: str) -> Callable[[JSON, str], list[FieldError]]:
    def check(source: JSON, path: str) -> list[FieldError]:
        problems: list[FieldError] = []
        if not source.get(name_field):
            problems.append(required(f"{path}.{name_field}"))
        problems += _check_mode(source.get("defaultMode"), f"{path}.defaultMode")
        return problems + _check_items(source.get("items") or [], f"{path}.items")

    return check


def _check_claim(source: JSON, path: str) -> list[FieldError]:
    return [] if source.get("claimName") else [required(f"{path}.claimName")]


def _check_downward_items(items: list[JSON], path: str) -> list[FieldError]:
    problems: list[FieldError] = []
    for item in items:
        if not item.get("path"):
            problems.append(required(f"{path}.path"))
        else:
            problems += check_no_leading_backsteps(item["path"], f"{path}.path")
        field, resource = item.get("fieldRef"), item.get("resourceFieldRef")
        if field is not None:
            problems += check_field_ref(field, VOLUME_FIELDS, f"{path}.fieldRef")
            if resource is not None:
                text = "fieldRef and resourceFieldRef can not be specified simultaneously"
                problems.append(invalid_value(path, "resource", text))
        elif resource is not None:
            problems += check_resource_field_ref(resource, f"{path}.resourceFieldRef", volume=True)
        else:
            problems.append(required(path, "one of fieldRef and resourceFieldRef is required"))
        problems += _check_mode(item.get("mode"), f"{path}.mode")
    return problems


def _check_downward(source: JSON, path: str) -> list[FieldError]:
    problems = _check_mode(source.get("defaultMode"), f"{path}.defaultMode")
    return problems + _check_downward_items(source.get("items") or [], path)


def _check_projected(source: JSON, path: str) -> list[FieldError]:
    problems = _check_mode(source.get("defaultMode"), f"{path}.defaultMode")
    paths: set[str] = set()
    for index, projection in enumerate(source.get("sources") or ()):
        where = f"{path}.sources[{index}]"
        count = 0
        for name in (
            "secret",
            "configMap",
            "downwardAPI",
            "serviceAccountToken",
            "clusterTrustBundle",
            "podCertificate",
        ):
            part = projection.get(name)
            if part is None:
                continue
            if count:
                problems.append(forbidden_field(where, _ONE_TYPE))
                continue
            count = 1
            problems += _check_projection(name, part, f"{where}.{name}")
            for item in part.get("items") or ():
                target = item.get("path")
                if target in paths:
                    problems.append(invalid_value(where, target, "conflicting duplicate paths"))
                elif target:
                    paths.add(target)
        if not count:
            problems.append(
                required(where, "must specify one of: secret, configMap, downwardAPI, serviceAccountToken")
            )
    return problems


def _check_projection(name: str, part: JSON, path: str) -> list[FieldError]:
    if name in ("secret", "configMap"):
        problems = [] if part.get("name") else [required(f"{path}.name")]
        return problems + _check_items(part.get("items") or [], f"{path}.items")
    if name == "downwardAPI":
        return _check_downward_items(part.get("items") or [], path)
    if name == "serviceAccountToken":
        seconds = part.get("expirationSeconds") or 0
        where = f"{path}.expirationSeconds"
        problems = []
        if seconds < _MIN_TOKEN_SECONDS:
            problems.append(invalid_value(where, seconds, "may not specify a duration less than 10 minutes"))
        if seconds > _MAX_TOKEN_SECONDS:
            problems.append(
                invalid_value(where, seconds, "may not specify a duration larger than 2^32 seconds")
            )
        if not part.get("path"):
            problems.append(required(f"{path}.path"))
        else:
            problems += check_no_leading_backsteps(part["path"], f"{path}.path")
        return problems
    return [] if part.get("path") else [required(f"{path}.path")]


def _check_nfs(source: JSON, path: str) -> list[FieldError]:
    problems = [required(f"{path}.{name}") for name in ("server", "path") if not source.get(name)]
    target = source.get("path") or ""
    if target and not target.startswith("/"):
        problems.append(invalid_value(f"{path}.path", target, "must be an absolute path"))
    return problems


def _check_csi(source: JSON, path: str) -> list[FieldError]:
    driver = source.get("driver") or ""
    if not driver:
        return [required(f"{path}.driver")]
    return [invalid_value(f"{path}.driver", driver, text) for text in is_dns1123_subdomain(driver.lower())]


def _check_ephemeral(source: JSON, path: str) -> list[FieldError]:
    return [] if source.get("volumeClaimTemplate") else [required(f"{path}.volumeClaimTemplate")]


def _check_image(source: JSON, path: str) -> list[FieldError]:
    problems = [] if source.get("reference") else [required(f"{path}.reference")]
    policy = source.get("pullPolicy")
    if policy and policy not in _PULL_POLICIES:
        problems.append(not_supported(f"{path}.pullPolicy", policy, _PULL_POLICIES))
    return problems


def _needs(*fields: str) -> Callable[[JSON, str], list[FieldError]]:
    """Volumes of storage systems that no node here has: only what they cannot be without is checked."""

    def check(source: JSON, path: str) -> list[FieldError]:
        return [required(f"{path}.{name}") for name in fields if not source.get(name)]

    return check


VOLUME_SOURCES: dict[str, Callable[[Any, str], list[FieldError]]] = {
    "emptyDir": _check_empty_dir,
    "hostPath": _check_host_path,
    "gitRepo": _needs("repository"),
    "gcePersistentDisk": _needs("pdName"),
    "awsElasticBlockStore": _needs("volumeID"),
    "secret": _keyed("secretName"),
    "nfs": _check_nfs,
    "iscsi": _needs("targetPortal", "iqn"),
    "glusterfs": _needs("endpoints", "path"),
    "flocker": _needs(),
    "persistentVolumeClaim": _check_claim,
    "rbd": _needs("monitors", "image"),
    "cinder": _needs("volumeID"),
    "cephfs": _needs("monitors"),
    "quobyte": _needs("registry", "volume"),
    "downwardAPI": _check_downward,
    "fc": _needs(),
    "flexVolume": _needs("driver"),
    "configMap": _keyed("name"),
    "azureFile": _needs("secretName", "shareName"),
    "vsphereVolume": _needs("volumePath"),
    "photonPersistentDisk": _needs("pdID"),
    "portworxVolume": _needs("volumeID"),
    "azureDisk": _needs("diskName", "diskURI"),
    "storageos": _needs("volumeName"),
    "projected": _check_projected,
    "scaleIO": _needs("gateway", "system", "volumeName"),
    "csi": _check_csi,
    "ephemeral": _check_ephemeral,
    "image": _check_image,
}
"""The kinds of volumes in upstream's order, which decides which of two sources is the one too many."""
