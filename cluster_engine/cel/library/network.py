"""Addresses: ``ip('10.0.0.1')``, ``cidr('10.0.0.0/8').containsIP('10.1.2.3')``.

Models k8s.io/apiserver/pkg/cel/library/ip.go and cidr.go, and Go's net/netip.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from json import dumps

from cluster_engine.cel.errors import CelError
from cluster_engine.cel.library.function import Function, Overload, of_first, traversal
from cluster_engine.cel.library.strings import twice
from cluster_engine.cel.values import Opaque, Value

MAX_LENGTH = 64
"""Characters of an address with its prefix; the longest has 43."""

Address = IPv4Address | IPv6Address


class IP(Opaque):
    """An address."""

    type_name = "net.IP"
    __slots__ = ("address",)

    def __init__(self, address: Address) -> None:
        self.address = address

    def __eq__(self, other: object) -> bool:
        return type(other) is IP and other.address == self.address

    def __hash__(self) -> int:
        return hash(self.address)

    def __str__(self) -> str:
        return str(self.address)


class CIDR(Opaque):
    """An address with the length of its prefix."""

    type_name = "net.CIDR"
    __slots__ = ("address", "bits")

    def __init__(self, address: Address, bits: int) -> None:
        self.address = address
        self.bits = bits

    def __eq__(self, other: object) -> bool:
        return type(other) is CIDR and (other.address, other.bits) == (self.address, self.bits)

    def __hash__(self) -> int:
        return hash((self.address, self.bits))

    def __str__(self) -> str:
        return f"{self.address}/{self.bits}"

    def network(self, address: Address) -> int:
        """The first bits of an address, as many as the prefix has."""
        return int(address) >> (address.max_prefixlen - self.bits)


def _address(text: str) -> Address:
    """netip.ParseAddr; raises ValueError with its words."""
    if len(text) > MAX_LENGTH or not text.isascii() or not ("." in text or ":" in text):
        raise ValueError(f"ParseAddr({dumps(text[:MAX_LENGTH])}): unable to parse IP")
    try:
        return ip_address(text)
    except ValueError as error:
        raise ValueError(f"ParseAddr({dumps(text)}): {_reason(text, error)}") from None


def _reason(text: str, error: ValueError) -> str:
    if ":" in text:
        return "unable to parse IP"
    fields = text.split(".")
    if any(not field.isdigit() and field for field in fields):
        at = next(n for n, char in enumerate(text) if char not in "0123456789.")
        return f"unexpected character (at {dumps(text[at:])})"
    if any(not field for field in fields):
        return "IPv4 field must have at least one digit"
    if any(len(field) > 1 and field[0] == "0" for field in fields):
        return "IPv4 field has octet with leading zero"
    if any(int(field) > 255 for field in fields):
        return "IPv4 field has value >255"
    return "IPv4 address too short" if len(fields) < 4 else "IPv4 address too long"


def parse_ip(text: str) -> IP:
    """An address from its text; no zone, no mapped one. Raises CelError with upstream's words."""
    try:
        address = _address(text.partition("%")[0] if "%" in text and ":" in text else text)
    except ValueError as error:
        raise CelError(
            f"IP Address {dumps(text)} parse error during conversion from string: {error}"
        ) from None
    if "%" in text:
        raise CelError(f"IP address {dumps(text)} with zone value is not allowed")
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        raise CelError(f"IPv4-mapped IPv6 address {dumps(text)} is not allowed")
    return IP(address)


def parse_cidr(text: str) -> CIDR:
    """An address with a prefix from its text. Raises CelError with upstream's words."""
    head, slash, bits = text.rpartition("/")
    prefix = "network address parse error during conversion from string: netip.ParsePrefix"
    if not slash:
        raise CelError(f"{prefix}({dumps(text)}): no '/'")
    try:
        address = _address(head)
    except ValueError as error:
        raise CelError(f"{prefix}({dumps(text)}): {error}") from None
    if not (bits.isascii() and bits.isdigit()) or (len(bits) > 1 and bits[0] == "0") or len(bits) > 3:
        raise CelError(f"{prefix}({dumps(text)}): bad bits after slash: {dumps(bits)}")
    if int(bits) > address.max_prefixlen:
        raise CelError(f"{prefix}({dumps(text)}): prefix length out of range")
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        raise CelError(f"IPv4-mapped IPv6 address {dumps(text)} is not allowed")
    return CIDR(address, int(bits))


