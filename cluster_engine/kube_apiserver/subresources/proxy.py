"""proxy: an HTTP request to a Pod or a Service, which the API server passes on from its own node.

Models pkg/registry/core/{pod,service}/strategy.go and storage.go (ResourceLocation), k8s.io/apimachinery's
SplitSchemeNamePort and pkg/util/proxy (proxyRedirectsforRootPath).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON

from ..requests import RequestInfo

Find = Callable[[str, str, str], JSON | None]
"""(resource, namespace, name) -> the object."""


class Target(NamedTuple):
    """Where a request goes."""

    ip: str
    port: int
    tls: bool


def split(name: str) -> tuple[str, str, str] | None:
    """(scheme, name, port) of ``name``, ``name:port`` or ``scheme:name:port``; None when it is none of these."""
    parts = name.split(":")
    if len(parts) == 1:
        found = ("", parts[0], "")
    elif len(parts) == 2:
        found = ("", parts[0], parts[1])
    elif len(parts) == 3:
        found = (parts[0], parts[1], parts[2])
    else:
        return None
    return found if found[1] and found[0] in ("", "http", "https") else None


def locate(info: RequestInfo, find: Find, choice: int) -> Target:
    """Where the request goes; ``choice`` picks among endpoints. Raises ApiError."""
    what = "pod" if info.resource == "pods" else "service"
    parts = split(info.name)
    if parts is None:
        raise errors.bad_request(f'invalid {what} request "{info.name}"')
    scheme, name, port = parts
    if what == "pod":
        ip, number = _pod(find, info.namespace, name, port)
    else:
        ip, number = _service(find, info.namespace, name, port, info.name, choice)
    return Target(ip, number or (443 if scheme == "https" else 80), scheme == "https")


def _pod(find: Find, namespace: str, name: str, port: str) -> tuple[str, int]:
    pod = find("pods", namespace, name)
    if pod is None:
        raise errors.not_found("pods", name)
    ip = (pod.get("status") or {}).get("podIP") or ""
    if not ip:
        raise errors.bad_request("address not allowed")
    if not port:
        declared = (c["ports"][0]["containerPort"] for c in pod["spec"]["containers"] if c.get("ports"))
        return ip, int(next(declared, 0))
    if not (port.isascii() and port.isdecimal() and 0 < int(port[:6]) < 65_536):
        text = f"error trying to reach service: dial tcp: lookup tcp/{port}: unknown port"
        raise errors.service_unavailable(text)
    return ip, int(port)


def _service(find: Find, namespace: str, name: str, port: str, asked: str, choice: int) -> tuple[str, int]:
    if port.isascii() and port.isdecimal():
        service = find("services", namespace, name)
        if service is None:
            raise errors.not_found("services", name)
        ports = service["spec"].get("ports") or ()
        declared = next((each for each in ports if each["port"] == int(port)), None)
        if declared is None:
            raise errors.service_unavailable(f'no service port {int(port)} found for service "{name}"')
        port = declared.get("name") or ""
    endpoints = find("endpoints", namespace, name)
    if endpoints is None:
        raise errors.not_found("endpoints", name)
    subsets = endpoints.get("subsets") or ()
    if not subsets:
        raise errors.service_unavailable(f'no endpoints available for service "{name}"')
    for subset in subsets:
        addresses = subset.get("addresses") or ()
        for each in subset.get("ports") or ():
            if addresses and (each.get("name") or "") == port:
                return addresses[choice % len(addresses)]["ip"], int(each["port"])
    raise errors.service_unavailable(f'no endpoints available for service "{asked}"')


def unreachable(why: str) -> JSON:
    """The Status of a request that found nobody."""
    return errors.service_unavailable(f"error trying to reach service: {why}").status
