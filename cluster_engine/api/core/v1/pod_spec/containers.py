"""Checks on containers: regular, init (sidecars too) and ephemeral ones.

What a thousand Pods of one template share (ports, env, probes, resources) is checked once and then
recognised by identity; names and mounts are cheap and checked each time.

Models pkg/apis/core/validation (validateContainers, validateInitContainers, validateEphemeralContainers).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import (
    FieldError,
    duplicate,
    field_not_found,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
    too_many,
)
from cluster_engine.apimachinery.identity_cache import RULE_CACHE
from cluster_engine.apimachinery.validation import is_dns1123_label, is_port_name, is_port_number

from .env import check_env, check_env_from, check_files_read, files_read
from .handlers import check_lifecycle, check_probe
from .mounts import check_devices, check_mounts
from .resources import check_requirements
from .security import check_container_security

_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_MESSAGE_POLICIES = ("File", "FallbackToLogsOnError")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_RESTART_POLICIES = ("Always", "Never", "OnFailure")
_ACTIONS = ("Restart", "RestartAllContainers")
_MAX_RULES = 20
_MAX_CODES = 255
_RESIZE_POLICIES = ("NotRequired", "RestartContainer")
_NOT_FOR_INIT = "may not be set for init containers without restartPolicy=Always"
_NOT_EPHEMERAL = "cannot be set for an Ephemeral Container"
_EPHEMERAL_FIELDS = frozenset(
    {
        "args",
        "command",
        "env",
        "envFrom",
        "image",
        "imagePullPolicy",
        "name",
        "resizePolicy",
        "resources",
        "securityContext",
        "stdin",
        "stdinOnce",
        "targetContainerName",
        "terminationMessagePath",
        "terminationMessagePolicy",
        "tty",
        "volumeDevices",
        "volumeMounts",
        "workingDir",
    }
)


class Around(NamedTuple):
    """What a container's validity depends on beside itself."""

    volumes: Mapping[str, JSON]
    claims: Collection[str]
    grace: int | None
    restart_policy: str
    host_users: bool


def _once(
    what: str,
    value: Any,
    check: Callable[[Any, str], list[FieldError]],
    path: str,
    problems: list[FieldError],
) -> None:
    if RULE_CACHE.of(what, value):
        return
    found = check(value, path)
    if found:
        problems += found
    else:
        RULE_CACHE.keep(what, value)


def check_common(container: JSON, around: Around, path: str) -> list[FieldError]:
    """What holds for every sort of container (validateContainerCommon)."""
    problems: list[FieldError] = []
    name = container.get("name") or ""
    if not name:
        problems.append(required(f"{path}.name"))
    else:
        problems += [invalid_value(f"{path}.name", name, text) for text in is_dns1123_label(name)]
    if not container.get("image"):
        problems.append(required(f"{path}.image"))
    policy = container.get("terminationMessagePolicy")
    if policy not in _MESSAGE_POLICIES:
        where = f"{path}.terminationMessagePolicy"
        problems.append(not_supported(where, policy, _MESSAGE_POLICIES) if policy else required(where))
    if container.get("ports"):
        _once("ports are valid", container["ports"], check_container_ports, f"{path}.ports", problems)
    if container.get("env"):
        _once("env is valid", container["env"], check_env, f"{path}.env", problems)
        problems += _check_files_read(container["env"], around, f"{path}.env")
    if container.get("envFrom"):
        _once("envFrom is valid", container["envFrom"], check_env_from, f"{path}.envFrom", problems)
    mounts, devices = container.get("volumeMounts"), container.get("volumeDevices")
    if mounts:
        problems += check_mounts(mounts, devices or [], around.volumes, container, f"{path}.volumeMounts")
    if devices:
        problems += check_devices(devices, mounts or [], around.volumes, f"{path}.volumeDevices")
    pull = container.get("imagePullPolicy")
    if pull not in _PULL_POLICIES:
        where = f"{path}.imagePullPolicy"
        problems.append(not_supported(where, pull, _PULL_POLICIES) if pull else required(where))
    resources = container.get("resources")
    if resources and not RULE_CACHE.of("resources are valid", resources):
        found = check_requirements(resources, around.claims, f"{path}.resources")
        problems += found
        if not found and not resources.get("claims"):
            RULE_CACHE.keep("resources are valid", resources)
    if container.get("resizePolicy"):
        problems += _check_resize(container["resizePolicy"], around.restart_policy, f"{path}.resizePolicy")
    security = container.get("securityContext")
    if security and not (around.host_users and RULE_CACHE.of("security is valid", security)):
        found = check_container_security(security, f"{path}.securityContext", host_users=around.host_users)
        problems += found
        if not found and around.host_users:
            RULE_CACHE.keep("security is valid", security)
    return problems


