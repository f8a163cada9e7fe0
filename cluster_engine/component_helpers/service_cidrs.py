"""ServiceCIDRs: which of them give addresses to Services, and what lies in them.

Models pkg/api/servicecidr and isReady of pkg/registry/core/service/ipallocator.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network

from cluster_engine.apimachinery.cow import JSON

from .conditions import condition_of

READY = "Ready"
FINALIZER = "networking.k8s.io/service-cidr-finalizer"
MANAGED_BY = "ipaddress.kubernetes.io/managed-by"
IP_FAMILY = "ipaddress.kubernetes.io/ip-family"
ALLOCATOR = "ipallocator"
"""Who manages the IPAddresses of Services, by their label MANAGED_BY."""


def addresses(service: JSON) -> list[str]:
    """The addresses that a Service has."""
    return [ip for ip in service["spec"].get("clusterIPs") or () if ip != "None"]


def address_of(service: JSON, ip: str) -> JSON:
    """The IPAddress that says that the Service has it (newIPAddress)."""
    meta = service["metadata"]
    parent = {"resource": "services", "namespace": meta["namespace"], "name": meta["name"]}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IPAddress",
        "metadata": {"name": ip, "labels": {IP_FAMILY: "IPv4", MANAGED_BY: ALLOCATOR}},
        "spec": {"parentRef": parent},
    }


def is_of_service(address: JSON) -> bool:
    """Whether an IPAddress refers to a Service."""
    parent = address["spec"].get("parentRef") or {}
    return not parent.get("group") and parent.get("resource") == "services"


def networks(cidr: JSON) -> list[IPv4Network]:
    """Its ranges of the cluster's family, IPv4."""
    return [IPv4Network(each) for each in cidr["spec"]["cidrs"] if ":" not in each]


def gives(cidr: JSON) -> bool:
    """Whether Services get addresses of it: it does not go, and nobody has said that it is not ready."""
    condition = condition_of(cidr, READY)
    return "deletionTimestamp" not in cidr["metadata"] and (
        condition is None or condition["status"] == "True"
    )


def holds(network: IPv4Network, address: IPv4Address) -> bool:
    """Whether a Service can have the address in that range: the first and the last one are no host's."""
    return address in network and address not in (network.network_address, network.broadcast_address)


def containing(cidrs: Iterable[JSON], address: IPv4Address) -> list[str]:
    """The names of those in which the address lies."""
    return [
        cidr["metadata"]["name"]
        for cidr in cidrs
        if any(holds(network, address) for network in networks(cidr))
    ]


def is_ready(now: str) -> JSON:
    """The condition of one that gives addresses."""
    return {
        "lastTransitionTime": now,
        "message": "Kubernetes Service CIDR is ready",
        "reason": "",
        "status": "True",
        "type": READY,
    }


def is_terminating(now: str) -> JSON:
    """The condition of one that is deleted while addresses of it are in use."""
    return {
        "lastTransitionTime": now,
        "message": "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new "
        "ServiceCIDR",
        "reason": "Terminating",
        "status": "False",
        "type": READY,
    }
