"""Checks on probes and lifecycle hooks.

Models pkg/apis/core/validation (validateProbe, validateHandler, validateLifecycle).
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.meta import check_not_negative
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import (
    FieldError,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)
from cluster_engine.apimachinery.validation import is_http_header_name, is_port_name, is_port_number

_PROBE_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_HOOK_HANDLERS = ("exec", "httpGet", "tcpSocket", "sleep")
_COUNTS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")


def check_port(port: Any, path: str) -> list[FieldError]:
    """A port by number or by name (ValidatePortNumOrName)."""
    if isinstance(port, str):
        return [invalid_value(path, port, text) for text in is_port_name(port)]
    number = port or 0
    return [invalid_value(path, number, text) for text in is_port_number(number)]


def _check_action(name: str, action: JSON, grace: int | None, path: str) -> list[FieldError]:
    if name == "exec":
        return [] if action.get("command") else [required(f"{path}.command")]
    if name == "sleep":
        seconds = action.get("seconds") or 0
        if grace is not None and not 0 <= seconds <= grace:
            text = f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
            return [invalid_value(path, seconds, text)]
        return []
    if name == "httpGet":
        return _check_http_get(action, path)
    return check_port(action.get("port"), f"{path}.port")


def _check_http_get(action: JSON, path: str) -> list[FieldError]:
    problems: list[FieldError] = []
    if not action.get("path"):
        problems.append(required(f"{path}.path"))
    problems += check_port(action.get("port"), f"{path}.port")
    scheme = action.get("scheme") or ""
    if scheme not in ("HTTP", "HTTPS"):
        problems.append(not_supported(f"{path}.scheme", scheme, ("HTTP", "HTTPS")))
    for header in action.get("httpHeaders") or ():
        name = header.get("name") or ""
        problems += [invalid_value(f"{path}.httpHeaders", name, text) for text in is_http_header_name(name)]
    return problems


def _check_handler(handler: JSON, names: tuple[str, ...], grace: int | None, path: str) -> list[FieldError]:
    problems: list[FieldError] = []
    count = 0
    for name in names:
        action = handler.get(name)
        if action is None:
            continue
        if count:
            problems.append(forbidden_field(f"{path}.{name}", "may not specify more than 1 handler type"))
        else:
            count = 1
            problems += _check_action(name, action, grace, f"{path}.{name}")
    if not count:
        problems.append(required(path, "must specify a handler type"))
    return problems


def check_probe(kind: str, probe: JSON, path: str) -> list[FieldError]:
    """A probe; `kind` is livenessProbe, readinessProbe or startupProbe."""
    problems = _check_handler(probe, _PROBE_HANDLERS, None, path)
    for name in _COUNTS:
        problems += check_not_negative(probe.get(name), f"{path}.{name}")
    grace = probe.get("terminationGracePeriodSeconds")
    if grace is not None and grace <= 0:
        problems.append(
            invalid_value(f"{path}.terminationGracePeriodSeconds", grace, "must be greater than 0")
        )
    if kind == "readinessProbe":
        if grace is not None:
            where = f"{path}.terminationGracePeriodSeconds"
            problems.append(invalid_value(where, grace, "must not be set for readinessProbes"))
    elif probe.get("successThreshold") != 1:
        problems.append(
            invalid_value(f"{path}.successThreshold", probe.get("successThreshold") or 0, "must be 1")
        )
    return problems


def check_lifecycle(lifecycle: JSON, grace: int | None, path: str) -> list[FieldError]:
    """A container's lifecycle hooks."""
    problems: list[FieldError] = []
    for name in ("postStart", "preStop"):
        if lifecycle.get(name) is not None:
            problems += _check_handler(lifecycle[name], _HOOK_HANDLERS, grace, f"{path}.{name}")
    return problems