def _is_ip(text: str) -> bool:
    try:
        parse_ip(text)
    except CelError:
        return False
    return True


def _is_cidr(text: str) -> bool:
    try:
        parse_cidr(text)
    except CelError:
        return False
    return True


def _is_canonical(text: str) -> bool:
    return str(parse_ip(text)) == text


def _link_local_multicast(value: IP) -> bool:
    packed = value.address.packed
    return packed[:3] == b"\xe0\x00\x00" if len(packed) == 4 else packed[0] == 0xFF and packed[1] & 0x0F == 2


def _global_unicast(value: IP) -> bool:
    address = value.address
    limited = isinstance(address, IPv4Address) and int(address) == 0xFFFFFFFF
    local = address.is_loopback or address.is_multicast or address.is_link_local or address.is_unspecified
    return not (local or limited)


def _contains_ip(net: CIDR, value: IP) -> bool:
    same = net.address.version == value.address.version
    return same and net.network(net.address) == net.network(value.address)


def _contains_ip_text(net: CIDR, text: str) -> bool:
    return _contains_ip(net, parse_ip(text))


def _contains_cidr(net: CIDR, other: CIDR) -> bool:
    return other.bits >= net.bits and _contains_ip(net, IP(other.address))


def _contains_cidr_text(net: CIDR, text: str) -> bool:
    return _contains_cidr(net, parse_cidr(text))


def _masked(net: CIDR) -> CIDR:
    rest = net.address.max_prefixlen - net.bits
    return CIDR(type(net.address)(int(net.address) >> rest << rest), net.bits)


def _of_inside(net: CIDR, other: Value) -> int:
    width = net.address.max_prefixlen // 8
    return traversal(2 * width) + (traversal(len(other)) if isinstance(other, str) else 0)


def _of_within(net: CIDR, other: Value) -> int:
    return _of_inside(net, other) + traversal(net.address.max_prefixlen // 8) + 1


FUNCTIONS = (
    Function(
        "ip",
        Overload("string_to_ip", "(string) -> net.IP", parse_ip, of_first),
        Overload("cidr_ip", "net.CIDR.() -> net.IP", lambda net: IP(net.address)),
    ),
    Function("isIP", Overload("is_ip", "(string) -> bool", _is_ip, of_first)),
    Function("ip.isCanonical", Overload("ip_is_canonical", "(string) -> bool", _is_canonical, twice)),
    Function("family", Overload("ip_family", "net.IP.() -> int", lambda value: value.address.version)),
    Function(
        "isUnspecified",
        Overload("ip_is_unspecified", "net.IP.() -> bool", lambda value: value.address.is_unspecified),
    ),
    Function(
        "isLoopback", Overload("ip_is_loopback", "net.IP.() -> bool", lambda value: value.address.is_loopback)
    ),
    Function(
        "isLinkLocalMulticast",
        Overload("ip_is_link_local_multicast", "net.IP.() -> bool", _link_local_multicast),
    ),
    Function(
        "isLinkLocalUnicast",
        Overload("ip_is_link_local_unicast", "net.IP.() -> bool", lambda value: value.address.is_link_local),
    ),
    Function("isGlobalUnicast", Overload("ip_is_global_unicast", "net.IP.() -> bool", _global_unicast)),
    Function("cidr", Overload("string_to_cidr", "(string) -> net.CIDR", parse_cidr, of_first)),
    Function("isCIDR", Overload("is_cidr", "(string) -> bool", _is_cidr, of_first)),
    Function(
        "containsIP",
        Overload("cidr_contains_ip_string", "net.CIDR.(string) -> bool", _contains_ip_text, _of_inside),
        Overload("cidr_contains_ip_ip", "net.CIDR.(net.IP) -> bool", _contains_ip, _of_inside),
    ),
    Function(
        "containsCIDR",
        Overload("cidr_contains_cidr_string", "net.CIDR.(string) -> bool", _contains_cidr_text, _of_within),
        Overload("cidr_contains_cidr", "net.CIDR.(net.CIDR) -> bool", _contains_cidr, _of_within),
    ),
    Function("masked", Overload("masked_cidr", "net.CIDR.() -> net.CIDR", _masked)),
    Function("prefixLength", Overload("cidr_prefix_length", "net.CIDR.() -> int", lambda net: net.bits)),
    Function(
        "string",
        Overload("ip_to_string", "(net.IP) -> string", str),
        Overload("cidr_to_string", "(net.CIDR) -> string", str),
    ),
)
"""One entry for each function; what another table has as well gets these overloads too."""