def _check_files_read(variables: list[JSON], around: Around, path: str) -> list[FieldError]:
    if RULE_CACHE.of("env reads no file", variables):
        return []
    if files_read(variables):
        return check_files_read(variables, around.volumes, path)
    RULE_CACHE.keep("env reads no file", variables)
    return []


def check_container_ports(ports: list[JSON], path: str) -> list[FieldError]:
    """A container's ports (validateContainerPorts)."""
    problems: list[FieldError] = []
    names: set[str] = set()
    for index, port in enumerate(ports):
        where = f"{path}[{index}]"
        name = port.get("name") or ""
        if name:
            wrong = is_port_name(name)
            problems += [invalid_value(f"{where}.name", name, text) for text in wrong]
            if not wrong and name in names:
                problems.append(duplicate(f"{where}.name", name))
            names.add(name)
        number = port.get("containerPort") or 0
        if not number:
            problems.append(required(f"{where}.containerPort"))
        else:
            problems += [
                invalid_value(f"{where}.containerPort", number, text) for text in is_port_number(number)
            ]
        host = port.get("hostPort") or 0
        if host:
            problems += [invalid_value(f"{where}.hostPort", host, text) for text in is_port_number(host)]
        protocol = port.get("protocol") or ""
        if not protocol:
            problems.append(required(f"{where}.protocol"))
        elif protocol not in _PROTOCOLS:
            problems.append(not_supported(f"{where}.protocol", protocol, _PROTOCOLS))
    return problems


def _check_resize(policies: list[JSON], restart_policy: str, path: str) -> list[FieldError]:
    problems: list[FieldError] = []
    seen: set[str] = set()
    for index, policy in enumerate(policies):
        resource, restart = policy.get("resourceName") or "", policy.get("restartPolicy") or ""
        if resource in seen:
            problems.append(duplicate(f"{path}[{index}]", resource))
        seen.add(resource)
        if resource not in ("cpu", "memory"):
            problems.append(not_supported(path, resource, ("cpu", "memory")) if resource else required(path))
        if restart not in _RESIZE_POLICIES:
            problems.append(not_supported(path, restart, _RESIZE_POLICIES) if restart else required(path))
        if restart_policy == "Never" and restart != "NotRequired":
            text = "must be 'NotRequired' when `restartPolicy` is 'Never'"
            problems.append(invalid_value(path, restart, text))
    return problems


def _check_running(container: JSON, around: Around, path: str) -> list[FieldError]:
    """Hooks and probes, for containers that stay."""
    problems: list[FieldError] = []
    if container.get("lifecycle") is not None:
        problems += check_lifecycle(container["lifecycle"], around.grace, f"{path}.lifecycle")
    for name in _PROBES:
        probe = container.get(name)
        if probe is not None and not RULE_CACHE.of(name, probe):
            found = check_probe(name, probe, f"{path}.{name}")
            problems += found
            if not found:
                RULE_CACHE.keep(name, probe)
    return problems


def check_host_ports(containers: list[JSON], path: str) -> list[FieldError]:
    """No two containers may take the same port of the node (checkHostPortConflicts)."""
    problems: list[FieldError] = []
    seen: set[str] = set()
    for index, container in enumerate(containers):
        for number, port in enumerate(container.get("ports") or ()):
            host = port.get("hostPort") or 0
            if not host:
                continue
            key = f"{port.get('protocol', '')}/{port.get('hostIP') or ''}/{host}"
            if key in seen:
                problems.append(duplicate(f"{path}[{index}].ports[{number}].hostPort", key))
            seen.add(key)
    return problems


def check_containers(containers: list[JSON], around: Around, path: str) -> list[FieldError]:
    """spec.containers."""
    if not containers:
        return [required(path)]
    problems: list[FieldError] = []
    names: set[str] = set()
    for index, container in enumerate(containers):
        where = f"{path}[{index}]"
        problems += check_common(container, around, where)
        name = container.get("name") or ""
        if name in names:
            problems.append(duplicate(f"{where}.name", name))
        names.add(name)
        problems += _check_running(container, around, where)
        problems += _check_restart_policy(container, where)
    return problems + check_host_ports(containers, path)


