"""Addresses and ranges: what is allowed. The strict forms are those of fields that never knew others.

Models k8s.io/apimachinery/pkg/util/validation/ip.go.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

_IPV4_ZEROS = re.compile(r"(^|[.:])0+(?=\d+(\.|/|$))")
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_PLAIN = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}")
"""An IPv4 address as nearly all are written: no other text matches."""
_LENGTH_ZEROS = re.compile(r"/0+(?=\d)")


@lru_cache(maxsize=4096)
def _address(value: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(value) if "%" not in value else None
    except ValueError:
        return None


def is_ip(value: str) -> list[str]:
    if not _PLAIN.fullmatch(value) and _address(value) is None:
        return ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]
    return []


def is_cidr(value: str) -> list[str]:
    address, slash, bits = value.partition("/")
    parsed = _address(address)
    if parsed is None or not slash or not (bits.isascii() and bits.isdigit()) or len(bits) > 3:
        return ["must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"]
    if int(bits) > parsed.max_prefixlen:
        return ["must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"]
    return []


def is_strict_ip(value: str) -> list[str]:
    """What is wrong with an address: it must be written as Kubernetes would write it."""
    loose = _IPV4_ZEROS.sub(r"\1", value)
    if problems := is_ip(loose):
        return problems
    if loose != value and "." in value:
        return ["must not have leading 0s"]
    address: IPv4Address | IPv6Address = ip_address(value)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return ["must not be an IPv4-mapped IPv6 address"]
    return [] if str(address) == value else [_not_canonical(str(address))]


def is_strict_cidr(value: str) -> list[str]:
    """What is wrong with a range: it must be written as Kubernetes would write it, without bits of a host."""
    loose = _LENGTH_ZEROS.sub("/", _IPV4_ZEROS.sub(r"\1", value) if "." in value else value)
    if problems := is_cidr(loose):
        return problems
    if loose != value:
        return ["must not have leading 0s in IP or prefix length"]
    address = ip_address(value.partition("/")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return ["must not have an IPv4-mapped IPv6 address"]
    whole: IPv4Network | IPv6Network = ip_network(value, strict=False)
    if whole.network_address != address:
        return ["must not have bits set beyond the prefix length"]
    return [] if str(whole) == value else [_not_canonical(str(whole))]


def _not_canonical(canonical: str) -> str:
    return f'must be in canonical form ("{canonical}")'
