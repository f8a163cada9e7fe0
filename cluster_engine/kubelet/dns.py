"""A Pod's resolver: what stands in its /etc/resolv.conf. Pure.

Models pkg/kubelet/network/dns (GetPodDNS) and the file that containerd writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from cluster_engine.apimachinery.cow import JSON

CLUSTER_DOMAIN = "cluster.local"
CLUSTER_DNS = "10.96.0.10"
"""The address of the Service kube-dns."""
MAX_NAMESERVERS = 3
MAX_SEARCHES = 32
MAX_SEARCH_CHARACTERS = 2048
_MAX_DOMAIN = 253


@dataclass(frozen=True, slots=True)
class Resolver:
    """Name servers, search domains and options."""

    servers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    @lru_cache(maxsize=512)  # noqa: B019  (few, and told apart by what is in them)
    def text(self) -> str:
        """The file."""
        lines = [f"search {' '.join(self.searches)}\n"] if self.searches else []
        lines += [f"nameserver {server}\n" for server in self.servers]
        lines += [f"options {' '.join(self.options)}\n"] if self.options else []
        return "".join(lines)


NODE = Resolver(("172.18.0.1",), (), ("edns0", "trust-ad", "ndots:0"))
"""The nodes' own resolver: outside the cluster."""


def pod_resolver(pod: JSON) -> tuple[Resolver, list[str]]:
    """The Pod's resolver, and what is told (DNSConfigForming) when something did not fit into it."""
    spec = pod["spec"]
    policy = spec.get("dnsPolicy") or "ClusterFirst"
    base = _policy(policy, bool(spec.get("hostNetwork")), pod["metadata"]["namespace"])
    more = spec.get("dnsConfig")
    if not more:
        return base, []
    servers, server_text = _servers(_once((*base.servers, *(more.get("nameservers") or ()))))
    searches, search_text = _searches(_once((*base.searches, *(more.get("searches") or ()))))
    options = _options(base.options, more.get("options") or ())
    return Resolver(servers, searches, options), [text for text in (server_text, search_text) if text]


@lru_cache(maxsize=512)
def _policy(policy: str, host_network: bool, namespace: str) -> Resolver:
    """What a dnsPolicy gives."""
    if policy == "None":
        return Resolver()
    if policy == "Default" or (policy == "ClusterFirst" and host_network):
        return NODE
    services = f"svc.{CLUSTER_DOMAIN}"
    searches = (f"{namespace}.{services}", services, CLUSTER_DOMAIN, *NODE.searches)
    return Resolver((CLUSTER_DNS,), _once(searches), ("ndots:5",))


def _once(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


def _servers(servers: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    if len(servers) <= MAX_NAMESERVERS:
        return servers, ""
    kept = servers[:MAX_NAMESERVERS]
    return kept, (
        "Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: "
        f"{' '.join(kept)}"
    )


def _searches(searches: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    kept = [search for search in searches[:MAX_SEARCHES] if len(search) <= _MAX_DOMAIN]
    while len(" ".join(kept)) > MAX_SEARCH_CHARACTERS:
        kept.pop()
    if len(kept) == len(searches):
        return searches, ""
    return tuple(kept), (
        "Search Line limits were exceeded, some search paths have been omitted, the applied search line is: "
        f"{' '.join(kept)}"
    )


def _options(base: tuple[str, ...], more: list[JSON] | tuple[JSON, ...]) -> tuple[str, ...]:
    """Merged by name; the Pod's own win."""
    merged: dict[str, str] = {}
    for option in base:
        name, _, value = option.partition(":")
        merged[name] = value
    for entry in more:
        merged[entry["name"]] = entry.get("value") or ""
    return tuple(f"{name}:{value}" if value else name for name, value in merged.items())
