"""Checks on volume mounts and devices.

Models pkg/apis/core/validation (ValidateVolumeMounts, ValidateVolumeDevices).
"""

from __future__ import annotations

from collections.abc import Mapping

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import (
    FieldError,
    field_not_found,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)

from .paths import check_descending, check_no_backsteps

_PROPAGATIONS = ("Bidirectional", "HostToContainer", "None")
_READ_ONLY = ("Disabled", "Enabled", "IfPossible")


def check_mounts(
    mounts: list[JSON], devices: list[JSON], volumes: Mapping[str, JSON], container: JSON, path: str
) -> list[FieldError]:
    """A container's volumeMounts."""
    problems: list[FieldError] = []
    points: set[str] = set()
    device_names = {d.get("name"): d.get("devicePath") for d in devices}
    for index, mount in enumerate(mounts):
        name, point = mount.get("name") or "", mount.get("mountPath") or ""
        if not name:
            problems.append(required(f"{path}[{index}].name"))
        volume = volumes.get(name)
        if volume is None:
            problems.append(field_not_found(f"{path}[{index}].name", name))
        if not point:
            problems.append(required(f"{path}[{index}].mountPath"))
        if point in points:
            problems.append(invalid_value(f"{path}[{index}].mountPath", point, "must be unique"))
        points.add(point)
        if device_names:
            problems += _check_overlap(name, point, device_names, f"{path}[{index}]")
        if len(mount) > 2:
            problems += _check_details(mount, volume, container, f"{path}[{index}]", path)
    return problems


def _check_overlap(
    name: str, point: str, devices: Mapping[str | None, str | None], path: str
) -> list[FieldError]:
    problems = []
    if name in devices:
        problems.append(invalid_value(f"{path}.name", name, "must not already exist in volumeDevices"))
    if point in devices.values():
        text = "must not already exist as a path in volumeDevices"
        problems.append(invalid_value(f"{path}.mountPath", point, text))
    return problems


def _check_details(
    mount: JSON, volume: JSON | None, container: JSON, path: str, list_path: str
) -> list[FieldError]:
    """The rarer fields. Upstream names the whole list, not the entry, in some of these errors."""
    problems: list[FieldError] = []
    sub_path, expression = mount.get("subPath") or "", mount.get("subPathExpr") or ""
    if sub_path:
        problems += check_descending(sub_path, f"{list_path}.subPath")
    if expression:
        if sub_path:
            text = "subPathExpr and subPath are mutually exclusive"
            problems.append(invalid_value(f"{path}.subPathExpr", expression, text))
        problems += check_descending(expression, f"{list_path}.subPathExpr")
    propagation = mount.get("mountPropagation")
    if propagation is not None:
        if propagation not in _PROPAGATIONS:
            problems.append(not_supported(f"{list_path}.mountPropagation", propagation, _PROPAGATIONS))
        elif propagation == "Bidirectional" and not (container.get("securityContext") or {}).get(
            "privileged"
        ):
            text = "Bidirectional mount propagation is available only to privileged containers"
            problems.append(forbidden_field(f"{list_path}.mountPropagation", text))
    problems += _check_recursive(mount, f"{list_path}.recursiveReadOnly")
    return problems


def _check_recursive(mount: JSON, path: str) -> list[FieldError]:
    mode = mount.get("recursiveReadOnly")
    if mode is None:
        return []
    if mode not in _READ_ONLY:
        return [not_supported(path, mode, _READ_ONLY)]
    if mode == "Disabled":
        return []
    problems = []
    if not mount.get("readOnly"):
        text = "may only be specified when readOnly is true"
        problems.append(forbidden_field(path, text))
    if mount.get("mountPropagation") not in (None, "None"):
        text = "may only be specified when mountPropagation is None or not specified"
        problems.append(forbidden_field(path, text))
    return problems


def check_devices(
    devices: list[JSON], mounts: list[JSON], volumes: Mapping[str, JSON], path: str
) -> list[FieldError]:
    """A container's volumeDevices."""
    problems: list[FieldError] = []
    names: set[str] = set()
    points: set[str] = set()
    mounted = {m.get("name"): m.get("mountPath") for m in mounts}
    for index, device in enumerate(devices):
        where = f"{path}[{index}]"
        name, point = device.get("name") or "", device.get("devicePath") or ""
        volume = volumes.get(name)
        if not name:
            problems.append(required(f"{where}.name"))
        if name in names:
            problems.append(invalid_value(f"{where}.name", name, "must be unique"))
        if volume is None:
            problems.append(field_not_found(f"{where}.name", name))
        elif volume.get("persistentVolumeClaim") is None and volume.get("ephemeral") is None:
            text = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"
            problems.append(invalid_value(f"{where}.name", name, text))
        if not point:
            problems.append(required(f"{where}.devicePath"))
        if point in points:
            problems.append(invalid_value(f"{where}.devicePath", point, "must be unique"))
        if point and check_no_backsteps(point, where):
            problems.append(invalid_value(f"{where}.devicePath", point, "can not contain backsteps ('..')"))
        else:
            points.add(point)
        if name in mounted:
            problems.append(invalid_value(f"{where}.name", name, "must not already exist in volumeMounts"))
        if point in mounted.values():
            text = "must not already exist as a path in volumeMounts"
            problems.append(invalid_value(f"{where}.devicePath", point, text))
        if name:
            names.add(name)
    return problems
