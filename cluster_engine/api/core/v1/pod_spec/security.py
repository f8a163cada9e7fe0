"""Checks on the security contexts of Pods and containers.

Models pkg/apis/core/validation (ValidateSecurityContext, validatePodSpecSecurityContext).
"""

from __future__ import annotations

import re

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import (
    FieldError,
    duplicate,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)

from .paths import check_descending

_MAX_ID = 2**31 - 1
_ID_RANGE = f"must be between 0 and {_MAX_ID}, inclusive"
_PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")
_PROC_MOUNTS = ("Default", "Unmasked")
_SEGMENT = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_SYSCTL = rf"^({_SEGMENT}[\./])*{_SEGMENT}$"
_sysctl_segment = re.compile(_SEGMENT)
_MAX_SYSCTL = 253
_NET_SYSCTLS = ("net.",)
_IPC_SYSCTLS = ("kernel.sem", "kernel.shm", "kernel.msg", "fs.mqueue.")


def _check_ids(context: JSON, path: str, fields: tuple[str, ...]) -> list[FieldError]:
    problems = []
    for field in fields:
        value = context.get(field)
        if value is not None and not 0 <= value <= _MAX_ID:
            problems.append(invalid_value(f"{path}.{field}", value, _ID_RANGE))
    return problems


def _check_seccomp(profile: JSON, path: str) -> list[FieldError]:
    kind, local = profile.get("type") or "", profile.get("localhostProfile")
    problems: list[FieldError] = []
    if not kind:
        problems.append(required(f"{path}.type", "type is required when seccompProfile is set"))
    elif kind not in _PROFILES:
        problems.append(not_supported(f"{path}.type", kind, _PROFILES))
    if kind == "Localhost":
        if local is None:
            text = "must be set when seccomp type is Localhost"
            problems.append(required(f"{path}.localhostProfile", text))
        else:
            problems += check_descending(local, f"{path}.localhostProfile")
    elif local is not None:
        text = "can only be set when seccomp type is Localhost"
        problems.append(invalid_value(f"{path}.localhostProfile", profile, text))
    return problems


def _check_app_armor(profile: JSON, path: str) -> list[FieldError]:
    kind, local = profile.get("type") or "", profile.get("localhostProfile")
    where = f"{path}.localhostProfile"
    if kind == "Localhost":
        if not (local or "").strip():
            return [required(where, "must be set when AppArmor type is Localhost")]
        if local != str(local).strip():
            return [invalid_value(where, local, "must not be padded with whitespace")]
        return []
    if not kind:
        return [required(f"{path}.type", "type is required when appArmorProfile is set")]
    if kind not in _PROFILES:
        return [not_supported(f"{path}.type", kind, _PROFILES)]
    if local is not None:
        return [invalid_value(where, local, "can only be set when AppArmor type is Localhost")]
    return []


def _check_profiles(context: JSON, path: str) -> list[FieldError]:
    problems: list[FieldError] = []
    if context.get("seccompProfile") is not None:
        problems += _check_seccomp(context["seccompProfile"], f"{path}.seccompProfile")
    if context.get("appArmorProfile") is not None:
        problems += _check_app_armor(context["appArmorProfile"], f"{path}.appArmorProfile")
    return problems


def check_container_security(context: JSON, path: str, *, host_users: bool) -> list[FieldError]:
    """A container's securityContext."""
    problems = _check_ids(context, path, ("runAsUser", "runAsGroup"))
    proc = context.get("procMount")
    if proc is not None:
        if proc not in _PROC_MOUNTS:
            problems.append(not_supported(f"{path}.procMount", proc, _PROC_MOUNTS))
        if host_users and proc == "Unmasked":
            text = "`hostUsers` must be false to use `Unmasked`"
            problems.append(invalid_value(f"{path}.procMount", proc, text))
    problems += _check_profiles(context, path)
    if context.get("allowPrivilegeEscalation") is False:
        if context.get("privileged"):
            text = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
            problems.append(invalid_value(path, _internal(context), text))
        if "CAP_SYS_ADMIN" in ((context.get("capabilities") or {}).get("add") or ()):
            text = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
            problems.append(invalid_value(path, _internal(context), text))
    return problems


