"""By which network a caller is counted who has no account."""

from __future__ import annotations

import ipaddress

#: What one household or office has of IPv6: addresses within it are one and the same caller.
IPV6_PREFIX = 64


def network_of(address: str) -> str:
    """The IPv4 address, or the IPv6 network; "" for nonsense."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is None:
            return str(ipaddress.ip_network((parsed, IPV6_PREFIX), strict=False))
        parsed = parsed.ipv4_mapped
    return str(parsed)
