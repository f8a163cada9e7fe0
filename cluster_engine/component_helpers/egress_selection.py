"""How an API server reaches what is in the cluster: the EgressSelectorConfiguration of its flag.

Models k8s.io/apiserver/pkg/server/egressselector/config.go.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.apimachinery import yaml

FLAG = "egress-selector-config-file"
MAX_CONFIGURATION = 64 * 1024
"""Bytes of a configuration."""
_VERSIONS = ("apiserver.k8s.io/v1beta1", "apiserver.k8s.io/v1alpha1")
_NAMES = ("cluster", "controlplane", "etcd")
_PROTOCOLS = ("Direct", "GRPC", "HTTPConnect")
_FAILED = "failed to validate egress selector configuration: service.connection"


def socket_of(text: str) -> str:
    """The unix socket at which the cluster's proxy server is asked; "" for the direct way.

    Raises ValueError, in the API server's words where they are its own.
    """
    try:
        given = yaml.load(text.encode("latin-1"), MAX_CONFIGURATION)
    except yaml.YamlError as error:
        raise ValueError(f"failed to read egress selector config: {error}") from None
    if not isinstance(given, dict) or given.get("kind") != "EgressSelectorConfiguration":
        raise ValueError("failed to read egress selector config: it is no EgressSelectorConfiguration")
    version = given.get("apiVersion")
    if version not in _VERSIONS:
        raise ValueError(f"failed to read egress selector config: expected {_VERSIONS[0]}, found {version}")
    found: dict[str, str] = {}
    selections = given.get("egressSelections") or ()
    for each in selections if isinstance(selections, list) else ():
        name = str(_of(each, "name")).lower()
        if name in found:
            raise ValueError(f'{_FAILED}: Duplicate value: "{name}"')
        if name not in _NAMES:
            raise ValueError(f'{_FAILED}: Unsupported value: "{name}": supported values: {_listed(_NAMES)}')
        found[name] = _socket(_of(each, "connection"))
    return found.get("cluster", "")


def _socket(connection: Any) -> str:
    protocol, transport = _of(connection, "proxyProtocol"), _of(connection, "transport")
    if protocol not in _PROTOCOLS:
        raise ValueError(
            f'{_FAILED}.protocol: Unsupported value: "{protocol or ""}": supported values: {_listed(_PROTOCOLS)}'
        )
    if protocol == "Direct":
        if transport:
            raise ValueError(
                f'{_FAILED}.transport: Invalid value: "direct": config must be absent for direct connect'
            )
        return ""
    if not transport:
        raise ValueError(f"{_FAILED}.transport: Required value: transport must be set for {protocol}")
    if protocol == "HTTPConnect" and _of(transport, "tcp"):
        raise ValueError(
            "Drydock's API server asks a proxy server at a unix socket alone (uds), a real one over TCP, too"
        )
    if not _of(transport, "uds"):
        must = "UDS must be set with GRPC" if protocol == "GRPC" else "One of TCP or UDS must be set"
        raise ValueError(f"{_FAILED}.{'uds' if protocol == 'GRPC' else 'tcp'}: Required value: {must}")
    socket = _of(_of(transport, "uds"), "udsName")
    if not socket:
        raise ValueError(f'{_FAILED}.udsName: Invalid value: "nil": must be present for UDS connections')
    return str(socket)


def _of(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(f'"{value}"' for value in values)
