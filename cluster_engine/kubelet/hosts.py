"""A Pod's names: its host name, its domain, its /etc/hosts. Pure.

Models pkg/kubelet/kubelet_pods.go (GeneratePodHostNameAndDomain, managedHostsFileContent) and
pkg/kubelet/util (GetNodenameForKernel).
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.kubelet.dns import CLUSTER_DOMAIN

_HOSTNAME_MAX = 63
_FQDN_MAX = 64
_HEADER = "# Kubernetes-managed hosts file.\n"
_HOST_NETWORK_HEADER = "# Kubernetes-managed hosts file (host network).\n"
_LOCAL = (
    "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\n"
    "fe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n"
)
_NODE_LOCAL = (
    "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\tip6-localnet\n"
    "ff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n"
)


class HostnameError(Exception):
    """The Pod's host name cannot be set; str() is upstream's text."""


def hostname_and_domain(pod: JSON) -> tuple[str, str]:
    """The Pod's host name, and its domain ("" without a subdomain)."""
    spec, meta = pod["spec"], pod["metadata"]
    if spec.get("hostnameOverride"):
        return spec["hostnameOverride"], ""
    hostname = spec.get("hostname") or meta["name"]
    if len(hostname) > _HOSTNAME_MAX:
        hostname = hostname[:_HOSTNAME_MAX].rstrip("-.")
    subdomain = spec.get("subdomain")
    return hostname, f"{subdomain}.{meta['namespace']}.svc.{CLUSTER_DOMAIN}" if subdomain else ""


def kernel_hostname(pod: JSON, node: str) -> str:
    """What ``hostname`` prints in the Pod. Raises HostnameError."""
    if pod["spec"].get("hostNetwork"):
        return node
    hostname, domain = hostname_and_domain(pod)
    if not domain or not pod["spec"].get("setHostnameAsFQDN"):
        return hostname
    fqdn = f"{hostname}.{domain}"
    if len(fqdn) > _FQDN_MAX:
        raise HostnameError(
            f"failed to construct FQDN from pod hostname and cluster domain, FQDN {fqdn} is too long "
            f"({_FQDN_MAX} characters is the max, {len(fqdn)} characters requested)"
        )
    return fqdn


def hosts_file(pod: JSON, ip: str, node: str, node_ip: str) -> str:
    """The text of /etc/hosts."""
    aliases = _aliases(pod["spec"].get("hostAliases") or ())
    if pod["spec"].get("hostNetwork"):
        return f"{_HOST_NETWORK_HEADER}{_NODE_LOCAL}{node_ip}\t{node}\n{aliases}"
    hostname, domain = hostname_and_domain(pod)
    names = f"{hostname}.{domain}\t{hostname}" if domain else hostname
    return f"{_HEADER}{_LOCAL}{ip}\t{names}\n{aliases}"


def _aliases(aliases: list[JSON] | tuple[JSON, ...]) -> str:
    if not aliases:
        return ""
    lines = ["\n# Entries added by HostAliases.\n"]
    lines += ["\t".join((alias["ip"], *(alias.get("hostnames") or ()))) + "\n" for alias in aliases]
    return "".join(lines)