_INTERNAL_FIELDS = {
    "capabilities": "Capabilities",
    "privileged": "Privileged",
    "seLinuxOptions": "SELinuxOptions",
    "windowsOptions": "WindowsOptions",
    "runAsUser": "RunAsUser",
    "runAsGroup": "RunAsGroup",
    "runAsNonRoot": "RunAsNonRoot",
    "readOnlyRootFilesystem": "ReadOnlyRootFilesystem",
    "allowPrivilegeEscalation": "AllowPrivilegeEscalation",
    "procMount": "ProcMount",
    "seccompProfile": "SeccompProfile",
    "appArmorProfile": "AppArmorProfile",
}


def _internal(context: JSON) -> JSON:
    """The context as the internal Go struct marshals: all fields, by their Go names."""
    return {name: context.get(field) for field, name in _INTERNAL_FIELDS.items()}


def check_pod_security(spec: JSON, path: str) -> list[FieldError]:
    """spec.securityContext; `path` is that of the spec."""
    context: JSON = spec.get("securityContext") or {}
    where = f"{path}.securityContext"
    problems = _check_ids(context, where, ("fsGroup", "runAsUser", "runAsGroup"))
    for index, group in enumerate(context.get("supplementalGroups") or ()):
        if not 0 <= group <= _MAX_ID:
            problems.append(invalid_value(f"{where}.supplementalGroups[{index}]", group, _ID_RANGE))
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        text = "ShareProcessNamespace and HostPID cannot both be enabled"
        problems.append(invalid_value(f"{where}.shareProcessNamespace", True, text))
    if context.get("sysctls"):
        problems += _check_sysctls(context["sysctls"], spec, f"{where}.sysctls")
    for field, choices in (
        ("fsGroupChangePolicy", ("Always", "OnRootMismatch")),
        ("supplementalGroupsPolicy", ("Merge", "Strict")),
        ("seLinuxChangePolicy", ("MountOption", "Recursive")),
    ):
        value = context.get(field)
        if value is not None and value not in choices:
            problems.append(not_supported(f"{where}.{field}", value, choices))
    return problems + _check_profiles(context, where)


def _check_sysctls(sysctls: list[JSON], spec: JSON, path: str) -> list[FieldError]:
    problems: list[FieldError] = []
    names: set[str] = set()
    for index, sysctl in enumerate(sysctls):
        name, where = sysctl.get("name") or "", f"{path}[{index}].name"
        if not name:
            problems.append(required(where))
        elif len(name) > _MAX_SYSCTL or not all(
            _sysctl_segment.fullmatch(part) for part in name.replace("/", ".").split(".")
        ):
            text = f"must have at most {_MAX_SYSCTL} characters and match regex {_SYSCTL}"
            problems.append(invalid_value(where, name, text))
        elif name in names:
            problems.append(duplicate(where, name))
        plain = name.replace("/", ".")
        if spec.get("hostNetwork") and plain.startswith(_NET_SYSCTLS):
            problems.append(invalid_value(where, name, "may not be specified when 'hostNetwork' is true"))
        if spec.get("hostIPC") and plain.startswith(_IPC_SYSCTLS):
            problems.append(invalid_value(where, name, "may not be specified when 'hostIPC' is true"))
        names.add(name)
    return problems


def check_host_users(spec: JSON, path: str) -> list[FieldError]:
    """A user namespace of its own excludes the node's other namespaces."""
    if spec.get("hostUsers") is not False:
        return []
    text = "when `pod.Spec.HostUsers` is false"
    fields = (("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC"))
    return [forbidden_field(f"{path}.{name}", text) for field, name in fields if spec.get(field)]