def _check_restart_policy(container: JSON, path: str) -> list[FieldError]:
    """A container's own restart policy, and its rules by exit code (ContainerRestartRules, 1.35)."""
    policy, rules = container.get("restartPolicy"), container.get("restartPolicyRules") or []
    problems: list[FieldError] = []
    if policy is None:
        if rules:
            text = "must specify restartPolicy when restart rules are used"
            problems.append(required(f"{path}.restartPolicy", text))
    elif policy not in _RESTART_POLICIES:
        problems.append(not_supported(f"{path}.restartPolicy", policy, _RESTART_POLICIES))
    path = f"{path}.restartPolicyRules"
    if len(rules) > _MAX_RULES:
        problems.append(too_many(path, len(rules), _MAX_RULES))
    for index, rule in enumerate(rules):
        problems += _check_restart_rule(rule, f"{path}[{index}]")
    return problems


def _check_restart_rule(rule: JSON, path: str) -> list[FieldError]:
    action, codes = rule.get("action") or "", rule.get("exitCodes")
    problems: list[FieldError] = []
    if action not in _ACTIONS:
        problems.append(not_supported(f"{path}.action", action, _ACTIONS))
    path = f"{path}.exitCodes"
    if codes is None:
        return [*problems, required(path, "must be specified")]
    operator, values = codes.get("operator") or "", codes.get("values") or []
    if operator not in ("In", "NotIn"):
        problems.append(not_supported(f"{path}.operator", operator, ("In", "NotIn")))
    if not values:
        problems.append(required(f"{path}.values", "must be specified"))
    elif len(values) > _MAX_CODES:
        problems.append(too_many(f"{path}.values", len(values), _MAX_CODES))
    return problems


def check_init_containers(
    containers: list[JSON], regular: list[JSON], around: Around, path: str
) -> list[FieldError]:
    """spec.initContainers; with restartPolicy Always they are sidecars."""
    problems: list[FieldError] = []
    names = {container.get("name") or "" for container in regular}
    for index, container in enumerate(containers):
        where = f"{path}[{index}]"
        problems += check_common(container, around, where)
        policy = container.get("restartPolicy")
        problems += _check_restart_policy(container, where)
        name = container.get("name") or ""
        if name in names:
            problems.append(duplicate(f"{where}.name", name))
        elif name:
            names.add(name)
        problems += check_host_ports([container], path)
        if policy == "Always":
            problems += _check_running(container, around, where)
            continue
        for field in ("lifecycle", *_PROBES):
            if container.get(field) is not None:
                problems.append(forbidden_field(f"{where}.{field}", _NOT_FOR_INIT))
    return problems


def check_ephemeral_containers(spec: JSON, around: Around, path: str) -> list[FieldError]:
    """spec.ephemeralContainers."""
    problems: list[FieldError] = []
    others = {c.get("name") or "" for n in ("containers", "initContainers") for c in spec.get(n) or ()}
    names = set(others)
    for index, container in enumerate(spec.get("ephemeralContainers") or ()):
        where = f"{path}[{index}]"
        problems += check_common(container, around, where)
        problems += check_image_space(container, where)
        name = container.get("name") or ""
        if name in names:
            problems.append(duplicate(f"{where}.name", name))
        names.add(name)
        target = container.get("targetContainerName") or ""
        if target and target not in others:
            problems.append(field_not_found(f"{where}.targetContainerName", target))
        for field in container:
            if field not in _EPHEMERAL_FIELDS and container[field] not in (None, {}, []):
                problems.append(forbidden_field(f"{where}.{field}", _NOT_EPHEMERAL))
        if container.get("resources"):
            problems.append(forbidden_field(f"{where}.resources", _NOT_EPHEMERAL))
        for number, mount in enumerate(container.get("volumeMounts") or ()):
            for field in ("subPath", "subPathExpr"):
                if mount.get(field):
                    problems.append(
                        forbidden_field(f"{where}.volumeMounts[{number}].{field}", _NOT_EPHEMERAL)
                    )
    return problems


def check_image_space(container: JSON, path: str) -> list[FieldError]:
    """In a Pod (not in a template) the image must not begin or end with a space."""
    image = container.get("image") or ""
    if image != image.strip():
        return [invalid_value(f"{path}.image", image, "must not have leading or trailing whitespace")]
    return []
